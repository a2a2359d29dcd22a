// A command: what it accepts, what it does. One file each in commands/, all named in registry.cc.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "callvault/result.h"
#include "cli/arguments.h"
#include "cli/exit_codes.h"
#include "cli/session.h"

namespace callvault::cli {

class Command {
 public:
  virtual ~Command() = default;
  virtual void declare(Arguments& arguments) = 0;
  // Prints its own results. An Error is printed by the caller, with a hint.
  virtual Result<Exit> run(Session& session) = 0;
};

struct CommandEntry {
  std::string_view name;  // two words for a command of a group: "person add"
  std::string_view summary;
  std::unique_ptr<Command> (*make)();
};

struct GroupEntry {
  std::string_view name, summary;
};

std::span<const CommandEntry> commands();
std::span<const GroupEntry> groups();

}  // namespace callvault::cli
