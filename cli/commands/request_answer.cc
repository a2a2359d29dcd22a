#include <fmt/format.h>

#include "cli/answer_view.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/sinks.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class WriteAnswer final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "REQUEST", "its number: R-2026-0001");
    arguments.required(output_, "-o,--output", "FILE", "where the document goes; - is standard output");
    arguments.flag(force_, "--force", "FILE may be replaced");
  }

  Result<Exit> run(Session& session) override {
    if (output_.empty()) return fail(Errc::usage, "-o names no file");
    const bool to_file = output_ != "-";
    if (force_ && !to_file) return fail(Errc::usage, "--force goes with -o FILE");
    FileSink file(output_, force_, [](std::uint64_t) {});
    StdoutSink standard;
    if (to_file) CALLVAULT_TRY(file.check());
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Answer answer, request_answer(vault, person, id_));
    const std::string document = session.json() ? answer_json(answer, vault) : answer_text(answer, vault);
    ByteSink& sink = to_file ? static_cast<ByteSink&>(file) : standard;
    CALLVAULT_TRY(sink.write(std::as_bytes(std::span(document))));
    if (to_file) CALLVAULT_TRY(file.finish());
    if (to_file) tell(answer, session.out());
    return answer.unreadable > 0 ? Exit::partly_done : Exit::done;
  }

 private:
  void tell(const Answer& answer, Output& out) const {
    if (out.json())
      out.object(JsonObject()
                     .put("request", answer.request.id)
                     .put("recordings", answer.recordings.size())
                     .put("unreadable", answer.unreadable)
                     .put("output", output_));
    else
      out.line(fmt::format("{}: {}", output_, count(answer.recordings.size(), "recording", "recordings")));
  }

  std::string id_, output_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_request_answer() { return std::make_unique<WriteAnswer>(); }

}  // namespace callvault::cli
