#include "keys/identity.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

namespace {

using namespace callvault;
using base::Bytes;

Passphrase phrase(std::string text) {
  auto out = Passphrase::take(std::span<char>(text.data(), text.size()));
  REQUIRE(out.has_value());
  return std::move(*out);
}

keys::NewIdentity make(std::string_view name, const std::string& text) {
  auto made = keys::make_identity_file(name, phrase(text), crypto::kUnsafeFastCost);
  REQUIRE(made.has_value());
  return std::move(*made);
}

bool same(const crypto::Key& a, const crypto::Key& b) { return crypto::equal(a.reveal(), b.reveal()); }

Bytes replaced(const Bytes& file, const std::string& from, const std::string& to) {
  std::string text(base::as_text(file));
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  return base::to_bytes(base::as_bytes(text));
}

}  // namespace

TEST_CASE("an identity opens with its passphrase and no other") {
  const auto made = make("ana", "first light");
  const auto opened = keys::unlock_identity(made.file, "ana", phrase("first light"));
  REQUIRE(opened.has_value());
  CHECK(same(opened->signing_seed(), made.identity.signing_seed()));
  CHECK(same(opened->box_secret(), made.identity.box_secret()));
  CHECK(opened->public_part() == made.identity.public_part());
  CHECK_FALSE(opened->has_review_keys());
  CHECK(opened->review_key(1).error().code == Errc::refused);

  CHECK(keys::unlock_identity(made.file, "ana", phrase("first lighu")).error().code == Errc::wrong_passphrase);
  CHECK(keys::unlock_identity(made.file, "bob", phrase("first light")).error().code == Errc::corrupt);
  CHECK(keys::make_identity_file("../ana", phrase("x"), crypto::kUnsafeFastCost).error().code == Errc::usage);
  CHECK(keys::make_identity_file("ana", phrase("x"), {16, 1024 * 1024}).error().code == Errc::usage);
}

TEST_CASE("an unknown person costs what a wrong passphrase costs, and answers the same") {
  const auto made = make("ana", "first light");
  const auto start = keys::passphrase_derivations();
  const auto wrong = keys::unlock_identity(made.file, "ana", phrase("wrong"));
  const auto middle = keys::passphrase_derivations();
  const auto unknown = keys::spend_passphrase_cost(phrase("wrong"), crypto::kUnsafeFastCost);
  const auto end = keys::passphrase_derivations();
  CHECK(middle - start == 1);
  CHECK(end - middle == 1);
  REQUIRE_FALSE(wrong.has_value());
  REQUIRE_FALSE(unknown.has_value());
  CHECK(wrong.error().code == unknown.error().code);
  CHECK(wrong.error().message == unknown.error().message);
}

TEST_CASE("review keys are granted without a passphrase and open only for their owner") {
  const auto ana = make("ana", "first light");
  const auto bob = make("bob", "second light");
  const auto one = crypto::Key::random().value(), two = crypto::Key::random().value();
  auto file = keys::with_review_key(ana.file, 2, two);
  REQUIRE(file.has_value());
  file = keys::with_review_key(*file, 1, two);
  REQUIRE(file.has_value());
  file = keys::with_review_key(*file, 1, one, &ana.identity.public_part());
  REQUIRE(file.has_value());
  CHECK(keys::inspect_identity(*file, "ana")->review_numbers == std::vector<std::uint32_t>{1, 2});
  const auto opened = keys::unlock_identity(*file, "ana", phrase("first light"));
  REQUIRE(opened.has_value());
  CHECK(opened->has_review_keys());
  CHECK(same(**opened->review_key(1), one));
  CHECK(same(**opened->review_key(2), two));
  CHECK(opened->review_key(3).error().code == Errc::refused);

  // A swapped file does not get a grant.
  CHECK(keys::with_review_key(bob.file, 1, one, &ana.identity.public_part()).error().code == Errc::refused);
  // A grant under another number, or in another's file, does not open.
  CHECK(keys::unlock_identity(replaced(*file, "\"number\": 2", "\"number\": 3"), "ana", phrase("first light"))
            .error()
            .code == Errc::corrupt);
  const std::string text(base::as_text(*file));
  const auto from = text.find("\"review_ring\""), to = text.find(']', from);
  const auto moved = replaced(bob.file, "\"review_ring\": []", text.substr(from, to + 1 - from));
  CHECK(keys::unlock_identity(moved, "bob", phrase("second light")).error().code == Errc::corrupt);

  const auto cleared = keys::without_review_keys(*file);
  REQUIRE(cleared.has_value());
  CHECK_FALSE(keys::unlock_identity(*cleared, "ana", phrase("first light"))->has_review_keys());
}

TEST_CASE("a new passphrase keeps keys and grants") {
  const auto ana = make("ana", "first light");
  const auto review = crypto::Key::random().value();
  const auto granted = keys::with_review_key(ana.file, 1, review);
  CHECK(keys::with_new_passphrase(*granted, phrase("no"), phrase("new")).error().code == Errc::wrong_passphrase);
  const auto changed = keys::with_new_passphrase(*granted, phrase("first light"), phrase("new"));
  REQUIRE(changed.has_value());
  CHECK(keys::unlock_identity(*changed, "ana", phrase("first light")).error().code == Errc::wrong_passphrase);
  const auto opened = keys::unlock_identity(*changed, "ana", phrase("new"));
  REQUIRE(opened.has_value());
  CHECK(same(opened->box_secret(), ana.identity.box_secret()));
  CHECK(same(**opened->review_key(1), review));
}

TEST_CASE("public keys, name and cost belong to the wrapped keys") {
  const auto ana = make("ana", "first light");
  const auto bob = make("bob", "first light");
  const std::string a(base::as_text(ana.file)), b(base::as_text(bob.file));
  for (const std::string field : {"\"box\": ", "\"signing\": "}) {
    const std::string mine = a.substr(a.find(field), field.size() + 46);
    const std::string theirs = b.substr(b.find(field), field.size() + 46);
    const auto swapped = replaced(ana.file, mine, theirs);
    REQUIRE(keys::inspect_identity(swapped, "ana").has_value());
    CHECK(keys::unlock_identity(swapped, "ana", phrase("first light")).error().code == Errc::wrong_passphrase);
  }
  const auto renamed = replaced(bob.file, "\"bob\"", "\"ana\"");
  CHECK(keys::unlock_identity(renamed, "ana", phrase("first light")).error().code == Errc::wrong_passphrase);
}

TEST_CASE("every flipped bit of an identity is refused or changes nothing") {
  const auto ana = make("ana", "first light");
  const auto review = crypto::Key::random().value();
  const auto file = keys::with_review_key(ana.file, 1, review);
  REQUIRE(file.has_value());
  int opened_all_the_same = 0;
  for (std::size_t bit = 0; bit < file->size() * 8; ++bit) {
    CAPTURE(bit);
    Bytes flipped = *file;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    const auto opened = keys::unlock_identity(flipped, "ana", phrase("first light"));
    if (!opened.has_value()) continue;
    ++opened_all_the_same;
    REQUIRE(same(opened->signing_seed(), ana.identity.signing_seed()));
    REQUIRE(same(opened->box_secret(), ana.identity.box_secret()));
    REQUIRE(opened->public_part() == ana.identity.public_part());
    REQUIRE(opened->review_key(1).has_value());
    REQUIRE(same(**opened->review_key(1), review));
  }
  CHECK(opened_all_the_same < 64);
}

TEST_CASE("fields that nobody knows, or that are missing, are damage") {
  const auto ana = make("ana", "first light");
  const auto file = *keys::with_review_key(ana.file, 1, crypto::Key::random().value());
  const auto refused = [&](const Bytes& bytes, const char* says, Errc code = Errc::corrupt) {
    const auto facts = keys::inspect_identity(bytes, "ana");
    REQUIRE_FALSE(facts.has_value());
    CHECK(facts.error().code == code);
    CHECK_MESSAGE(facts.error().message.find(says) != std::string::npos, facts.error().message);
    CHECK_FALSE(keys::without_review_keys(bytes).has_value());
  };
  refused(replaced(file, "\"review_ring\"", "\"review_sing\""), "unknown field 'review_sing'");
  refused(replaced(file, "\"version\": 1", "\"version\": 1, \"more\": 0"), "unknown field 'more'");
  refused(replaced(file, "\"passes\"", "\"lanes\": 1, \"passes\""), "unknown field 'lanes'");
  refused(replaced(file, "\"number\"", "\"until\": 1, \"number\""), "unknown field 'until'");
  refused(replaced(file, "\"version\": 1", "\"version\": 1, \"\\u001b[2J\": 0"), "unknown field;");
  refused(replaced(ana.file, ",\n  \"review_ring\": []", ""), "review_ring");
  // A later version may have fields of its own.
  refused(replaced(replaced(file, "\"version\": 1", "\"version\": 2"), "\"passes\"", "\"lanes\": 1, \"passes\""),
          "newer version", Errc::newer_version);
}

TEST_CASE("hostile files are refused before any derivation") {
  const auto ana = make("ana", "first light");
  const auto start = keys::passphrase_derivations();
  const auto refused = [&](const Bytes& file, Errc code) {
    const auto opened = keys::unlock_identity(file, "ana", phrase("first light"));
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == code);
    CHECK(opened.error().message.find("light") == std::string::npos);
  };
  for (const char* memory : {"1048576", "262145", "7", "0", "-1", "4294967297", "1e3", "\"64\""})
    refused(replaced(ana.file, "\"memory_kib\": 64", std::string("\"memory_kib\": ") + memory), Errc::corrupt);
  for (const char* passes : {"13", "0", "4294967295"})
    refused(replaced(ana.file, "\"passes\": 1", std::string("\"passes\": ") + passes), Errc::corrupt);
  // Each within its bound, but too much together.
  refused(
      replaced(replaced(ana.file, "\"memory_kib\": 64", "\"memory_kib\": 262144"), "\"passes\": 1", "\"passes\": 12"),
      Errc::corrupt);
  refused(replaced(ana.file, "\"version\": 1", "\"version\": 2"), Errc::newer_version);
  refused(replaced(ana.file, "\"version\": 1", "\"version\": 0"), Errc::corrupt);
  for (const std::string field : {"version", "name", "kdf", "wrapped", "signing", "box", "salt", "review_ring"})
    refused(replaced(ana.file, "\"" + field + "\"", "\"other\""), Errc::corrupt);
  refused({}, Errc::corrupt);
  refused(Bytes(60 * 1024, std::byte{'['}), Errc::corrupt);
  refused(Bytes(70 * 1024, std::byte{' '}), Errc::corrupt);
  for (std::size_t size = 0; size + 2 < ana.file.size(); size += 7)
    refused(Bytes(ana.file.begin(), ana.file.begin() + static_cast<std::ptrdiff_t>(size)), Errc::corrupt);
  std::string ring = "\"review_ring\": [";
  for (int i = 0; i < 129; ++i) ring += (i > 0 ? ",1" : "1");
  refused(replaced(ana.file, "\"review_ring\": [", ring), Errc::corrupt);
  CHECK(keys::passphrase_derivations() == start);
}

TEST_CASE("a field of the wrong kind is named, and costs no derivation") {
  const auto ana = make("ana", "first light");
  const auto review = crypto::Key::random();
  REQUIRE(review.has_value());
  const auto granted = *keys::with_review_key(*keys::with_review_key(ana.file, 1, *review), 2, *review);
  const auto start = keys::passphrase_derivations();
  const auto refused = [&](const Bytes& file, const char* says) {
    const auto opened = keys::unlock_identity(file, "ana", phrase("first light"));
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Errc::corrupt);
    CHECK_MESSAGE(opened.error().message.find(says) != std::string::npos, opened.error().message);
  };
  const auto cut_out = [](const Bytes& file, const std::string& from, const std::string& to, const std::string& fresh) {
    std::string text(base::as_text(file));
    const auto begin = text.find(from), end = text.find(to, begin);
    REQUIRE(end != std::string::npos);
    return base::to_bytes(base::as_bytes(text.substr(0, begin) + fresh + text.substr(end)));
  };
  refused(cut_out(ana.file, "\"wrapped\": \"", "\n}", "\"wrapped\": 7"), "wrapped");
  refused(cut_out(ana.file, "\"wrapped\": \"", "\n}", "\"more\": 7"), "unknown field");
  refused(cut_out(ana.file, ",\n  \"wrapped\"", "\n}", ""), "wrapped");
  refused(cut_out(ana.file, "\"kdf\": {", "\"name\"", "\"kdf\": 1, "), "kdf");
  refused(cut_out(ana.file, "\"kdf\": {", "\"name\"", ""), "kdf");
  refused(replaced(ana.file, "\"passes\": 1,", "\"passes\": \"1\","), "kdf");
  refused(replaced(ana.file, "\"review_ring\": []", "\"review_ring\": {}"), "review_ring");
  refused(replaced(granted, "\"number\": 2", "\"number\": 1"), "review_ring");
  refused(replaced(granted, "\"number\": 1", "\"number\": 3"), "review_ring");
  CHECK(keys::passphrase_derivations() == start);
  CHECK(keys::unlock_identity(granted, "ana", phrase("first light")).has_value());
}

TEST_CASE("a ring that is full takes no other key, and one of another length never") {
  auto file = make("ana", "first light").file;
  const auto review = crypto::Key::random();
  REQUIRE(review.has_value());
  const auto who = keys::inspect_identity(file, "ana")->public_part;
  const Bytes grant = keys::seal_review_key(who, 1, *review).value();
  CHECK(keys::with_sealed_review_key(file, 1, base::ByteView(grant).first(grant.size() - 1), nullptr).error().code ==
        Errc::refused);
  // As many as there may be, in one go.
  std::string ring;
  for (std::size_t i = 1; i <= keys::kMaxReviewKeys; ++i)
    ring +=
        (i > 1 ? "," : "") + ("{\"number\":" + std::to_string(i)) + ",\"sealed\":\"" + base::to_base64(grant) + "\"}";
  const auto full = replaced(file, "\"review_ring\": []", "\"review_ring\": [" + ring + "]");
  REQUIRE(full.size() <= keys::kMaxIdentityBytes);
  CHECK(keys::inspect_identity(full, "ana")->review_numbers.size() == keys::kMaxReviewKeys);
  CHECK(keys::with_sealed_review_key(full, 2000, grant, nullptr).error().code == Errc::refused);
  CHECK(keys::with_sealed_review_key(full, 7, grant, nullptr).has_value());  // in the place of another
  const auto more = replaced(full, "[{", "[{\"number\":0,\"sealed\":\"" + base::to_base64(grant) + "\"},{");
  CHECK(keys::inspect_identity(more, "ana").error().code == Errc::corrupt);
}

TEST_CASE("a new passphrase with a cost that nobody could bear is refused") {
  const auto ana = make("ana", "first light");
  CHECK(keys::with_new_passphrase(ana.file, phrase("first light"), phrase("x"), crypto::PassphraseCost{0, 64})
            .error()
            .code == Errc::usage);
  CHECK(keys::with_new_passphrase(ana.file, phrase("first light"), phrase("x"), crypto::PassphraseCost{1, 64}));
}

TEST_CASE("private keys that are not those of the public ones are damage, whoever wrapped them") {
  const auto ana = make("ana", "first light"), bob = make("ana", "first light");
  // Wrapped as the format has it, for ana's public keys, by somebody who knows the passphrase.
  const auto opened = [&](const crypto::Key& signing, const crypto::Key& box) {
    const auto& who = ana.identity.public_part();
    const crypto::Salt salt = crypto::random_salt();
    const auto key = crypto::key_from_passphrase(phrase("first light").reveal(), salt, crypto::kUnsafeFastCost);
    REQUIRE(key.has_value());
    constexpr std::string_view kLabel = "callvault v1 identity";
    Bytes context(kLabel.size() + 1 + 2 + who.name.size() + who.signing.size() + who.box.size());
    base::FieldWriter fields(context);
    fields.bytes(base::as_bytes(kLabel));
    fields.zeros(1);
    fields.text(who.name);
    fields.bytes(who.signing);
    fields.bytes(who.box);
    Bytes both = base::to_bytes(signing.reveal());
    both.insert(both.end(), box.reveal().begin(), box.reveal().end());
    std::string text(base::as_text(ana.file));
    const auto put = [&](const std::string& field, base::ByteView bytes) {
      const auto at = text.find("\"" + field + "\": \"") + field.size() + 5;
      text.replace(at, text.find('"', at) - at, base::to_base64(bytes));
    };
    put("salt", salt);
    put("wrapped", crypto::seal(*key, context, both));
    const auto out = keys::unlock_identity(base::as_bytes(text), "ana", phrase("first light"));
    return out ? Errc::interrupted : out.error().code;
  };
  const auto &mine = ana.identity, &other = bob.identity;
  CHECK(opened(mine.signing_seed(), mine.box_secret()) == Errc::interrupted);
  CHECK(opened(mine.signing_seed(), other.box_secret()) == Errc::corrupt);
  CHECK(opened(other.signing_seed(), mine.box_secret()) == Errc::corrupt);
}

TEST_CASE("an identity that is only wrapped anew is told from one that holds more that is new") {
  const auto made = make("ana", "first light");
  const auto review = crypto::Key::random();
  REQUIRE(review.has_value());
  const auto file = keys::with_review_key(made.file, 1, *review).value();
  const auto fresh = keys::with_new_passphrase(file, phrase("first light"), phrase("second light")).value();
  CHECK(fresh != file);
  CHECK(keys::check_rewrapped(file, fresh, "ana"));
  const auto refused = [&](const Bytes& other) {
    return keys::check_rewrapped(file, other, "ana").error().code == Errc::refused;
  };
  CHECK(refused(made.file));                                         // a grant is missing
  CHECK(refused(keys::with_review_key(fresh, 2, *review).value()));  // one more
  CHECK(refused(keys::with_review_key(fresh, 1, *review).value()));  // another one
  CHECK(refused(make("ana", "first light").file));                   // other keys
  CHECK(refused(keys::with_new_passphrase(fresh, phrase("second light"), phrase("third"), crypto::PassphraseCost{2, 64})
                    .value()));  // another cost
  CHECK_FALSE(keys::check_rewrapped(file, fresh, "bob"));
  CHECK_FALSE(keys::check_rewrapped(file, base::to_bytes(base::as_bytes("{}")), "ana"));
}

TEST_CASE("who is known by a signature alone holds no keys") {
  const auto made = make("ana", "first light");
  const auto known = keys::Identity::without_secrets(made.identity.public_part());
  CHECK(known.public_part() == made.identity.public_part());
  CHECK_FALSE(known.has_review_keys());
  CHECK(known.review_key(1).error().code == Errc::refused);
}
