// A vault whose keeper is another account's: opened through the socket of the keeper's service.
#include "callvault/keeper.h"
#include "identity_parts.h"
#include "over_socket.h"
#include "release_parcel.h"
#include "remote.h"

namespace callvault {

Error only_at_home() { return fail(Errc::refused, "this is for the vault's own account, not for its socket"); }

Result<std::unique_ptr<Vault::Impl>> open_over_socket(const base::Layout& layout, const os::Path& socket,
                                                      const OpenOptions& options) {
  CALLVAULT_TRY_ASSIGN(auto client, service::Client::meet(socket, layout.root));
  const auto& hello = client.hello();
  CALLVAULT_TRY_ASSIGN(auto zone, base::Zone::find(hello.time_zone));
  keys::Config config;
  config.time_zone = hello.time_zone;
  config.controller_contact = hello.contacts.controller;
  config.dpo_contact = hello.contacts.dpo;
  config.authority_contact = hello.contacts.authority;
  const Clock* clock = options.clock != nullptr ? options.clock : &system_clock();
  auto remote = std::make_unique<service::Client>(std::move(client));
  return std::make_unique<Vault::Impl>(Vault::Impl{
      layout, std::move(config), std::move(zone), {}, {}, {}, {}, options.lock_timeout, clock, std::move(remote)});
}

Result<Person> unlock_over_socket(const Vault::Impl& vault, std::string_view name, const Passphrase& passphrase) {
  const std::string who(name.substr(0, keys::kMaxPersonNameBytes));
  const auto file = account_call<base::Bytes>(vault, "identity", who);
  if (!file && file.error().code != Errc::not_found) return file.error();
  auto identity = [&]() -> Result<keys::Identity> {
    if (file) return keys::unlock_identity(*file, name, passphrase);
    CALLVAULT_TRY(keys::spend_passphrase_cost(passphrase));
    return fail(Errc::wrong_passphrase, "wrong passphrase, or no such person");
  }();
  if (identity) return Person(std::make_unique<Person::Impl>(Person::Impl{std::move(*identity)}));
  CALLVAULT_TRY(account_call<void>(vault, "unlock_failed", who, identity.error().code));
  return std::move(identity).error();
}

Result<review::Release> fetch_release(const Vault::Impl& vault, const Person& person, const PlayOptions& options) {
  const auto& identity = person.impl().identity;
  const service::Signer signer{identity.name(), identity.signing_seed()};
  service::Bytes arguments;
  service::encode(arguments, options);
  CALLVAULT_TRY_ASSIGN(auto answer, vault.remote->ask("play", &signer, std::move(arguments)));
  return unpack({std::move(answer.result), std::move(answer.files), std::move(answer.secrets)});
}

bool is_separated(const Vault& vault) { return vault.impl().remote != nullptr; }

std::optional<std::string> person_of_account(const Vault& vault) {
  if (!vault.impl().remote || vault.impl().remote->hello().people.size() != 1) return std::nullopt;
  return vault.impl().remote->hello().people.front();
}

Result<CheckpointReport> journal_checkpoint(const Vault& vault) {
  if (vault.impl().remote) return account_call<CheckpointReport>(vault.impl(), "checkpoint");
  return journal_checkpoint(vault.impl().layout.journal());
}

}  // namespace callvault
