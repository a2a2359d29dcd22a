// Where passphrases come from. Never argv, never stdin; characters live only in a buffer that is wiped.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "callvault/passphrase.h"
#include "callvault/result.h"

namespace callvault::cli {

class Output;

// Tried in this order; without any, the terminal is asked.
struct PassphraseSources {
  std::optional<std::string> file, command;
  std::string file_option = "--passphrase-file", command_option = "--passphrase-command";
  Output* remarks = nullptr;  // where it is said when others can read the file

  // Options first; else CALLVAULT_PASSPHRASE_FILE, CALLVAULT_PASSPHRASE_COMMAND,
  // $CREDENTIALS_DIRECTORY/callvault.passphrase if it is there (its mode is the service manager's matter).
  static PassphraseSources with_environment(std::optional<std::string> file, std::optional<std::string> command,
                                            Output& remarks);
};

// Errors: usage (no source and no terminal; empty; too long), io (unreadable), unexpected (the command failed).
Result<Passphrase> resolve_passphrase(const PassphraseSources& sources, std::string_view prompt);
// As above, but the terminal is asked twice and the answers must agree.
Result<Passphrase> resolve_new_passphrase(const PassphraseSources& sources, std::string_view prompt);

}  // namespace callvault::cli
