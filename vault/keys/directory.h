// The directory: sealed under the root key, it holds every other key of the vault. Replacing it is the only commit
// point of the key state. docs/format/keys.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "callvault/call_record.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "keys/directory_head.h"

namespace callvault::keys {

// One local civil day of call starts in one retention class, at most kBucketCapacity recordings.
inline constexpr std::size_t kBucketCapacity = 4096;
inline constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{64} << 20;  // of the file

struct Bucket {
  std::uint32_t number = 0;  // of the bucket; never used again
  std::string retention_class;
  std::int32_t day = 0;          // since 1970-01-01, in the vault's zone
  std::uint64_t generation = 0;  // of the node file
  std::uint32_t recordings = 0;
  crypto::Digest node_hash{};  // BLAKE2b-256 of the sealed node file
  crypto::Key node_key;        // n_b: fresh for every generation
  crypto::Key index_key;       // i_b: fresh for every retain
};

struct IntakePrivate {
  std::uint32_t id = 0;
  Time created{};
  crypto::Key secret;  // x_d
  crypto::Key pepper;  // T_d
};

struct StaffKey {
  std::string month;  // "2026-11"
  crypto::Key key;    // names of actors in the journal are sealed under it
};

struct PersonEntry {
  std::string name;
  std::uint8_t roles = 0;  // bits of Role
  bool disabled = false;
  Time since{};
  crypto::SigningPublicKey signing{};
  crypto::PublicKey box{};
};

// A shred that was asked for and is not final yet.
struct Outstanding {
  RecordingId id;
  std::string reason;                             // a code
  std::optional<TrackName> track = std::nullopt;  // only this party's voice
};

// One kind of record that the office itself keeps (keys/register_file.h).
struct Register {
  std::string name;              // base::is_plain_name
  std::uint64_t generation = 0;  // of its file
  crypto::Digest hash{};         // BLAKE2b-256 of the sealed file
  crypto::Key key;               // fresh for every generation
  crypto::Key index_key;         // blinds what the register must recognise and may not hold; stays
};

struct Directory {
  std::uint64_t epoch = 0;
  std::uint32_t next_bucket = 1;
  std::uint32_t next_intake = 1;
  std::uint32_t review_number = 0;
  std::optional<Time> last_purge;
  std::uint64_t journal_size = 0;  // the journal may not be shorter than this ...
  crypto::Digest journal_root{};   // ... nor have another root at this size
  std::optional<crypto::Key> journal_seed;
  std::map<std::uint32_t, Bucket> buckets;
  std::map<std::uint32_t, IntakePrivate> intake;
  std::vector<StaffKey> staff;
  std::map<std::string, PersonEntry> people;
  std::vector<Outstanding> outstanding;
  std::map<std::string, Register> registers;
  std::vector<KeeperEntry> keepers;  // of a vault with mirrors; stand before the sealed part

  // A deep copy, in locked memory.
  Result<Directory> clone() const;
};

// Version 2 added the registers; a directory of version 1 has none. Version 3 is the same, with keepers before it.
inline constexpr std::uint16_t kDirectoryVersion = 3;

// Plaintext form, in locked memory; every count and length is bounded when read back. Errors: refused when there are
// too many entries.
Result<crypto::SecretBuffer> encode_directory(const Directory& directory);
// Errors: corrupt, newer_version.
Result<Directory> decode_directory(base::ByteView plain, std::uint16_t version = kDirectoryVersion);

// File: the head (keys/directory_head.h), then the rest sealed, with the head as associated data. `key` is the root
// key of epoch K_e, or with mirrors the key that their roots wrap.
Result<base::Bytes> seal_directory(const Directory& directory, const crypto::Key& key);
Result<std::uint64_t> directory_epoch(base::ByteView file);
Result<Directory> open_directory(base::ByteView file, const crypto::Key& key);

}  // namespace callvault::keys
