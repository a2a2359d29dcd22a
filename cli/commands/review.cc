// The commands of the group `review`.
#include <fmt/format.h>

#include "callvault/review_key.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class SplitReview final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.required(of_, "--of", "N", "how many shares: 2 to 32");
    arguments.required(need_, "--need", "M", "how many of them must come together");
    arguments.required(folder_, "-o,--output", "DIR", "the folder for them: empty, or to be made");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(const auto of, parse_number(of_, "--of", 2, 32));
    CALLVAULT_TRY_ASSIGN(const auto need, parse_number(need_, "--need", 2, of));
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person officer, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const ReviewSplit done,
                         review_split(vault, officer, static_cast<unsigned>(of), static_cast<unsigned>(need), folder_));
    std::vector<std::string> files;
    for (const auto& file : done.files) files.push_back(file.string());
    if (out.json())
      out.object(JsonObject().put("of", done.of).put("need", done.need).put("files", files));
    else
      for (const auto& file : files) out.line(printable(file));
    out.note("give each file to another person, on paper or apart, and remove it here");
    return Exit::done;
  }

 private:
  std::string of_, need_, folder_;
};

class JoinReview final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positionals(shares_, "SHARE...", "the files of the shares");
    arguments.required(name_, "--name", "NAME", "the new person: officer and reviewer");
    arguments.option(new_file_, "--new-passphrase-file", "FILE", "read the new person's passphrase from FILE");
    arguments.option(new_command_, "--new-passphrase-command", "CMD", "read it from a command");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (shares_.empty()) return fail(Errc::usage, "name the files of the shares");
    for (const auto& share : shares_) CALLVAULT_TRY(as_input(share, look_for(share)));
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    const PassphraseSources sources{new_file_, new_command_, "--new-passphrase-file", "--new-passphrase-command", &out};
    CALLVAULT_TRY_ASSIGN(const Passphrase passphrase, resolve_new_passphrase(sources, "New passphrase of " + name_));
    CALLVAULT_TRY(review_join(vault, {shares_.begin(), shares_.end()}, name_, passphrase));
    if (out.json())
      out.object(JsonObject().put("name", name_).put("shares", shares_.size()));
    else
      out.line(fmt::format("added {} (officer, reviewer), who holds the review key", printable(name_)));
    return Exit::done;
  }

 private:
  static Result<void> look_for(const std::string& path) {
    std::error_code error;
    if (std::filesystem::exists(path, error)) return {};
    return fail(Errc::not_found, "cannot open " + path + ": No such file or directory");
  }

  std::vector<std::string> shares_;
  std::string name_;
  std::optional<std::string> new_file_, new_command_;
};

}  // namespace

std::unique_ptr<Command> make_review_split() { return std::make_unique<SplitReview>(); }
std::unique_ptr<Command> make_review_join() { return std::make_unique<JoinReview>(); }

}  // namespace callvault::cli
