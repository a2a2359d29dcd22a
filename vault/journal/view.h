// What a journal's folder holds at one moment. The stored offsets and hashes are believed up to the last signed
// checkpoint, and only when they lead to its root; what follows it is read from the entries again.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/sign.h"
#include "journal/checkpoint.h"
#include "journal/merkle.h"
#include "os/file.h"

namespace callvault::journal {

inline constexpr const char* kEntriesFile = "entries";
inline constexpr const char* kOffsetsFile = "offsets";
inline constexpr const char* kHashesFile = "hashes";
inline constexpr const char* kCheckpointFile = "checkpoint";
inline constexpr const char* kOriginFile = "origin";
inline constexpr const char* kKeyFile = "key.pub";
inline constexpr const char* kLockFile = "lock";
inline constexpr const char* kSuspectFile = "suspect";

// What this process has proved of the journal as one signed checkpoint has it, so that it need not be proved again
// while the very same checkpoint stands there.
struct Proved {
  std::string text;  // of the checkpoint, whose signature held
  Checkpoint checkpoint;
  bool derived = false;  // offsets and hashes lead to its root, with:
  TreeBuilder builder;
  std::uint64_t entry_bytes = 0;
  std::uint64_t last_begin = 0;  // of its last entry
  crypto::Digest last_leaf{};
  Head earlier;  // of an earlier size, proved to be a beginning of it; of size 0 when none was asked for
};
// Shared by those who use one Journal.
class Memory {
 public:
  std::shared_ptr<const Proved> get() const {
    const std::lock_guard guard(mutex_);
    return proved_;
  }
  void put(Proved proved) {
    auto fresh = std::make_shared<const Proved>(std::move(proved));
    const std::lock_guard guard(mutex_);
    proved_ = std::move(fresh);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Proved> proved_;
};

// The signed checkpoint. Errc::corrupt, with what to do, when there is none or it does not verify. `known`: one that
// did, which need not verify again; `text`, when given, takes what stands in the file.
Result<Checkpoint> read_checkpoint(const os::Path& folder, std::string_view origin, const crypto::SigningPublicKey& key,
                                   const Proved* known = nullptr, std::string* text = nullptr);

class View {
 public:
  struct Options {
    bool believe_derived = true;
    bool parse_tail = false;   // decode the lines that no checkpoint covers; Errc::corrupt when one is no entry
    Memory* memory = nullptr;  // to use and to add to
  };
  static Result<View> load(const os::Path& folder, std::string_view origin, const crypto::SigningPublicKey& key,
                           Options options);

  std::uint64_t size() const { return believed_ + ends_.size(); }
  std::uint64_t believed() const { return believed_; }  // entries whose derived data stand in the files
  Head head() const { return builder_.head(); }
  // Errc::corrupt when the entries contradict the signed checkpoint.
  Result<void> require_signed_part() const;
  // Errc::corrupt when there is no genuine checkpoint: nobody but `recover` may then sign.
  Result<void> require_checkpoint() const;

  // Where entry `index` ends, behind its newline. REQUIRES: index < size().
  Result<std::uint64_t> end_of(std::uint64_t index) const;
  Result<std::uint64_t> begin_of(std::uint64_t index) const;
  // Checked against the stored leaf. REQUIRES: index < size().
  Result<std::string> line(std::uint64_t index) const;
  // REQUIRES: the view stays where it is meanwhile.
  Tree tree() const;
  // Of an earlier size, proved consistent with head(). REQUIRES: size <= this->size().
  Result<Head> head_at(std::uint64_t size) const;

  const os::File& entries() const { return entries_; }
  std::uint64_t entry_bytes() const { return entry_bytes_; }  // of the complete lines
  std::uint64_t torn_bytes() const { return torn_bytes_; }    // behind them

  // Takes a line that was appended behind the others.
  void add(std::string_view line);
  // Brings offsets and hashes up to date. REQUIRES: the journal's lock.
  Result<void> store(const os::Path& folder) const;
  // After `store`, with the checkpoint that was signed over it: what of it is proved by having been written here.
  // REQUIRES: loaded with a memory.
  void remember(std::string checkpoint_text) const;

 private:
  bool believe(const Checkpoint& checkpoint);
  bool believe(const Proved& proved);
  Proved proof_of(std::string text, Checkpoint checkpoint) const;
  Result<void> scan(bool parse);
  Result<std::string> read_line(std::uint64_t begin, std::uint64_t end) const;
  Result<crypto::Digest> hash_at(std::uint64_t position) const;
  Result<std::uint64_t> stored_end(std::uint64_t index) const;

  os::File entries_, offsets_, hashes_;
  std::uint64_t file_bytes_ = 0, entry_bytes_ = 0, torn_bytes_ = 0;
  std::uint64_t last_begin_ = 0;  // of the last complete line
  crypto::Digest last_leaf_{};
  std::uint64_t believed_ = 0;
  bool rebuild_ = false;  // the files are to be replaced, not continued
  bool contradicts_ = false;
  Memory* memory_ = nullptr;
  std::string checkpoint_text_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Error> no_checkpoint_;  // why there is none
  TreeBuilder builder_;
  std::vector<std::uint64_t> ends_;     // of the entries from believed_ on
  std::vector<crypto::Digest> stored_;  // their hashes, from stored_count(believed_) on
};

}  // namespace callvault::journal
