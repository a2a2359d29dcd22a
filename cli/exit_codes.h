// The exit codes: a stable contract, in one table (exit_codes.cc, docs/CLI.md).
#pragma once

#include <span>
#include <string_view>

#include "callvault/error.h"

namespace callvault::cli {

enum class Exit : int {
  done = 0,
  unexpected = 1,
  usage = 2,
  partly_done = 3,
  no_vault = 10,
  busy = 11,
  wrong_passphrase = 12,
  newer_version = 13,
  not_found = 20,
  gone = 21,
  corrupt = 22,
  refused = 23,
  not_gone = 24,
  overdue = 25,
  io = 74,
  no_space = 75,
  interrupted = 130,
};

struct ExitRow {
  Errc code;
  Exit exit;
  std::string_view meaning;
};

// Every error the engine can answer with, in the order of the exit codes.
std::span<const ExitRow> exit_table();
Exit exit_of(Errc code);

}  // namespace callvault::cli
