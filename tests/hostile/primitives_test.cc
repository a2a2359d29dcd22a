// Each primitive, through the functions that the rest of the code calls: values of the RFCs and of another
// implementation, and the inputs at their edges. tests/vectors/crypto, written by make_vectors.py there.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/passphrase.h"
#include "crypto/random.h"
#include "crypto/shares.h"
#include "crypto/sign.h"

using namespace callvault;
using base::Bytes;
using crypto::Key;

namespace {

struct Known {
  std::map<std::string, std::string> fields;
  const std::string& text(const char* name) const {
    const auto at = fields.find(name);
    REQUIRE_MESSAGE(at != fields.end(), name);
    return at->second;
  }
  Bytes bytes(const char* name) const {
    auto out = base::from_hex(text(name));
    REQUIRE(out);
    return *out;
  }
  Key key(const char* name) const { return Key::copy_of(base::ByteView(bytes(name))).value(); }
  std::uint64_t number(const char* name) const { return std::stoull(text(name)); }
  template <std::size_t N>
  std::array<std::byte, N> array(const char* name) const {
    const Bytes from = bytes(name);
    REQUIRE(from.size() == N);
    std::array<std::byte, N> out{};
    std::copy(from.begin(), from.end(), out.begin());
    return out;
  }
};

std::string shown(base::ByteView bytes) { return base::to_hex(bytes); }
// "ok" and what came out; or the error's word.
using Outcome = std::pair<std::string, std::string>;
template <typename T>
Outcome outcome(const Result<T>& result) {
  if (!result) return {std::string(errc_name(result.error().code)), ""};
  if constexpr (requires { result->reveal(); })
    return {"ok", shown(result->reveal())};
  else
    return {"ok", shown(*result)};
}

Outcome open_chunk(const Known& v) {
  const Bytes sealed = v.bytes("sealed");
  Bytes out(sealed.size() - crypto::kTagBytes);
  const bool last = v.number("last") == 1;
  if (!crypto::open_chunk(v.key("key"), v.number("counter"), last, sealed, out)) return {"corrupt", ""};
  Bytes again(sealed.size());
  crypto::seal_chunk(v.key("key"), v.number("counter"), last, out, again);
  return {again == sealed ? "ok" : "sealed otherwise", shown(out)};
}

Outcome open_box(const Known& v) {
  std::optional<Key> pepper;
  if (!v.text("pepper").empty()) pepper.emplace(v.key("pepper"));
  return outcome(crypto::open_from(v.key("secret"), pepper ? &*pepper : nullptr, v.text("label"), v.bytes("associated"),
                                   v.bytes("sealed"), "it"));
}

Outcome iterate_x25519(const Known&) {
  Bytes nine(32);
  nine[0] = std::byte{9};
  Key k = Key::copy_of(base::ByteView(nine)).value(), u = Key::copy_of(base::ByteView(nine)).value();
  for (int i = 0; i < 1000; ++i) {
    crypto::PublicKey point{};
    std::copy(u.reveal().begin(), u.reveal().end(), point.begin());
    Key next = crypto::shared_secret(k, point).value();
    u = std::move(k);
    k = std::move(next);
  }
  return {"ok", shown(k.reveal())};
}

Outcome sign(const Known& v) {
  const Key seed = v.key("seed");
  CHECK(shown(crypto::signing_public_key(seed)) == v.text("public"));
  return {"ok", shown(crypto::sign(seed, v.bytes("message")))};
}

Outcome verify(const Known& v) {
  return {crypto::verify(v.array<32>("public"), v.bytes("message"), v.array<64>("signature")) ? "ok" : "no", ""};
}

Outcome join(const Known& v) {
  std::vector<crypto::KeyShare> shares;
  std::istringstream in(v.text("shares"));
  for (std::string word; in >> word;) {
    const auto colon = word.find(':');
    shares.push_back({static_cast<std::uint8_t>(std::stoul(word.substr(0, colon))),
                      Key::copy_of(base::ByteView(base::from_hex(word.substr(colon + 1)).value())).value()});
  }
  return outcome(crypto::join_key(shares));
}

Outcome argon2id(const Known& v) {
  return outcome(crypto::key_from_passphrase(
      v.bytes("secret"), v.array<16>("salt"),
      {static_cast<std::uint32_t>(v.number("passes")), static_cast<std::uint32_t>(v.number("memory"))}));
}

Outcome stream_hash(const Known& v) {
  crypto::Hasher whole, pieces;
  const Bytes data = v.bytes("data");
  for (const std::byte& b : data) pieces.add({&b, 1});
  whole.add(data);
  const auto digest = whole.finish();
  return {digest == pieces.finish() && digest == crypto::blake2b(data) ? "ok" : "in pieces another", shown(digest)};
}

const std::map<std::string, std::function<Outcome(const Known&)>> kAlgorithms{
    {"xchacha",
     [](const Known& v) {
       const auto plain = crypto::open_plain(v.key("key"), v.bytes("associated"), v.bytes("sealed"), "it");
       const auto locked = outcome(crypto::open(v.key("key"), v.bytes("associated"), v.bytes("sealed"), "it"));
       return outcome(plain) == locked ? locked : Outcome{"the two differ", ""};
     }},
    {"chunk", open_chunk},
    {"x25519", [](const Known& v) { return outcome(crypto::shared_secret(v.key("secret"), v.array<32>("point"))); }},
    {"x25519 public", [](const Known& v) { return outcome(crypto::public_key_of(v.key("secret"))); }},
    {"x25519 iterated", iterate_x25519},
    {"box", open_box},
    {"ed25519 sign", sign},
    {"ed25519", verify},
    {"blake2b", stream_hash},
    {"blake2b keyed",
     [](const Known& v) {
       return Outcome{"ok", shown(crypto::blake2b(v.key("key"), v.bytes("data")))};
     }},
    {"sha256",
     [](const Known& v) {
       return Outcome{"ok", shown(crypto::sha256(v.bytes("data")))};
     }},
    {"derive", [](const Known& v) { return outcome(v.key("key").derive(v.text("label"), v.bytes("context"))); }},
    {"hmac",
     [](const Known& v) {
       return Outcome{"ok", shown(crypto::hmac_sha256(v.key("key"), v.bytes("data")))};
     }},
    {"hkdf",
     [](const Known& v) {
       const Bytes info = v.bytes("info");
       return outcome(crypto::hkdf_sha256(v.bytes("secret"), v.bytes("salt"), base::as_text(info)));
     }},
    {"scrypt",
     [](const Known& v) {
       return outcome(crypto::scrypt_key(v.bytes("secret"), v.bytes("salt"), static_cast<unsigned>(v.number("log_n"))));
     }},
    {"argon2id", argon2id},
    {"shares", join},
};

// What must come out stands under one of these names.
std::string expected_value(const Known& v) {
  for (const char* name : {"gives", "plain", "signature"})
    if (const auto at = v.fields.find(name); at != v.fields.end() && v.fields.at("algorithm") != "ed25519")
      return at->second;
  return "";
}

std::vector<Known> read_known(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<Known> out;
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (line.empty() || line[0] == '#' || colon == std::string::npos) continue;
    if (line.starts_with("algorithm:")) out.emplace_back();
    REQUIRE(!out.empty());
    out.back().fields[line.substr(0, colon)] = colon + 2 <= line.size() ? line.substr(colon + 2) : "";
  }
  return out;
}

}  // namespace

TEST_CASE("every primitive gives what another implementation gives, and refuses what is at its edges") {
  REQUIRE(crypto::ready());
  std::size_t judged = 0;
  for (const char* name : {"aead", "x25519", "ed25519", "hashes", "shares"}) {
    for (const Known& v :
         read_known(std::filesystem::path(CALLVAULT_SOURCES) / "tests/vectors/crypto" / (std::string(name) + ".txt"))) {
      const std::string which = v.text("algorithm") + ": " + v.text("vector");
      CAPTURE(which);
      const auto algorithm = kAlgorithms.find(v.text("algorithm"));
      REQUIRE(algorithm != kAlgorithms.end());
      const auto [word, value] = algorithm->second(v);
      CHECK(word == v.text("expect"));
      if (word == "ok") CHECK(value == expected_value(v));
      ++judged;
    }
  }
  CHECK(judged >= 380);
  std::printf("%zu vectors of primitives\n", judged);
}
