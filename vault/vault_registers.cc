// Registers that are damaged, and the way out when no backup has them.
#include "context/aliases.h"
#include "context/commit.h"
#include "context/opt_out.h"
#include "registers.h"

namespace callvault {
namespace {

Error not_damaged(std::string_view name) {
  return fail(Errc::refused, "the register " + std::string(name) + " is not damaged: there is nothing to give up");
}

}  // namespace

Result<std::vector<std::string>> damaged_registers(const context::Context& context) {
  std::vector<std::string> out;
  const auto& registers = context.state.directory().registers;
  for (const auto& [name, known] : registers) {
    const auto plain = context.state.read_register(name);
    if (!plain && plain.error().code == Errc::io) return plain.error();
    if (!plain) out.push_back(plain.error().message);
  }
  if (!registers.contains(std::string(context::kOptOutRegister))) return out;
  const auto opt_outs = context::OptOuts::load(context);
  if (!opt_outs && opt_outs.error().code == Errc::io) return opt_outs.error();
  if (opt_outs && opt_outs->incomplete_since())
    out.push_back("the opt-out register was given up on " + context.zone.rfc3339(*opt_outs->incomplete_since()) +
                  " and is not said to be complete again: nobody may be recorded");
  return out;
}

bool can_be_given_up(std::string_view name) {
  return name == context::kOptOutRegister || name == context::kAliasRegister;
}

Result<void> give_up_register(context::Context& context, std::string_view name) {
  if (name == context::kOptOutRegister) {
    const auto present = context::OptOuts::load(context);
    if (present) return not_damaged(name);
    if (present.error().code != Errc::corrupt) return present.error();
    CALLVAULT_TRY_ASSIGN(const auto fresh, context::OptOuts::begin_again(context));
    CALLVAULT_TRY(fresh.stage(context));
  } else if (name == context::kAliasRegister) {
    const auto present = context::Aliases::load(context);
    if (present) return not_damaged(name);
    if (present.error().code != Errc::corrupt) return present.error();
    CALLVAULT_TRY_ASSIGN(const auto fresh, context::Aliases::begin_again(context));
    CALLVAULT_TRY(fresh.stage(context));
  } else {
    return fail(Errc::usage, "the registers that can be given up are opt-out and aliases");
  }
  return context::commit_journalled(context, "register_given_up", {{"register", std::string(name)}});
}

Result<void> complete_register(context::Context& context, std::string_view name) {
  if (name != context::kOptOutRegister)
    return fail(Errc::usage, "the register that can be said to be complete is opt-out");
  CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context));
  if (!opt_outs.incomplete_since()) return fail(Errc::refused, "the opt-out register is not incomplete");
  opt_outs.declare_complete(context.now);
  CALLVAULT_TRY(opt_outs.stage(context));
  return context::commit_journalled(context, "register_completed",
                                    {{"register", std::string(name)}, {"numbers", std::to_string(opt_outs.size())}});
}

}  // namespace callvault
