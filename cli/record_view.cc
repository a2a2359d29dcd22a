#include "cli/record_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"

namespace callvault::cli {
namespace {

constexpr std::size_t kShortId = 10;

struct TrackSum {
  TrackName name;
  std::uint32_t sample_rate;
  std::uint64_t bytes;
};

std::vector<TrackSum> sums(const std::vector<Track>& tracks) {
  std::vector<TrackSum> out;
  for (const auto& track : tracks) {
    const auto same = std::ranges::find(out, track.name, &TrackSum::name);
    if (same == out.end())
      out.push_back({track.name, track.sample_rate, track.sealed_bytes});
    else
      same->bytes += track.sealed_bytes;
  }
  return out;
}

JsonObject fields(const CallRecord& record, const Vault& vault) {
  const auto when = [&](const std::optional<Time>& time) {
    return time ? std::optional(vault.format_time(*time)) : std::nullopt;
  };
  JsonObject consents;
  for (const auto& consent : record.consents) consents.put(to_word(consent.party), to_word(consent.consent));
  std::vector<JsonObject> holds;
  for (const auto& hold : record.holds) {
    JsonObject one;
    one.put("matter", hold.matter).put("until", when(hold.until));
    holds.push_back(std::move(one));
  }
  JsonObject json;
  json.put("id", record.id.text())
      .put("started_at", vault.format_time(record.started_at))
      .put("ended_at", when(record.ended_at))
      .put("duration_s", record.duration_s)
      .put("expires_at", vault.format_time(record.expires_at))
      .put("direction", to_word(record.direction))
      .put_known("caller", record.caller)
      .put_known("called", record.called)
      .put_known("agent", record.agent)
      .put_known("call_id", record.call_id)
      .put("class", record.retention_class)
      .put("consent", to_word(record.consent_of(Party::caller)))
      .put("consents", consents)
      .put("state", to_word(record.state))
      .put("flags", flag_words(record.flags))
      .put("tracks", tracks_json(record.tracks))
      .put("holds", holds);
  return json;
}

}  // namespace

std::string short_id(const RecordingId& id) { return id.text().substr(0, kShortId); }

std::vector<std::string> flag_words(const Flags& flags) {
  std::vector<std::string> words;
  if (flags.truncated) words.emplace_back("truncated");
  if (flags.interrupted) words.emplace_back("interrupted");
  if (flags.duplicate_call_id) words.emplace_back("duplicate_call_id");
  return words;
}

std::vector<JsonObject> tracks_json(const std::vector<Track>& tracks) {
  std::vector<JsonObject> out;
  for (const auto& track : sums(tracks)) {
    JsonObject one;
    one.put("name", to_word(track.name))
        .put("codec", "opus")
        .put("sample_rate", track.sample_rate)
        .put("bytes", track.bytes);
    out.push_back(std::move(one));
  }
  return out;
}

JsonObject record_json(const CallRecord& record, const Vault& vault) { return fields(record, vault); }

JsonObject record_details_json(const CallRecord& record, const Vault& vault) {
  JsonObject json = fields(record, vault);
  json.put("basis", to_word(record.basis))
      .put_known("notice", record.notice)
      .put("notice_played", record.notice_played)
      .put_known("notice_state", record.notice_state ? to_word(*record.notice_state) : "")
      .put("consent_offset_s", record.consent_offset_s)
      .put_known("consent_method", record.consent_method)
      .put("rectified", record.rectified)
      .put_known("deferred_erasure", record.deferred_erasure);
  return json;
}

JsonObject tombstone_json(const Tombstone& tombstone, const Vault& vault) {
  JsonObject json;
  json.put("id", tombstone.id.text())
      .put("state", to_word(State::gone))
      .put("start_day", tombstone.start_day)
      .put("duration_s", tombstone.duration_s)
      .put("reason", tombstone.reason)
      .put("shredded_at", vault.format_time(tombstone.shredded_at))
      .put("epoch", tombstone.epoch)
      .put("journal_index", tombstone.journal_index);
  return json;
}

void print_field(Output& out, std::string_view name, std::string_view value) {
  if (!value.empty()) out.line(fmt::format("{:<14} {}", std::string(name) + ":", printable(value)));
}

std::string_view state_colour(State state) {
  switch (state) {
    case State::held:
    case State::restricted:
    case State::in_progress:
      return "33";
    case State::expired:
    case State::gone:
      return "31";
    case State::live:
      break;
  }
  return "";
}

void print_record(const CallRecord& record, const Vault& vault, Output& out) {
  const auto when = [&](Time time) { return vault.format_time(time); };
  print_field(out, "id", record.id.text());
  print_field(out, "state", to_word(record.state));
  print_field(out, "flags", join(flag_words(record.flags), ", "));
  print_field(out, "started", when(record.started_at));
  if (record.ended_at) print_field(out, "ended", when(*record.ended_at));
  if (record.duration_s) print_field(out, "duration", human_duration(record.duration_s));
  print_field(out, "expires", when(record.expires_at));
  print_field(out, "class", record.retention_class);
  print_field(out, "direction", to_word(record.direction));
  print_field(out, "caller", record.caller);
  print_field(out, "called", record.called);
  print_field(out, "agent", record.agent);
  print_field(out, "call id", record.call_id);
  print_field(out, "basis", to_word(record.basis));
  std::vector<std::string> consents;
  for (const auto& c : record.consents) consents.push_back(fmt::format("{} {}", to_word(c.party), to_word(c.consent)));
  print_field(out, "consent", join(consents, ", "));
  std::vector<std::string> given;
  if (!record.consent_method.empty()) given.push_back(record.consent_method);
  if (record.consent_offset_s) given.push_back("at " + human_duration(record.consent_offset_s));
  print_field(out, "given", join(given, ", "));
  if (!record.notice.empty() || record.notice_played)
    print_field(out, "notice",
                fmt::format("{}{}{}", record.notice.empty() ? "version not known" : record.notice,
                            !record.notice_played   ? ""
                            : *record.notice_played ? ", played"
                                                    : ", not played",
                            record.notice_state == NoticeState::unknown        ? " (not in the register)"
                            : record.notice_state == NoticeState::not_in_force ? " (not in force at that time)"
                                                                               : ""));
  for (const auto& track : sums(record.tracks))
    print_field(out, "track",
                fmt::format("{}, opus {} Hz, {}", to_word(track.name), track.sample_rate, human_bytes(track.bytes)));
  print_field(out, "rectified", join(record.rectified, ", "));
  print_field(out, "to be erased",
              record.deferred_erasure.empty() ? "" : record.deferred_erasure + ", once nothing keeps it any more");
  for (const auto& hold : record.holds)
    print_field(out, "hold", hold.until ? fmt::format("{}, until {}", hold.matter, when(*hold.until)) : hold.matter);
}

void print_tombstone(const Tombstone& tombstone, const Vault& vault, Output& out) {
  print_field(out, "id", tombstone.id.text());
  print_field(out, "state", to_word(State::gone));
  print_field(out, "start day", tombstone.start_day);
  print_field(out, "duration", human_duration(static_cast<double>(tombstone.duration_s)));
  print_field(out, "reason", tombstone.reason);
  print_field(out, "shredded", vault.format_time(tombstone.shredded_at));
  print_field(out, "epoch", std::to_string(tombstone.epoch));
  print_field(out, "journal", fmt::format("entry {}", tombstone.journal_index));
}

}  // namespace callvault::cli
