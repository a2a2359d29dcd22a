#include "shred/intent.h"

#include <algorithm>
#include <charconv>

namespace callvault::shred {
namespace {

// An entry's items, their quotation marks and commas stay well below journal::kMaxItems and journal::kMaxLineBytes.
constexpr std::size_t kItemsPerEntry = 8192;
constexpr std::size_t kBytesPerEntry = std::size_t{512} << 10;

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
std::vector<std::string> encode_doomed(const Doomed& d) {
  const std::string begin = d.id.text() + " " + std::to_string(d.bucket) + " " + base::day_text(d.day) + " " +
                            std::to_string(d.duration_s) + " " + d.reason + " " + (d.whole ? "whole" : "part") + " ";
  std::vector<std::string> out{begin};
  for (const auto& [name, segment] : d.tracks) {
    const std::string file = std::string(to_word(name)) + "." + std::to_string(segment);
    if (out.back().size() + 1 + file.size() > journal::kMaxItemBytes) out.push_back(begin);
    if (out.back().size() > begin.size()) out.back() += ",";
    out.back() += file;
  }
  return out;
}

void join_doomed(std::vector<Doomed>& list, Doomed part) {
  if (list.empty() || list.back().id != part.id) {
    list.push_back(std::move(part));
    return;
  }
  auto& tracks = list.back().tracks;
  tracks.insert(tracks.end(), part.tracks.begin(), part.tracks.end());
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
  CALLVAULT_TRY_ASSIGN(auto first, context.log.entry(kIntentEvent, {{"epoch", epoch}}));
  entries.push_back(std::move(first));
  std::size_t bytes = 0;
  for (const Doomed& d : doomed) {
    for (auto& item : encode_doomed(d)) {
      if (entries.back().items.size() == kItemsPerEntry || bytes + item.size() > kBytesPerEntry) {
        CALLVAULT_TRY_ASSIGN(auto next, context.log.entry(kIntentEvent, {{"epoch", epoch}}));
        entries.push_back(std::move(next));
        bytes = 0;
      }
      bytes += item.size();
      entries.back().items.push_back(std::move(item));
    }
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
      join_doomed(out.doomed, std::move(one));
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
