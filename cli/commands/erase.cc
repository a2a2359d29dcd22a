#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/table.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Erase final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positionals(ids_, "ID", "recordings, or unique prefixes of 6 or more characters");
    arguments.option(caller_, "--caller", "N", "everything of the person with this number, on either side of the call");
    arguments.required(request_, "--request", "REF", "reference of the request");
    arguments.required(reason_, "--reason", "TEXT", "why; sealed in the journal");
    arguments.flag(dry_run_, "--dry-run", "tell what would be done, do nothing");
  }

  Result<Exit> run(Session& session) override {
    // Without either it is the request's person, whom only a request of the register (R-2026-0001) has.
    const bool of_register = request_.size() >= 11 && request_.starts_with("R-") && request_[6] == '-';
    if (ids_.empty() ? !caller_ && !of_register : caller_.has_value())
      return fail(Errc::usage, "erase needs recordings or --caller, one of them");
    if (caller_ && caller_->empty()) return fail(Errc::usage, "--caller names no number");
    if (request_.empty()) return fail(Errc::usage, "--request names no request");
    if (reason_.empty()) return fail(Errc::usage, "--reason names no reason");
    EraseOptions options;
    options.caller = caller_;
    options.request = request_;
    options.reason = reason_;
    options.dry_run = dry_run_;
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    for (const auto& text : ids_) {
      CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(text));
      if (std::ranges::find(options.ids, id) == options.ids.end()) options.ids.push_back(id);
    }
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const EraseReport report, vault.erase(person, options));
    if (report.items.empty()) return fail(Errc::not_found, "no recordings of this number");
    print(report, session.out());
    return exit_of_report(report);
  }

 private:
  static Exit exit_of_report(const EraseReport& report) {
    if (report.unreadable > 0) return Exit::partly_done;
    const auto failed = std::ranges::count_if(report.items, [](const auto& item) { return !item.done; });
    if (failed == 0) return report.problems.empty() ? Exit::done : Exit::partly_done;
    if (failed < std::ssize(report.items)) return Exit::partly_done;
    // Nothing was erased: one common cause, else the rule that refused, else a mixture.
    const Errc first = report.items.front().code;
    if (std::ranges::all_of(report.items, [&](const auto& item) { return item.code == first; })) return exit_of(first);
    const bool refused = std::ranges::any_of(report.items, [](const auto& i) { return i.code == Errc::refused; });
    return refused ? Exit::refused : Exit::partly_done;
  }

  static void print(const EraseReport& report, Output& out) {
    std::uint64_t done = 0, deferred = 0;
    for (const auto& item : report.items) {
      done += item.done ? 1 : 0;
      deferred += item.deferred ? 1 : 0;
    }
    const std::uint64_t failed = report.items.size() - done;
    if (out.json()) {
      std::vector<JsonObject> items;
      for (const auto& item : report.items) {
        JsonObject one;
        one.put("id", item.id.text()).put("done", item.done);
        if (!item.done) one.put("code", errc_name(item.code)).put("reason", item.reason);
        if (!item.done) one.put("deferred", item.deferred);
        items.push_back(std::move(one));
      }
      out.object(JsonObject()
                     .put("dry_run", report.dry_run)
                     .put("erased", done)
                     .put("failed", failed)
                     .put("epoch", report.epoch)
                     .put("deferred", deferred)
                     .put("unreadable", report.unreadable)
                     .put("opted_out", report.opted_out)
                     .put("problems", report.problems)
                     .put("irrecoverable_ms", report.irrecoverable_ms)
                     .put("cleaned_ms", report.cleaned_ms)
                     .put("items", items));
      return;
    }
    {
      Table table(out, {"id", "outcome", "why"});
      const std::string_view erased = report.dry_run ? "would be erased" : "erased";
      for (const auto& item : report.items)
        table.add({{item.id.text()},
                   {std::string(item.done       ? erased
                                : item.deferred ? "deferred"
                                                : errc_name(item.code)),
                    item.done ? "" : "33"},
                   {item.done ? "" : item.reason}});
    }
    if (report.unreadable > 0)
      out.note(fmt::format("{} in incoming/ cannot be read, and may be of this number: 'callvault check' names them",
                           count(report.unreadable, "recording", "recordings")));
    for (const auto& problem : report.problems) out.warn("not asked: " + problem);
    if (report.opted_out) out.note("opted out: calls of this person are not to be recorded");
    if (report.dry_run) return out.note("dry run: nothing was changed");
    out.note(fmt::format("{} erased, {} not", done, failed));
    if (deferred > 0) out.note(fmt::format("{} deferred: erased as soon as no hold or restriction keeps it", deferred));
  }

  std::vector<std::string> ids_;
  std::optional<std::string> caller_;
  std::string request_, reason_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> make_erase() { return std::make_unique<Erase>(); }

}  // namespace callvault::cli
