#include <algorithm>

#include "journal/journal.h"
#include "journal/lines.h"
#include "journal/view.h"

namespace callvault::journal {
namespace {

constexpr std::size_t kMaxProblems = 32;

// Compares a derived file with what it should hold, piece by piece.
class DerivedCheck {
 public:
  explicit DerivedCheck(const os::Path& path) {
    auto file = os::File::open_read(path);
    if (file) file_ = std::move(file).value();
    open_ = file_.is_open();
  }

  void expect(base::ByteView bytes) {
    if (!open_) return;
    if (buffer_.size() - used_ < bytes.size()) refill();
    const std::size_t have = std::min(buffer_.size() - used_, bytes.size());
    if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(have),
                    buffer_.begin() + static_cast<std::ptrdiff_t>(used_)))
      wrong_ = true;
    used_ += have;
    checked_ += have;
    if (have < bytes.size()) open_ = false;  // it ends here
  }
  // Whether the first `bytes` bytes are there and right.
  bool holds(std::uint64_t bytes) const { return !wrong_ && checked_ >= bytes; }

 private:
  void refill() {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + kChunkBytes);
    const auto got = file_.read_at(base::MutableBytes(buffer_).subspan(kept), at_);
    buffer_.resize(kept + (got ? *got : 0));
    at_ += buffer_.size() - kept;
  }

  static constexpr std::size_t kChunkBytes = std::size_t{1} << 16;
  os::File file_;
  bool open_ = false, wrong_ = false;
  base::Bytes buffer_;
  std::size_t used_ = 0;
  std::uint64_t at_ = 0, checked_ = 0;
};

class Verifier {
 public:
  Verifier(const os::Path& folder, std::optional<Head> at_least)
      : at_least_(at_least), offsets_(folder / kOffsetsFile), hashes_(folder / kHashesFile) {}

  void problem(std::string what) {
    if (report_.problems.size() < kMaxProblems) report_.problems.push_back(std::move(what));
  }

  void take_checkpoint(const os::Path& folder, std::string_view origin, const crypto::SigningPublicKey& key) {
    auto checkpoint = read_checkpoint(folder, origin, key);
    if (!checkpoint) return problem(checkpoint.error().message);
    report_.checkpoint = std::move(checkpoint).value();
  }

  Result<void> read(const os::File& entries) {
    CALLVAULT_TRY_ASSIGN(const auto bytes, entries.size());
    LineReader reader(entries, 0, bytes);
    note_size();
    std::uint64_t complete = 0;
    while (true) {
      const auto line = reader.next();
      if (!line && line.error().code != Errc::corrupt) return line.error();
      if (!line) {
        problem(line.error().message);
        break;
      }
      if (!*line) break;
      if (behind_checkpoint() && (*line)->find('\0') != std::string_view::npos) break;
      take(**line, complete = reader.end());
    }
    report_.torn_bytes = bytes - complete;
    return {};
  }

  VerifyReport finish() {
    report_.head = builder_.head();
    if (report_.checkpoint) {
      const Head& head = report_.checkpoint->head;
      report_.checkpoint_ok = signed_root_ == head;
      if (head.size > report_.head.size)
        problem("entries are missing: " + std::to_string(report_.head.size) + " of the " + std::to_string(head.size) +
                " that were signed");
      else if (!report_.checkpoint_ok)
        problem("the entries are not the ones that were signed");
      else
        report_.unsigned_entries = report_.head.size - head.size;
      if (!offsets_.holds(head.size * sizeof(std::uint64_t))) report_.derived_wrong.push_back(kOffsetsFile);
      if (!hashes_.holds(stored_count(head.size) * sizeof(crypto::Digest)))
        report_.derived_wrong.push_back(kHashesFile);
      report_.derived_ok = report_.derived_wrong.empty();
    }
    if (at_least_ && at_least_->size > report_.head.size)
      problem("entries are missing: " + std::to_string(report_.head.size) + " of at least " +
              std::to_string(at_least_->size));
    else if (at_least_ && remembered_root_ != *at_least_)
      problem("the first " + std::to_string(at_least_->size) + " entries are not the ones that are remembered");
    return std::move(report_);
  }

 private:
  bool behind_checkpoint() const { return report_.checkpoint && builder_.size() >= report_.checkpoint->head.size; }

  void take(std::string_view line, std::uint64_t end) {
    if (const auto entry = decode(line); !entry)
      problem("entry " + std::to_string(builder_.size()) + ": " + entry.error().message);
    fresh_.clear();
    builder_.add(leaf_hash(line), &fresh_);
    offsets_.expect(std::as_bytes(std::span(&end, 1)));
    hashes_.expect(std::as_bytes(std::span(fresh_)));
    note_size();
  }

  void note_size() {
    if (report_.checkpoint && builder_.size() == report_.checkpoint->head.size) signed_root_ = builder_.head();
    if (at_least_ && builder_.size() == at_least_->size) remembered_root_ = builder_.head();
  }

  std::optional<Head> at_least_;
  DerivedCheck offsets_, hashes_;
  VerifyReport report_;
  TreeBuilder builder_;
  std::vector<crypto::Digest> fresh_;
  Head signed_root_, remembered_root_;
};

}  // namespace

Result<VerifyReport> Journal::verify(const crypto::SigningPublicKey& key, std::optional<Head> at_least) const {
  Verifier verifier(folder_, at_least);
  verifier.take_checkpoint(folder_, origin_, key);  // before the entries: they may grow meanwhile
  if (key != public_key_) verifier.problem("key.pub is not the key that was expected");
  CALLVAULT_TRY_ASSIGN(const os::File entries, os::File::open_read(folder_ / kEntriesFile));
  CALLVAULT_TRY(verifier.read(entries));
  return verifier.finish();
}

}  // namespace callvault::journal
