#include "adversary/attack.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "catalog/blind.h"
#include "crypto/aead.h"
#include "keys/directory.h"
#include "keys/directory_head.h"
#include "keys/node_file.h"
#include "sealed/header.h"

namespace adversary {
namespace {

using namespace callvault;
using base::as_text;
using base::ByteView;

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kSlotBlocks = 4;  // 16 KiB of key material, docs/format/keeper.md

crypto::Key copy(ByteView bytes) { return must(crypto::Key::copy_of(bytes), "key"); }

class Attack {
 public:
  Attack(const std::vector<Blob>& blobs, const crypto::Key* review) : blobs_(blobs), review_(review) {}

  // Every aligned run of 16 KiB could be a slot, whatever the headers say.
  void take_keeper(const Bytes& file) {
    for (std::size_t at = 0; at + kSlotBlocks * kBlock <= file.size(); at += kBlock) {
      const auto digest = crypto::blake2b(ByteView(file).subspan(at, kSlotBlocks * kBlock));
      roots_.push_back(copy(digest));
    }
  }

  // With several keepers a directory is sealed under a key that each keeper's root wraps.
  void unwrap_directory_keys() {
    const auto count = roots_.size();
    for (const auto& blob : blobs_) {
      const auto parts = keys::split_directory(blob.bytes);
      if (!parts) continue;
      for (const auto& entry : parts->head.keepers)
        for (std::size_t i = 0; i < count && entry.is_current(); ++i) {
          keys::KeeperSlot slot{entry.epoch, must(keys::keeper_commitment(roots_[i]), "commitment"),
                                copy(roots_[i].reveal())};
          if (auto key = keys::unwrap_directory_key(entry, slot)) roots_.push_back(std::move(*key));
        }
    }
  }

  void open_directories() {
    for (const auto& blob : blobs_) {
      if (!as_text(blob.bytes).starts_with("CVDIRECT")) continue;
      for (const auto& root : roots_) {
        auto directory = keys::open_directory(blob.bytes, root);
        if (!directory) continue;
        ++loot.directories;
        directories_.push_back(std::move(*directory));
      }
    }
  }

  // Any node under any node key, whatever bucket or generation it claims.
  void open_nodes() {
    for (const auto& blob : blobs_) {
      if (!as_text(blob.bytes).starts_with("CVBUCKET") || blob.bytes.size() < 24) continue;
      callvault::base::FieldReader claim(ByteView(blob.bytes).subspan(12));
      const auto as_bucket = claim.number<std::uint32_t>();
      const auto as_generation = claim.number<std::uint64_t>();
      for (const auto& directory : directories_) {
        for (const auto& [number, bucket] : directory.buckets) {
          auto node = keys::open_node(blob.bytes, as_bucket, as_generation, bucket.node_key);
          if (!node) continue;
          ++loot.nodes;
          for (std::size_t i = 0; i < node->size(); ++i) {
            const auto row = must(node->row(i), "row");
            add_secret(row.id, row.record_secret);
            for (const auto& t : row.tracks) add_track_secret(row.id, t.name, t.secret);
          }
        }
      }
    }
  }

  // Sealed files: the intake box with every intake key ever seen.
  void open_headers() {
    for (const auto& blob : blobs_) {
      auto header = sealed::parse_header(blob.bytes);
      if (!header) continue;
      for (const auto& directory : directories_)
        for (const auto& [id, intake] : directory.intake) {
          const auto secrets = sealed::open_intake_box(*header, intake.secret, intake.pepper);
          if (!secrets) continue;
          add_secret(header->id, secrets->recording.reveal());
          add_track_secret(header->id, header->track, secrets->track.reveal());
        }
      headers_.push_back({std::move(*header), &blob.bytes});
    }
  }

  // Whatever looks like 32 bytes in the journal might be a secret.
  void harvest_journal() {
    for (const auto& blob : blobs_) {
      if (!blob.path.starts_with("journal/entries")) continue;
      const std::string_view text = as_text(blob.bytes);
      for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at + 1)) {
        const auto end = text.find('"', at + 1);
        if (end == std::string_view::npos) break;
        const auto word = text.substr(at + 1, end - at - 1);
        const auto bytes = word.size() == 44   ? base::from_base64(word)
                           : word.size() == 64 ? base::from_hex(word)
                                               : std::nullopt;
        if (!bytes || bytes->size() != 32) continue;
        for (const auto& [header, raw] : headers_)
          if (sealed::open_metadata(header, copy(*bytes))) add_secret(header.id, *bytes);
      }
    }
  }

  void open_recordings() {
    for (const auto& [header, raw] : headers_) {
      for (const auto& secret : secrets_[header.id]) {
        const auto metadata = sealed::open_metadata(header, copy(secret));
        if (metadata && !metadata->caller.empty()) loot.metadata.insert(header.id);
      }
      // Any secret of the recording may open any of its tracks, or none at all may be needed.
      std::set<Bytes> keys = secrets_[header.id];
      for (const auto& [of, known] : track_secrets_)
        if (of.first == header.id) keys.insert(known.begin(), known.end());
      keys.insert(base::to_bytes(nothing_.reveal()));
      for (const auto& secret : keys) {
        const auto audio = audio_key(header, copy(secret));
        if (!audio) continue;
        const ByteView sealed = ByteView(*raw).subspan(header.header_bytes());
        Bytes page(sealed::kChunkBytes);
        if (sealed.size() >= sealed::kSealedChunkBytes &&
            crypto::open_chunk(*audio, 0, false, sealed.first(sealed::kSealedChunkBytes), page))
          loot.tracks.insert({header.id, header.track});
      }
    }
  }

  // Numbers are few: with an index key each of them can be tried against every page the catalogue ever had.
  void guess_numbers(const std::vector<std::string>& callers) {
    std::set<Bytes> index_keys;
    for (const auto& directory : directories_)
      for (const auto& [number, bucket] : directory.buckets)
        index_keys.insert(base::to_bytes(bucket.index_key.reveal()));
    for (const auto& caller : callers) {
      std::set<catalog::Token> found;
      for (const auto& key : index_keys)
        for (std::uint32_t k = 0; k < 8; ++k) {
          const auto token = catalog::blind(copy(key), catalog::Field::caller, caller, k);
          for (const auto& blob : blobs_)
            if (blob.path.starts_with("catalog/") &&
                ::memmem(blob.bytes.data(), blob.bytes.size(), token.data(), token.size()) != nullptr)
              found.insert(token);
        }
      loot.tokens[caller] = found.size();
    }
  }

  Loot loot;

 private:
  // Without the review key its half is guessed: that must not matter only if the half does not count.
  Result<crypto::Key> audio_key(const sealed::Header& header, const crypto::Key& secret) const {
    if (review_ != nullptr) return sealed::audio_key(header, *review_, secret);
    const sealed::HeaderFields fields{header.id, header.track, header.segment, header.intake_key, header.review_key};
    const sealed::Boxes boxes{base::to_bytes(header.intake_box()), base::to_bytes(header.review_box()),
                              base::to_bytes(header.metadata_box())};
    CALLVAULT_TRY_ASSIGN(auto made, sealed::assemble_header(fields, boxes, nothing_, secret));
    return std::move(made.audio_key);
  }
  void add_secret(const RecordingId& id, ByteView secret) {
    secrets_[id].insert(base::to_bytes(secret));
    loot.secrets.insert(id);
  }
  void add_track_secret(const RecordingId& id, TrackName track, ByteView secret) {
    track_secrets_[{id, track}].insert(base::to_bytes(secret));
  }

  const std::vector<Blob>& blobs_;
  const crypto::Key* review_;
  const crypto::Key nothing_ = must(crypto::Key::random(), "key");
  std::vector<crypto::Key> roots_;
  std::vector<keys::Directory> directories_;
  std::vector<std::pair<sealed::Header, const Bytes*>> headers_;
  std::map<RecordingId, std::set<Bytes>> secrets_;
  std::map<std::pair<RecordingId, TrackName>, std::set<Bytes>> track_secrets_;
};

}  // namespace

Loot attack(const std::vector<Blob>& blobs, const std::vector<Bytes>& keepers, const crypto::Key* review,
            const std::vector<std::string>& callers) {
  Attack a(blobs, review);
  for (const auto& keeper : keepers) a.take_keeper(keeper);
  a.unwrap_directory_keys();
  a.open_directories();
  a.open_nodes();
  a.open_headers();
  a.harvest_journal();
  a.open_recordings();
  a.guess_numbers(callers);
  return a.loot;
}

std::vector<std::string> plain_hits(const std::vector<Blob>& blobs, const std::vector<std::string>& texts) {
  std::vector<std::string> out;
  for (const auto& blob : blobs)
    for (const auto& text : texts)
      if (as_text(blob.bytes).find(text) != std::string_view::npos) out.push_back(blob.path + ": " + text);
  return out;
}

}  // namespace adversary
