#include "cli/app.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "callvault/process.h"
#include "cli/command.h"
#include "cli/hints.h"
#include "cli/signals.h"

namespace callvault::cli {
namespace {

constexpr const char* kCommon =
    "Options of every command:\n"
    "  --vault DIR                 the vault's folder (CALLVAULT_DIR; default /var/lib/callvault)\n"
    "  --keeper PATH               the keeper's folder (CALLVAULT_KEEPER; default DIR.keeper)\n"
    "  --socket PATH               reach the vault through its keeper's service (CALLVAULT_SOCKET)\n"
    "  --as NAME                   who acts (CALLVAULT_USER)\n"
    "  --passphrase-file FILE      read the passphrase from FILE (CALLVAULT_PASSPHRASE_FILE)\n"
    "  --passphrase-command CMD    read it from a command (CALLVAULT_PASSPHRASE_COMMAND)\n"
    "  --json                      one JSON object a line, errors too\n"
    "  --quiet                     no remarks on stderr\n";

struct Bound {
  const CommandEntry* entry = nullptr;
  std::unique_ptr<Command> command;
  CLI::App* app = nullptr;
};

void declare_globals(CLI::App& app, Globals& globals) {
  Arguments arguments(app);
  arguments.option(globals.vault, "--vault", "DIR", "the vault's folder");
  arguments.option(globals.keeper, "--keeper", "PATH", "the keeper's folder");
  arguments.option(globals.socket, "--socket", "PATH", "reach the vault through its keeper's service");
  arguments.option(globals.as, "--as", "NAME", "who acts");
  arguments.option(globals.passphrase_file, "--passphrase-file", "FILE", "read the passphrase from FILE");
  arguments.option(globals.passphrase_command, "--passphrase-command", "CMD", "read the passphrase from a command");
  arguments.flag(globals.json, "--json", "one JSON object a line, errors too");
  arguments.flag(globals.quiet, "--quiet", "no remarks on stderr");
  app.set_version_flag("--version", std::string("callvault ") + CALLVAULT_VERSION, "show the version");
}

std::vector<Bound> declare_commands(CLI::App& app) {
  std::map<std::string, CLI::App*, std::less<>> parents;
  for (const auto& group : groups()) {
    CLI::App* parent = app.add_subcommand(std::string(group.name), std::string(group.summary));
    parent->require_subcommand(1)->fallthrough();
    parents.emplace(group.name, parent);
  }
  std::vector<Bound> bound;
  for (const auto& entry : commands()) {
    const auto space = entry.name.find(' ');
    CLI::App* parent = space == std::string_view::npos ? &app : parents.find(entry.name.substr(0, space))->second;
    const std::string word(space == std::string_view::npos ? entry.name : entry.name.substr(space + 1));
    CLI::App* own = parent->add_subcommand(word, std::string(entry.summary));
    own->fallthrough()->footer(kCommon);
    bound.push_back({&entry, entry.make(), own});
    Arguments arguments(*own);
    bound.back().command->declare(arguments);
  }
  return bound;
}

// The parser's words as one line in our style.
std::string first_line(std::string text) {
  text = text.substr(0, text.find('\n'));
  if (text.size() > 1 && std::isupper(static_cast<unsigned char>(text[0])) != 0 &&
      std::islower(static_cast<unsigned char>(text[1])) != 0)
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string command_of(const std::vector<Bound>& bound, const CLI::App& app) {
  for (const auto& b : bound)
    if (b.app->parsed()) return std::string(b.entry->name);
  for (const auto& group : groups())
    if (app.got_subcommand(std::string(group.name))) return std::string(group.name);
  return "";
}

Error usage_error(const CLI::ParseError& error, const CLI::App& app, const std::string& command) {
  const bool group_only = std::ranges::any_of(groups(), [&](const auto& g) { return g.name == command; });
  if (command.empty() || group_only) {
    for (const auto& word : app.remaining(true))
      if (!word.starts_with("-"))
        return fail(Errc::usage,
                    fmt::format("there is no command '{}{}{}'", command, command.empty() ? "" : " ", word));
    if (app.remaining(true).empty()) return fail(Errc::usage, "no command given");
  }
  const auto rest = app.remaining(true);
  for (const auto& word : rest)  // its value may be a secret put there by mistake
    if (word.size() > 1 && word.starts_with("-"))
      return fail(Errc::usage, "unknown option " + word.substr(0, word.find('=')));
  // Never the word itself: a number or a passphrase in the wrong place is not for logs.
  if (!rest.empty())
    return fail(Errc::usage, fmt::format("{} too many", rest.size() == 1 ? "an argument" : "arguments"));
  const std::string said = first_line(error.what());
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    const bool missing = said.find("missing") != std::string::npos;
    return fail(Errc::usage,
                said.substr(0, said.find(':')) + (missing ? " needs a value" : " is given more than once"));
  }
  return fail(Errc::usage, said);
}

// Told without a parse, which has failed: unless a file is named, a player reads standard output.
bool plays_to_stdout(std::span<char* const> given) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view word = given[i];
    if (word == "-o" || word == "--output") return i + 1 >= given.size() || std::string_view(given[i + 1]) == "-";
    if (word.starts_with("--output=")) return word == "--output=-";
    if (word.starts_with("-o")) return word == "-o-";
  }
  return true;
}

Result<Exit> run_command(Command& command, Session& session) {
  CALLVAULT_TRY(harden_process());
  CALLVAULT_TRY_ASSIGN(const Exit exit, command.run(session));
  CALLVAULT_TRY(session.out().flush());
  return exit;
}

// The engine names what was wanted by the journal's word for it ("person_add"); people typed "person add".
Error as_typed(Error error) {
  constexpr std::string_view kNoRole = "has no role that allows ";
  const auto at = error.message.find(kNoRole);
  if (error.code == Errc::refused && at != std::string::npos)
    std::replace(error.message.begin() + static_cast<std::ptrdiff_t>(at + kNoRole.size()), error.message.end(), '_',
                 ' ');
  return error;
}

int report(Output& output, const Error& failed, const std::string& command) {
  const Error error = as_typed(failed);
  output.error(error, hint_for(error, command));
  (void)output.flush();
  return static_cast<int>(exit_of(error.code));
}

}  // namespace

int run(int argc, char** argv) {
  Output output;
  const auto given = std::span(argv, static_cast<std::size_t>(argc));
  // Needed before parsing, for an error of parsing.
  const bool json_wanted = std::ranges::any_of(given, [](const char* a) { return std::string_view(a) == "--json"; });
  output.configure(json_wanted, false);

  Globals globals;
  CLI::App app("A vault for recorded telephone calls that can forget", "callvault");
  app.require_subcommand(1)->fallthrough()->footer("'callvault COMMAND --help' tells more; man pages: callvault(1).");
  declare_globals(app, globals);
  const std::vector<Bound> bound = declare_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    const int ignored = app.exit(success);  // --help, --version
    (void)ignored;
    return std::cout.flush().good() ? 0 : static_cast<int>(Exit::io);
  } catch (const CLI::ParseError& error) {
    const std::string command = command_of(bound, app);
    if (command == "play" && plays_to_stdout(given)) output.give_stdout_to_audio();
    return report(output, usage_error(error, app, command), command);
  }
  output.configure(globals.json, globals.quiet);
  if (globals.json) say_interrupts_in_json(STDOUT_FILENO);

  Session session(std::move(globals), output);
  for (const auto& b : bound) {
    if (!b.app->parsed()) continue;
    const auto exit = run_command(*b.command, session);
    return exit ? static_cast<int>(*exit) : report(output, exit.error(), std::string(b.entry->name));
  }
  return report(output, fail(Errc::usage, "no command given"), "");
}

}  // namespace callvault::cli
