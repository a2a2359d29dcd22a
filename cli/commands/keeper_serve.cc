#include <fmt/format.h>

#include "callvault/keeper.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/signals.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

constexpr std::uint64_t kLongestWait = std::uint64_t{24} * 3600;

class KeeperServe final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.option(idle_exit_, "--idle-exit", "S", "end after S seconds without a request (with socket activation)");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    ServeOptions options;
    options.dir = session.vault_dir();
    options.keeper = session.keeper();
    options.socket = session.socket();
    if (idle_exit_) {
      CALLVAULT_TRY_ASSIGN(const auto seconds, parse_number(*idle_exit_, "--idle-exit", 1, kLongestWait));
      options.idle_exit = std::chrono::seconds(seconds);
    }
    signals_end_the_call();
    options.should_stop = end_of_call;
    options.on_ready = [&](const std::string& where) { out.note(fmt::format("serving at {}", where)); };
    CALLVAULT_TRY(keeper_serve(options));
    return Exit::done;
  }

 private:
  std::optional<std::string> idle_exit_;
};

}  // namespace

std::unique_ptr<Command> make_keeper_serve() { return std::make_unique<KeeperServe>(); }

}  // namespace callvault::cli
