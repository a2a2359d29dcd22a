#include "keys/review_share.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/hex.h"
#include "crypto/random.h"

namespace callvault::keys {
namespace {

constexpr std::string_view kShareTitle = "callvault review share v";
constexpr int kShareVersion = 1;
constexpr std::size_t kShareCheckBytes = 8;
constexpr std::size_t kHeadLines = 4, kLinesPerKey = 2;

Error not_a_share(const std::string& why) { return fail(Errc::corrupt, "not a review key's share: " + why); }

// Of a secret: arithmetic, so that neither a branch nor an address tells its value.
char hex_digit(unsigned value) {
  value &= 15U;
  return static_cast<char>(value + '0' + ((9U - value) >> 8U & ('a' - '9' - 1U)));
}

std::string share_head(const ReviewShare& s) {
  return std::string(kShareTitle) + std::to_string(kShareVersion) + "\nvault " + s.vault + "\nsplit " +
         base::to_hex(s.split) + "\nshare " + std::to_string(s.number) + " of " + std::to_string(s.of) + ", " +
         std::to_string(s.need) + " needed\n";
}

std::string key_line(const ReviewPart& part) {
  return "key " + std::to_string(part.key_number) + " " + base::to_hex(part.public_key) + "\nsecret";
}

// The canonical text up to the check's line. Digits of secrets are written one by one: no copy stays in ordinary
// memory.
Result<crypto::SecretBuffer> share_body(const ReviewShare& s) {
  constexpr std::size_t kSecretChars = crypto::Key::kBytes * 5 / 2 + 1;
  const std::string head = share_head(s);
  std::size_t bytes = head.size();
  for (const auto& part : s.parts) bytes += key_line(part).size() + kSecretChars;
  CALLVAULT_TRY_ASSIGN(auto out, crypto::SecretBuffer::make(bytes));
  auto at = out.reveal_mutable().begin();
  const auto put = [&](char c) { *at++ = static_cast<std::byte>(c); };
  std::for_each(head.begin(), head.end(), put);
  for (const auto& part : s.parts) {
    const std::string line = key_line(part);
    std::for_each(line.begin(), line.end(), put);
    std::size_t i = 0;
    for (const std::byte b : part.part.reveal()) {
      if (i++ % 2 == 0) put(' ');
      put(hex_digit(std::to_integer<unsigned>(b) >> 4U));
      put(hex_digit(std::to_integer<unsigned>(b)));
    }
    put('\n');
  }
  return out;
}

std::string check_of(const crypto::SecretBuffer& body) {
  const auto hash = crypto::blake2b(body.reveal());
  std::string out;
  for (const std::byte b : base::ByteView(hash).first(kShareCheckBytes))
    for (const unsigned shift : {4U, 0U}) out += hex_digit(std::to_integer<unsigned>(b) >> shift);
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    const auto from = line.find_first_not_of(kBlank);
    if (from == std::string_view::npos) continue;
    line = line.substr(from, line.find_last_not_of(kBlank) - from + 1);
    out.push_back(line);
  }
  return out;
}

template <typename T>
bool take_number(std::string_view& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

Result<ReviewPart> decode_part(std::string_view key, std::string_view secret) {
  if (!take_word(secret, "secret")) return not_a_share("a line is another than it must be");
  auto part = crypto::key_from_hex(secret);
  if (!part) return part.error().code == Errc::corrupt ? not_a_share("a secret is not 64 digits") : part.error();
  ReviewPart out{0, {}, std::move(*part)};
  if (!take_word(key, "key ") || !take_number(key, out.key_number) || !take_word(key, " "))
    return not_a_share("a line is another than it must be");
  const auto half = base::from_hex(key);
  if (!half || half->size() != out.public_key.size()) return not_a_share("a public key is not 64 digits");
  std::copy(half->begin(), half->end(), out.public_key.begin());
  return out;
}

}  // namespace

Result<crypto::SecretBuffer> encode_share(const ReviewShare& share) {
  CALLVAULT_TRY_ASSIGN(const auto body, share_body(share));
  const std::string end = "check " + check_of(body) + "\n";
  CALLVAULT_TRY_ASSIGN(auto out, crypto::SecretBuffer::make(body.size() + end.size()));
  const auto at = std::copy_n(body.reveal().begin(), body.size(), out.reveal_mutable().begin());
  std::copy_n(base::as_bytes(end).begin(), end.size(), at);
  return out;
}

Result<ReviewShare> decode_share(base::ByteView text) {
  if (text.size() > kMaxShareBytes) return not_a_share("it is too long");
  const auto lines = lines_of(base::as_text(text));
  std::string_view title = lines.empty() ? std::string_view() : lines.front();
  int version = 0;
  if (!take_word(title, kShareTitle) || !take_number(title, version) || !title.empty())
    return not_a_share("its first line is another");
  if (version > kShareVersion) return fail(Errc::newer_version, "a review key's share of a newer version");
  if (version != kShareVersion || lines.size() < kHeadLines + kLinesPerKey + 1 ||
      (lines.size() - kHeadLines - 1) % kLinesPerKey != 0)
    return not_a_share("a line is missing, or one too many");
  ReviewShare out;
  std::string_view vault = lines[1], split = lines[2], share = lines[3], check = lines.back();
  const bool named = take_word(vault, "vault ") && take_word(split, "split ");
  const auto split_bytes = named ? base::from_hex(split) : std::nullopt;
  const bool counted = take_word(share, "share ") && take_number(share, out.number) && take_word(share, " of ") &&
                       take_number(share, out.of) && take_word(share, ", ") && take_number(share, out.need) &&
                       share == " needed";
  if (!split_bytes || split_bytes->size() != out.split.size() || !counted || !take_word(check, "check "))
    return not_a_share("a line is another than it must be");
  if (out.need < 2 || out.need > out.of || out.of > crypto::kMaxShares || out.number < 1 || out.number > out.of)
    return not_a_share("its numbers cannot be");
  out.vault = vault;
  std::copy(split_bytes->begin(), split_bytes->end(), out.split.begin());
  for (std::size_t i = kHeadLines; i + kLinesPerKey < lines.size(); i += kLinesPerKey) {
    CALLVAULT_TRY_ASSIGN(auto part, decode_part(lines[i], lines[i + 1]));
    if (!out.parts.empty() && part.key_number <= out.parts.back().key_number)
      return not_a_share("its keys do not ascend");
    out.parts.push_back(std::move(part));
  }
  CALLVAULT_TRY_ASSIGN(const auto body, share_body(out));
  if (!crypto::equal(base::as_bytes(check_of(body)), base::as_bytes(check)))
    return fail(Errc::corrupt, "a review key's share was mistyped: its check does not fit");
  return out;
}

}  // namespace callvault::keys
