#include "journal/view.h"

#include "journal/entry.h"
#include "journal/lines.h"

namespace callvault::journal {
namespace {

constexpr std::size_t kEndBytes = 8;
constexpr std::size_t kHashBytes = 32;
static_assert(sizeof(std::uint64_t) == kEndBytes && sizeof(crypto::Digest) == kHashBytes);

Error damaged_file(const std::string& what, const os::File& file) {
  return fail(Errc::corrupt, "journal: " + what + ": " + file.path().string());
}

os::File open_if_there(const os::Path& path) {
  auto file = os::File::open_read(path);
  return file ? std::move(file).value() : os::File();
}

template <typename T>
Result<T> read_item(const os::File& file, std::uint64_t index) {
  T out{};
  if (!file.is_open()) return fail(Errc::corrupt, "journal: a derived file is missing");
  CALLVAULT_TRY_ASSIGN(const auto got, file.read_at(std::as_writable_bytes(std::span(&out, 1)), index * sizeof(T)));
  if (got != sizeof(T)) return damaged_file("a derived file is too short", file);
  return out;
}

template <typename T>
Result<void> store_items(const os::Path& path, std::uint64_t first, const std::vector<T>& items, bool rebuild) {
  const auto bytes = std::as_bytes(std::span(items));
  if (rebuild) return os::replace_derived_file(path, bytes);
  CALLVAULT_TRY_ASSIGN(os::File file, os::File::open_or_create(path));
  CALLVAULT_TRY(file.write_at(bytes, first * sizeof(T)));
  CALLVAULT_TRY_ASSIGN(const auto size, file.size());
  const std::uint64_t expected = (first + items.size()) * sizeof(T);
  if (size > expected) return file.truncate(expected);
  return {};
}

}  // namespace

Result<Checkpoint> read_checkpoint(const os::Path& folder, std::string_view origin, const crypto::SigningPublicKey& key,
                                   const Proved* known, std::string* text_out) {
  const os::Path path = folder / kCheckpointFile;
  const auto unusable = [&](std::string_view what) {
    return fail(Errc::corrupt, std::string(what) + ": " + path.string() +
                                   "; 'callvault recover' verifies the entries and signs it anew");
  };
  auto text = os::read_file(path, kMaxCheckpointBytes);
  if (!text && text.error().code == Errc::not_found) return unusable("journal checkpoint: it is missing");
  if (!text && text.error().code == Errc::corrupt) return unusable("journal checkpoint: it is too large");
  if (!text) return std::move(text).error();
  if (text_out != nullptr) *text_out = base::as_text(*text);
  if (known != nullptr && known->text == base::as_text(*text)) return known->checkpoint;
  auto checkpoint = parse_checkpoint(base::as_text(*text), key);
  if (!checkpoint) return unusable(checkpoint.error().message);
  if (checkpoint->origin != origin) return unusable("journal checkpoint: it is of another journal");
  return checkpoint;
}

// The checkpoint is read first: whatever it covers is then in the files that are opened after it, since appends write
// it last.
Result<View> View::load(const os::Path& folder, std::string_view origin, const crypto::SigningPublicKey& key,
                        Options options) {
  View out;
  out.memory_ = options.memory;
  const auto proved = options.memory != nullptr ? options.memory->get() : nullptr;
  if (auto checkpoint = read_checkpoint(folder, origin, key, proved.get(), &out.checkpoint_text_); checkpoint)
    out.checkpoint_ = std::move(checkpoint).value();
  else if (checkpoint.error().code == Errc::corrupt)
    out.no_checkpoint_ = std::move(checkpoint).error();
  else
    return std::move(checkpoint).error();
  out.offsets_ = open_if_there(folder / kOffsetsFile);
  out.hashes_ = open_if_there(folder / kHashesFile);
  CALLVAULT_TRY_ASSIGN(out.entries_, os::File::open_read(folder / kEntriesFile));
  CALLVAULT_TRY_ASSIGN(out.file_bytes_, out.entries_.size());

  const bool same = proved && out.checkpoint_ && proved->text == out.checkpoint_text_;
  const bool believed =
      options.believe_derived && out.checkpoint_ && ((same && out.believe(*proved)) || out.believe(*out.checkpoint_));
  if (!believed) out.believed_ = out.entry_bytes_ = 0;
  out.rebuild_ = !believed;
  if (options.memory != nullptr && out.checkpoint_ && !(same && proved->derived == believed))
    options.memory->put(out.proof_of(out.checkpoint_text_, *out.checkpoint_));
  CALLVAULT_TRY(out.scan(options.parse_tail));
  return out;
}

// True when the stored hashes of the tree's right edge, all its peaks and the bytes of its last entry lead to the
// signed root: O(log n). A wrong hash inside the tree shows when it is used.
bool View::believe(const Checkpoint& checkpoint) {
  const Head& head = checkpoint.head;
  believed_ = head.size;
  if (head.size == 0) return head.root == empty_root();
  const auto end = stored_end(head.size - 1);
  const auto begin = head.size == 1 ? Result<std::uint64_t>(0) : stored_end(head.size - 2);
  if (!begin || !end) return false;
  const auto last = read_line(*begin, *end);
  const auto proof = tree().inclusion_proof(head.size - 1, head.size);
  auto builder = tree().builder_at(head.size);
  if (!last || !proof || !builder) return false;
  if (!verify_inclusion(leaf_hash(*last), head.size - 1, head, *proof) || builder->head() != head) return false;
  builder_ = std::move(builder).value();
  entry_bytes_ = *end;
  last_begin_ = *begin;
  last_leaf_ = leaf_hash(*last);
  return true;
}

// The files may have been cut or removed since, and the last entry damaged; what lies before it is checked where it is
// used.
bool View::believe(const Proved& proved) {
  const std::uint64_t size = proved.checkpoint.head.size;
  if (!proved.derived || !offsets_.is_open() || !hashes_.is_open()) return false;
  const auto offsets = offsets_.size(), hashes = hashes_.size();
  if (!offsets || *offsets < size * kEndBytes || !hashes || *hashes < stored_count(size) * kHashBytes) return false;
  if (size > 0) {
    const auto last = read_line(proved.last_begin, proved.entry_bytes);
    if (!last || leaf_hash(*last) != proved.last_leaf) return false;
  }
  believed_ = size;
  builder_ = proved.builder;
  entry_bytes_ = proved.entry_bytes;
  last_begin_ = proved.last_begin;
  last_leaf_ = proved.last_leaf;
  return true;
}

// Of what was loaded so far, or added and stored since.
Proved View::proof_of(std::string text, Checkpoint checkpoint) const {
  const bool whole = !rebuild_ || !ends_.empty();
  return {std::move(text), std::move(checkpoint), whole, builder_, entry_bytes_, last_begin_, last_leaf_, {}};
}

Result<void> View::scan(bool parse) {
  const std::uint64_t signed_size = checkpoint_ ? checkpoint_->head.size : 0;
  LineReader reader(entries_, entry_bytes_, file_bytes_);
  Head at_checkpoint = builder_.head();
  while (true) {
    CALLVAULT_TRY_ASSIGN(const auto line, reader.next());
    if (!line) break;
    // A hole that a power cut left in an append nobody was told of. Only behind a genuine checkpoint: elsewhere a zero
    // byte is damage.
    if (line->find('\0') != std::string_view::npos && checkpoint_ && size() >= signed_size) break;
    if (parse) {
      if (auto entry = decode(*line); !entry)
        return fail(entry.error().code, "entry " + std::to_string(size()) + ": " + entry.error().message);
    }
    add(*line);
    if (size() == signed_size) at_checkpoint = builder_.head();
  }
  torn_bytes_ = file_bytes_ - entry_bytes_;
  contradicts_ = checkpoint_ && at_checkpoint != checkpoint_->head;
  return {};
}

void View::add(std::string_view line) {
  last_leaf_ = leaf_hash(line);
  last_begin_ = entry_bytes_;
  builder_.add(last_leaf_, &stored_);
  entry_bytes_ += line.size() + 1;
  ends_.push_back(entry_bytes_);
}

Result<void> View::require_signed_part() const {
  if (contradicts_) return damaged_file("the entries are not the ones that were signed", entries_);
  return {};
}

Result<void> View::require_checkpoint() const {
  if (no_checkpoint_) return *no_checkpoint_;
  return {};
}

Result<std::uint64_t> View::stored_end(std::uint64_t index) const { return read_item<std::uint64_t>(offsets_, index); }

Result<crypto::Digest> View::hash_at(std::uint64_t position) const {
  const std::uint64_t in_file = stored_count(believed_);
  if (position < in_file) return read_item<crypto::Digest>(hashes_, position);
  if (position - in_file >= stored_.size()) return damaged_file("a hash is out of range", hashes_);
  return stored_[position - in_file];
}

Result<std::uint64_t> View::end_of(std::uint64_t index) const {
  if (index < believed_) return stored_end(index);
  return ends_[index - believed_];
}

Result<std::uint64_t> View::begin_of(std::uint64_t index) const {
  if (index == 0) return std::uint64_t{0};
  return end_of(index - 1);
}

Result<std::string> View::read_line(std::uint64_t begin, std::uint64_t end) const {
  if (begin >= end || end > file_bytes_ || end - begin > kMaxLineBytes + 1)
    return damaged_file("an entry is not where its offset says", entries_);
  std::string out(end - begin, '\0');
  CALLVAULT_TRY_ASSIGN(const auto got, entries_.read_at(std::as_writable_bytes(std::span(out)), begin));
  if (got != out.size() || out.find('\n') != out.size() - 1)
    return damaged_file("an entry is not where its offset says", entries_);
  out.pop_back();
  return out;
}

Result<std::string> View::line(std::uint64_t index) const {
  CALLVAULT_TRY_ASSIGN(const auto begin, begin_of(index));
  CALLVAULT_TRY_ASSIGN(const auto end, end_of(index));
  CALLVAULT_TRY_ASSIGN(std::string out, read_line(begin, end));
  CALLVAULT_TRY_ASSIGN(const auto leaf, hash_at(stored_position(0, index)));
  if (leaf != leaf_hash(out)) return damaged_file("entry " + std::to_string(index) + " is not what it was", entries_);
  return out;
}

Tree View::tree() const {
  return Tree([this](std::uint64_t position) { return hash_at(position); });
}

Result<Head> View::head_at(std::uint64_t size) const {
  const auto proved = memory_ != nullptr ? memory_->get() : nullptr;
  const bool same = proved && checkpoint_ && proved->text == checkpoint_text_ && this->size() == checkpoint_->head.size;
  if (same && size > 0 && proved->earlier.size == size) return proved->earlier;
  CALLVAULT_TRY_ASSIGN(const Head old_head, tree().head_at(size));
  CALLVAULT_TRY_ASSIGN(const auto proof, tree().consistency_proof(size, this->size()));
  if (!verify_consistency(old_head, head(), proof)) return damaged_file("the stored hashes are wrong", hashes_);
  if (same) {
    Proved more = *proved;
    more.earlier = old_head;
    memory_->put(std::move(more));
  }
  return old_head;
}

Result<void> View::store(const os::Path& folder) const {
  CALLVAULT_TRY(store_items(folder / kHashesFile, stored_count(believed_), stored_, rebuild_));
  return store_items(folder / kOffsetsFile, believed_, ends_, rebuild_);
}

void View::remember(std::string checkpoint_text) const {
  const auto before = memory_->get();
  // What began the tree then begins it now.
  const bool grown = before && checkpoint_ && before->text == checkpoint_text_;
  Proved proved = proof_of(std::move(checkpoint_text), {checkpoint_ ? checkpoint_->origin : std::string(), head()});
  if (grown) proved.earlier = before->earlier;
  memory_->put(std::move(proved));
}

}  // namespace callvault::journal
