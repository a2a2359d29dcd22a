// Tar streams, vCon documents and what else stands beside the audio.
#include "disclosure/documents.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "disclosure/tar_writer.h"
#include "disclosure/vcon.h"

using namespace callvault;
using Json = nlohmann::json;

namespace {

class TextSink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    if (text_.size() + bytes.size() > room_) return fail(Errc::no_space, "full");
    text_ += base::as_text(bytes);
    return {};
  }
  std::string text_;
  std::size_t room_ = SIZE_MAX;
};

Time at(std::string_view text) { return base::parse_utc(text).value(); }

CallRecord call() {
  CallRecord r;
  r.id = RecordingId::parse("k3vq7n2m5wxyzabcdefghijkla").value();
  r.started_at = at("2026-11-23T12:00:00.000Z");
  r.caller = "+40722123456";
  r.called = "+40211234567";
  r.agent = "ana";
  r.notice = "v3";
  r.notice_played = true;
  r.consents = {{Party::caller, Consent::implied}, {Party::agent, Consent::granted}};
  return r;
}

const std::vector<disclosure::AudioFile> kTracks{{TrackName::caller, 3, 1.5}, {TrackName::agent, 4, 1.25}};
const std::vector<disclosure::ConsentStep> kSteps{
    {7, at("2026-11-24T12:00:00.000Z"), "caller", "granted", "by letter"},
    {9, at("2026-11-25T12:00:00.000Z"), "agent", "granted", "staff form"}};
const disclosure::Controller kController{"Example SRL", "office@example.com"};

Json vcon_of(const CallRecord& record, const std::vector<disclosure::AudioFile>& files, disclosure::Detail detail) {
  const auto pieces =
      disclosure::vcon_frame(record, files, kSteps, kController, detail, at("2026-12-01T08:00:00.000Z"));
  REQUIRE(pieces.size() == files.size() + 1);
  std::string text = pieces[0];
  for (std::size_t i = 1; i < pieces.size(); ++i) text += "Ym9keQ" + pieces[i];
  return Json::parse(text);
}

}  // namespace

TEST_CASE("a vCon has each party's audio, who is who, and the evidence of consent") {
  const Json v = vcon_of(call(), kTracks, disclosure::Detail::everything);
  CHECK(v["vcon"] == "0.4.0");
  CHECK(v["created_at"] == "2026-12-01T08:00:00Z");
  CHECK_FALSE(v.contains("redacted"));
  REQUIRE(v["parties"].size() == 3);
  CHECK(v["parties"][0]["tel"] == "+40722123456");
  CHECK(v["parties"][1]["name"] == "ana");
  CHECK(v["parties"][2]["type"] == "organization");
  REQUIRE(v["dialog"].size() == 2);
  CHECK(v["dialog"][0]["parties"] == 0);
  CHECK_FALSE(v["dialog"][0].contains("originator"));
  CHECK(v["dialog"][1]["parties"] == 1);
  CHECK(v["dialog"][1]["originator"] == 0);
  for (const auto& d : v["dialog"]) CHECK(d["body"] == "Ym9keQ");
  CHECK(v["attachments"][0]["body"]["changes"].size() == 2);
}

TEST_CASE("who gets the own track alone learns nothing of the other party") {
  for (const auto& [detail, file, other] : {std::tuple{disclosure::Detail::caller_only, kTracks[0], std::size_t{1}},
                                            std::tuple{disclosure::Detail::agent_only, kTracks[1], std::size_t{0}}}) {
    const Json v = vcon_of(call(), {file}, detail);
    CHECK(v["parties"][other] == Json{{"name", "anonymous"}});
    const std::string text = v.dump();
    const bool of_caller = other == 1;
    CHECK((text.find("ana") != std::string::npos && of_caller) == false);
    CHECK((text.find("722123456") == std::string::npos) == !of_caller);
    CHECK((text.find("staff form") == std::string::npos) == of_caller);
    CHECK((text.find("by letter") == std::string::npos) == !of_caller);
    // A redacted version of the one with everything, under a uuid of its own.
    const Json whole = vcon_of(call(), kTracks, disclosure::Detail::everything);
    CHECK(v["redacted"]["uuid"] == whole["uuid"]);
    CHECK(v["uuid"] != whole["uuid"]);
    // What was taken out keeps its place: an index means the same in both.
    REQUIRE(v["dialog"].size() == whole["dialog"].size());
    CHECK(v["dialog"][other] == Json::object());
    CHECK(v["dialog"][1 - other]["parties"] == whole["dialog"][1 - other]["parties"]);
    CHECK(v["attachments"][0]["dialog"] == 1 - other);
  }
}

TEST_CASE("in an outbound call the agent is the originator, and the called number is the other party") {
  auto record = call();
  record.direction = Direction::out;
  const Json v = vcon_of(record, {{TrackName::mixed, 3, 1}}, disclosure::Detail::everything);
  CHECK(v["parties"][0]["tel"] == "+40211234567");
  CHECK(v["dialog"][0]["parties"] == Json{1, 0});
}

TEST_CASE("a vCon's dates have a fraction of a second only when there is one, and a SIP address is one") {
  auto record = call();
  record.started_at = at("2026-11-23T12:00:00.250Z");
  record.caller = "sip:ion@example.com";
  const Json v = vcon_of(record, kTracks, disclosure::Detail::everything);
  CHECK(v["dialog"][0]["start"] == "2026-11-23T12:00:00.250Z");
  CHECK(v["parties"][0] == Json{{"type", "person"}, {"sip", "sip:ion@example.com"}});
}

TEST_CASE("a withheld number, text that is not UTF-8 and quotes change nothing of the form") {
  auto record = call();
  record.caller.clear();
  record.agent = "a\xff\"b\\";
  const Json v = vcon_of(record, kTracks, disclosure::Detail::everything);
  CHECK(v["parties"][0] == Json{{"type", "person"}});
  CHECK(v["dialog"].size() == 2);
}

TEST_CASE("what is left of a shredded recording names nobody") {
  const auto id = call().id;
  const Json v =
      Json::parse(disclosure::vcon_stub({id, "2026-11-23", 61, "expired", at("2027-05-23T00:00:00.000Z"), 9, 120},
                                        kController, at("2027-06-01T08:00:00.000Z")));
  CHECK(v["dialog"] == Json::array({Json::object()}));
  CHECK(v["redacted"]["type"] == "shredded");
  CHECK(v["redacted"]["uuid"] == vcon_of(call(), kTracks, disclosure::Detail::everything)["uuid"]);
  CHECK(v["attachments"][0]["body"]["reason"] == "expired");
}

TEST_CASE("base64url in pieces of any size is that of the whole") {
  std::string text(100, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 37 + 251);
  std::string whole;
  for (std::size_t piece = 1; piece < 20; ++piece) {
    disclosure::Base64Url encoder;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += piece) out += encoder.take(base::as_bytes(text.substr(i, piece)));
    out += encoder.finish();
    if (piece == 1) whole = out;
    CHECK(out == whole);
  }
  CHECK(whole.find_first_of("+/=") == std::string::npos);
  CHECK(disclosure::Base64Url().finish().empty());
  disclosure::Base64Url f;
  CHECK(f.take(base::as_bytes("foob")) == "Zm9v");
  CHECK(f.finish() == "Yg");
}

TEST_CASE("a tar stream holds each file at its place, and the list has its hash") {
  TextSink sink;
  auto tar = disclosure::TarWriter::open(sink, "disclosure", at("2026-12-01T08:00:00.000Z"));
  REQUIRE(tar);
  REQUIRE(tar->add("a.txt", base::as_bytes("abc")));
  REQUIRE(tar->begin("d/b", 600));
  REQUIRE(tar->write(base::as_bytes(std::string(300, 'x'))));
  REQUIRE(tar->write(base::as_bytes(std::string(300, 'y'))));
  REQUIRE(tar->end());
  REQUIRE(tar->finish());
  CHECK(tar->files() == 2);
  CHECK(tar->sums().starts_with("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.txt\n"));
  CHECK(sink.text_.size() % 512 == 0);
  CHECK(sink.text_.substr(0, 17) == std::string("disclosure/a.txt\0", 17));
  CHECK(sink.text_.substr(257, 5) == "ustar");
  CHECK(sink.text_.substr(512, 3) == "abc");
  CHECK(sink.text_.substr(1536, 600) == std::string(300, 'x') + std::string(300, 'y'));
}

TEST_CASE("a file of another size than was said, and a sink that fails, are told") {
  TextSink sink;
  auto tar = disclosure::TarWriter::open(sink, "d", {});
  REQUIRE(tar);
  REQUIRE(tar->begin("a", 2));
  CHECK_FALSE(tar->write(base::as_bytes("abc")));
  CHECK_FALSE(tar->end());
  TextSink small;
  small.room_ = 600;
  auto full = disclosure::TarWriter::open(small, "d", {});
  REQUIRE(full);
  Result<void> done = full->add("a", base::as_bytes(std::string(100000, 'x')));
  if (done) done = full->finish();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::no_space);
}

TEST_CASE("the public key is the PEM of RFC 8410") {
  // RFC 8410, section 10.1.
  crypto::SigningPublicKey key{};
  const auto bytes = base::from_hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1").value();
  std::copy(bytes.begin(), bytes.end(), key.begin());
  CHECK(disclosure::public_key_pem(key) ==
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PUBLIC KEY-----\n");
}
