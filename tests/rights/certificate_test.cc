// Certificates of erasure: genuine ones say what happened, and nothing altered is believed.
#include "rights/certificate.h"

#include <doctest/doctest.h>

#include "journal/entry.h"

namespace {

using namespace callvault;
using rights::Certificate;

crypto::Key seed() {
  std::array<std::byte, 32> bytes{};
  bytes.fill(std::byte{7});
  return crypto::Key::copy_of(crypto::Key::View(bytes)).value();
}

const journal::VerifierKey kKey() { return {"callvault/0011", crypto::signing_public_key(seed())}; }

Certificate sample() {
  Certificate c;
  c.origin = "callvault/0011";
  c.controller = "Example\nrecording: forged";
  c.tombstone.id = RecordingId::parse("abcdefghijklmnopqrstuvwxya").value();
  c.tombstone.start_day = "2026-11-23";
  c.tombstone.duration_s = 61;
  c.tombstone.reason = "erased";
  c.tombstone.shredded_at = Time(std::chrono::milliseconds(1'795'426'342'123));
  c.tombstone.epoch = 5;
  c.tombstone.journal_index = 1;
  c.keeper = "file keeper on unknown medium; the old root was overwritten";
  c.not_promised = {"copies made by a person"};
  journal::Entry entry{.at = c.tombstone.shredded_at, .event = "shredded"};
  entry.facts = {
      {"id", c.tombstone.id.text()}, {"day", "2026-11-23"}, {"duration_s", "61"}, {"reason", "erased"}, {"epoch", "5"}};
  c.line = journal::encode(entry);
  const auto other = journal::leaf_hash("another entry");
  journal::TreeBuilder builder;
  builder.add(other);
  builder.add(journal::leaf_hash(c.line));
  c.head = builder.head();
  c.proof = {other};
  return c;
}

TEST_CASE("a genuine certificate says what was forgotten, and by whom") {
  const auto report = rights::verify_certificate(rights::sign_certificate(sample(), seed()), kKey());
  REQUIRE_MESSAGE(report.has_value(), (report ? std::string() : report.error().message));
  CHECK(report->origin == "callvault/0011");
  CHECK(report->controller == "Example recording: forged");
  CHECK(report->tombstone.id == sample().tombstone.id);
  CHECK(report->tombstone.reason == "erased");
  CHECK(report->tombstone.epoch == 5);
  CHECK(report->tombstone.journal_index == 1);
  CHECK(report->journal_size == 2);
  CHECK(report->keeper == sample().keeper);
}

TEST_CASE("no certificate with a changed byte or a lost end is genuine") {
  const std::string text = rights::sign_certificate(sample(), seed());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto report = rights::verify_certificate(changed, kKey());
    REQUIRE_MESSAGE(!report.has_value(), i);
    REQUIRE(report.error().code == Errc::corrupt);
    REQUIRE_FALSE(rights::verify_certificate(text.substr(0, i), kKey()).has_value());
  }
}

TEST_CASE("what the vault's key signed is no certificate unless its parts agree") {
  auto other_id = sample();
  other_id.tombstone.id = RecordingId::parse("bbcdefghijklmnopqrstuvwxya").value();
  auto other_day = sample();
  other_day.tombstone.start_day = "2026-11-22";
  auto other_reason = sample();
  other_reason.tombstone.reason = "expired";
  auto other_place = sample();
  other_place.tombstone.journal_index = 0;
  auto no_proof = sample();
  no_proof.proof.clear();
  auto no_tombstone = sample();
  journal::Entry entry{.at = Time{}, .event = "opened"};
  no_tombstone.line = journal::encode(entry);
  for (const auto& wrong : {other_id, other_day, other_reason, other_place, no_proof, no_tombstone})
    CHECK(rights::verify_certificate(rights::sign_certificate(wrong, seed()), kKey()).error().code == Errc::corrupt);
  // A checkpoint is signed by the same key, and is none.
  const auto checkpoint = journal::make_checkpoint("callvault/0011", sample().head, seed());
  CHECK(rights::verify_certificate(checkpoint, kKey()).error().code == Errc::corrupt);
  auto stranger = kKey();
  stranger.key[3] ^= std::byte{1};
  CHECK(rights::verify_certificate(rights::sign_certificate(sample(), seed()), stranger).error().code == Errc::corrupt);
}

}  // namespace
