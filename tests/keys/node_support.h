// Rows with something in every field, and how they become nodes.
#pragma once

#include <doctest/doctest.h>

#include <list>

#include "base/text.h"
#include "keys/node.h"
#include "keys/node_file.h"
#include "keys/support.h"

namespace callvault::node_test {

using base::Bytes;
using base::ByteView;
using keys::Node;
using keys::NodeRow;
using keys_test::fixed_key;
using keys_test::id_of;

inline constexpr Time kStart{std::chrono::milliseconds(1'795'426'342'123)};

// Rows whose secrets live in the list they were made with.
struct Rows {
  std::vector<NodeRow> rows;
  std::list<crypto::Key> secrets;

  ByteView secret(std::uint8_t fill) {
    secrets.push_back(fixed_key(fill));
    return secrets.back().reveal();
  }
  NodeRow& add(std::uint8_t id) {
    NodeRow row;
    row.id = id_of(id);
    row.started_at = kStart;
    row.expires_at = kStart + std::chrono::hours(24 * 181);
    row.consent_since = kStart + std::chrono::seconds(4);
    row.record_secret = secret(id);
    rows.push_back(std::move(row));
    return rows.back();
  }
};

inline Rows varied_rows() {
  Rows out;
  NodeRow& a = out.add(9);
  a.basis = Basis::legitimate_interest;
  a.caller_consent = Consent::withdrawn;
  a.agent_consent = Consent::granted;
  a.restricted = true;
  a.caller_shredded = true;
  a.flags = {true, false, true};
  a.duration_s = 4'000'000'000U;
  a.intake = {1, 7, 4'000'000'000U};
  a.holds = {{"dosar 12/2026 \xc8\x99i altele", kStart}, {"", std::nullopt}};
  a.tracks = {{TrackName::caller, 0, crypto::blake2b({}), out.secret(0x91)},
              {TrackName::agent, 65535, crypto::blake2b(base::as_bytes("x")), out.secret(0x92)}};
  NodeRow& b = out.add(2);
  b.in_progress = true;
  b.flags = {false, true, false};
  out.add(5).tracks = {{TrackName::mixed, 1, {}, out.secret(0x51)}};
  return out;
}

inline crypto::SecretBuffer encoded(std::vector<NodeRow> rows) {
  auto plain = keys::encode_node(rows);
  REQUIRE(plain.has_value());
  return std::move(*plain);
}

inline Node parsed(ByteView plain) {
  auto copy = crypto::SecretBuffer::copy_of(plain);
  REQUIRE(copy.has_value());
  auto node = Node::parse(std::move(*copy));
  REQUIRE(node.has_value());
  return std::move(*node);
}

inline void check_same(const NodeRow& a, const NodeRow& b) {
  CHECK(a.id == b.id);
  CHECK(a.started_at == b.started_at);
  CHECK(a.expires_at == b.expires_at);
  CHECK(a.consent_since == b.consent_since);
  CHECK(a.basis == b.basis);
  CHECK(a.caller_consent == b.caller_consent);
  CHECK(a.agent_consent == b.agent_consent);
  CHECK(a.restricted == b.restricted);
  CHECK(a.caller_shredded == b.caller_shredded);
  CHECK(a.in_progress == b.in_progress);
  CHECK(a.flags == b.flags);
  CHECK(a.duration_s == b.duration_s);
  CHECK(a.intake == b.intake);
  CHECK(crypto::equal(a.record_secret, b.record_secret));
  REQUIRE(a.holds.size() == b.holds.size());
  for (std::size_t i = 0; i < a.holds.size(); ++i) {
    CHECK(a.holds[i].matter == b.holds[i].matter);
    CHECK(a.holds[i].until == b.holds[i].until);
  }
  REQUIRE(a.tracks.size() == b.tracks.size());
  for (std::size_t i = 0; i < a.tracks.size(); ++i) {
    CHECK(a.tracks[i].name == b.tracks[i].name);
    CHECK(a.tracks[i].segment == b.tracks[i].segment);
    CHECK(a.tracks[i].header_hash == b.tracks[i].header_hash);
    CHECK(crypto::equal(a.tracks[i].secret, b.tracks[i].secret));
  }
}

inline Bytes sealed(const crypto::SecretBuffer& plain, std::uint32_t bucket, std::uint64_t generation,
                    const crypto::Key& key) {
  auto file = keys::seal_node(plain, bucket, generation, key);
  REQUIRE(file.has_value());
  return std::move(*file);
}

}  // namespace callvault::node_test
