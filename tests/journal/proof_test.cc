// Proofs for outsiders: what they say, that others' tools could have made them, and that nothing altered is believed.
#include "journal/proof.h"

#include "journal/fixture.h"

namespace callvault::journal {
namespace {

constexpr const char* kLines[] = {
    R"({"at":"2026-11-23T10:11:12.345Z","event":"created","v":1})",
    R"({"at":"2026-11-23T10:11:13.000Z","event":"opened","facts":{"id":"abcdefghijklmnopqrstuvwxyz","purpose":"complaint"},"v":1})",
    R"({"at":"2026-11-23T10:11:14.000Z","event":"closed","v":1})"};

// The worked example of docs/format/journal.md; its hashes and signature were made with Python's hashlib and OpenSSL.
constexpr const char* kInclusion =
    "callvault inclusion proof v1\n"
    "entry {\"at\":\"2026-11-23T10:11:14.000Z\",\"event\":\"closed\",\"v\":1}\n"
    "\n"
    "c2sp.org/tlog-proof@v1\n"
    "index 2\n"
    "SphriHDVjwUmBs1/WaKKnAlD+lJyrVmveud8i87+qUM=\n"
    "\n"
    "example.com/vault-7\n3\n5KfkzO+mD4bxnKR0KxXowvTlRtA31zRPVB4BmPmusTg=\n\n"
    "\xe2\x80\x94 example.com/vault-7 "
    "7B+tTJuHAktTUAVox4NL3zIRTiXyq4D5UCVqYCh9pqqdxuOVNKub4Rc/J5FhmJNnnGGjN3kCqjGO3faKrcAqVz7niQo=\n";

VerifierKey known_key() { return {kOrigin, crypto::signing_public_key(fixed_seed())}; }

Head head_of(std::size_t size) {
  TreeBuilder builder;
  for (std::size_t i = 0; i < size; ++i) builder.add(leaf_hash(kLines[i]));
  return builder.head();
}

std::string known_inclusion() {
  const auto left = node_hash(leaf_hash(kLines[0]), leaf_hash(kLines[1]));
  return encode_inclusion({2, kLines[2], {left}, make_checkpoint(kOrigin, head_of(3), fixed_seed())});
}

std::string known_consistency() {
  // From two entries to three: the third leaf.
  return encode_consistency({head_of(2), {leaf_hash(kLines[2])}, make_checkpoint(kOrigin, head_of(3), fixed_seed())});
}

void refuse_every_change(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto proven = verify_proof(changed, known_key());
    // Who signed besides is nobody's concern, but no such line is here: every byte counts.
    REQUIRE_MESSAGE(!proven.has_value(), i);
    REQUIRE(proven.error().code == Errc::corrupt);
    REQUIRE(!verify_proof(text.substr(0, i), known_key()).has_value());
  }
}

TEST_CASE("the known inclusion proof is spelled so, verifies, and no changed byte of it does") {
  const std::string text = known_inclusion();
  CHECK(text == kInclusion);
  const auto proven = verify_proof(text, known_key());
  REQUIRE(proven);
  CHECK(proven->index == 2);
  CHECK(proven->line == kLines[2]);
  CHECK(proven->checkpoint.head == head_of(3));
  CHECK_FALSE(proven->old_head.has_value());
  refuse_every_change(text);
}

TEST_CASE("the known consistency proof verifies, and no changed byte of it does") {
  const std::string text = known_consistency();
  const auto proven = verify_proof(text, known_key());
  REQUIRE(proven);
  CHECK(proven->old_head == head_of(2));
  CHECK(proven->checkpoint.head == head_of(3));
  refuse_every_change(text);
}

TEST_CASE("a proof under another key, of another origin, of another entry or without hashes is refused") {
  auto key = known_key();
  key.name = "example.com/vault-8";
  CHECK(verify_proof(known_inclusion(), key).error().code == Errc::corrupt);
  key = known_key();
  key.key[0] ^= std::byte{1};
  CHECK(verify_proof(known_inclusion(), key).error().code == Errc::corrupt);
  const auto checkpoint = make_checkpoint(kOrigin, head_of(3), fixed_seed());
  const auto left = node_hash(leaf_hash(kLines[0]), leaf_hash(kLines[1]));
  CHECK_FALSE(verify_proof(encode_inclusion({2, kLines[1], {left}, checkpoint}), known_key()).has_value());
  CHECK_FALSE(verify_proof(encode_inclusion({2, kLines[2], {}, checkpoint}), known_key()).has_value());
  CHECK_FALSE(verify_proof(encode_inclusion({2, "no entry", {left}, checkpoint}), known_key()).has_value());
  CHECK_FALSE(verify_proof(encode_consistency({head_of(2), {}, checkpoint}), known_key()).has_value());
  for (const char* text : {"", "\n\n", "callvault inclusion proof v2\n\n", "callvault inclusion proof v1\nentry {}\n\n",
                           "callvault inclusion proof v1\nentry {}\n\nc2sp.org/tlog-proof@v1\nindex 2\n\n"})
    CHECK(verify_proof(text, known_key()).error().code == Errc::corrupt);
}

}  // namespace
}  // namespace callvault::journal
