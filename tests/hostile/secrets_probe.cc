// Our own code over secrets that valgrind believes to be uninitialised: a branch or an address that depends on one is
// reported (after A. Langley's ctgrind). What a library does inside is not looked at, and its verdict is public: the
// wrappers at the end stand before its functions and say so, one by one. tests/hostile/secrets.py runs it, also with
// bugs in what it looks at.
//   secrets_probe [NAME]
#include <valgrind/memcheck.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "callvault/passphrase.h"
#include "catalog/blind.h"
#include "catalog/row.h"
#include "crypto/aead.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/hex.h"
#include "crypto/kdf.h"
#include "crypto/passphrase.h"
#include "crypto/random.h"
#include "crypto/shares.h"
#include "crypto/sign.h"
#include "keys/identity.h"
#include "keys/node.h"
#include "keys/node_file.h"
#include "keys/review_share.h"
#include "sealed/header.h"

using namespace callvault;
using crypto::Key;

namespace {

template <typename T>
T must(Result<T> result) {
  if (result) return std::move(result).value();
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(3);
}

void hide(base::ByteView bytes) { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }
void show(base::ByteView bytes) { VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }

Key secret(std::uint8_t value) {
  auto key = must(Key::random());
  std::fill(key.reveal_mutable().begin(), key.reveal_mutable().end(), std::byte{value});
  hide(key.reveal());
  return key;
}

base::ByteView bytes_of(const char* text) { return base::as_bytes(text); }

void compare() {
  const Key a = secret(1), b = secret(1), c = secret(2);
  (void)crypto::equal(a.reveal(), b.reveal());
  (void)crypto::equal(a.reveal(), c.reveal());
}

void derive() {
  const Key key = secret(3);
  const Key one = must(key.derive("label", bytes_of("context")));
  (void)must(one.clone());
  (void)crypto::blake2b(key, bytes_of("text"));
  (void)must(crypto::hkdf_sha256(key.reveal(), bytes_of("salt"), "info"));
  (void)crypto::hmac_sha256(key, bytes_of("text"));
}

void seal_and_open() {
  const Key key = secret(4), other = secret(5);
  base::Bytes sealed = crypto::seal(key, bytes_of("where"), key.reveal());
  show(sealed);  // what is written is public
  (void)must(crypto::open(key, bytes_of("where"), sealed, "it"));
  (void)crypto::open(other, bytes_of("where"), sealed, "it");
  (void)crypto::open_plain(other, bytes_of("where"), sealed, "it");
  base::Bytes chunk(1040), page(1024);
  hide(page);
  crypto::seal_chunk(key, 7, true, page, chunk);
  show(chunk);
  (void)crypto::open_chunk(key, 7, true, chunk, page);
  (void)crypto::open_chunk(other, 7, true, chunk, page);
}

void box() {
  const Key mine = secret(6), pepper = secret(7), message = secret(8);
  auto theirs = must(crypto::public_key_of(mine));
  show(theirs);
  base::Bytes sealed = must(crypto::seal_to(theirs, &pepper, "label", bytes_of("where"), message.reveal()));
  show(sealed);
  (void)must(crypto::open_from(mine, &pepper, "label", bytes_of("where"), sealed, "it"));
  (void)crypto::open_from(pepper, &pepper, "label", bytes_of("where"), sealed, "it");
  (void)must(crypto::shared_secret(mine, theirs));
}

void signature() {
  const Key seed = secret(9);
  auto key = crypto::signing_public_key(seed);
  show(key);
  auto made = crypto::sign(seed, bytes_of("text"));
  show(made);
  (void)crypto::verify(key, bytes_of("text"), made);
}

void share() {
  keys::ReviewShare written{"callvault/0011223344556677", {}, 2, 5, 3, {}};
  written.parts.push_back({1, {}, secret(10)});
  const auto text = must(keys::encode_share(written));
  // Where a typed share has lines and blanks is looked at letter by letter, and public; its digits go here.
  const auto whole = text.reveal();
  constexpr std::size_t kCheckLine = 23, kDigits = 16 * 5;  // groups of four, each behind a blank
  const auto digits = whole.subspan(whole.size() - kCheckLine - kDigits - 1, kDigits);
  (void)must(crypto::key_from_hex(base::as_text(digits)));
}

void split_and_join() {
  const Key key = secret(11);
  const auto shares = must(crypto::split_key(key, 3, 2));
  std::vector<crypto::KeyShare> two;
  for (std::size_t i = 0; i < 2; ++i) two.push_back({shares[i].number, must(shares[i].part.clone())});
  (void)must(crypto::join_key(two));
}

void passphrase() {
  std::string typed = "correct horse battery staple";
  hide(bytes_of(typed.c_str()).first(typed.size()));
  const auto taken = must(Passphrase::take(typed));
  show(base::as_bytes(typed));
  (void)must(crypto::key_from_passphrase(taken.reveal(), {}, crypto::kUnsafeFastCost));
}

void identity() {
  std::string typed = "fuzz";
  const auto passphrase = must(Passphrase::take(typed));
  auto made = must(keys::make_identity_file("ana", passphrase, crypto::kUnsafeFastCost));
  const Key review = must(Key::random());
  const auto file = must(keys::with_review_key(made.file, 1, review));
  hide(passphrase.reveal());
  (void)must(keys::unlock_identity(file, "ana", passphrase));
  std::string wrong = "fuss";
  const auto other = must(Passphrase::take(wrong));
  hide(other.reveal());
  (void)keys::unlock_identity(file, "ana", other);
}

void token() {
  const Key index = secret(12);
  (void)catalog::blind(index, catalog::Field::caller, "+40722000001", 1);
  catalog::Row row;
  row.caller = "+40722000001";
  const Key recording = secret(13);
  base::Bytes sealed = must(catalog::seal_row(row, recording, {}));
  show(sealed);
  (void)catalog::open_row(sealed, secret(14), {});
}

void header() {
  const Key intake = secret(15), pepper = secret(16), review = secret(17);
  auto intake_public = must(crypto::public_key_of(intake)), review_public = must(crypto::public_key_of(review));
  show(intake_public);
  show(review_public);
  sealed::CallMetadata call;
  call.tracks = {TrackName::mixed};
  auto made = must(sealed::make_header({}, {intake_public, pepper, review_public}, call, {secret(18), secret(19)}));
  show(made.header.raw);
  show(made.header.hash);
  const auto secrets = must(sealed::open_intake_box(made.header, intake, pepper));
  (void)must(sealed::audio_key(made.header, review, secrets.track));
  (void)sealed::audio_key(made.header, review, secret(20));
  (void)sealed::open_intake_box(made.header, review, pepper);
}

void node() {
  const Key recording = secret(21), track = secret(22), node_key = secret(23);
  std::vector<keys::NodeRow> rows(1);
  rows[0].record_secret = recording.reveal();
  rows[0].tracks.push_back({TrackName::mixed, 0, {}, track.reveal()});
  const auto plain = must(keys::encode_node(rows));
  base::Bytes file = must(keys::seal_node(plain, 3, 2, node_key));
  show(file);
  (void)keys::open_node(file, 3, 2, secret(24));
  auto copy = must(crypto::SecretBuffer::copy_of(plain.reveal()));
  const auto opened = must(keys::Node::parse(std::move(copy)));
  (void)must(opened.rows());
}

struct Path {
  const char* name;
  void (*run)();
};
constexpr std::array kPaths{
    Path{"compare", compare},     Path{"derive", derive}, Path{"seal", seal_and_open},   Path{"box", box},
    Path{"signature", signature}, Path{"share", share},   Path{"split", split_and_join}, Path{"passphrase", passphrase},
    Path{"identity", identity},   Path{"token", token},   Path{"header", header},        Path{"node", node},
};

}  // namespace

int main(int argc, char** argv) {
  if (!crypto::ready()) return 3;
  for (const auto& path : kPaths)
    if (argc < 2 || path.name == std::string(argv[1])) {
      const auto before = VALGRIND_COUNT_ERRORS;
      path.run();
      std::printf("%-12s %s\n", path.name, VALGRIND_COUNT_ERRORS == before ? "ok" : "DEPENDS ON A SECRET");
      std::fflush(stdout);
    }
  return VALGRIND_COUNT_ERRORS == 0 ? 0 : 1;
}

// The libraries' functions that branch on secrets, or whose verdict does. Each is called with valgrind's reports off;
// what it answers (that something authenticates, that two are equal) is told to everybody anyway.
#define VERDICT(name, parameters, arguments)             \
  extern "C" int __real_##name parameters;               \
  extern "C" int __wrap_##name parameters;               \
  int __wrap_##name parameters {                         \
    VALGRIND_DISABLE_ERROR_REPORTING;                    \
    int verdict = __real_##name arguments;               \
    VALGRIND_ENABLE_ERROR_REPORTING;                     \
    VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof verdict); \
    return verdict;                                      \
  }
#define QUIET(name, parameters, arguments)  \
  extern "C" void __real_##name parameters; \
  extern "C" void __wrap_##name parameters; \
  void __wrap_##name parameters {           \
    VALGRIND_DISABLE_ERROR_REPORTING;       \
    __real_##name arguments;                \
    VALGRIND_ENABLE_ERROR_REPORTING;        \
  }
using uchar = unsigned char;
using ullong = unsigned long long;

// Public keys are public, whatever they were made from.
extern "C" int __real_crypto_scalarmult_base(uchar* q, const uchar* n);
extern "C" int __wrap_crypto_scalarmult_base(uchar* q, const uchar* n);
int __wrap_crypto_scalarmult_base(uchar* q, const uchar* n) {
  VALGRIND_DISABLE_ERROR_REPORTING;
  int verdict = __real_crypto_scalarmult_base(q, n);
  VALGRIND_ENABLE_ERROR_REPORTING;
  VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof verdict);
  VALGRIND_MAKE_MEM_DEFINED(q, 32);
  return verdict;
}
extern "C" int __real_crypto_sign_seed_keypair(uchar* pk, uchar* sk, const uchar* seed);
extern "C" int __wrap_crypto_sign_seed_keypair(uchar* pk, uchar* sk, const uchar* seed);
int __wrap_crypto_sign_seed_keypair(uchar* pk, uchar* sk, const uchar* seed) {
  VALGRIND_DISABLE_ERROR_REPORTING;
  const int out = __real_crypto_sign_seed_keypair(pk, sk, seed);
  VALGRIND_ENABLE_ERROR_REPORTING;
  VALGRIND_MAKE_MEM_DEFINED(pk, 32);
  return out;
}

VERDICT(sodium_memcmp, (const void* a, const void* b, std::size_t n), (a, b, n))
VERDICT(crypto_aead_xchacha20poly1305_ietf_decrypt,
        (uchar * m, ullong* mlen, uchar* nsec, const uchar* c, ullong clen, const uchar* ad, ullong adlen,
         const uchar* npub, const uchar* k),
        (m, mlen, nsec, c, clen, ad, adlen, npub, k))
VERDICT(crypto_aead_chacha20poly1305_ietf_decrypt,
        (uchar * m, ullong* mlen, uchar* nsec, const uchar* c, ullong clen, const uchar* ad, ullong adlen,
         const uchar* npub, const uchar* k),
        (m, mlen, nsec, c, clen, ad, adlen, npub, k))
// Its verdict: whether the other side's public key is of low order.
VERDICT(crypto_scalarmult, (uchar * q, const uchar* n, const uchar* p), (q, n, p))
// Whether there are 64 digits, and where blanks stand among them, is public.
VERDICT(sodium_hex2bin,
        (uchar* const bin, const std::size_t most, const char* const hex, const std::size_t length,
         const char* const ignore, std::size_t* const bytes, const char** const end),
        (bin, most, hex, length, ignore, bytes, end))
// Argon2id looks up by secrets in its second half; that is its design (RFC 9106, 3.4.1.3).
VERDICT(crypto_pwhash,
        (uchar* const out, ullong outlen, const char* const passwd, ullong passwdlen, const uchar* const salt,
         ullong opslimit, std::size_t memlimit, int alg),
        (out, outlen, passwd, passwdlen, salt, opslimit, memlimit, alg))
// libgfshare multiplies by tables of logarithms, looked up by the secret's bytes.
struct _gfshare_ctx;
QUIET(gfshare_ctx_enc_setsecret, (_gfshare_ctx * c, const uchar* secret), (c, secret))
QUIET(gfshare_ctx_enc_getshare, (const _gfshare_ctx* c, uchar number, uchar* out), (c, number, out))
QUIET(gfshare_ctx_dec_giveshare, (_gfshare_ctx * c, uchar number, const uchar* in), (c, number, in))
QUIET(gfshare_ctx_dec_extract, (const _gfshare_ctx* c, uchar* out), (c, out))
