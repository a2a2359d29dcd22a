#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Inspect final : public Command {
 public:
  void declare(Arguments& arguments) override { arguments.positional(file_, "FILE", "a sealed file"); }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(const Inspection seen, as_input(file_, inspect(file_)));
    if (out.json()) {
      out.object(JsonObject()
                     .put("format_version", seen.format_version)
                     .put("id", seen.id.text())
                     .put("track", to_word(seen.track))
                     .put("segment", seen.segment)
                     .put("intake_key", seen.intake_key)
                     .put("review_key", seen.review_key)
                     .put("header_bytes", seen.header_bytes)
                     .put("chunks", seen.chunks)
                     .put("file_bytes", seen.file_bytes)
                     .put("finished", seen.finished)
                     .put("torn_bytes", seen.torn_bytes));
      return Exit::done;
    }
    print_field(out, "format", fmt::format("version {}", seen.format_version));
    print_field(out, "id", seen.id.text());
    print_field(out, "track", fmt::format("{}, segment {}", to_word(seen.track), seen.segment));
    print_field(out, "sealed to", fmt::format("intake key {}, review key {}", seen.intake_key, seen.review_key));
    print_field(out, "header", human_bytes(seen.header_bytes));
    print_field(out, "chunks", std::to_string(seen.chunks));
    print_field(out, "file", human_bytes(seen.file_bytes));
    print_field(out, "finished", seen.finished ? "yes" : "no: the call runs still, or its recorder died");
    if (seen.torn_bytes > 0) print_field(out, "torn", human_bytes(seen.torn_bytes) + " after the last whole chunk");
    return Exit::done;
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> make_inspect() { return std::make_unique<Inspect>(); }

}  // namespace callvault::cli
