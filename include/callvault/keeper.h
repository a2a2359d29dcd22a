// The keeper, and its service: with it, people reach the vault from accounts that can read neither keeper nor key
// state. docs/SEPARATION.md.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "callvault/vault.h"

namespace callvault {

struct ServeOptions {
  std::filesystem::path dir;
  std::optional<std::filesystem::path> keeper;
  // Where to listen; else the socket that a service manager passed, else the one of vault.toml.
  std::optional<std::filesystem::path> socket;
  std::optional<std::chrono::seconds> idle_exit;  // ends after so long without a connection
  std::function<bool()> should_stop;              // polled every second at least
  std::function<void(const std::string& where)> on_ready;
};

// Answers requests until it is told to stop. One process a request; no key is held between two. REQUIRES: the vault's
// own account, one thread. Errors: those of Vault::open; busy when another process listens there.
Result<void> keeper_serve(const ServeOptions& options);

struct KeeperReport {
  std::uint64_t epoch = 0;
  std::string kind, place, medium, claim;
  bool sound = false;       // the place overwrites what it is told to
  std::string reason;       // when it does not
  bool unfinished = false;  // a rotation was cut short; the next change finishes it
  bool separated = false;   // people are bound to other accounts, and the service can be reached
  std::string socket;       // where
};
Result<KeeperReport> keeper_status(Vault& vault);

// The vault was opened through the socket: this process reads neither keeper nor key state.
bool is_separated(const Vault& vault);
// For whom this account may speak, when it is one person.
std::optional<std::string> person_of_account(const Vault& vault);

// The journal's signed head, also through the socket.
Result<CheckpointReport> journal_checkpoint(const Vault& vault);

}  // namespace callvault
