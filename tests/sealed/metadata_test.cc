#include "sealed_fixture.h"

using namespace callvault;
using namespace callvault::sealed_test;

TEST_CASE("metadata survives its text") {
  const auto full = sample_metadata();
  CHECK(must(sealed::decode_metadata(must(sealed::encode_metadata(full)))) == full);
  sealed::CallMetadata least;
  least.tracks = {TrackName::mixed};
  CHECK(must(sealed::decode_metadata(must(sealed::encode_metadata(least)))) == least);
  auto later = full;
  later.first_page = 120;
  later.offset_ms = 60'000;
  CHECK(must(sealed::decode_metadata(must(sealed::encode_metadata(later)))) == later);
  auto evident = full;
  evident.agent_consent = Consent::granted;
  evident.consent_offset_ms = 0;
  evident.consent_method = "key-press_1";
  CHECK(must(sealed::decode_metadata(must(sealed::encode_metadata(evident)))) == evident);
}

TEST_CASE("metadata out of bounds is refused on the way in and on the way out") {
  const auto refuse = [](const char* field, auto change) {
    auto m = sample_metadata();
    change(m);
    const auto encoded = sealed::encode_metadata(m);
    REQUIRE_FALSE(encoded);
    CHECK(encoded.error().code == Errc::usage);
    CHECK_MESSAGE(encoded.error().message.find(field) != std::string::npos, encoded.error().message);
  };
  refuse("caller", [](auto& m) { m.caller = std::string(129, '1'); });
  refuse("consent_offset", [](auto& m) { m.consent_offset_ms = sealed::kMaxConsentOffsetMs + 1; });
  refuse("consent_method", [](auto& m) { m.consent_method = std::string(33, 'a'); });
  refuse("consent_method", [](auto& m) { m.consent_method = "By voice"; });
  refuse("agent", [](auto& m) { m.agent = "a\nb"; });
  refuse("agent", [](auto& m) { m.agent = "\x1b[31m"; });
  refuse("agent", [](auto& m) { m.agent = "\xc2\x9b"; });  // CSI
  refuse("agent", [](auto& m) { m.agent = std::string("a\0b", 3); });
  refuse("call_id", [](auto& m) { m.call_id = "\xff"; });
  refuse("call_id", [](auto& m) { m.call_id = "\xe2\x82"; });
  refuse("call_id", [](auto& m) { m.call_id = "\xc0\xaf"; });
  refuse("notice", [](auto& m) { m.notice = "\xed\xa0\x80"; });  // a surrogate
  refuse("class", [](auto& m) { m.retention_class = "../x"; });
  refuse("class", [](auto& m) { m.retention_class = ""; });
  refuse("tracks", [](auto& m) { m.tracks = {}; });
  refuse("tracks", [](auto& m) { m.tracks = {TrackName::agent, TrackName::agent}; });
  refuse("sample_rate", [](auto& m) { m.sample_rate = 7999; });
  refuse("started_at", [](auto& m) { m.started_at = Time(std::chrono::milliseconds(-1)); });

  const std::string good = must(sealed::encode_metadata(sample_metadata()));
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    return text.replace(at, from.size(), to);
  };
  CHECK(sealed::decode_metadata(replaced("\"out\"", "\"sideways\"")).error().code == Errc::corrupt);
  CHECK_FALSE(sealed::decode_metadata(replaced("16000", "4294967296")));
  CHECK_FALSE(sealed::decode_metadata(replaced("16000", "-16000")));
  CHECK_FALSE(sealed::decode_metadata(replaced("16000", "16000.5")));
  CHECK_FALSE(sealed::decode_metadata(replaced("1763900000123", "1e300")));
  CHECK_FALSE(sealed::decode_metadata(replaced("\"agent\"]", "\"agent\",\"mixed\"]")));
  CHECK_FALSE(sealed::decode_metadata(replaced("true", "\"yes\"")));
  CHECK_FALSE(sealed::decode_metadata(replaced("\"pbx-1/17\"", "[]")));
  CHECK_FALSE(sealed::decode_metadata(replaced("\"class\":\"default\",", "")));
  CHECK(must(sealed::decode_metadata(replaced("{", "{\"later\":[1,{\"x\":2}],"))) == sample_metadata());
  for (const char* text : {"", "[]", "null", "{", "{\"a\":", "\"x\"", "{}"}) CHECK_FALSE(sealed::decode_metadata(text));
  CHECK_FALSE(sealed::decode_metadata(std::string(20'000, '[')));
  CHECK_FALSE(sealed::decode_metadata(std::string(16'000, '[')));
}

TEST_CASE("a header's length does not give away the length of names") {
  const Recipient people;
  const SealedTrack track;
  auto m = sample_metadata();
  m.notice = std::string(60, 'n');
  m.agent = "A";
  const auto a = track.header(people, TrackName::caller, m).header.raw.size();
  m.agent = "A name of some length";
  CHECK(track.header(people, TrackName::caller, m).header.raw.size() == a);
  for (std::string* text : {&m.caller, &m.called, &m.agent, &m.call_id, &m.notice}) *text = std::string(128, '"');
  const auto longest = track.header(people, TrackName::caller, m).header;
  CHECK(must(sealed::open_metadata(longest, track.secrets.recording)) == m);
}
