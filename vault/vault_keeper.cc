// The keeper as its people see it: where it is, of which epoch, and whether others are kept from it.
#include "callvault/keeper.h"
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

Result<KeeperReport> keeper_status(Vault& vault) {
  auto& impl = vault.impl();
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(impl, Access::look_up, ""));
  KeeperReport out;
  CALLVAULT_TRY_ASSIGN(const auto slots, impl.keeper->read());
  for (const auto& slot : slots) out.epoch = std::max(out.epoch, slot.epoch);
  CALLVAULT_TRY_ASSIGN(out.unfinished, impl.keeper->unfinished());
  out.unfinished = out.unfinished || slots.size() > 1;
  const auto keeper = impl.keeper->describe();
  out.kind = keeper.kind;
  out.place = keeper.path;
  out.medium = keeper.medium;
  out.claim = keeper.claim;
  out.sound = keeper.sound;
  out.reason = keeper.reason;
  const auto separation = separation_of(impl);
  out.separated = separation.holds();
  out.socket = separation.socket.string();
  return out;
}

}  // namespace callvault
