// Registers that are damaged, and the way out when no backup has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "context/context.h"

namespace callvault {

// Each register that is damaged, and the one of opt-outs while it is incomplete: which, and what is wrong. Errors: io:
// one that cannot be read just now is no damaged one.
Result<std::vector<std::string>> damaged_registers(const context::Context& context);

// The registers of opt-outs and of aliases.
bool can_be_given_up(std::string_view name);

// Puts an empty one in the place of a damaged register of opt-outs or aliases. Journalled, durable. The first is then
// incomplete: nobody may be recorded until `complete_register`. Errors: usage (another register); refused: it is not
// damaged; newer_version; io.
Result<void> give_up_register(context::Context& context, std::string_view name);
// Everybody who objected stands in it again. Errors: usage; refused: it is not incomplete; corrupt.
Result<void> complete_register(context::Context& context, std::string_view name);

}  // namespace callvault
