#include "context/commit.h"

namespace callvault::context {

Result<void> commit_journalled(Context& context, std::string_view event, std::map<std::string, std::string> facts) {
  CALLVAULT_TRY(context.state.check_room());
  CALLVAULT_TRY(context.log.append(event, std::move(facts)));
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  CALLVAULT_TRY(context.state.remove_superseded());
  return {};
}

}  // namespace callvault::context
