// The keeper: what it holds, whether others are kept from it, and a rotation for its own sake.
#include "callvault/keeper.h"

#include <algorithm>

#include "os/child.h"
#include "os/local_socket.h"
#include "over_socket.h"
#include "separation.h"

namespace callvault {

Separation separation_of(const Vault::Impl& vault) {
  const auto& policy = vault.config.service;
  Separation out;
  out.socket = policy.socket.value_or(kUsualSocket);
  out.served = os::is_local_socket(out.socket);
  for (const auto& [name, account] : policy.people) {
    const auto uid = os::uid_of(account);
    if (!uid)
      out.unknown.push_back(name);
    else if (*uid == os::own_uid() || *uid == 0)
      out.at_home.push_back(name);
    else
      out.apart.push_back(name);
  }
  return out;
}

namespace {

MirrorStatus mirror_of(const keys::KeeperView& view, const Vault::Impl& vault) {
  MirrorStatus out;
  out.path = view.path;
  out.standing = view.standing == keys::Standing::current   ? "current"
                 : view.standing == keys::Standing::behind  ? "behind"
                 : view.standing == keys::Standing::strange ? "strange"
                                                            : "missing";
  out.problem = view.problem;
  out.first = os::Path(view.path) == vault.keeper_folder;
  out.epoch = view.entry.epoch;
  out.waiting = view.entry.waiting;
  out.roots = view.epochs;
  if (!view.told) return out;
  out.kind = view.told->kind;
  out.medium = view.told->medium;
  out.sound = view.told->sound;
  return out;
}

}  // namespace

Result<KeeperStatus> keeper_status(Vault& vault) {
  auto& impl = vault.impl();
  if (impl.remote) return only_at_home();
  CALLVAULT_TRY_ASSIGN(const auto lock,
                       os::Lock::acquire(impl.layout.state_lock(), os::LockMode::shared, impl.patience));
  const auto told = impl.keeper->describe();
  KeeperStatus out{told.kind, told.path, told.medium, told.sound, told.reason, told.claim, {},
                   false,     {},        {},          false,      {},          {}};
  if (const auto slots = impl.keeper->read())
    for (const auto& slot : *slots) out.epochs.push_back(slot.epoch);
  else
    out.problem = slots.error().message;
  std::sort(out.epochs.begin(), out.epochs.end());
  if (const auto unfinished = impl.keeper->unfinished()) out.unfinished = *unfinished;
  auto state = keys::KeyState::load(impl.layout, *impl.keeper, keys::KeyState::Access::look);
  if (state)
    out.vault = state->directory().epoch;
  else if (out.problem.empty())
    out.problem = state.error().message;
  if (state)
    for (const auto& view : state->keepers()) out.mirrors.push_back(mirror_of(view, impl));
  const auto separation = separation_of(impl);
  out.separated = separation.holds();
  out.socket = separation.socket.string();
  return out;
}

Result<KeeperRotation> keeper_rotate(Vault& vault) {
  if (vault.impl().remote) return only_at_home();
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, ""));
  auto& context = session->context();
  CALLVAULT_TRY(context.log.append("rotated", {{"from", std::to_string(context.state.directory().epoch)}}));
  auto how = shred_options(context);
  how.retire_all_intake = how.rotate = true;
  CALLVAULT_TRY_ASSIGN(const auto done, shred::run(context, {}, how));
  return KeeperRotation{done.epoch, done.intake_retired, done.irrecoverable_ms, done.mirrors_behind};
}

}  // namespace callvault
