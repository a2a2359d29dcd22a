// Files and folders: every syscall of the vault on them goes through here. Interrupted calls are repeated, short
// reads and writes completed. A failed sync is final: the caller must not sync the same file again and believe it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "callvault/clock.h"
#include "callvault/result.h"

namespace callvault::os {

using base::Bytes;
using base::ByteView;
using base::MutableBytes;
using Path = std::filesystem::path;

// no_space for ENOSPC and EDQUOT, not_found for ENOENT, refused for EACCES and EPERM, io else.
Error system_error(int number, const std::string& what, const Path& path);

class SpareFiles;  // os/spare.h

enum class Links : std::uint8_t { follow, refuse };

class File {
 public:
  File() = default;
  explicit File(int fd, Path path) : fd_(fd), path_(std::move(path)) {}
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  // Regular files only, and at once: Errc::corrupt for anything else that has the name. With Links::refuse a symbolic
  // link is such a thing: for folders that others may write to.
  static Result<File> open_read(const Path& path, Links links = Links::follow);
  static Result<File> open_write(const Path& path, Links links = Links::follow);  // existing, read and write
  static Result<File> open_any(const Path& path);                                 // a folder too, to be examined
  static Result<File> create(const Path& path, unsigned mode = 0600);             // must not exist
  static Result<File> open_or_create(const Path& path, unsigned mode = 0600);

  // Fewer bytes than asked only at the end of the file.
  Result<std::size_t> read_at(MutableBytes out, std::uint64_t offset) const;
  Result<void> write_at(ByteView data, std::uint64_t offset);
  Result<void> sync_data();
  Result<void> sync_all();
  Result<void> truncate(std::uint64_t size);
  Result<std::uint64_t> size() const;
  Result<std::uint64_t> allocated() const;  // bytes of disk it has
  // Room for so many bytes at `offset`, without changing the size. A file system that cannot say so is fine. Errors:
  // no_space, io.
  Result<void> reserve(std::uint64_t offset, std::uint64_t bytes);
  // Keeps room allocated behind the end, at least half of `bytes` of it, as far as the file system has some.
  void keep_room(std::uint64_t bytes);
  Result<void> set_mode(unsigned mode);  // whatever the umask says

  // flock(2), not waiting: false when another process holds it. Released when the file is closed.
  Result<bool> try_lock_exclusive();
  Result<bool> try_lock_shared();

  int fd() const { return fd_; }
  const Path& path() const { return path_; }
  // For messages: what came over a socket has no path.
  void set_path(Path path) { path_ = std::move(path); }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
  Path path_;
};

// Errc::corrupt when larger than `max_bytes`.
Result<Bytes> read_file(const Path& path, std::uint64_t max_bytes);
// Creates (must not exist), writes, syncs the file; the caller syncs the folder. On a full disk `spare` is used.
Result<void> write_new_file(const Path& path, ByteView data, unsigned mode = 0600, const SpareFiles* spare = nullptr);
// Durable atomic replacement: new file beside it, sync, rename, sync of the folder. Old or new, never a mixture.
Result<void> replace_file(const Path& path, ByteView data, unsigned mode = 0600, const SpareFiles* spare = nullptr);
// The same without any sync, for what can be derived again.
Result<void> replace_derived_file(const Path& path, ByteView data, unsigned mode = 0600);

Result<void> sync_folder(const Path& folder);
Result<void> make_folder(const Path& folder, unsigned mode = 0700);  // existing is fine
Result<void> rename_file(const Path& from, const Path& to);
// True when it was there.
Result<bool> remove_file(const Path& path);
Result<void> remove_folder(const Path& folder);  // empty
// False, and nothing changed, when something is in it. True when it is gone, also when it was not there.
Result<bool> remove_if_empty(const Path& folder);
bool exists(const Path& path);
// The same, where a disk that does not tell must not be taken for an absent file.
Result<bool> is_there(const Path& path);
// The account that the file or link itself belongs to.
Result<unsigned> owner_of(const Path& path);
Result<std::uint64_t> size_of(const Path& path);
// Whether the file's group is its folder's, where the folder gives its group to what is made in it.
Result<bool> has_group_of_folder(const Path& path);
Result<void> set_group_of_folder(const Path& path);
// Room that this user may still fill on the file system of `path`.
Result<std::uint64_t> free_bytes(const Path& path);
// Permission bits (07777).
Result<unsigned> mode_of(const Path& path);
// Sets them whatever the umask says.
Result<void> set_mode(const Path& path, unsigned mode);
// Gives the file or folder to a group by name. Errc::usage when there is no such group.
Result<void> set_group(const Path& path, const std::string& group);
// Gives `path` the permissions and the group that `model` has.
Result<void> make_accessible_as(const Path& path, const Path& model);
// Last change of the content.
Result<Time> changed_at(const Path& path);
// Names without . and .., sorted. Errc::not_found when the folder is missing.
Result<std::vector<std::string>> list_folder(const Path& folder);

}  // namespace callvault::os
