#include "catalog/blind.h"

#include <algorithm>

#include "crypto/hash.h"

namespace callvault::catalog {

Token blind(const crypto::Key& index_key, Field field, std::string_view value, std::uint32_t k) {
  std::array<std::byte, 5> head{};
  base::FieldWriter writer(head);
  writer.number(static_cast<std::uint8_t>(field));
  writer.number(k);
  // Field and k have fixed widths and the value comes last: no two inputs read alike.
  crypto::Hasher hasher(index_key);
  hasher.add(head);
  hasher.add(base::as_bytes(value));
  const crypto::Digest digest = hasher.finish();
  Token token{};
  static_assert(kTokenBytes <= sizeof(crypto::Digest));
  std::copy_n(digest.begin(), kTokenBytes, token.begin());
  return token;
}

Token Blinder::next(Field field, std::string_view value) {
  std::uint32_t& k = next_[{field, std::string(value)}];
  return blind(*index_key_, field, value, k++);
}

std::vector<Token> Blinder::tokens_of(const Row& row) {
  std::vector<Token> tokens;
  if (!row.caller.empty()) tokens.push_back(next(Field::caller, row.caller));
  if (!row.called.empty()) tokens.push_back(next(Field::called, row.called));
  if (!row.agent.empty()) tokens.push_back(next(Field::agent, row.agent));
  if (!row.call_id.empty()) tokens.push_back(next(Field::call_id, row.call_id));
  return tokens;
}

}  // namespace callvault::catalog
