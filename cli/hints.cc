#include "cli/hints.h"

#include <fmt/format.h>

namespace callvault::cli {
namespace {

// Said by the file system, not by a rule of the vault.
bool is_denied(std::string_view message) {
  return message.ends_with("Permission denied") || message.ends_with("Operation not permitted");
}

std::string refused(std::string_view command) {
  if (command == "purge")
    return "look at the clock and at 'callvault purge --dry-run'; if the plan is right, name its count with --confirm "
           "N";
  if (command == "init")
    return "put the keeper elsewhere with --keeper PATH, or accept this place with --unsafe-keeper";
  if (command == "ingest") return "nothing was stored";
  if (command == "play")
    return "'callvault show ID' tells its consent, holds and state; --purpose and --as decide what you may open";
  if (command == "erase") return "'callvault show ID' lists its holds; 'callvault unhold' ends one";
  if (command == "unhold" || command == "hold") return "'callvault show ID' lists its holds";
  return "'callvault person show NAME' tells a person's roles; --as NAME acts as another";
}

std::string io(std::string_view command) {
  if (command == "ingest") return "what was sealed before is safe: 'callvault recover' completes it";
  if (command == "play") return "nothing was kept of an unfinished copy";
  return "what was reported done is safe; run the command again, it continues where it stopped";
}

}  // namespace

std::string hint_for(const Error& error, std::string_view command) {
  switch (error.code) {
    case Errc::usage:
      return command.empty() ? "see 'callvault --help'" : fmt::format("see 'callvault {} --help'", command);
    case Errc::no_vault:
      return "name the vault with --vault DIR or CALLVAULT_DIR, or make one with 'callvault init DIR'";
    case Errc::busy:
      return "try again when the other process is done; a stopped one must be ended first";
    case Errc::wrong_passphrase:
      return "check the passphrase and who acts: --as NAME or CALLVAULT_USER";
    case Errc::newer_version:
      return "use the callvault that wrote this vault, or a later one";
    case Errc::not_found:
      if (command.starts_with("person")) return "'callvault person list' names the people";
      return "'callvault find' lists the recordings; an id may be cut to a unique prefix of 6 or more characters";
    case Errc::gone:
      return "nobody can open it any more; 'callvault prove-gone ID' shows the proof";
    case Errc::corrupt:
      if (command == "check" || command == "inspect") return "restore the damaged file from a backup";
      return "'callvault check --deep' names what is damaged; 'callvault reindex' rebuilds a damaged catalogue";
    case Errc::refused:
      if (is_denied(error.message)) return "run it as the vault's own account; recorders may only ingest";
      return refused(command);
    case Errc::io:
      return io(command);
    case Errc::no_space:
      return "make room on the disk, then run the command again; what was reported done is safe";
    case Errc::unexpected:
      return "'callvault doctor' checks the host";
    case Errc::partly_done:
    case Errc::not_gone:
    case Errc::overdue:
    case Errc::interrupted:
      return "";
  }
  return "";
}

}  // namespace callvault::cli
