#include "shred/intent.h"

#include <algorithm>
#include <charconv>

namespace callvault::shred {
namespace {

// Items are small; a bucket has at most 4,096 of them, and an entry's line is bounded.
constexpr std::size_t kItemsPerEntry = 4096;

template <typename T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  while (true) {
    const auto at = text.find(by);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

os::Path pending_path(const base::Layout& layout) { return layout.keys() / "pending"; }

bool Doomed::takes(TrackName name) const {
  return whole || std::any_of(tracks.begin(), tracks.end(), [&](const auto& t) { return t.first == name; });
}

std::set<TrackName> Doomed::names() const {
  std::set<TrackName> out;
  for (const auto& t : tracks) out.insert(t.first);
  return out;
}

// "<id> <bucket> <day> <duration> <reason> <whole|part> <track>[.<segment>],..."
std::string encode_doomed(const Doomed& d) {
  std::string tracks;
  for (const auto& [name, segment] : d.tracks) {
    if (!tracks.empty()) tracks += ",";
    tracks += std::string(to_word(name)) + "." + std::to_string(segment);
  }
  return d.id.text() + " " + std::to_string(d.bucket) + " " + base::day_text(d.day) + " " +
         std::to_string(d.duration_s) + " " + d.reason + " " + (d.whole ? "whole" : "part") + " " + tracks;
}

Result<Doomed> decode_doomed(std::string_view item) {
  const Error damaged = fail(Errc::corrupt, "an intent in the journal is damaged");
  const auto words = split(item, ' ');
  Doomed out;
  if (words.size() != 7) return damaged;
  CALLVAULT_TRY_ASSIGN(out.id, RecordingId::parse(words[0]));
  CALLVAULT_TRY_ASSIGN(out.day, base::parse_day(words[2]));
  if (!parse_number(words[1], out.bucket) || !parse_number(words[3], out.duration_s)) return damaged;
  out.reason = words[4];
  out.whole = words[5] == "whole";
  if (!out.whole && words[5] != "part") return damaged;
  for (const auto& text : split(words[6], ',')) {
    if (text.empty()) continue;
    const auto dot = text.find('.');
    std::uint16_t segment = 0;
    CALLVAULT_TRY_ASSIGN(const auto name, parse_track(text.substr(0, dot)));
    if (dot == std::string::npos || !parse_number(std::string_view(text).substr(dot + 1), segment)) return damaged;
    out.tracks.emplace_back(name, segment);
  }
  return out;
}

Result<void> write_intent(context::Context& context, const std::vector<Doomed>& doomed, std::uint64_t next_epoch) {
  CALLVAULT_TRY_ASSIGN(const auto head, context.log.journal().head());
  CALLVAULT_TRY(os::replace_file(pending_path(context.layout), base::as_bytes(std::to_string(head.size) + "\n"), 0600,
                                 context.state.spare()));
  std::vector<journal::Entry> entries;
  const std::string epoch = std::to_string(next_epoch);
  for (std::size_t at = 0; at < doomed.size() || at == 0; at += kItemsPerEntry) {
    CALLVAULT_TRY_ASSIGN(auto entry, context.log.entry(kIntentEvent, {{"epoch", epoch}}));
    for (std::size_t i = at; i < doomed.size() && i < at + kItemsPerEntry; ++i)
      entry.items.push_back(encode_doomed(doomed[i]));
    entries.push_back(std::move(entry));
  }
  CALLVAULT_TRY(context.log.append(entries));
  return {};
}

Result<Pending> read_pending(const context::Context& context) {
  CALLVAULT_TRY_ASSIGN(const auto bytes, os::read_file(pending_path(context.layout), 64));
  std::string_view text = base::as_text(bytes);
  text = text.substr(0, text.find('\n'));
  std::uint64_t first = 0;
  if (!parse_number(text, first)) return fail(Errc::corrupt, "keys/pending is damaged");
  Pending out;
  CALLVAULT_TRY(context.log.journal().for_each(first, [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
    if (entry.event == kDoneEvent) out.journalled = true;
    if (entry.event != kIntentEvent) return true;
    const auto epoch = entry.facts.find("epoch");
    if (epoch == entry.facts.end() || !parse_number(epoch->second, out.next_epoch))
      return fail(Errc::corrupt, "an intent in the journal is damaged");
    for (const auto& item : entry.items) {
      CALLVAULT_TRY_ASSIGN(auto one, decode_doomed(item));
      out.doomed.push_back(std::move(one));
    }
    return true;
  }));
  return out;
}

Result<void> clear_pending(const base::Layout& layout) {
  CALLVAULT_TRY(os::remove_file(pending_path(layout)));
  return os::sync_folder(layout.keys());
}

}  // namespace callvault::shred
