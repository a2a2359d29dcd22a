#include "catalog/env.h"

#include <lmdb.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <string>

namespace callvault::catalog {
namespace {

constexpr std::size_t kMapBytes = std::size_t{64} << 30;  // for life: sparse address space, not memory
constexpr unsigned kMaxReaders = 4096;
constexpr int kSnapshotTries = 20;

Error lmdb_error(int code, const std::string& what, const os::Path& folder) {
  const std::string where = what + " the catalogue " + folder.string();
  switch (code) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_PANIC:
    case MDB_VERSION_MISMATCH:
      return fail(Errc::corrupt, where + ": " + mdb_strerror(code));
    case MDB_MAP_FULL:
      return fail(Errc::no_space, where + ": " + mdb_strerror(code));
    case MDB_READERS_FULL:
      return fail(Errc::busy, where + ": too many readers");
    default:
      return code > 0 ? os::system_error(code, what + " the catalogue", folder)
                      : fail(Errc::unexpected, where + ": " + mdb_strerror(code));
  }
}

// LMDB releases a process's locks when any of its environments on a file is closed: so there is one at a time.
struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Env>> open;
};
Registry& registry() {
  static auto* const instance = new Registry;  // lives as long as any thread may
  return *instance;
}

os::Path descriptor_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool same_file(int fd, const os::Path& path) {
  std::error_code error;
  return std::filesystem::equivalent(descriptor_path(fd), path, error) && !error;
}

// LMDB maps its lock table from a sparse file, and a full disk would end the process with SIGBUS.
Result<void> allocate_lock_table(const os::Path& folder) {
  constexpr std::uint64_t kBytes = std::uint64_t{kMaxReaders} * 64 + 4096;  // a reader takes a cache line
  CALLVAULT_TRY_ASSIGN(os::File file, os::File::open_or_create(folder / "lock.mdb"));
  CALLVAULT_TRY_ASSIGN(const auto has, file.allocated());
  return has >= kBytes ? Result<void>() : file.reserve(0, kBytes);
}

MDB_val as_val(ByteView bytes) { return {bytes.size(), const_cast<std::byte*>(bytes.data())}; }

}  // namespace

Env::Env(MDB_env* env, os::Path folder) : env_(env), folder_(std::move(folder)), process_(::getpid()) {}

Env::~Env() {
  // In a forked child the environment belongs to the parent.
  if (process_ == ::getpid()) mdb_env_close(env_);
}

bool Env::is_current() const {
  return file_.is_open() && process_ == ::getpid() && same_file(file_.fd(), folder_ / "data.mdb");
}

Result<std::shared_ptr<Env>> Env::open(const os::Path& folder, bool fresh) {
  std::error_code error;
  const std::string name = std::filesystem::weakly_canonical(folder, error).string();
  Registry& known = registry();
  const std::lock_guard guard(known.mutex);
  if (auto env = known.open[name].lock(); env && env->is_current()) return env;

  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0) return lmdb_error(code, "cannot set up", folder);
  std::shared_ptr<Env> env(new Env(raw, folder));
  (void)mdb_env_set_maxreaders(raw, kMaxReaders);
  if (const int code = mdb_env_set_mapsize(raw, kMapBytes); code != 0) return lmdb_error(code, "cannot set up", folder);
  CALLVAULT_TRY(allocate_lock_table(folder));
  if (const int code = mdb_env_open(raw, folder.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600); code != 0)
    return lmdb_error(code, "cannot open", folder);
  int fd = -1;
  (void)mdb_env_get_fd(raw, &fd);
  CALLVAULT_TRY_ASSIGN(env->file_, os::File::open_read(descriptor_path(fd)));
  if (!fresh) {
    // Between the check of the file and its opening another may have come into its place.
    if (auto meta = read_meta(env->file_); !meta) return meta.error();
  }
  int dead = 0;
  (void)mdb_reader_check(raw, &dead);  // a killed reader would pin its pages for ever
  known.open[name] = env;
  return env;
}

Env::Pin::~Pin() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

Result<Env::Snapshot> Env::snapshot(bool newest) {
  // The pin is taken first. Writers may commit before the meta pages are read: then pin again.
  for (int i = 0; i < kSnapshotTries; ++i) {
    MDB_txn* raw = nullptr;
    int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &raw);
    if (code == MDB_READERS_FULL) {
      int dead = 0;
      (void)mdb_reader_check(env_, &dead);
      code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &raw);
    }
    if (code != 0) return lmdb_error(code, "cannot read", folder_);
    Pin pin(raw);
    CALLVAULT_TRY_ASSIGN(const FileMetas metas, read_meta(file_));
    const std::size_t pinned = mdb_txn_id(raw);
    const bool known = metas.newest.transaction == pinned || metas.previous.transaction == pinned;
    if (!known) continue;
    const bool first = newest || metas.newest.transaction == pinned;
    return Snapshot{std::move(pin), first ? metas.newest : metas.previous};
  }
  return fail(Errc::corrupt, "catalogue is damaged: its meta pages and its lock table disagree");
}

Env::Applied Env::apply(const std::vector<Change>& changes) {
  int dead = 0;
  (void)mdb_reader_check(env_, &dead);  // one may have died since this environment was opened
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &txn); code != 0)
    return {lmdb_error(code, "cannot write", folder_)};
  int code = mdb_dbi_open(txn, nullptr, 0, &dbi_);
  for (const Change& change : changes) {
    if (code != 0) break;
    MDB_val key = as_val(change.key);
    if (change.value) {
      MDB_val value = as_val(*change.value);
      code = mdb_put(txn, dbi_, &key, &value, 0);
    } else {
      code = mdb_del(txn, dbi_, &key, nullptr);
      if (code == MDB_NOTFOUND) code = 0;
    }
  }
  if (code != 0) {
    mdb_txn_abort(txn);
    return {lmdb_error(code, "cannot write", folder_)};
  }
  if (code = mdb_txn_commit(txn); code != 0) return {lmdb_error(code, "cannot commit to", folder_), true};
  return {};
}

}  // namespace callvault::catalog
