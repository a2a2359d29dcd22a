// Keys and checked values over an Env: who may write when, what a failure leaves behind, and what a key means.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "catalog/env.h"
#include "catalog/lookup.h"
#include "os/lock.h"

namespace callvault::catalog {

inline constexpr std::size_t kCheckBytes = 8;
// BLAKE2b over key and value, cut to 64 bits: against damage, not against an adversary (rows are sealed on their own).
std::uint64_t check_of(ByteView key, ByteView value);

struct BucketMeta;
using Buckets = std::map<std::uint32_t, BucketMeta>;

// What is known of one transaction of one file, kept from one view of it to the next: nothing that a search asked for,
// only the way to it.
struct Known {
  std::uint64_t transaction = 0;
  UpperPages upper;
  std::shared_ptr<const Buckets> buckets;  // once they were read and proven complete
};

// One consistent view.
class View {
 public:
  View(Env::Snapshot snapshot, const os::File& file, std::shared_ptr<Known> known)
      : pin_(std::move(snapshot.pin)),
        tree_(file, snapshot.meta),
        known_(std::move(known)),
        lookup_(file, snapshot.meta, known_->upper) {}

  // Without its check, where it lies: until the next look. Errors: corrupt when the check does not hold.
  Result<std::optional<ByteView>> look(ByteView key);
  // The same where it must be there: corrupt else.
  Result<ByteView> look_at(ByteView key);
  // Copies of the same.
  Result<std::optional<Bytes>> get(ByteView key);
  Result<Bytes> need(ByteView key);
  // All keys with this prefix in order; `visit` answers false to stop.
  Result<void> walk(ByteView prefix, const std::function<Result<bool>(ByteView key, ByteView value)>& visit);
  Tree& tree() { return tree_; }
  Known& known() { return *known_; }
  // Whoever examines the file wants to see what is there now.
  void forget() { known_->upper = {}, known_->buckets.reset(); }
  std::uint64_t pages_read() const { return lookup_.pages_read(); }

 private:
  Env::Pin pin_;
  Tree tree_;
  std::shared_ptr<Known> known_;
  Lookup lookup_;
};

// What a write changes: read through it, and it becomes one transaction.
class Batch {
 public:
  void put(Bytes key, Bytes value) { changes_[std::move(key)] = std::move(value); }
  void remove(Bytes key) { changes_[std::move(key)] = std::nullopt; }
  bool empty() const { return changes_.empty(); }
  std::map<Bytes, std::optional<Bytes>> take() { return std::move(changes_); }

 private:
  std::map<Bytes, std::optional<Bytes>> changes_;
};

class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const os::Path& folder, bool create, std::chrono::milliseconds patience);
  static Result<void> discard(const os::Path& folder, std::chrono::milliseconds patience);

  // Calls read(View&) -> Result<T>. An answer `corrupt` marks the catalogue suspect for every process.
  template <typename Read>
  auto read(Read read) -> decltype(read(std::declval<View&>())) {
    auto answer = [&]() -> decltype(read(std::declval<View&>())) {
      CALLVAULT_TRY_ASSIGN(View view, view_now());
      return read(view);
    }();
    if (!answer && answer.error().code == Errc::corrupt) mark_suspect(answer.error());
    return answer;
  }
  // Under the lock: change(View&, Batch&), then the batch as one durable transaction.
  Result<void> update(const std::function<Result<void>(View&, Batch&)>& change);
  void forget_failed_commit() { failed_commit_.reset(); }

 private:
  Store(os::Path folder, std::chrono::milliseconds patience) : folder_(std::move(folder)), patience_(patience) {}
  Result<os::Lock> lock(std::chrono::milliseconds patience) const;
  Result<void> refresh();
  Result<View> view_now(bool newest = false);
  Result<void> make_new();
  Result<void> clear_dirty();   // REQUIRES: the lock
  Result<void> renew_format();  // the same
  Result<void> reserve(const FileMeta& meta, std::uint64_t payload_bytes) const;
  Result<void> change_and_commit(const std::function<Result<void>(View&, Batch&)>& change);
  void mark_suspect(const Error& why) const;

  os::Path folder_;
  std::chrono::milliseconds patience_;
  std::shared_ptr<Env> env_;
  std::shared_ptr<Known> known_;        // of env_
  std::optional<Error> failed_commit_;  // of this process
};

// Structure and cross references of a whole view; defined beside them (check.cc).
struct CatalogCounts;
Result<CatalogCounts> check_view(View& view);

}  // namespace callvault::catalog
