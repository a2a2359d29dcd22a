// The commands of the group `notice`.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/notice_view.h"
#include "cli/input_file.h"
#include "cli/record_view.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

class AddNotice final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(options_.version, "VERSION", "the name that recorders pin calls to");
    arguments.required(text_, "--text", "FILE", "the text as it is published, UTF-8, at most 64 KiB");
    arguments.required(from_, "--from", "DATE", "since when callers are told of it");
    arguments.option(until_, "--until", "DATE", "from then on not any more (default: when the next version begins)");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(options_.from, about("--from", vault.parse_time(from_)));
    if (until_) {
      CALLVAULT_TRY_ASSIGN(options_.until, about("--until", vault.parse_time(*until_)));
    }
    CALLVAULT_TRY_ASSIGN(options_.text, read_input_file(text_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const NoticeAdded added, notice_add(vault, person, options_));
    if (out.json()) {
      JsonObject json = notice_json(added.notice, vault);
      out.object(json.put_known("ended", added.ended).put_known("ended_by", added.ended_by));
      return Exit::done;
    }
    out.line(fmt::format("{}: {}", added.notice.version, notice_span(added.notice, vault)));
    if (!added.ended.empty()) out.line(fmt::format("{} ends where it begins", added.ended));
    if (!added.ended_by.empty()) out.line(fmt::format("it ends where {} begins", added.ended_by));
    return Exit::done;
  }

 private:
  NoticeOptions options_;
  std::string text_, from_;
  std::optional<std::string> until_;
};

class ListNotices final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const auto notices, notice_list(vault, person));
    Table table(out, {"version", "from", "until", "sha256"});
    for (const auto& notice : notices) {
      if (out.json())
        out.object(notice_json(notice, vault));
      else
        table.add({{notice.version},
                   {civil(vault.format_time(notice.from))},
                   {notice.until ? civil(vault.format_time(*notice.until)) : ""},
                   {notice.sha256.substr(0, 16)}});
    }
    return Exit::done;
  }
};

class ShowNotice final : public Command {
 public:
  void declare(Arguments& arguments) override { arguments.positional(version_, "VERSION", "its version"); }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Notice notice, notice_show(vault, person, version_));
    if (out.json()) {
      out.object(notice_json(notice, vault).put("text", notice.text));
      return Exit::done;
    }
    print_field(out, "notice", notice.version);
    print_field(out, "in force", notice_span(notice, vault));
    print_field(out, "sha256", notice.sha256);
    print_field(out, "added", fmt::format("{} by {}", civil(vault.format_time(notice.added)), notice.added_by));
    out.line("");
    print_notice_text(notice.text, out);
    return Exit::done;
  }

 private:
  std::string version_;
};

}  // namespace

std::unique_ptr<Command> make_notice_add() { return std::make_unique<AddNotice>(); }
std::unique_ptr<Command> make_notice_list() { return std::make_unique<ListNotices>(); }
std::unique_ptr<Command> make_notice_show() { return std::make_unique<ShowNotice>(); }

}  // namespace callvault::cli
