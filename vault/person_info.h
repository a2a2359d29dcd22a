// How a person stands, as verbs answer it.
#pragma once

#include "rights/people.h"
#include "session.h"

namespace callvault {

PersonInfo person_info(const context::Context& context, const rights::People& people, const keys::PersonEntry& entry);

}  // namespace callvault
