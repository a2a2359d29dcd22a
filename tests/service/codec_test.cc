// What crosses the socket: every member of every struct, and nothing that is not one.
#include "service/codec.h"

#include <doctest/doctest.h>

#include "callvault/office.h"
#include "callvault/options.h"
#include "callvault/query.h"
#include "callvault/rights.h"

namespace {

using namespace callvault;
using service::Bytes;

template <typename T>
Bytes bytes_of(const T& value) {
  Bytes out;
  service::encode(out, value);
  return out;
}

// Decodes, and encodes the same again; so does no shorter beginning of it, and nothing longer.
template <typename T>
T again(const T& value) {
  const Bytes bytes = bytes_of(value);
  service::Decoder in(bytes);
  T out = in.get<T>();
  CHECK(in.done());
  CHECK(bytes_of(out) == bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    service::Decoder cut(service::ByteView(bytes).first(n));
    (void)cut.get<T>();
    CHECK_FALSE(cut.done());
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  service::Decoder more(longer);
  (void)more.get<T>();
  CHECK_FALSE(more.done());
  return out;
}

RecordingId some_id() { return RecordingId::parse("eith5lrzpaae7bw46plvp64mua").value(); }
Time some_time() { return Time(std::chrono::milliseconds(1'764'064'806'776)); }

struct Nested {
  Flags flags;
  std::optional<Time> at;
  std::map<std::string, std::string> facts;
};
struct Wide {
  RecordingId a;
  std::string b, c = "default";
  std::optional<std::string> d;
  std::vector<Nested> e;
  Nested f{};
  std::optional<Nested> g;
  Purpose h = Purpose::complaint;
  bool i = true;
  double j = 0;
  ReportCell k;
};

TEST_CASE("members are counted, whatever their types") {
  CHECK(service::count_members<Flags>() == 3);
  CHECK(service::count_members<Hold>() == 2);
  CHECK(service::count_members<Nested>() == 3);
  CHECK(service::count_members<Wide>() == 11);
}

TEST_CASE("a record crosses whole") {
  CallRecord record;
  record.id = some_id();
  record.started_at = some_time();
  record.ended_at = some_time() + std::chrono::seconds(2);
  record.duration_s = 2.125;
  record.expires_at = some_time() + std::chrono::hours(24);
  record.direction = Direction::out;
  record.caller = "+40722000001";
  record.called = "\xff\xfe not UTF-8";
  record.agent = std::string("a\0b", 3);
  record.retention_class = "short";
  record.notice_played = false;
  record.basis = Basis::contract;
  record.consents = {{Party::caller, Consent::granted}, {Party::agent, Consent::unknown}};
  record.state = State::held;
  record.flags.interrupted = true;
  record.tracks = {{TrackName::agent, 1, 8000, 123456789012345}};
  record.holds = {{"matter", some_time()}, {"other", std::nullopt}};
  const auto out = again(record);
  CHECK(out.id == record.id);
  CHECK(out.ended_at == record.ended_at);
  CHECK(out.duration_s == record.duration_s);
  CHECK(out.called == record.called);
  CHECK(out.agent == record.agent);
  CHECK(out.notice_played == false);
  CHECK(out.consents.size() == 2);
  CHECK(out.consents.front().consent == Consent::granted);
  CHECK(out.flags == record.flags);
  CHECK(out.tracks.front().sealed_bytes == 123456789012345);
  CHECK(out.holds.front().until == some_time());
  CHECK_FALSE(out.holds.back().until);
}

TEST_CASE("requests, options, lines and errors cross whole") {
  PlayOptions play;
  play.id = some_id();
  play.track = TrackChoice::agent;
  play.from = std::chrono::milliseconds(1500);
  play.format = PlayFormat::opus;
  play.purpose = Purpose::legal_claims;
  play.reason = "because";
  play.exported = true;
  const auto played = again(play);
  CHECK(played.from == play.from);
  CHECK_FALSE(played.to);
  CHECK(played.purpose == play.purpose);
  CHECK(played.exported);

  Query query;
  query.consent = Consent::pending;
  query.limit = 7;
  CHECK(again(query).limit == 7);

  JournalLine line{9, some_time(), "opened", "ana", {{"id", "x"}, {"purpose", "complaint"}}, ""};
  CHECK(again(line).facts == line.facts);

  const OfficeReport report{{"id", "count"}, {{std::string("a"), std::uint64_t{7}}, {std::uint64_t{8}, std::string()}}};
  CHECK(again(report).rows == report.rows);
  CHECK(again(NoticeState::unknown) == NoticeState::unknown);
  CHECK(again(Exposure{Exposure::Kind::backup, "", some_time()}).kind == Exposure::Kind::backup);

  CHECK(again(fail(Errc::gone, "it is gone")).code == Errc::gone);
  CHECK(again(std::vector<std::string>{"a", "", "c"}).size() == 3);
}

TEST_CASE("what is no value of its type is refused") {
  const auto refuses = [](const auto& wrong, auto type) {
    service::Decoder in(wrong);
    (void)in.get<decltype(type)>();
    return !in.ok();
  };
  CHECK(refuses(Bytes{std::byte{2}}, bool{}));
  CHECK(refuses(Bytes{std::byte{9}}, Purpose{}));
  CHECK(refuses(Bytes{std::byte{3}}, TrackChoice{}));
  CHECK(refuses(Bytes{std::byte{200}}, Errc{}));
  CHECK(refuses(Bytes{std::byte{2}}, ReportCell{}));
  CHECK_FALSE(refuses(Bytes{std::byte{0}}, Consent{}));  // its word is "unknown"
  CHECK(refuses(Bytes{std::byte{6}}, Consent{}));
  // A count of items that cannot follow: nothing is allocated for them.
  CHECK(refuses(Bytes(4, std::byte{0xff}), std::vector<std::string>{}));
  CHECK(refuses(Bytes(4, std::byte{0xff}), std::string{}));
  // A key twice.
  Bytes twice;
  service::encode(twice, std::uint32_t{2});
  for (int i = 0; i < 2; ++i) {
    service::encode(twice, std::string("k"));
    service::encode(twice, std::string("v"));
  }
  CHECK(refuses(twice, std::map<std::string, std::string>{}));
}

}  // namespace
