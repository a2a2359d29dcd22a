// A disk that errs: a FUSE file system with one file, `disk`, kept in memory, that a loop device can lie on, and one,
// `control`, that says when reads, writes and flushes fail with EIO.
//   failing_disk MOUNT-POINT MEBIBYTES
// To control is written "READ WRITE FLUSH MILLISECONDS SEED FROM TO": the chances of each to fail, from now on, for so
// long, and between which mebibytes of the disk; zeros heal it. A write that fails may have written its first sectors.
// Read from control: how many of each were asked for, and how many failed.
#define FUSE_USE_VERSION 31
#include <fuse3/fuse.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kDisk = "/disk", kControl = "/control";
constexpr std::size_t kSector = 512;
enum Operation : std::uint8_t { read_op, write_op, flush_op, kOperations };

struct Disk {
  char* bytes = nullptr;
  std::size_t size = 0;
  std::array<double, kOperations> chance{};
  SteadyClock::time_point until{};
  std::size_t bad_from = 0, bad_to = 0;
  std::mt19937_64 random{1};
  std::array<std::uint64_t, kOperations> asked{}, failed{};

  double draw() { return std::uniform_real_distribution<double>(0, 1)(random); }

  bool fails(Operation what, std::size_t at = 0, std::size_t size = 0) {
    ++asked.at(what);
    if (what != flush_op && (at >= bad_to || at + size <= bad_from)) return false;
    if (chance.at(what) == 0 || SteadyClock::now() >= until || draw() >= chance.at(what)) return false;
    ++failed.at(what);
    return true;
  }

  std::string counts() const {
    std::string out;
    for (std::size_t i = 0; i < kOperations; ++i)
      out += std::to_string(asked.at(i)) + " " + std::to_string(failed.at(i)) + (i + 1 < kOperations ? " " : "\n");
    return out;
  }

  bool order(const std::string& text) {
    double read = 0, write = 0, flush = 0;
    unsigned long milliseconds = 0, seed = 0, from = 0, to = 0;
    if (std::sscanf(text.c_str(), "%lf %lf %lf %lu %lu %lu %lu", &read, &write, &flush, &milliseconds, &seed, &from,
                    &to) != 7)
      return false;
    bad_from = from << 20;
    bad_to = to << 20;
    chance = {read, write, flush};
    until = SteadyClock::now() + std::chrono::milliseconds(milliseconds);
    random.seed(seed);
    return true;
  }
};

Disk& disk() { return *static_cast<Disk*>(fuse_get_context()->private_data); }

void* begin(fuse_conn_info*, fuse_config* config) {
  config->kernel_cache = 0;
  config->nullpath_ok = 0;
  return fuse_get_context()->private_data;
}

int get_attributes(const char* path, struct stat* out, fuse_file_info*) {
  *out = {};
  out->st_nlink = 1;
  if (std::string_view(path) == "/") {
    out->st_mode = S_IFDIR | 0700;
  } else if (path == kDisk) {
    out->st_mode = S_IFREG | 0600;
    out->st_size = static_cast<off_t>(disk().size);
    out->st_blocks = out->st_size / static_cast<off_t>(kSector);
  } else if (path == kControl) {
    out->st_mode = S_IFREG | 0600;
  } else {
    return -ENOENT;
  }
  return 0;
}

int list(const char*, void* out, fuse_fill_dir_t fill, off_t, fuse_file_info*, fuse_readdir_flags) {
  for (const char* name : {".", "..", "disk", "control"}) fill(out, name, nullptr, 0, fuse_fill_dir_flags{});
  return 0;
}

// Past the page cache: an error must reach whoever caused it.
int open_one(const char*, fuse_file_info* info) {
  info->direct_io = 1;
  return 0;
}

int read_one(const char* path, char* out, std::size_t size, off_t offset, fuse_file_info*) {
  Disk& d = disk();
  const auto at = static_cast<std::size_t>(offset);
  const std::string counts = path == kControl ? d.counts() : "";
  const char* const from = path == kControl ? counts.data() : d.bytes;
  const std::size_t all = path == kControl ? counts.size() : d.size;
  if (path == kDisk && d.fails(read_op, at, size)) return -EIO;
  if (at >= all) return 0;
  const std::size_t some = std::min(size, all - at);
  std::memcpy(out, from + at, some);
  return static_cast<int>(some);
}

int write_one(const char* path, const char* data, std::size_t size, off_t offset, fuse_file_info*) {
  Disk& d = disk();
  if (path == kControl) return d.order(std::string(data, size)) ? static_cast<int>(size) : -EINVAL;
  const auto at = static_cast<std::size_t>(offset);
  if (at > d.size || size > d.size - at) return -ENOSPC;
  const bool fails = d.fails(write_op, at, size);
  const std::size_t some = fails ? d.random() % (size / kSector + 1) * kSector : size;
  std::memcpy(d.bytes + at, data, some);
  return fails ? -EIO : static_cast<int>(size);
}

int flush_one(const char* path, int, fuse_file_info*) { return path == kDisk && disk().fails(flush_op) ? -EIO : 0; }

int cut(const char*, off_t, fuse_file_info*) { return 0; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // it ends with the test that started it
  Disk d;
  d.size = std::strtoul(argv[2], nullptr, 10) << 20;
  void* const memory =
      ::mmap(nullptr, d.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 1;
  d.bytes = static_cast<char*>(memory);
  fuse_operations operations{};
  operations.init = begin;
  operations.getattr = get_attributes;
  operations.readdir = list;
  operations.open = open_one;
  operations.read = read_one;
  operations.write = write_one;
  operations.fsync = flush_one;
  operations.truncate = cut;
  char name[] = "failing_disk", foreground[] = "-f", one_thread[] = "-s";
  char* words[] = {name, foreground, one_thread, argv[1]};
  return fuse_main(4, words, &operations, &d);
}
