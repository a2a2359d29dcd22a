#include "cli/commands/notice_view.h"

#include <fmt/format.h>

#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {

JsonObject notice_json(const Notice& notice, const Vault& vault) {
  return JsonObject()
      .put("version", notice.version)
      .put("sha256", notice.sha256)
      .put("from", vault.format_time(notice.from))
      .put("until", notice.until ? std::optional(vault.format_time(*notice.until)) : std::nullopt)
      .put("added", vault.format_time(notice.added))
      .put("added_by", notice.added_by);
}

std::string notice_span(const Notice& notice, const Vault& vault) {
  return fmt::format("{} to {}", civil(vault.format_time(notice.from)),
                     notice.until ? civil(vault.format_time(*notice.until)) : "now on");
}

void print_notice_text(const std::string& text, Output& out) {
  auto lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (auto& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
    out.line(printable(line));
  }
}

}  // namespace callvault::cli
