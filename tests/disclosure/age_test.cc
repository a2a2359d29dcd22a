// What leaves the vault: recipients, and age files, opened here by the reading half of the format, written apart.
#include <doctest/doctest.h>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "disclosure/age_writer.h"
#include "disclosure/recipient.h"

using namespace callvault;

namespace {

// Made by age-keygen.
constexpr const char* kRecipient = "age1t0wffutnsk50cefv0gzjenygchska74n7ukjyjvkkef6aqrvaepqekt4kv";
constexpr const char* kRecipientHex = "5bdc94f17385a8fc652c7a052ccc88c5e16efab3f72d224996b653ae806cee42";

class MemorySink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    if (bytes_.size() + bytes.size() > room_) return fail(Errc::no_space, "full");
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {};
  }
  base::Bytes bytes_;
  std::size_t room_ = SIZE_MAX;
};

std::optional<base::Bytes> from_age_base64(std::string text) {
  while (text.size() % 4 != 0) text += '=';
  return base::from_base64(text);
}

std::string take_line(std::string_view& text) {
  const auto end = text.find('\n');
  REQUIRE(end != std::string_view::npos);
  std::string line(text.substr(0, end));
  text.remove_prefix(end + 1);
  return line;
}

// The reading half: nothing when it does not open.
std::optional<base::Bytes> open_age(base::ByteView file, const crypto::Key* secret, const Passphrase* passphrase) {
  std::string_view text = base::as_text(file);
  REQUIRE(take_line(text) == "age-encryption.org/v1");
  const std::string stanza = take_line(text), body = take_line(text), end = take_line(text);
  crypto::Key wrap = crypto::Key::random().value();
  if (secret != nullptr) {
    REQUIRE(stanza.starts_with("-> X25519 "));
    const auto share = from_age_base64(stanza.substr(10)).value();
    crypto::PublicKey ephemeral{};
    REQUIRE(share.size() == 32);
    std::copy(share.begin(), share.end(), ephemeral.begin());
    base::Bytes salt = share;
    const auto mine = crypto::public_key_of(*secret).value();
    salt.insert(salt.end(), mine.begin(), mine.end());
    wrap = crypto::hkdf_sha256(crypto::shared_secret(*secret, ephemeral).value().reveal(), salt,
                               "age-encryption.org/v1/X25519")
               .value();
  } else {
    REQUIRE(stanza.starts_with("-> scrypt "));
    const auto space = stanza.rfind(' ');
    base::Bytes salt = base::to_bytes(base::as_bytes("age-encryption.org/v1/scrypt"));
    const auto drawn = from_age_base64(stanza.substr(10, space - 10)).value();
    CHECK(drawn.size() == 16);
    salt.insert(salt.end(), drawn.begin(), drawn.end());
    wrap = crypto::scrypt_key(passphrase->reveal(), salt, static_cast<unsigned>(std::stoul(stanza.substr(space + 1))))
               .value();
  }
  base::Bytes file_key(16);
  if (!crypto::open_chunk(wrap, 0, false, from_age_base64(body).value(), file_key)) return std::nullopt;
  REQUIRE(end.starts_with("--- "));
  const std::size_t header = file.size() - text.size();
  const auto mac =
      crypto::hmac_sha256(crypto::hkdf_sha256(file_key, {}, "header").value(), file.first(header - end.size() - 1 + 3));
  CHECK(crypto::equal(mac, from_age_base64(end.substr(4)).value()));
  const auto nonce = file.subspan(header, 16);
  const auto payload = crypto::hkdf_sha256(file_key, nonce, "payload").value();
  auto rest = file.subspan(header + 16);
  base::Bytes out;
  for (std::uint64_t n = 0;; ++n) {
    const bool last = rest.size() <= disclosure::kAgeChunkBytes + 16;
    const auto chunk = rest.first(last ? rest.size() : disclosure::kAgeChunkBytes + 16);
    base::Bytes plain(chunk.size() - 16);
    if (!crypto::open_chunk(payload, n, last, chunk, plain)) return std::nullopt;
    CHECK((!plain.empty() || n == 0));  // the format allows no empty chunk but that of an empty file
    out.insert(out.end(), plain.begin(), plain.end());
    rest = rest.subspan(chunk.size());
    if (last) return out;
  }
}

base::Bytes pattern(std::size_t bytes) {
  base::Bytes out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::byte>(i * 31 + i / 251);
  return out;
}

Passphrase passphrase_of(std::string text) { return std::move(*Passphrase::take(text)); }

}  // namespace

TEST_CASE("a recipient is read as age reads it, and nothing like it is") {
  const auto key = disclosure::parse_recipient(kRecipient);
  REQUIRE(key);
  CHECK(base::to_hex(*key) == kRecipientHex);
  CHECK(disclosure::encode_recipient(*key) == kRecipient);
  const std::string good = kRecipient;
  // Whatever single character is mistyped.
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const char c : {'q', 'p', 'l', 'b', 'A', '1', ' '}) {
      std::string wrong = good;
      if (wrong[i] == c) continue;
      wrong[i] = c;
      CHECK(disclosure::parse_recipient(wrong).error().code == Errc::usage);
    }
  std::string upper = good;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& wrong :
       {std::string(), std::string("age1"), good + "q", good.substr(1), good.substr(0, 61), upper, good + "\n",
        std::string("ssh-ed25519 AAAA"),
        std::string("age1yubikey1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq")})
    CHECK(disclosure::parse_recipient(wrong).error().code == Errc::usage);
  const auto secret = disclosure::parse_recipient("AGE-SECRET-KEY-1QQQQQQQQQQ");
  REQUIRE_FALSE(secret);
  CHECK(secret.error().message.find("secret key") != std::string::npos);
  CHECK(secret.error().message.find("QQQ") == std::string::npos);
}

TEST_CASE("every length around a chunk's is sealed to a recipient, whatever the pieces, and opens whole") {
  const auto pair = crypto::make_key_pair();
  REQUIRE(pair);
  const std::string recipient = disclosure::encode_recipient(pair->public_key);
  const auto stranger = crypto::make_key_pair();
  REQUIRE(stranger);
  const std::size_t chunk = disclosure::kAgeChunkBytes;
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 7})
    for (const std::size_t piece : {std::size_t{1000}, chunk, 4 * chunk}) {
      CAPTURE(bytes);
      MemorySink sink;
      auto age = disclosure::AgeWriter::open(sink, {recipient, nullptr});
      REQUIRE(age);
      const auto plain = pattern(bytes);
      for (std::size_t at = 0; at < bytes; at += piece)
        REQUIRE(age->write(base::ByteView(plain).subspan(at, std::min(piece, bytes - at))));
      REQUIRE(age->finish());
      CHECK(age->bytes() == sink.bytes_.size());
      const auto opened = open_age(sink.bytes_, &pair->secret, nullptr);
      REQUIRE(opened);
      CHECK(*opened == plain);
      CHECK_FALSE(open_age(sink.bytes_, &stranger->secret, nullptr));
    }
}

TEST_CASE("a cut or changed file does not open") {
  const auto pair = crypto::make_key_pair();
  REQUIRE(pair);
  MemorySink sink;
  auto age = disclosure::AgeWriter::open(sink, {disclosure::encode_recipient(pair->public_key), nullptr});
  REQUIRE(age);
  REQUIRE(age->write(pattern(2 * disclosure::kAgeChunkBytes)));
  REQUIRE(age->finish());
  const std::size_t sealed_chunk = disclosure::kAgeChunkBytes + 16;
  auto cut = sink.bytes_;
  cut.resize(cut.size() - sealed_chunk);
  CHECK_FALSE(open_age(cut, &pair->secret, nullptr));
  auto flipped = sink.bytes_;
  flipped.back() ^= std::byte{1};
  CHECK_FALSE(open_age(flipped, &pair->secret, nullptr));
}

TEST_CASE("a passphrase seals as well, and no two files are alike") {
  const auto passphrase = passphrase_of("correct horse battery"), wrong = passphrase_of("incorrect horse battery");
  const SealFor seal_for{{}, &passphrase};
  MemorySink one, two;
  for (auto* sink : {&one, &two}) {
    auto age = disclosure::AgeWriter::open(*sink, seal_for, 10);
    REQUIRE(age);
    REQUIRE(age->write(pattern(100)));
    REQUIRE(age->finish());
  }
  CHECK(one.bytes_ != two.bytes_);
  CHECK(open_age(one.bytes_, nullptr, &passphrase) == pattern(100));
  CHECK_FALSE(open_age(one.bytes_, nullptr, &wrong));
}

TEST_CASE("it is sealed to exactly one, and to nobody useless") {
  const auto passphrase = passphrase_of("correct horse battery"), brief = passphrase_of("horse");
  MemorySink sink;
  const auto refused = [&](const SealFor& seal_for) {
    const auto age = disclosure::AgeWriter::open(sink, seal_for);
    return !age && age.error().code == Errc::usage;
  };
  CHECK(refused({}));
  CHECK(refused({kRecipient, &passphrase}));
  CHECK(refused({{}, &brief}));
  CHECK(refused({disclosure::encode_recipient({}), nullptr}));  // the point 0: its shared secret is known to all
  CHECK(sink.bytes_.empty());
}

TEST_CASE("a sink that fails is told") {
  MemorySink sink;
  sink.room_ = 300;
  auto age = disclosure::AgeWriter::open(sink, {kRecipient, nullptr});
  REQUIRE(age);
  REQUIRE(age->write(pattern(1000)));
  CHECK(age->finish().error().code == Errc::no_space);
}
