// One run of the command: the options all commands share, and the way to a vault and a person.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "callvault/vault.h"
#include "cli/output.h"
#include "cli/passphrase.h"

namespace callvault::cli {

struct Globals {
  std::optional<std::string> vault, keeper, socket, as, passphrase_file, passphrase_command;
  bool json = false, quiet = false;
};

class Session {
 public:
  Session(Globals globals, Output& output) : globals_(std::move(globals)), output_(output) {}

  Output& out() { return output_; }
  bool json() const { return globals_.json; }

  // --vault, CALLVAULT_DIR, else the default.
  std::filesystem::path vault_dir() const;
  // --vault or CALLVAULT_DIR only.
  std::optional<std::filesystem::path> named_vault_dir() const;
  // --keeper or CALLVAULT_KEEPER; none means the sibling of the vault.
  std::optional<std::filesystem::path> keeper() const;
  // --socket or CALLVAULT_SOCKET; none means as the library finds it.
  std::optional<std::filesystem::path> socket() const;
  // --as, CALLVAULT_USER, the person this account is bound to, the login name if it is a person of this vault, else
  // "officer".
  std::string who(const Vault& vault) const;

  Result<Vault> open() const;
  // Asks for the passphrase of who(): call it last, when everything else about the request is known to be sound.
  Result<Person> unlock(Vault& vault) const;
  PassphraseSources sources() const;

 private:
  Globals globals_;
  Output& output_;
};

}  // namespace callvault::cli
