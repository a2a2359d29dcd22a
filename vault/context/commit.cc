#include "context/commit.h"

namespace callvault::context {

namespace {

Result<void> commit_entry(Context& context, journal::Entry entry) {
  CALLVAULT_TRY(context.state.check_room());
  CALLVAULT_TRY(context.log.append({std::move(entry)}));
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  CALLVAULT_TRY(context.state.remove_superseded());
  return {};
}

}  // namespace

Result<void> commit_journalled(Context& context, std::string_view event, std::map<std::string, std::string> facts) {
  CALLVAULT_TRY_ASSIGN(auto entry, context.log.entry(event, std::move(facts)));
  return commit_entry(context, std::move(entry));
}

Result<void> commit_about(Context& context, std::string_view event, std::string_view person,
                          std::map<std::string, std::string> facts) {
  CALLVAULT_TRY_ASSIGN(auto entry, context.log.entry(event, std::move(facts)));
  CALLVAULT_TRY(context.log.add_person(entry, person));
  return commit_entry(context, std::move(entry));
}

}  // namespace callvault::context
