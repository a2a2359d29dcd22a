// How a change of what the office keeps becomes true.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "context/context.h"

namespace callvault::context {

// One change of staged registers (and of the edited directory): first the journal, then the directory, which makes both
// true. Errors: no_space before anything is journalled; io.
Result<void> commit_journalled(Context& context, std::string_view event, std::map<std::string, std::string> facts = {});
// The same of a change of one of the staff, who is named in the entry's sealed part.
Result<void> commit_about(Context& context, std::string_view event, std::string_view person,
                          std::map<std::string, std::string> facts = {});

}  // namespace callvault::context
