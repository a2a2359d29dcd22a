// The keeper itself: what it holds, and a rotation for its own sake.
#include "callvault/keeper.h"

#include <algorithm>

#include "session.h"

namespace callvault {

Result<KeeperStatus> keeper_status(Vault& vault) {
  auto& impl = vault.impl();
  CALLVAULT_TRY_ASSIGN(const auto lock,
                       os::Lock::acquire(impl.layout.state_lock(), os::LockMode::shared, impl.patience));
  const auto told = impl.keeper->describe();
  KeeperStatus out{told.kind, told.path, told.medium, told.sound, told.reason, told.claim, {}, false, {}, {}};
  if (const auto slots = impl.keeper->read())
    for (const auto& slot : *slots) out.epochs.push_back(slot.epoch);
  else
    out.problem = slots.error().message;
  std::sort(out.epochs.begin(), out.epochs.end());
  if (const auto unfinished = impl.keeper->unfinished()) out.unfinished = *unfinished;
  const auto state = keys::KeyState::load(impl.layout, *impl.keeper, keys::KeyState::Access::look);
  if (state)
    out.vault = state->directory().epoch;
  else if (out.problem.empty())
    out.problem = state.error().message;
  return out;
}

Result<KeeperRotation> keeper_rotate(Vault& vault) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, ""));
  auto& context = session->context();
  CALLVAULT_TRY(context.log.append("rotated", {{"from", std::to_string(context.state.directory().epoch)}}));
  auto how = shred_options(context);
  how.retire_all_intake = how.rotate = true;
  CALLVAULT_TRY_ASSIGN(const auto done, shred::run(context, {}, how));
  return KeeperRotation{done.epoch, done.intake_retired, done.irrecoverable_ms};
}

}  // namespace callvault
