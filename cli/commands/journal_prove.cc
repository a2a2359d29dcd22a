#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/input_file.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class JournalProve final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.option(index_, "--index", "N", "prove that this entry stands in the journal");
    arguments.option(since_, "--since", "FILE", "prove that the journal only grew since the checkpoint in FILE");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (index_.has_value() == since_.has_value()) return fail(Errc::usage, "name either --index or --since");
    std::uint64_t index = 0;
    if (index_) {
      CALLVAULT_TRY_ASSIGN(index, parse_number(*index_, "--index", 0, UINT64_MAX));
    }
    CALLVAULT_TRY(session.open());
    const auto journal = session.vault_dir() / "journal";
    std::string proof;
    if (index_) {
      CALLVAULT_TRY_ASSIGN(proof, journal_prove(journal, index));
    } else {
      CALLVAULT_TRY_ASSIGN(const std::string since, read_input_file(*since_));
      CALLVAULT_TRY_ASSIGN(proof, journal_prove_since(journal, since));
    }
    if (out.json())
      out.object(JsonObject().put("kind", index_ ? "inclusion" : "consistency").put("proof", proof));
    else
      for (const auto& line : split(proof.substr(0, proof.size() - 1), '\n')) out.line(printable(line));
    return Exit::done;
  }

 private:
  std::optional<std::string> index_, since_;
};

}  // namespace

std::unique_ptr<Command> make_journal_prove() { return std::make_unique<JournalProve>(); }

}  // namespace callvault::cli
