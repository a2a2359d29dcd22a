#include "sealed/names.h"

#include <algorithm>
#include <charconv>

#include "base/layout.h"

namespace callvault::sealed {
namespace {

constexpr std::string_view kFresh = ".new";
constexpr std::string_view kPart = ".part";

bool cut_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

}  // namespace

std::string to_text(const FileName& name) {
  std::string out = base::sealed_file_name(name.id, name.track, name.segment);
  if (name.state == FileState::fresh) out += kFresh;
  if (name.state == FileState::part) out += kPart;
  return out;
}

std::optional<FileName> parse_file_name(std::string_view text) {
  const std::string_view whole = text;
  FileName out;
  if (cut_suffix(text, kFresh)) {
    out.state = FileState::fresh;
  } else if (cut_suffix(text, kPart)) {
    out.state = FileState::part;
  }
  if (text.size() <= RecordingId::kTextLength || text[RecordingId::kTextLength] != '.') return std::nullopt;
  const auto id = RecordingId::parse(text.substr(0, RecordingId::kTextLength));
  if (!id) return std::nullopt;
  out.id = *id;
  text.remove_prefix(RecordingId::kTextLength + 1);
  if (const auto dot = text.find('.'); dot != std::string_view::npos) {
    const std::string_view number = text.substr(dot + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.segment);
    if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
    text = text.substr(0, dot);
  }
  const auto track = parse_track(text);
  if (!track) return std::nullopt;
  out.track = *track;
  // One name per file: no leading zeros, no segment 0.
  if (to_text(out) != whole) return std::nullopt;
  return out;
}

std::string stop_file_name(const RecordingId& id) { return id.text() + ".stop"; }
std::string pause_file_name(const RecordingId& id) { return id.text() + ".pause"; }
std::string paused_file_name(const RecordingId& id) { return id.text() + ".paused"; }

std::array<std::string, 3> control_file_names(const RecordingId& id) {
  return {stop_file_name(id), pause_file_name(id), paused_file_name(id)};
}

std::optional<RecordingId> parse_control_file_name(std::string_view text) {
  const auto id = RecordingId::parse(text.substr(0, RecordingId::kTextLength));
  if (!id) return std::nullopt;
  const auto names = control_file_names(*id);
  if (std::find(names.begin(), names.end(), text) == names.end()) return std::nullopt;
  return *id;
}

}  // namespace callvault::sealed
