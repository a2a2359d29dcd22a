#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/notice_view.h"
#include "cli/record_view.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

std::string_view played_words(const std::optional<bool>& played) {
  if (!played) return "not known";
  return *played ? "to its end" : "not to its end";
}

std::string_view state_words(const std::optional<NoticeState>& state) {
  if (!state) return "";
  switch (*state) {
    case NoticeState::valid:
      return "in force when the call began";
    case NoticeState::unknown:
      return "not in the register";
    case NoticeState::not_in_force:
      break;
  }
  return "not in force when the call began";
}

class ReportNotice final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const NoticeReport report, notice_report(vault, person, id));
    if (out.json())
      out.object(to_json(report, vault));
    else
      print(report, vault, out);
    return Exit::done;
  }

 private:
  static JsonObject to_json(const NoticeReport& report, const Vault& vault) {
    const auto known = report.notice ? *report.notice : Notice{};
    const auto when = [&](Time time) { return report.notice ? std::optional(vault.format_time(time)) : std::nullopt; };
    return JsonObject()
        .put("id", report.id.text())
        .put("started_at", vault.format_time(report.started_at))
        .put_known("notice", report.version)
        .put("notice_played", report.played)
        .put_known("notice_state", report.state ? to_word(*report.state) : "")
        .put_known("sha256", known.sha256)
        .put("from", when(known.from))
        .put("until", known.until ? when(*known.until) : std::nullopt)
        .put_known("text", known.text);
  }

  static void print(const NoticeReport& report, const Vault& vault, Output& out) {
    print_field(out, "id", report.id.text());
    print_field(out, "started", vault.format_time(report.started_at));
    print_field(out, "notice", report.version.empty() ? "no version was named" : report.version);
    print_field(out, "played", played_words(report.played));
    print_field(out, "state", state_words(report.state));
    if (!report.notice) return;
    print_field(out, "in force", notice_span(*report.notice, vault));
    print_field(out, "sha256", report.notice->sha256);
    out.line("");
    print_notice_text(report.notice->text, out);
  }

  std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_report_notice() { return std::make_unique<ReportNotice>(); }

}  // namespace callvault::cli
