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
  refuse("started_at", [](auto& m) { m.started_at = Time(std::chrono::milliseconds(253'402'300'800'000)); });
  refuse("sample_rate", [](auto& m) { m.sample_rate = 48'001; });
  refuse("tracks", [](auto& m) { m.tracks = {TrackName::mixed, TrackName::caller, TrackName::agent}; });

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

TEST_CASE("a name is UTF-8 in its one spelling, to the edge of every range, without controls") {
  const auto refused = [](const std::string& text) {
    auto m = sample_metadata();
    m.agent = text;
    return !sealed::validate_metadata(m).has_value();
  };
  for (const char* good : {"~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xe1\x80\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf1\x80\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK_FALSE_MESSAGE(refused(good), base::to_hex(base::as_bytes(std::string_view(good))));
  for (const char* bad :
       {"\x1f", "\x7f", "\xc2\x80", "\xc2\x9f", "\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3(", "\xe1\x80(", "\xe1(\x80", "\xf1\x80\x80(", "\xf1\x80\x80"})
    CHECK_MESSAGE(refused(bad), base::to_hex(base::as_bytes(std::string_view(bad))));
}

TEST_CASE("a class and a way of consent hold their letters and none beside them") {
  for (int c = 1; c < 128; ++c) {
    const std::string text(1, static_cast<char>(c));
    const bool plain = text.find_first_of("abcdefghijklmnopqrstuvwxyz0123456789-") == 0;
    auto m = sample_metadata();
    m.retention_class = text;
    CHECK_MESSAGE(sealed::validate_metadata(m).has_value() == plain, c);
    m = sample_metadata();
    m.consent_method = text;
    CHECK_MESSAGE(sealed::validate_metadata(m).has_value() == (plain || c == '_'), c);
  }
  auto m = sample_metadata();
  m.retention_class = std::string(33, 'a');
  CHECK_FALSE(sealed::validate_metadata(m));
}

TEST_CASE("a header does not open whose metadata are about other tracks") {
  const Recipient people;
  const SealedTrack track;
  auto m = sample_metadata();
  m.tracks = {TrackName::mixed};
  const auto header = track.header(people, TrackName::caller, m).header;
  CHECK(code_of(sealed::open_metadata(header, track.secrets.recording)) == Errc::corrupt);
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
