#include "catalog/store.h"

#include <cstring>
#include <string>

#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/records.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace callvault::catalog {
namespace {

// Format 2 added spans, which need not be there: a catalogue of format 1 is one of format 2 once the file says so.
constexpr std::string_view kFormat = "callvault catalogue 2\n";
constexpr std::string_view kFormatBefore = "callvault catalogue 1\n";
constexpr std::uint64_t kReserveStep = 1 << 20;
constexpr int kLockTries = 10;

os::Path data_file(const os::Path& folder) { return folder / "data.mdb"; }
os::Path format_file(const os::Path& folder) { return folder / "format"; }
os::Path suspect_file(const os::Path& folder) { return folder / "suspect"; }
os::Path dirty_file(const os::Path& folder) { return folder / "dirty"; }

Result<ByteView> checked(ByteView key, ByteView stored) {
  if (stored.size() < kCheckBytes) return fail(Errc::corrupt, "catalogue is damaged: a value is too short");
  const ByteView value = stored.first(stored.size() - kCheckBytes);
  std::uint64_t check = 0;
  std::memcpy(&check, stored.data() + value.size(), kCheckBytes);
  if (check != check_of(key, value)) return fail(Errc::corrupt, "catalogue is damaged: a value fails its check");
  return value;
}

bool starts_with(ByteView key, ByteView prefix) {
  return key.size() >= prefix.size() && compare(key.first(prefix.size()), prefix) == 0;
}

os::Path aside_prefix(const os::Path& folder) {
  os::Path out = folder;
  out += ".discarded-";
  return out;
}

}  // namespace

std::uint64_t check_of(ByteView key, ByteView value) {
  const auto key_bytes = static_cast<std::uint16_t>(key.size());
  crypto::Hasher hasher;
  hasher.add(std::as_bytes(std::span(&key_bytes, 1)));
  hasher.add(key);
  hasher.add(value);
  const crypto::Digest digest = hasher.finish();
  std::uint64_t check = 0;
  std::memcpy(&check, digest.data(), sizeof check);
  return check;
}

Result<std::optional<ByteView>> View::look(ByteView key) {
  CALLVAULT_TRY_ASSIGN(const std::optional<ByteView> stored, lookup_.find(key));
  if (!stored) return std::optional<ByteView>();
  CALLVAULT_TRY_ASSIGN(const ByteView value, checked(key, *stored));
  return std::optional<ByteView>(value);
}

Result<ByteView> View::look_at(ByteView key) {
  CALLVAULT_TRY_ASSIGN(const std::optional<ByteView> value, look(key));
  if (!value) return fail(Errc::corrupt, "catalogue is damaged: a value is missing");
  return *value;
}

Result<std::optional<Bytes>> View::get(ByteView key) {
  CALLVAULT_TRY_ASSIGN(const std::optional<ByteView> value, look(key));
  return value ? std::optional<Bytes>(base::to_bytes(*value)) : std::nullopt;
}

Result<Bytes> View::need(ByteView key) {
  CALLVAULT_TRY_ASSIGN(const ByteView value, look_at(key));
  return base::to_bytes(value);
}

Result<void> View::walk(ByteView prefix, const std::function<Result<bool>(ByteView, ByteView)>& visit) {
  Tree::Cursor cursor(tree_);
  CALLVAULT_TRY(cursor.seek(prefix));
  while (!cursor.at_end() && starts_with(cursor.key(), prefix)) {
    CALLVAULT_TRY_ASSIGN(const Bytes stored, cursor.value());
    CALLVAULT_TRY_ASSIGN(const ByteView value, checked(cursor.key(), stored));
    CALLVAULT_TRY_ASSIGN(const bool more, visit(cursor.key(), value));
    if (!more) return {};
    CALLVAULT_TRY(cursor.next());
  }
  return {};
}

Result<std::unique_ptr<Store>> Store::open(const os::Path& folder, bool create, std::chrono::milliseconds patience) {
  CALLVAULT_TRY(crypto::ready());
  std::unique_ptr<Store> store(new Store(folder, patience));
  if (!os::exists(format_file(folder))) {
    if (!create) return fail(Errc::not_found, "no catalogue: " + folder.string());
    CALLVAULT_TRY(store->make_new());
  }
  CALLVAULT_TRY(store->refresh());
  if (os::exists(dirty_file(folder))) {
    // Either a writer is at work, or one died: only then is the lock free.
    if (auto lock = store->lock(std::chrono::milliseconds(0)); lock) {
      CALLVAULT_TRY(store->clear_dirty());
    } else if (lock.error().code != Errc::busy) {
      return lock.error();
    }
  }
  // The root record must be there and hold.
  CALLVAULT_TRY(store->read([](View& view) { return read_root(view); }));
  return store;
}

Result<void> Store::make_new() {
  CALLVAULT_TRY(os::make_folder(folder_));
  CALLVAULT_TRY_ASSIGN(const os::Lock held, lock(patience_));
  if (os::exists(format_file(folder_))) return {};
  for (const char* name : {"data.mdb", "lock.mdb", "suspect", "dirty"}) CALLVAULT_TRY(os::remove_file(folder_ / name));
  CALLVAULT_TRY_ASSIGN(env_, Env::open(folder_, true));
  const Bytes key = root_key();
  Bytes value = encode(Root{});
  const std::uint64_t check = check_of(key, value);
  const ByteView raw = std::as_bytes(std::span(&check, 1));
  value.insert(value.end(), raw.begin(), raw.end());
  CALLVAULT_TRY(env_->apply({{key, value}}).result);
  // Last: a folder without it was never finished.
  return os::replace_file(format_file(folder_), base::as_bytes(kFormat));
}

Result<void> Store::refresh() {
  if (os::exists(suspect_file(folder_)) && failed_commit_) return *failed_commit_;
  if (os::exists(suspect_file(folder_)))
    return fail(Errc::corrupt, "catalogue is suspect since damage was met: " + folder_.string());
  if (env_ && env_->is_current()) return {};
  env_.reset();
  known_.reset();
  CALLVAULT_TRY_ASSIGN(const Bytes format, os::read_file(format_file(folder_), 256));
  if (base::as_text(format) != kFormat && base::as_text(format) != kFormatBefore)
    return fail(Errc::corrupt, "catalogue of an unknown format: " + folder_.string());
  auto file = os::File::open_read(data_file(folder_));
  if (!file && file.error().code == Errc::not_found)
    return fail(Errc::corrupt, "catalogue is damaged: data.mdb is missing in " + folder_.string());
  if (!file) return file.error();
  // Before LMDB sees it: an empty file would become an empty catalogue, a short one a SIGBUS.
  if (auto meta = read_meta(*file); !meta) {
    if (meta.error().code == Errc::corrupt) mark_suspect(meta.error());
    return meta.error();
  }
  CALLVAULT_TRY_ASSIGN(env_, Env::open(folder_, false));
  return {};
}

Result<View> Store::view_now(bool newest) {
  CALLVAULT_TRY(refresh());
  CALLVAULT_TRY_ASSIGN(Env::Snapshot snapshot, env_->snapshot(newest));
  // What a killed writer left ahead of the lock table may be overwritten by another transaction of the same number.
  if (newest) return View(std::move(snapshot), env_->file(), std::make_shared<Known>());
  if (!known_ || known_->transaction != snapshot.meta.transaction) {
    known_ = std::make_shared<Known>();
    known_->transaction = snapshot.meta.transaction;
  }
  return View(std::move(snapshot), env_->file(), known_);
}

Result<os::Lock> Store::lock(std::chrono::milliseconds patience) const {
  // The folder may be discarded while we wait; then what we got is the lock of nothing.
  for (int i = 0; i < kLockTries; ++i) {
    const os::Path path = folder_ / "lock";
    CALLVAULT_TRY_ASSIGN(const os::File seen, os::File::open_or_create(path));
    CALLVAULT_TRY_ASSIGN(os::Lock held, os::Lock::acquire(path, os::LockMode::exclusive, patience));
    std::error_code error;
    if (std::filesystem::equivalent("/proc/self/fd/" + std::to_string(seen.fd()), path, error) && !error) return held;
  }
  return fail(Errc::busy, "catalogue is being replaced: " + folder_.string());
}

Result<void> Store::clear_dirty() {
  if (!os::exists(dirty_file(folder_))) return {};
  CALLVAULT_TRY(read([](View& view) { return check_view(view); }));
  CALLVAULT_TRY(os::remove_file(dirty_file(folder_)));
  return {};
}

// Before anything is written that a program of format 1 does not know.
Result<void> Store::renew_format() {
  CALLVAULT_TRY_ASSIGN(const Bytes format, os::read_file(format_file(folder_), 256));
  if (base::as_text(format) == kFormat) return {};
  return os::replace_file(format_file(folder_), base::as_bytes(kFormat));
}

void Store::mark_suspect(const Error& why) const {
  (void)os::replace_derived_file(suspect_file(folder_), base::as_bytes(why.message + "\n"));
}

Result<void> Store::reserve(const FileMeta& meta, std::uint64_t payload_bytes) const {
  // So that a full disk is met here, where nothing has changed, and not in the middle of a commit.
  const std::uint64_t needed = (meta.last_page + 1) * meta.page_bytes + 2 * payload_bytes;
  const std::uint64_t wanted = needed + kReserveStep;
  CALLVAULT_TRY_ASSIGN(os::File file, os::File::open_write(data_file(folder_)));
  CALLVAULT_TRY_ASSIGN(std::uint64_t size, file.size());
  if (size >= wanted) return {};
  const Bytes zeros(kReserveStep);
  const std::uint64_t end = wanted + kReserveStep;
  while (size < end) {
    const std::uint64_t step = std::min<std::uint64_t>(zeros.size(), end - size);
    if (auto written = file.write_at(ByteView(zeros).first(step), size); !written) {
      if (written.error().code == Errc::no_space && size >= needed) break;  // the step is for this case
      return written;
    }
    size += step;
  }
  return {};
}

Result<void> Store::update(const std::function<Result<void>(View&, Batch&)>& change) {
  CALLVAULT_TRY_ASSIGN(const os::Lock held, lock(patience_));
  CALLVAULT_TRY(refresh());
  CALLVAULT_TRY(clear_dirty());
  CALLVAULT_TRY(renew_format());
  auto done = change_and_commit(change);
  if (!done && done.error().code == Errc::corrupt) mark_suspect(done.error());
  return done;
}

Result<void> Store::change_and_commit(const std::function<Result<void>(View&, Batch&)>& change) {
  std::vector<Change> changes;
  std::uint64_t payload_bytes = 0;
  {
    CALLVAULT_TRY_ASSIGN(View view, view_now(true));
    Batch batch;
    CALLVAULT_TRY(change(view, batch));
    if (batch.empty()) return {};
    CALLVAULT_TRY(view.tree().guard_free_list());
    for (auto& [key, value] : batch.take()) {
      CALLVAULT_TRY(view.tree().guard(key));
      Change next{key, std::move(value)};
      if (next.value) {
        const std::uint64_t check = check_of(key, *next.value);
        const ByteView raw = std::as_bytes(std::span(&check, 1));
        next.value->insert(next.value->end(), raw.begin(), raw.end());
        payload_bytes += next.value->size() + key.size() + 16;
      }
      changes.push_back(std::move(next));
    }
    CALLVAULT_TRY(reserve(view.tree().meta(), payload_bytes));
  }
  CALLVAULT_TRY(os::replace_derived_file(dirty_file(folder_), {}));
  Env::Applied applied = env_->apply(changes);
  if (applied.commit_failed) {
    mark_suspect(applied.result.error());
    failed_commit_ = applied.result.error();
    return applied.result;
  }
  CALLVAULT_TRY(os::remove_file(dirty_file(folder_)));
  return applied.result;
}

Result<void> Store::discard(const os::Path& folder, std::chrono::milliseconds patience) {
  CALLVAULT_TRY(crypto::ready());
  if (os::exists(folder)) {
    const Store store(folder, patience);
    CALLVAULT_TRY_ASSIGN(const os::Lock held, store.lock(patience));
    std::array<std::byte, 8> random{};
    crypto::fill_random(random);
    os::Path aside = aside_prefix(folder);
    aside += base::to_hex(random);
    CALLVAULT_TRY(os::rename_file(folder, aside));
    CALLVAULT_TRY(os::sync_folder(folder.parent_path()));
  }
  // Also what an interrupted discard left.
  const std::string prefix = aside_prefix(folder).filename().string();
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(folder.parent_path()));
  for (const std::string& name : names) {
    if (name.rfind(prefix, 0) != 0) continue;
    std::error_code error;
    std::filesystem::remove_all(folder.parent_path() / name, error);
    if (error) return os::system_error(error.value(), "cannot remove", folder.parent_path() / name);
  }
  return {};
}

}  // namespace callvault::catalog
