// A copy of the journal that grows with it: for backups, and for the way back.
#include <algorithm>

#include "journal/journal.h"
#include "journal/view.h"
#include "os/copy.h"
#include "os/presence.h"

namespace callvault::journal {
namespace {

constexpr std::size_t kJournalChunk = std::size_t{1} << 20;

Result<void> write_bytes(const os::File& from, std::uint64_t begin, std::uint64_t end, os::File& to) {
  base::Bytes chunk(kJournalChunk);
  while (begin < end) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), end - begin));
    CALLVAULT_TRY_ASSIGN(const auto got, from.read_at(base::MutableBytes(chunk).first(want), begin));
    if (got != want) return fail(Errc::corrupt, "journal: entries are missing from " + from.path().string());
    CALLVAULT_TRY(to.write_at(base::ByteView(chunk).first(want), begin));
    begin += want;
  }
  // Last, so that at no time less is there than before.
  CALLVAULT_TRY(to.truncate(end));
  return to.sync_all();
}

// How far the copy goes already, proved from its entries alone; nothing when it has to be made anew.
std::optional<Head> copied_head(const os::Path& folder, const std::string& origin,
                                const crypto::SigningPublicKey& key) {
  if (os::may_exist(folder / kSuspectFile)) return std::nullopt;
  const auto signed_part = read_checkpoint(folder, origin, key);
  if (!signed_part) return std::nullopt;
  const auto view = View::load(folder, origin, key, {.believe_derived = false});
  if (!view || !view->require_signed_part()) return std::nullopt;
  return signed_part->head;
}

Result<void> place_text(const os::Path& path, const std::string& text) {
  const auto there = os::read_file(path, kMaxCheckpointBytes);
  if (there && base::as_text(*there) == text) return {};
  return os::place_file(path, base::as_bytes(text));
}

}  // namespace

Result<void> Journal::require_prefix(const os::Path& folder) const {
  const auto signed_part = read_checkpoint(folder, origin_, public_key_);
  if (!signed_part) return {};
  const auto mine = head_at(signed_part->head.size);
  if (mine && *mine == signed_part->head) return {};
  if (!mine && mine.error().code != Errc::not_found) return mine.error();
  return fail(Errc::corrupt,
              "the copy in " + folder.string() + " knows entries of the journal that this one has not (" +
                  std::to_string(signed_part->head.size) + " are signed there): the vault was rolled back");
}

Result<std::uint64_t> Journal::copy_to(const os::Path& folder, std::uint64_t at_least) const {
  CALLVAULT_TRY(require_prefix(folder));
  CALLVAULT_TRY(os::make_folder(folder));
  // The checkpoint first: what it signs is among the entries that are read after it.
  CALLVAULT_TRY_ASSIGN(const std::string checkpoint, checkpoint_text());
  CALLVAULT_TRY_ASSIGN(const Checkpoint signed_part, parse_checkpoint(checkpoint, public_key_));
  CALLVAULT_TRY_ASSIGN(const View view, View::load(folder_, origin_, public_key_, {}));
  CALLVAULT_TRY(view.require_signed_part());
  const std::uint64_t size = std::max(signed_part.head.size, at_least);
  if (size > view.size()) return fail(Errc::corrupt, "journal: entries are missing from " + folder_.string());
  std::uint64_t begin = 0, end = 0;
  if (size > 0) {
    CALLVAULT_TRY_ASSIGN(end, view.end_of(size - 1));
  }
  const auto copied = copied_head(folder, origin_, public_key_);
  if (copied && copied->size > 0) {
    CALLVAULT_TRY_ASSIGN(begin, view.end_of(copied->size - 1));
  }
  const os::Path path = folder / kEntriesFile;
  if (copied) {
    // Behind what is there: cut off, it is the older copy still.
    CALLVAULT_TRY_ASSIGN(os::File file, os::File::open_write(path));
    if (auto written = write_bytes(view.entries(), begin, end, file); !written) {
      (void)os::place_file(folder / kSuspectFile, {});  // a second sync of this file would mean nothing
      return std::move(written).error();
    }
  } else {
    os::Path fresh = path;
    fresh += os::kCopyingSuffix;
    CALLVAULT_TRY(os::remove_file(fresh));
    {
      CALLVAULT_TRY_ASSIGN(os::File file, os::File::create(fresh));
      CALLVAULT_TRY(write_bytes(view.entries(), 0, end, file));
    }
    CALLVAULT_TRY(os::rename_file(fresh, path));
    CALLVAULT_TRY(os::sync_folder(folder));
    CALLVAULT_TRY(os::remove_file(folder / kSuspectFile));
  }
  CALLVAULT_TRY(place_text(folder / kOriginFile, origin_ + '\n'));
  CALLVAULT_TRY(place_text(folder / kKeyFile, encode_verifier_key(origin_, public_key_) + '\n'));
  CALLVAULT_TRY(place_text(folder / kCheckpointFile, checkpoint));
  CALLVAULT_TRY(os::sync_folder(folder));
  return size;
}

}  // namespace callvault::journal
