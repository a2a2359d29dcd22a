#include <fmt/format.h>

#include "callvault/disclosure.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/seal_for.h"
#include "cli/sinks.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Disclose final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positionals(ids_, "ID", "the recordings");
    arguments.required(options_.authority, "--authority", "NAME", "who asks");
    arguments.required(options_.reference, "--reference", "REF", "their file or order");
    arguments.required(options_.basis, "--basis", "TEXT", "the law it rests on");
    seal_for_.declare(arguments);
  }

  Result<Exit> run(Session& session) override {
    if (ids_.empty()) return fail(Errc::usage, "name the recordings to disclose");
    CALLVAULT_TRY(seal_for_.check());
    NewFileSink sink(seal_for_.output());
    CALLVAULT_TRY(sink.open());
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    for (const auto& text : ids_) {
      CALLVAULT_TRY_ASSIGN(const auto id, vault.resolve(text));
      options_.ids.push_back(id);
    }
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(options_.seal_for, seal_for_.resolve(session));
    CALLVAULT_TRY_ASSIGN(const DisclosureSummary summary, disclose(vault, person, options_, sink));
    CALLVAULT_TRY(sink.finish());
    report(summary, session.out());
    return Exit::done;
  }

 private:
  void report(const DisclosureSummary& summary, Output& out) const {
    std::vector<std::string> ids;
    for (const auto& id : summary.ids) ids.push_back(id.text());
    if (out.json()) {
      out.object(JsonObject()
                     .put("recordings", ids)
                     .put("files", summary.files)
                     .put("bytes", summary.bytes)
                     .put("output", seal_for_.output())
                     .put("incomplete", summary.incomplete));
      return;
    }
    out.line(fmt::format("sealed {} recording{} in {} files, {}", ids.size(), ids.size() == 1 ? "" : "s", summary.files,
                         human_bytes(summary.bytes)));
    if (summary.incomplete) out.warn("warning: a recording was interrupted; this is what is sound of it");
  }

  std::vector<std::string> ids_;
  DiscloseOptions options_;
  SealForOptions seal_for_;
};

}  // namespace

std::unique_ptr<Command> make_disclose() { return std::make_unique<Disclose>(); }

}  // namespace callvault::cli
