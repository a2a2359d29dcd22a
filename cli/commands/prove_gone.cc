#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/input_file.h"
#include "cli/record_view.h"
#include "cli/sinks.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class ProveGone final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.option(output_, "-o,--output", "FILE", "write the signed certificate to FILE");
    arguments.flag(force_, "--force", "replace FILE if it exists");
    arguments.option(certificate_, "--certificate", "FILE", "verify this certificate; needs --key and no vault");
    arguments.option(key_, "--key", "FILE", "the journal's public key, got from somebody who can be trusted");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (certificate_.has_value() != key_.has_value() || (certificate_ && (id_ || output_)))
      return fail(Errc::usage, "--certificate goes with --key and with nothing else");
    if (certificate_) return verify(out);
    if (!id_) return fail(Errc::usage, "ID is required");
    FileSink file(output_.value_or(""), force_, [](std::uint64_t) {});
    if (output_) CALLVAULT_TRY(file.check());
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(*id_));
    CALLVAULT_TRY_ASSIGN(const ProofReport report, vault.prove_gone(id));
    if (output_ && report.gone) {
      CALLVAULT_TRY(file.write(std::as_bytes(std::span(report.certificate))));
      CALLVAULT_TRY(file.finish());
    }
    if (out.json())
      print_json(report, vault, out);
    else
      print(report, vault, out);
    return report.gone ? Exit::done : Exit::not_gone;
  }

 private:
  Result<Exit> verify(Output& out) const {
    CALLVAULT_TRY_ASSIGN(const std::string key, read_input_file(*key_));
    CALLVAULT_TRY_ASSIGN(const std::string text, read_input_file(*certificate_));
    CALLVAULT_TRY_ASSIGN(const CertificateReport report, verify_certificate(text, key));
    const Tombstone& t = report.tombstone;
    if (out.json())
      out.object(JsonObject()
                     .put("ok", true)
                     .put("origin", report.origin)
                     .put("controller", report.controller)
                     .put("id", t.id.text())
                     .put("start_day", t.start_day)
                     .put("reason", t.reason)
                     .put("epoch", t.epoch)
                     .put("journal_index", t.journal_index)
                     .put("journal_size", report.journal_size)
                     .put("root", report.root_hex)
                     .put("keeper", report.keeper));
    else
      out.line(fmt::format("genuine: {}{} was shredded ({}), entry {} of {} in the journal {}", t.id.text(),
                           report.controller.empty() ? "" : " of " + printable(report.controller), printable(t.reason),
                           t.journal_index, report.journal_size, printable(report.origin)));
    return Exit::done;
  }

  static void print_json(const ProofReport& report, const Vault& vault, Output& out) {
    std::vector<JsonObject> steps;
    for (const auto& step : report.steps) {
      JsonObject one;
      one.put("what", step.what).put("passed", step.passed).put("detail", step.detail);
      steps.push_back(std::move(one));
    }
    JsonObject json;
    json.put("id", report.id.text()).put("gone", report.gone);
    if (report.tombstone)
      json.put("tombstone", tombstone_json(*report.tombstone, vault));
    else
      json.put_null("tombstone");
    json.put("steps", steps).put_known("certificate", report.certificate).put("not_seen", report.not_seen);
    out.object(json);
  }

  static void print(const ProofReport& report, const Vault& vault, Output& out) {
    if (report.tombstone) print_tombstone(*report.tombstone, vault, out);
    for (const auto& step : report.steps)
      out.line(fmt::format("{}  {}: {}", out.styled(step.passed ? "passed" : "FAILED", step.passed ? "32" : "31"),
                           printable(step.what), printable(step.detail)));
    for (const auto& line : split(report.certificate, '\n')) out.line(printable(line));
    for (const auto& line : report.not_seen) out.line("not seen: " + printable(line));
    out.line(fmt::format("{} is {}", report.id.text(), report.gone ? "gone by every check" : "NOT gone"));
  }

  std::optional<std::string> id_, output_, certificate_, key_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_prove_gone() { return std::make_unique<ProveGone>(); }

}  // namespace callvault::cli
