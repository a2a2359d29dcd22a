#include "context/tombstones.h"

#include <charconv>

namespace callvault::context {
namespace {

Result<std::uint64_t> number_at(const journal::Entry& entry, const std::string& key) {
  const auto it = entry.facts.find(key);
  std::uint64_t value = 0;
  if (it != entry.facts.end()) {
    const auto [end, error] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
    if (error == std::errc() && end == it->second.data() + it->second.size()) return value;
  }
  return fail(Errc::corrupt, "a tombstone in the journal lacks its " + key);
}

std::string text_at(const journal::Entry& entry, const std::string& key) {
  const auto it = entry.facts.find(key);
  return it == entry.facts.end() ? std::string() : it->second;
}

}  // namespace

Result<journal::Entry> encode_tombstone(const Log& log, const Tombstone& t) {
  return log.entry(kTombstoneEvent, {{"id", t.id.text()},
                                     {"day", t.start_day},
                                     {"duration_s", std::to_string(t.duration_s)},
                                     {"reason", t.reason},
                                     {"epoch", std::to_string(t.epoch)}});
}

Result<Tombstone> decode_tombstone(std::uint64_t index, const journal::Entry& entry) {
  Tombstone out;
  CALLVAULT_TRY_ASSIGN(out.id, RecordingId::parse(text_at(entry, "id")));
  out.start_day = text_at(entry, "day");
  out.reason = text_at(entry, "reason");
  CALLVAULT_TRY_ASSIGN(out.duration_s, number_at(entry, "duration_s"));
  CALLVAULT_TRY_ASSIGN(out.epoch, number_at(entry, "epoch"));
  out.shredded_at = entry.at;
  out.journal_index = index;
  return out;
}

Result<void> take_tombstones(const Context& context) {
  CALLVAULT_TRY_ASSIGN(const auto position, context.catalog.journal_position());
  CALLVAULT_TRY_ASSIGN(const auto head, context.log.journal().head());
  if (position >= head.size) return {};
  std::vector<Tombstone> found;
  CALLVAULT_TRY(
      context.log.journal().for_each(position, [&](std::uint64_t index, const journal::Entry& entry) -> Result<bool> {
        if (index >= head.size) return false;
        if (entry.event != kTombstoneEvent) return true;
        CALLVAULT_TRY_ASSIGN(auto one, decode_tombstone(index, entry));
        found.push_back(std::move(one));
        return true;
      }));
  // The position alone is not worth a durable write at every opening that is journalled.
  if (found.empty() && head.size - position < 1000) return {};
  return context.catalog.put_tombstones(found, head.size);
}

}  // namespace callvault::context
