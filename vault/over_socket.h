// How a verb goes to the keeper's service when this process may not read the keeper: its first line is
//   if (impl_->remote) return signed_call<CallRecord>(*impl_, "show", person, id);
// and one line in the table of vault_service.cc answers it.
#pragma once

#include "service/client.h"
#include "session.h"

namespace callvault {

// Signed by the person's identity.
template <typename R, typename... A>
Result<R> signed_call(const Vault::Impl& vault, std::string_view verb, const Person& person, const A&... arguments) {
  const auto& identity = person.impl().identity;
  const service::Signer signer{identity.name(), identity.signing_seed()};
  return vault.remote->call<R>(verb, &signer, arguments...);
}

// By the account alone: for what needs nobody's passphrase, or comes before it is asked for.
template <typename R, typename... A>
Result<R> account_call(const Vault::Impl& vault, std::string_view verb, const A&... arguments) {
  return vault.remote->call<R>(verb, nullptr, arguments...);
}

// What stays with the vault's own account.
Error only_at_home();

}  // namespace callvault
