// The catalogue: a derived index over the vault, rebuilt at any time from the truth (key state, sealed headers,
// journal). It holds nothing that must not be lost, and in the clear nothing that must be forgotten.
//
// Every stored value carries a check over its key and itself, and every "not there" is proven by a checked block, so
// silently damaged files give Errc::corrupt or, for a bucket, "not of this generation"; never a wrong answer.
// On Errc::corrupt: `discard`, `open` again, rebuild.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/blind.h"
#include "catalog/row.h"
#include "os/file.h"

namespace callvault::catalog {

enum class OpenMode : std::uint8_t { existing, create_if_missing };

struct Entry {
  RecordingId id;
  Consent consent = Consent::unknown;  // the caller's
  std::uint32_t day = 0;               // of the start: days since 1970-01-01 in the vault's zone
  Bytes sealed_row;                    // at most kMaxSealedRow
  std::vector<Token> tokens;           // at most kMaxTokens
};
inline constexpr std::size_t kMaxSealedRow = 64 * 1024;
inline constexpr std::size_t kMaxTokens = 64;
inline constexpr std::size_t kMaxBucketRows = 65'535;

inline constexpr std::size_t kMaxSealedSpan = 256;

struct BucketRows {
  std::uint32_t bucket = 0;
  std::uint64_t generation = 0;
  std::vector<Entry> entries;
  Bytes sealed_span{};  // the first and the last start among them, sealed by the caller; or empty
};

// A bucket as the key state knows it, to search its rows. REQUIRES: index_key is not null and outlives the call.
struct BucketKey {
  std::uint32_t bucket = 0;
  std::uint64_t generation = 0;
  const crypto::Key* index_key = nullptr;
};

struct Hit {
  std::uint32_t bucket = 0;
  RecordingId id;
  auto operator<=>(const Hit&) const = default;
};

struct Hits {
  std::vector<Hit> found;
  std::vector<std::uint32_t> stale;  // buckets not searched: their rows are missing or of another generation
};

struct StoredRow {
  std::uint32_t bucket = 0;
  RecordingId id;
  Consent consent = Consent::unknown;
  std::uint32_t day = 0;
  Bytes sealed_row;
};

struct RowRef {
  std::uint32_t bucket = 0;
  RecordingId id;
  Consent consent = Consent::unknown;
  std::uint32_t day = 0;
};

struct CatalogCounts {
  std::uint64_t buckets = 0, rows = 0, tokens = 0, tombstones = 0;
};

class Store;

// For one thread at a time; any number of processes. Answers are copied out and no read transaction is left open.
// Every function may answer corrupt or io; those that write also busy (another process holds the lock beyond the
// patience given to `open`) and no_space (nothing has changed then).
class Catalog {
 public:
  // Errors: not_found (existing only), corrupt: damaged, or marked suspect by a process that met damage.
  static Result<Catalog> open(const os::Path& folder, OpenMode mode = OpenMode::create_if_missing,
                              std::chrono::milliseconds patience = std::chrono::seconds(30));
  // Forgets the whole catalogue: moved aside, then deleted. A missing one is fine. Open ones follow to the new one.
  static Result<void> discard(const os::Path& folder, std::chrono::milliseconds patience = std::chrono::seconds(30));

  Catalog(Catalog&&) noexcept;
  Catalog& operator=(Catalog&&) noexcept;
  ~Catalog();

  // After a commit of this process failed, every use answers with that failure, and not that the catalogue is damaged:
  // it is an I/O error of whoever is at work. From here on it is damage again, which is made good.
  void forget_failed_commit();

  // All rows of that bucket out, these in, in one transaction. Errors: usage: a repeated id or token, or too many.
  Result<void> replace_bucket(const BucketRows& rows);
  // The same for several, all in one transaction. REQUIRES: different ones.
  Result<void> replace_buckets(std::span<const BucketRows> buckets);
  // Additions only. False, and nothing changed, when the rows held are not of `from_generation` or an id or token is
  // there already: then replace the bucket.
  // `sealed_span`: of the whole bucket then; without one it has none any more.
  Result<bool> add_rows(std::uint32_t bucket, std::uint64_t from_generation, std::uint64_t to_generation,
                        std::span<const Entry> entries, ByteView sealed_span = {});
  Result<void> drop_bucket(std::uint32_t bucket);  // a missing one is fine
  // As few transactions as memory allows: each is a sync.
  Result<void> drop_buckets(std::span<const std::uint32_t> buckets);
  // Drops every bucket that is not in `keep`; tells how many.
  Result<std::uint64_t> drop_buckets_except(std::span<const std::uint32_t> keep);

  Result<std::optional<std::uint64_t>> generation(std::uint32_t bucket) const;
  Result<std::map<std::uint32_t, std::uint64_t>> generations() const;
  // In the order asked; empty where there is none.
  Result<std::vector<Bytes>> sealed_spans(std::span<const std::uint32_t> buckets) const;

  Result<std::optional<StoredRow>> get(const RecordingId& id) const;  // tries every bucket: about 1 us each
  Result<std::optional<StoredRow>> get(const Hit& hit) const;
  // In the order asked; rows that are not there are left out.
  Result<std::vector<StoredRow>> get_all(std::span<const Hit> hits) const;
  // Recordings whose id starts so (base 32, lower case). Errors: usage: not base 32, or longer than an id.
  Result<std::vector<Hit>> with_prefix(std::string_view base32_prefix, std::size_t limit) const;

  Result<std::optional<RecordingId>> lookup(std::uint32_t bucket, const Token& token) const;
  // One read transaction for all of them.
  Result<Hits> lookup_all(std::span<const BucketKey> buckets, Field field, std::string_view value) const;
  // How many rows of the bucket have each value of `row`, told to `blinder`: before its tokens are made for add_rows.
  Result<void> seed(Blinder& blinder, std::uint32_t bucket, const Row& row) const;

  Result<bool> any_consent(Consent consent, std::uint32_t day) const;
  // Rows with from_day <= day < to_day, newest bucket first; without a consent, rows of any.
  Result<std::vector<RowRef>> rows_between(std::uint32_t from_day, std::uint32_t to_day,
                                           std::optional<Consent> consent = std::nullopt) const;
  Result<void> for_each_consent(Consent consent, std::uint32_t from_day, std::uint32_t to_day,
                                const std::function<bool(const RecordingId&, std::uint32_t bucket)>& visit) const;

  // Takes tombstones up to a journal position (the number of entries read) in one transaction. Those whose
  // journal_index lies below the position already stored are passed over, so repeating is harmless.
  Result<void> put_tombstones(std::span<const Tombstone> tombstones, std::uint64_t journal_position);
  Result<std::optional<Tombstone>> tombstone(const RecordingId& id) const;
  Result<std::vector<RecordingId>> tombstones_with_prefix(std::string_view base32_prefix, std::size_t limit) const;
  // Newest first; `visit` returns false to stop.
  Result<void> for_each_tombstone(const std::function<bool(const Tombstone&)>& visit) const;
  Result<std::uint64_t> journal_position() const;
  Result<void> set_journal_position(std::uint64_t position);

  // Walks everything: structure, checks, cross references, counts. Errors: corrupt names the first problem.
  Result<CatalogCounts> check() const;

 private:
  explicit Catalog(std::shared_ptr<Store> store);
  std::shared_ptr<Store> store_;
};

}  // namespace callvault::catalog
