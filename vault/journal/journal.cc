#include "journal/journal.h"

#include "journal/lines.h"
#include "journal/view.h"
#include "os/lock.h"
#include "os/presence.h"

namespace callvault::journal {
namespace {

// For the intent and the end of a shred of one bucket, should the disk be full then.
constexpr std::uint64_t kRoomBytes = std::uint64_t{2} << 20;

Result<std::string> read_text(const os::Path& path) {
  CALLVAULT_TRY_ASSIGN(const auto bytes, os::read_file(path, 4096));
  std::string out(base::as_text(bytes));
  if (!out.ends_with('\n')) return fail(Errc::corrupt, "journal: malformed " + path.string());
  out.pop_back();
  return out;
}

os::Path folder_of(const os::Path& path) { return path.has_parent_path() ? path.parent_path() : os::Path("."); }

// All lines of a batch, or Errc::usage.
Result<std::vector<std::string>> encode_all(std::span<const Entry> entries) {
  if (entries.empty()) return fail(Errc::usage, "journal: nothing to append");
  std::vector<std::string> out;
  out.reserve(entries.size());
  for (const Entry& entry : entries) {
    CALLVAULT_TRY(validate(entry));
    out.push_back(encode(entry));
    if (out.back().size() > kMaxLineBytes) return fail(Errc::usage, "journal entry cannot be written: it is too long");
  }
  return out;
}

// After a failed sync the file's pages may say what its blocks do not: its lines go into a new one, whose sync means
// something.
Result<void> renew_entries(const os::Path& folder) {
  const os::Path path = folder / kEntriesFile;
  os::Path fresh_path = path;
  fresh_path += ".new";
  CALLVAULT_TRY(os::remove_file(fresh_path));
  {
    CALLVAULT_TRY_ASSIGN(const os::File old, os::File::open_read(path));
    CALLVAULT_TRY_ASSIGN(os::File fresh, os::File::create(fresh_path));
    base::Bytes chunk(std::size_t{1} << 20);
    for (std::uint64_t at = 0;;) {
      CALLVAULT_TRY_ASSIGN(const auto got, old.read_at(chunk, at));
      if (got == 0) break;
      CALLVAULT_TRY(fresh.write_at(base::ByteView(chunk).first(got), at));
      at += got;
    }
    CALLVAULT_TRY(fresh.sync_all());
  }
  CALLVAULT_TRY(os::rename_file(fresh_path, path));
  CALLVAULT_TRY(os::sync_folder(folder));
  CALLVAULT_TRY(os::remove_file(folder / kSuspectFile));  // should it come back, it costs one more copy
  return {};
}

// Synced before it takes the old one's name: after a power cut it must be the old or the new one, never an empty file,
// or nothing would tell what was acknowledged from what was not. Which of the two does not matter.
Result<void> store_checkpoint(const os::Path& folder, const std::string& text) {
  os::Path fresh = folder / kCheckpointFile;
  fresh += ".new";
  CALLVAULT_TRY(os::remove_file(fresh));
  CALLVAULT_TRY(os::write_new_file(fresh, base::as_bytes(text)));
  return os::rename_file(fresh, folder / kCheckpointFile);
}

// What `sign_anew` has instead of a checkpoint.
Result<void> require_remembered(const View& view, const Head& remembered) {
  if (remembered.size > view.size())
    return fail(Errc::corrupt, "journal: " + std::to_string(view.size()) + " entries are left of at least " +
                                   std::to_string(remembered.size) + "; nothing was signed");
  CALLVAULT_TRY_ASSIGN(const Head head, view.head_at(remembered.size));
  if (head != remembered)
    return fail(Errc::corrupt, "journal: the first " + std::to_string(remembered.size) +
                                   " entries are not the ones that are remembered; nothing was signed");
  return {};
}

}  // namespace

Result<void> Journal::create(const os::Path& folder, std::string_view origin, const crypto::Key& signing_seed) {
  if (!is_origin(origin)) return fail(Errc::usage, "journal: its origin is not printable text without space and plus");
  CALLVAULT_TRY(os::make_folder(folder));
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(folder));
  if (!names.empty()) return fail(Errc::usage, "journal: the folder is not empty: " + folder.string());
  const auto write = [&](const char* name, const std::string& text) {
    return os::write_new_file(folder / name, base::as_bytes(text));
  };
  CALLVAULT_TRY(write(kOriginFile, std::string(origin) + '\n'));
  CALLVAULT_TRY(write(kKeyFile, encode_verifier_key(origin, crypto::signing_public_key(signing_seed)) + '\n'));
  CALLVAULT_TRY(write(kOffsetsFile, {}));
  CALLVAULT_TRY(write(kHashesFile, {}));
  CALLVAULT_TRY(write(kEntriesFile, {}));
  CALLVAULT_TRY(write(kCheckpointFile, make_checkpoint(origin, TreeBuilder().head(), signing_seed)));
  CALLVAULT_TRY(os::sync_folder(folder));
  return os::sync_folder(folder_of(folder));
}

Journal::Journal(os::Path folder, std::string origin, const crypto::SigningPublicKey& key)
    : folder_(std::move(folder)), origin_(std::move(origin)), public_key_(key), memory_(std::make_shared<Memory>()) {}

Result<Journal> Journal::open(const os::Path& folder) {
  CALLVAULT_TRY_ASSIGN(std::string origin, read_text(folder / kOriginFile));
  if (!is_origin(origin)) return fail(Errc::corrupt, "journal: malformed origin in " + folder.string());
  CALLVAULT_TRY_ASSIGN(const std::string key_text, read_text(folder / kKeyFile));
  CALLVAULT_TRY_ASSIGN(const VerifierKey key, parse_verifier_key(key_text));
  if (key.name != origin) return fail(Errc::corrupt, "journal: key.pub is of another origin in " + folder.string());
  CALLVAULT_TRY(os::File::open_read(folder / kEntriesFile));
  return Journal(folder, std::move(origin), key.key);
}

Result<std::uint64_t> Journal::append(std::span<const Entry> entries, const crypto::Key& signing_seed,
                                      std::chrono::milliseconds patience) {
  return write(entries, signing_seed, nullptr, patience);
}

Result<void> Journal::require_checkpoint() const {
  CALLVAULT_TRY(read_checkpoint(folder_, origin_, public_key_));
  return {};
}

Result<std::uint64_t> Journal::sign_anew(const Entry& entry, const crypto::Key& signing_seed, const Head& remembered,
                                         std::chrono::milliseconds patience) {
  return write(std::span(&entry, 1), signing_seed, &remembered, patience);
}

Result<std::uint64_t> Journal::write(std::span<const Entry> entries, const crypto::Key& signing_seed,
                                     const Head* remembered, std::chrono::milliseconds patience) {
  CALLVAULT_TRY_ASSIGN(const auto lines, encode_all(entries));
  const crypto::Signer signer(signing_seed);
  if (signer.public_key() != public_key_)
    return fail(Errc::usage, "journal: the signing key is not the journal's: " + folder_.string());
  CALLVAULT_TRY_ASSIGN(const auto lock, os::Lock::acquire(folder_ / kLockFile, os::LockMode::exclusive, patience));
  if (suspect_ || os::may_exist(folder_ / kSuspectFile)) {
    CALLVAULT_TRY(renew_entries(folder_));
    suspect_ = false;
  }
  const View::Options options{.believe_derived = remembered == nullptr, .parse_tail = true, .memory = memory_.get()};
  CALLVAULT_TRY_ASSIGN(View view, View::load(folder_, origin_, public_key_, options));
  CALLVAULT_TRY(view.require_signed_part());
  CALLVAULT_TRY(remembered == nullptr ? view.require_checkpoint() : require_remembered(view, *remembered));
  const std::uint64_t first = view.size();
  const std::uint64_t start = view.entry_bytes();

  std::string batch;
  for (const std::string& line : lines) (batch += line) += '\n';
  CALLVAULT_TRY_ASSIGN(os::File file, os::File::open_write(folder_ / kEntriesFile));
  if (view.torn_bytes() != 0) CALLVAULT_TRY(file.truncate(start));
  // A full disk is met here, where the room behind the end is not given away by cutting what was written.
  CALLVAULT_TRY(file.reserve(start, batch.size()));
  if (auto written = file.write_at(base::as_bytes(batch), start); !written) {
    (void)file.truncate(start);
    file.keep_room(kRoomBytes);
    return std::move(written).error();
  }
  if (auto synced = file.sync_data(); !synced) {
    suspect_ = !os::replace_derived_file(folder_ / kSuspectFile, {});
    (void)file.truncate(start);
    return std::move(synced).error();
  }

  // From here on it has happened. What cannot be stored now is brought up to date by the next append: there is an older
  // checkpoint, unless a new one is what was asked for.
  for (const std::string& line : lines) view.add(line);
  auto stored = view.store(folder_);
  std::string checkpoint = make_checkpoint(origin_, view.head(), signer);
  if (stored) stored = store_checkpoint(folder_, checkpoint);
  if (stored && remembered == nullptr) view.remember(std::move(checkpoint));
  if (stored && remembered != nullptr) stored = os::sync_folder(folder_);
  if (!stored && remembered != nullptr) return std::move(stored).error();
  return first;
}

void Journal::keep_room() const {
  if (auto file = os::File::open_write(folder_ / kEntriesFile)) file->keep_room(kRoomBytes);
}

Result<void> Journal::rebuild_derived(std::chrono::milliseconds patience) {
  CALLVAULT_TRY_ASSIGN(const auto lock, os::Lock::acquire(folder_ / kLockFile, os::LockMode::exclusive, patience));
  CALLVAULT_TRY_ASSIGN(const View view, View::load(folder_, origin_, public_key_, {.believe_derived = false}));
  CALLVAULT_TRY(view.require_signed_part());
  return view.store(folder_);
}

}  // namespace callvault::journal
