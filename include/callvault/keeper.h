// The keeper, and its service: with it, people reach the vault from accounts that can read neither keeper nor key
// state. docs/SEPARATION.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

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

// One keeper of a vault that has mirrors.
struct MirrorStatus {
  std::string path, kind, medium;
  std::string standing;              // "current", "behind", "missing", "strange"
  std::string problem;               // unless it is current: what is wrong
  bool first = false;                // the one that vault.toml or --keeper names
  bool sound = false;                // its place
  std::uint64_t epoch = 0;           // of its newest root that the vault knows
  std::uint64_t waiting = 0;         // shreds that are not final without it
  std::vector<std::uint64_t> roots;  // what it holds
};

struct KeeperStatus {
  std::string kind, path, medium;
  bool sound = false;
  std::string reason;                  // when not sound: why
  std::string claim;                   // what a certificate says of a wipe there
  std::vector<std::uint64_t> epochs;   // of the roots it holds: one, two in the middle of a rotation
  bool unfinished = false;             // a wipe was cut short; the next change finishes it
  std::optional<std::uint64_t> vault;  // the key state's epoch, when a root here opens it
  std::string problem;                 // else: why it does not
  bool separated = false;              // people are bound to other accounts, and the service can be reached
  std::string socket;                  // where
  std::vector<MirrorStatus> mirrors;   // all keepers, of a vault with mirrors
};
// Looks, changes nothing. Errors: io, busy; what is wrong with the keeper stands in the answer.
Result<KeeperStatus> keeper_status(Vault& vault);

struct KeeperRotation {
  std::uint64_t epoch = 0;  // the new one
  std::uint64_t intake_retired = 0;
  double irrecoverable_ms = 0;
  std::vector<std::string> mirrors_behind;  // which still hold the old one
};
// A fresh root key, and the old one wiped, though nothing is to be shredded: after somebody may have read the keeper or
// the key state. Backups made before open nothing by themselves any more. Journalled. Errors: those of a purge.
Result<KeeperRotation> keeper_rotate(Vault& vault);

struct MirrorOptions {
  std::string place;       // a folder, or tpm:HANDLE as for the first keeper, described in <vault>.mirror then
  bool unsafe = false;     // as --unsafe-keeper of a first keeper
  bool remove = false;     // wipe it, and go on without
  bool destroyed = false;  // with `remove`: it cannot be wiped any more, since it does not exist any more
};
struct MirrorReport {
  std::string path;
  std::uint64_t epoch = 0;
  std::uint64_t finalised = 0;  // shreds that waited for the one that was removed
};
// A second keeper, from which the vault can be opened when the first is lost; every rotation is done on both.
// Journalled. Errors: refused (no sound place, inside the vault, or a keeper is there already; cannot be wiped),
// not_found (no such one to remove), io.
Result<MirrorReport> keeper_mirror(Vault& vault, const MirrorOptions& options);

// Empty, or why the first keeper does not open the vault, so that a mirror has to.
const std::string& why_mirror(const Vault& vault);

// The vault was opened through the socket: this process reads neither keeper nor key state.
bool is_separated(const Vault& vault);
// For whom this account may speak, when it is one person.
std::optional<std::string> person_of_account(const Vault& vault);

// The journal's signed head, also through the socket.
Result<CheckpointReport> journal_checkpoint(const Vault& vault);

}  // namespace callvault
