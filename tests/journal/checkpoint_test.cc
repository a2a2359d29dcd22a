#include "journal/checkpoint.h"

#include <doctest/doctest.h>

#include "journal/fixture.h"

namespace callvault::journal {
namespace {

// Made with Python's hashlib and `openssl pkeyutl -sign` from the seed 00 01 .. 1f; the three entries are those of
// docs/format/journal.md.
constexpr const char* kText =
    "example.com/vault-7\n3\n5KfkzO+mD4bxnKR0KxXowvTlRtA31zRPVB4BmPmusTg=\n\n"
    "\xe2\x80\x94 example.com/vault-7 "
    "7B+tTJuHAktTUAVox4NL3zIRTiXyq4D5UCVqYCh9pqqdxuOVNKub4Rc/J5FhmJNnnGGjN3kCqjGO3faKrcAqVz7niQo=\n";
constexpr const char* kVerifier = "example.com/vault-7+ec1fad4c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

Head known_head() {
  TreeBuilder builder;
  builder.add(leaf_hash(R"({"at":"2026-11-23T10:11:12.345Z","event":"created","v":1})"));
  builder.add(leaf_hash(
      R"({"at":"2026-11-23T10:11:13.000Z","event":"opened","facts":{"id":"abcdefghijklmnopqrstuvwxyz","purpose":"complaint"},"v":1})"));
  builder.add(leaf_hash(R"({"at":"2026-11-23T10:11:14.000Z","event":"closed","v":1})"));
  return builder.head();
}

TEST_CASE("a checkpoint is what independent tools made of the same entries") {
  const auto seed = fixed_seed();
  CHECK(make_checkpoint(kOrigin, known_head(), seed) == kText);
  CHECK(encode_verifier_key(kOrigin, crypto::signing_public_key(seed)) == kVerifier);
  const auto parsed = parse_checkpoint(kText, crypto::signing_public_key(seed));
  REQUIRE(parsed);
  CHECK(*parsed == Checkpoint{.origin = kOrigin, .head = known_head()});
}

TEST_CASE("verifier keys of the wider world are read, altered ones refused") {
  const std::string known = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
  const auto key = parse_verifier_key(known);
  REQUIRE(key);
  CHECK(key->name == "sum.golang.org");
  CHECK(encode_verifier_key(key->name, key->key) == known);
  CHECK(parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
  for (std::size_t bit = 0; bit < known.size() * 8; ++bit) {
    std::string flipped = known;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    CHECK_FALSE(parse_verifier_key(flipped));
  }
  CHECK_FALSE(parse_verifier_key(""));
  CHECK_FALSE(parse_verifier_key(known + "\n"));
}

TEST_CASE("an altered checkpoint is refused") {
  const auto key = crypto::signing_public_key(fixed_seed());
  const std::string text = kText;
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto got = parse_checkpoint(flipped, key);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == Errc::corrupt);
  }
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(parse_checkpoint(text.substr(0, size), key));
  auto other = key;
  other[0] ^= std::byte{1};
  CHECK_FALSE(parse_checkpoint(text, other));
  CHECK_FALSE(parse_checkpoint(text + "\n", key));
  CHECK_FALSE(parse_checkpoint(text + "x", key));
}

TEST_CASE("signatures of witnesses are ignored, a bad one of ours is not") {
  const auto key = crypto::signing_public_key(fixed_seed());
  const std::string text = kText;
  const std::string witness = "\xe2\x80\x94 witness.example/w " + base::to_base64(base::Bytes(76, std::byte{9})) + "\n";
  CHECK(parse_checkpoint(text + witness, key));
  const auto at = text.find("\n\n") + 2;
  CHECK(parse_checkpoint(text.substr(0, at) + witness + text.substr(at), key));
  CHECK_FALSE(parse_checkpoint(text.substr(0, at) + witness, key));
  std::string forged = text.substr(at);
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  CHECK_FALSE(parse_checkpoint(text + forged, key));
}

TEST_CASE("sizes have one spelling") {
  const auto seed = fixed_seed();
  const auto key = crypto::signing_public_key(seed);
  const auto signed_with = [&](const std::string& size, const std::string& extra) {
    const std::string note =
        std::string(kOrigin) + "\n" + size + "\n" + base::to_base64(known_head().root) + "\n" + extra;
    std::string line = kText;
    line = line.substr(line.find("\n\n") + 2);
    const auto blob_at = line.rfind(' ') + 1;
    auto blob = *base::from_base64(line.substr(blob_at, line.size() - blob_at - 1));
    const auto signature = crypto::sign(seed, base::as_bytes(note));
    std::copy(signature.begin(), signature.end(), blob.begin() + 4);
    return parse_checkpoint(note + "\n" + line.substr(0, blob_at) + base::to_base64(blob) + "\n", key).has_value();
  };
  CHECK(signed_with("3", ""));
  CHECK(signed_with("3", "an extension\n"));
  CHECK(signed_with("0", ""));
  CHECK(signed_with("18446744073709551615", ""));
  CHECK_FALSE(signed_with("03", ""));
  CHECK_FALSE(signed_with("+3", ""));
  CHECK_FALSE(signed_with("-3", ""));
  CHECK_FALSE(signed_with("", ""));
  CHECK_FALSE(signed_with("18446744073709551616", ""));
  CHECK_FALSE(signed_with("3", "\nafter an empty line\n"));
}

TEST_CASE("origins") {
  CHECK(is_origin("example.com/vault-7"));
  CHECK_FALSE(is_origin(""));
  CHECK_FALSE(is_origin("a b"));
  CHECK_FALSE(is_origin("a+b"));
  CHECK_FALSE(is_origin("a\n9"));
  CHECK_FALSE(is_origin("\xc8\x99"));
  CHECK_FALSE(is_origin(std::string(256, 'a')));
}

}  // namespace
}  // namespace callvault::journal
