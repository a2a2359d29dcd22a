// Put before the C library (LD_PRELOAD): counts calls that reach the disk, descriptors and memory, and lets the chosen
// ones fail. See faults.py.
//   CALLVAULT_FAULT="io NTH ERROR once|ever"   ERROR: a number, "short", or "stop": the process stops before the call
//   CALLVAULT_FAULT="memory NTH 0 once|ever"   NTH counts allocations from before main on
//   CALLVAULT_FAULT="clock N 0 once"           the steady clock is N times as fast
//   CALLVAULT_FAULT_LOG=FILE                   io calls, or allocations that no other had the stack of, one a line
// "ever": every later call of the same class too; about half of them when it is interruption.
// Counts go on in forked children. It is no part of the product and follows the C library's declarations.
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace {

// What fails together when a fault is there for good. slow: a signal can interrupt it.
enum Class : unsigned {
  reading = 1,
  changing = 2,
  room = 4,
  descriptor = 8,
  memory = 16,
  locking = 32,
  waiting = 64,
  slow = 128
};

struct Shared {
  std::atomic<long> io, allocations;
  std::atomic<unsigned> failing;  // classes
  std::atomic<unsigned> turn;
  std::atomic<long> hits;
};
constexpr size_t kStacks = 1 << 16;
Shared* g_shared = nullptr;
unsigned long* g_stacks = nullptr;  // hashes of the stacks that have been seen
bool g_memory = false, g_ever = false, g_ready = false;
long g_nth = 0, g_haste = 0;
int g_error = 0;  // or one of these
constexpr int kShort = -1, kStop = -2;
int g_log = -1;
__thread bool g_inside __attribute__((tls_model("initial-exec"))) = false;

struct Inside {
  bool was = g_inside;
  Inside() { g_inside = true; }
  ~Inside() { g_inside = was; }
};

void say(const char* text, size_t size) {
  if (g_log >= 0) syscall(SYS_write, g_log, text, size);
}

// Of the innermost frames, without this library's own two.
unsigned long hash_of_stack(int frames) {
  void* stack[48];
  const int depth = backtrace(stack, frames + 2);
  unsigned long hash = 1469598103934665603UL;
  for (int i = 2; i < depth; ++i) hash = (hash ^ reinterpret_cast<unsigned long>(stack[i])) * 1099511628211UL;
  return hash == 0 ? 1 : hash;
}

void log_call(const char* word, long nth, const char* call, int fd, const char* path, bool creates) {
  if (g_log < 0) return;
  const Inside inside;
  const int error = errno;
  char name[512] = "", line[1024], link[32];
  if (path == nullptr && fd >= 0) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long n = syscall(SYS_readlink, link, name, sizeof name - 1);
    name[n > 0 ? n : 0] = 0;
    path = name;
  }
  const int n = snprintf(line, sizeof line, "%s%ld %s%s %lx %d %s\n", word, nth, call, creates ? "+" : "",
                         hash_of_stack(7), fd, path ? path : "-");
  say(line, static_cast<size_t>(n));
  errno = error;
}

void* next(const char* name) { return dlsym(RTLD_NEXT, name); }

template <typename F>
F real(const char* name) {
  const Inside inside;
  return reinterpret_cast<F>(next(name));
}

bool is_lmdb(int fd, const char* path) {
  char name[512], link[32];
  if (path == nullptr) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long n = syscall(SYS_readlink, link, name, sizeof name - 1);
    name[n > 0 ? n : 0] = 0;
    path = name;
  }
  return strstr(path, ".mdb") != nullptr;
}

// About half of all calls, in no rhythm that a loop of the program could share.
bool interrupted_now() { return (++g_shared->turn * 2654435761U >> 31) != 0; }

// What becomes of this call: 0 nothing, -1 short, else the error.
int fate(const char* call, unsigned classes, int fd, const char* path, bool creates = false) {
  if (!g_ready || g_memory || g_inside) return 0;
  const long nth = ++g_shared->io;
  if (g_nth == 0) {
    log_call("", nth, call, fd, path, creates);
    return 0;
  }
  bool hit = nth == g_nth;
  if (hit && g_ever) {
    unsigned wide = classes;
    if (g_error == ENOSPC || g_error == EDQUOT) wide = room;
    if (g_error == EMFILE) wide = descriptor;
    if (g_error == EINTR) wide = slow;
    g_shared->failing = wide;
  }
  const unsigned failing = g_shared->failing;
  // Standard streams have a device of their own. LMDB takes an interrupted call for a failed one.
  if (!hit && (failing & classes) != 0 && (fd < 0 || fd > 2) &&
      !((g_error == EINTR || g_error == kShort) && is_lmdb(fd, path)))
    hit = g_error != EINTR || interrupted_now();
  if (!hit) return 0;
  if (++g_shared->hits == 1) log_call("INJECTED ", nth, call, fd, path, creates);
  if (g_error != kStop) return g_error;
  syscall(SYS_kill, getpid(), SIGSTOP);
  return 0;
}

bool seen_before(unsigned long hash) {
  for (size_t i = hash % kStacks, tries = 0; tries < kStacks; i = (i + 1) % kStacks, ++tries) {
    if (g_stacks[i] == hash) return true;
    if (g_stacks[i] == 0) {
      g_stacks[i] = hash;
      return false;
    }
  }
  return true;
}

bool refuse_memory() {
  if (!g_ready || !g_memory || g_inside) return false;
  const long nth = ++g_shared->allocations;
  if (g_nth == 0) {
    const Inside inside;
    const unsigned long hash = hash_of_stack(9);
    if (!seen_before(hash)) {
      char line[64];
      say(line, static_cast<size_t>(snprintf(line, sizeof line, "%ld %lx\n", nth, hash)));
    }
    return false;
  }
  if (nth != g_nth && !(g_ever && nth > g_nth)) return false;
  if (++g_shared->hits == 1) say("INJECTED\n", 9);
  errno = ENOMEM;
  return true;
}

__attribute__((constructor)) void start() {
  const char* fault = getenv("CALLVAULT_FAULT");
  const char* log = getenv("CALLVAULT_FAULT_LOG");
  if (fault == nullptr) return;
  char kind[16] = "", error[16] = "", extent[16] = "";
  if (sscanf(fault, "%15s %ld %15s %15s", kind, &g_nth, error, extent) != 4) _exit(99);
  g_memory = strcmp(kind, "memory") == 0;
  g_ever = strcmp(extent, "ever") == 0;
  g_error = strcmp(error, "short") == 0 ? kShort : strcmp(error, "stop") == 0 ? kStop : atoi(error);
  if (strcmp(kind, "clock") == 0) {
    g_haste = g_nth;
    return;
  }
  const size_t stacks = kStacks * sizeof *g_stacks;
  void* pages = mmap(nullptr, 4096 + stacks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) _exit(99);
  g_shared = static_cast<Shared*>(pages);
  g_stacks = reinterpret_cast<unsigned long*>(static_cast<char*>(pages) + 4096);
  if (log != nullptr) {
    const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600));
    g_log = fd < 0 ? -1 : static_cast<int>(syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900));
    syscall(SYS_close, fd);
  }
  void* frame[2];
  backtrace(frame, 2);     // loads what it needs
  unsetenv("LD_PRELOAD");  // programs that this one starts are not meant
  g_ready = true;
}

// Failing with what `fail` says, `usual` else.
#define FAULT(call, classes, fd, path, result)                  \
  if (const int why = fate(call, classes, fd, path); why > 0) { \
    errno = why;                                                \
    return result;                                              \
  }

size_t fewer(size_t size) { return size > 1 ? size / 2 : size; }

constexpr unsigned kWrite = changing | room;

}  // namespace

extern "C" {

#define OPEN(name, has_folder, PARAMETERS, ARGUMENTS)                                                  \
  int name PARAMETERS {                                                                                \
    mode_t mode = 0;                                                                                   \
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                                                        \
      va_list rest;                                                                                    \
      va_start(rest, flags);                                                                           \
      mode = va_arg(rest, mode_t);                                                                     \
      va_end(rest);                                                                                    \
    }                                                                                                  \
    const bool creates = (flags & O_CREAT) != 0;                                                       \
    struct stat known;                                                                                 \
    const bool fresh = creates && syscall(SYS_newfstatat, AT_FDCWD, path, &known, 0) != 0;             \
    const int why = fate("open", reading | descriptor | slow | (fresh ? kWrite : 0), -1, path, fresh); \
    if (why > 0) {                                                                                     \
      errno = why;                                                                                     \
      return -1;                                                                                       \
    }                                                                                                  \
    return static_cast<int>(syscall(SYS_openat, ARGUMENTS, path, flags, mode));                        \
  }
OPEN(open, false, (const char* path, int flags, ...), AT_FDCWD)
OPEN(open64, false, (const char* path, int flags, ...), AT_FDCWD)
OPEN(openat, true, (int folder, const char* path, int flags, ...), folder)
int __open_2(const char* path, int flags) { return open(path, flags); }

#define CALL(type, name, PARAMETERS, TYPES, ARGUMENTS, classes, fd, path, result) \
  type name PARAMETERS {                                                          \
    FAULT(#name, classes, fd, path, result)                                       \
    static const auto function = real<type(*) TYPES>(#name);                      \
    return function ARGUMENTS;                                                    \
  }

CALL(FILE*, fopen, (const char* path, const char* mode), (const char*, const char*), (path, mode), reading | descriptor,
     -1, path, nullptr)
CALL(FILE*, fopen64, (const char* path, const char* mode), (const char*, const char*), (path, mode),
     reading | descriptor, -1, path, nullptr)
CALL(DIR*, opendir, (const char* path), (const char*), (path), reading | descriptor, -1, path, nullptr)
CALL(struct dirent*, readdir, (DIR * dir), (DIR*), (dir), reading, dirfd(dir), nullptr, nullptr)
CALL(int, rename, (const char* from, const char* to), (const char*, const char*), (from, to), kWrite, -1, to, -1)
CALL(int, renameat2, (int a, const char* from, int b, const char* to, unsigned flags),
     (int, const char*, int, const char*, unsigned), (a, from, b, to, flags), kWrite, -1, to, -1)
CALL(int, unlink, (const char* path), (const char*), (path), changing, -1, path, -1)
CALL(int, unlinkat, (int folder, const char* path, int flags), (int, const char*, int), (folder, path, flags), changing,
     -1, path, -1)
CALL(int, rmdir, (const char* path), (const char*), (path), changing, -1, path, -1)
CALL(int, mkdir, (const char* path, mode_t mode), (const char*, mode_t), (path, mode), kWrite, -1, path, -1)
CALL(int, stat, (const char* path, struct stat* out), (const char*, struct stat*), (path, out), reading, -1, path, -1)
CALL(int, lstat, (const char* path, struct stat* out), (const char*, struct stat*), (path, out), reading, -1, path, -1)
CALL(int, fstat, (int fd, struct stat* out), (int, struct stat*), (fd, out), reading, fd, nullptr, -1)
CALL(int, statvfs, (const char* path, struct statvfs* out), (const char*, struct statvfs*), (path, out), reading, -1,
     path, -1)
CALL(int, chmod, (const char* path, mode_t mode), (const char*, mode_t), (path, mode), changing, -1, path, -1)
CALL(int, fchmod, (int fd, mode_t mode), (int, mode_t), (fd, mode), changing, fd, nullptr, -1)
CALL(int, chown, (const char* path, uid_t u, gid_t g), (const char*, uid_t, gid_t), (path, u, g), changing, -1, path,
     -1)
CALL(int, fchown, (int fd, uid_t u, gid_t g), (int, uid_t, gid_t), (fd, u, g), changing, fd, nullptr, -1)
CALL(int, fsync, (int fd), (int), (fd), changing | slow, fd, nullptr, -1)
CALL(int, fdatasync, (int fd), (int), (fd), changing | slow, fd, nullptr, -1)
CALL(int, msync, (void* at, size_t size, int flags), (void*, size_t, int), (at, size, flags), changing | slow, -1,
     nullptr, -1)
CALL(int, ftruncate, (int fd, off_t size), (int, off_t), (fd, size), kWrite | slow, fd, nullptr, -1)
CALL(int, fallocate, (int fd, int mode, off_t at, off_t size), (int, int, off_t, off_t), (fd, mode, at, size),
     kWrite | slow, fd, nullptr, -1)
CALL(int, flock, (int fd, int how), (int, int), (fd, how), locking | slow, fd, nullptr, -1)
CALL(int, poll, (struct pollfd * fds, nfds_t count, int ms), (struct pollfd*, nfds_t, int), (fds, count, ms),
     waiting | slow, -1, nullptr, -1)
CALL(int, pipe2, (int* ends, int flags), (int*, int), (ends, flags), descriptor, -1, nullptr, -1)
CALL(int, socketpair, (int a, int b, int c, int* ends), (int, int, int, int*), (a, b, c, ends), descriptor, -1, nullptr,
     -1)
CALL(pid_t, fork, (void), (void), (), waiting, -1, nullptr, -1)
CALL(pid_t, waitpid, (pid_t pid, int* status, int options), (pid_t, int*, int), (pid, status, options), waiting | slow,
     -1, nullptr, -1)
CALL(ssize_t, recv, (int fd, void* to, size_t size, int flags), (int, void*, size_t, int), (fd, to, size, flags),
     waiting | slow, -1, nullptr, -1)
CALL(ssize_t, send, (int fd, const void* from, size_t size, int flags), (int, const void*, size_t, int),
     (fd, from, size, flags), waiting | slow, -1, nullptr, -1)
CALL(int, socket, (int domain, int type, int protocol), (int, int, int), (domain, type, protocol), descriptor, -1,
     nullptr, -1)
CALL(int, connect, (int fd, const struct sockaddr* to, socklen_t size), (int, const struct sockaddr*, socklen_t),
     (fd, to, size), waiting | slow, fd, nullptr, -1)
CALL(int, accept4, (int fd, struct sockaddr* from, socklen_t* size, int flags),
     (int, struct sockaddr*, socklen_t*, int), (fd, from, size, flags), descriptor | slow, fd, nullptr, -1)
CALL(int, mlock, (const void* at, size_t size), (const void*, size_t), (at, size), memory, -1, nullptr, -1)
CALL(void*, mmap, (void* at, size_t size, int protection, int flags, int fd, off_t offset),
     (void*, size_t, int, int, int, off_t), (at, size, protection, flags, fd, offset), memory, fd, nullptr, MAP_FAILED)
size_t fread(void* to, size_t size, size_t count, FILE* file) {
  if (const int why = fate("fread", reading, fileno(file), nullptr); why > 0) {
    file->_flags |= 0x20;  // what ferror() tells
    errno = why;
    return 0;
  }
  static const auto function = real<size_t (*)(void*, size_t, size_t, FILE*)>("fread");
  return function(to, size, count, file);
}

int posix_fallocate(int fd, off_t at, off_t size) {
  if (const int why = fate("posix_fallocate", kWrite | slow, fd, nullptr); why > 0) return why;
  static const auto function = real<int (*)(int, off_t, off_t)>("posix_fallocate");
  return function(fd, at, size);
}

int close(int fd) {
  const int why = fate("close", changing | slow, fd, nullptr);
  const int done = static_cast<int>(syscall(SYS_close, fd));
  if (why <= 0) return done;
  errno = why;
  return -1;
}

int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  if (command == F_SETLK || command == F_SETLKW) FAULT("fcntl", locking | slow, fd, nullptr, -1)
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) FAULT("dup", descriptor, fd, nullptr, -1)
  return static_cast<int>(syscall(SYS_fcntl, fd, command, argument));
}

#define TRANSFER(name, number, PARAMETERS, classes, ...)                           \
  ssize_t name PARAMETERS {                                                        \
    const int why = fate(#name, classes, fd, nullptr);                             \
    if (why > 0) {                                                                 \
      errno = why;                                                                 \
      return -1;                                                                   \
    }                                                                              \
    return syscall(number, fd, data, why < 0 ? fewer(size) : size, ##__VA_ARGS__); \
  }
TRANSFER(read, SYS_read, (int fd, void* data, size_t size), reading | slow)
TRANSFER(pread, SYS_pread64, (int fd, void* data, size_t size, off_t at), reading | slow, at)
TRANSFER(write, SYS_write, (int fd, const void* data, size_t size), kWrite | slow)
TRANSFER(pwrite, SYS_pwrite64, (int fd, const void* data, size_t size, off_t at), kWrite | slow, at)
ssize_t pread64(int fd, void* data, size_t size, off_t at) { return pread(fd, data, size, at); }
ssize_t pwrite64(int fd, const void* data, size_t size, off_t at) { return pwrite(fd, data, size, at); }
void* mmap64(void* at, size_t size, int p, int f, int fd, off_t o) { return mmap(at, size, p, f, fd, o); }

ssize_t writev(int fd, const struct iovec* parts, int count) {
  const int why = fate("writev", kWrite | slow, fd, nullptr);
  if (why > 0) {
    errno = why;
    return -1;
  }
  if (why < 0) return syscall(SYS_write, fd, parts[0].iov_base, fewer(parts[0].iov_len));
  return syscall(SYS_writev, fd, parts, count);
}

// Half of its first part when it is to be short.
#define MESSAGE(name, number, TYPE)                                                         \
  ssize_t name(int fd, TYPE* message, int flags) {                                          \
    const int why = fate(#name, waiting | slow, fd, nullptr);                               \
    if (why > 0) {                                                                          \
      errno = why;                                                                          \
      return -1;                                                                            \
    }                                                                                       \
    if (why == 0) return syscall(number, fd, message, flags);                               \
    struct iovec part = {message->msg_iov[0].iov_base, fewer(message->msg_iov[0].iov_len)}; \
    struct msghdr less = *message;                                                          \
    less.msg_iov = &part;                                                                   \
    less.msg_iovlen = 1;                                                                    \
    const ssize_t done = syscall(number, fd, &less, flags);                                 \
    const_cast<struct msghdr*>(message)->msg_controllen = less.msg_controllen;              \
    return done;                                                                            \
  }
MESSAGE(recvmsg, SYS_recvmsg, struct msghdr)
MESSAGE(sendmsg, SYS_sendmsg, const struct msghdr)

int clock_gettime(clockid_t which, struct timespec* out) {
  const int done = static_cast<int>(syscall(SYS_clock_gettime, which, out));
  if (done != 0 || g_haste == 0 || which != CLOCK_MONOTONIC) return done;
  constexpr long kSecond = 1000000000;
  const long fast = (out->tv_sec * kSecond + out->tv_nsec) * g_haste;
  out->tv_sec = fast / kSecond;
  out->tv_nsec = fast % kSecond;
  return 0;
}

void* malloc(size_t size) { return refuse_memory() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return refuse_memory() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return refuse_memory() ? nullptr : __libc_realloc(old, size); }
void* aligned_alloc(size_t alignment, size_t size) {
  return refuse_memory() ? nullptr : __libc_memalign(alignment, size);
}
void* memalign(size_t alignment, size_t size) { return refuse_memory() ? nullptr : __libc_memalign(alignment, size); }
int posix_memalign(void** out, size_t alignment, size_t size) {
  if (refuse_memory()) return ENOMEM;
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

}  // extern "C"
