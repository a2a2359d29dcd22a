// The LMDB environment, opened once per process and folder, and read transactions on it.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "catalog/pages.h"

struct MDB_env;
struct MDB_txn;

namespace callvault::catalog {

// One change of a key; without a value: removed.
struct Change {
  Bytes key;
  std::optional<Bytes> value;
};

class Env {
 public:
  // The one environment of this process for this folder: LMDB forbids a second. REQUIRES: data.mdb there is a checked
  // file, or `fresh`. Errors: corrupt, io, no_space.
  static Result<std::shared_ptr<Env>> open(const os::Path& folder, bool fresh);
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;
  ~Env();

  const os::File& file() const { return file_; }
  // False once the folder was replaced by another.
  bool is_current() const;

  // Keeps the pages of one transaction from being reused while it lives.
  class Pin {
   public:
    explicit Pin(MDB_txn* txn) : txn_(txn) {}
    Pin(Pin&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
    Pin& operator=(Pin&&) = delete;
    ~Pin();

   private:
    MDB_txn* txn_;
  };
  struct Snapshot {
    Pin pin;
    FileMeta meta;
  };
  // Without the lock: what LMDB's lock table names. With it (`newest`): the newest in the file, which a writer killed
  // between its two may have left one ahead.
  Result<Snapshot> snapshot(bool newest = false);

  struct Applied {
    Result<void> result;
    bool commit_failed = false;  // the file may hold anything now
  };
  // All changes in one transaction. REQUIRES: the catalogue's lock; guarded paths; sorted by key.
  Applied apply(const std::vector<Change>& changes);

 private:
  Env(MDB_env* env, os::Path folder);
  MDB_env* env_;
  os::Path folder_;
  os::File file_;
  unsigned dbi_ = 0;
  int process_;
};

}  // namespace callvault::catalog
