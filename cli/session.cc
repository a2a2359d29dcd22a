#include "cli/session.h"

#include <pwd.h>
#include <unistd.h>

#include <system_error>

#include "callvault/keeper.h"
#include "cli/text.h"

namespace callvault::cli {

std::optional<std::filesystem::path> Session::named_vault_dir() const {
  if (globals_.vault) return *globals_.vault;
  if (auto dir = environment("CALLVAULT_DIR")) return *dir;
  return std::nullopt;
}

std::filesystem::path Session::vault_dir() const { return named_vault_dir().value_or("/var/lib/callvault"); }

std::optional<std::filesystem::path> Session::keeper() const {
  if (globals_.keeper) return *globals_.keeper;
  if (auto path = environment("CALLVAULT_KEEPER")) return *path;
  return std::nullopt;
}

std::optional<std::filesystem::path> Session::socket() const {
  if (globals_.socket) return *globals_.socket;
  if (auto path = environment("CALLVAULT_SOCKET")) return *path;
  return std::nullopt;
}

std::string Session::who(const Vault& vault) const {
  if (globals_.as) return *globals_.as;
  if (auto user = environment("CALLVAULT_USER")) return *user;
  if (auto bound = person_of_account(vault)) return *bound;
  if (const passwd* entry = ::getpwuid(::geteuid()); entry != nullptr) {
    std::string login = entry->pw_name;
    std::error_code ignored;
    if (!login.empty() && login.front() != '.' && login.find('/') == std::string::npos &&
        std::filesystem::exists(vault_dir() / "people" / login, ignored))
      return login;
  }
  return "officer";
}

Result<Vault> Session::open() const {
  CALLVAULT_TRY_ASSIGN(auto vault, Vault::open({.dir = vault_dir(), .keeper = keeper(), .socket = socket()}));
  if (const auto& why = why_mirror(vault); !why.empty())
    output_.warn(why + ": bring the first keeper back, or replace it");
  return vault;
}

Result<Person> Session::unlock(Vault& vault) const {
  const std::string name = who(vault);
  CALLVAULT_TRY_ASSIGN(const Passphrase passphrase, resolve_passphrase(sources(), "Passphrase of " + name));
  return vault.unlock(name, passphrase);
}

PassphraseSources Session::sources() const {
  return PassphraseSources::with_environment(globals_.passphrase_file, globals_.passphrase_command, output_);
}

}  // namespace callvault::cli
