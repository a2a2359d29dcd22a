#include "os/host.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <sstream>

#include "os/place_layers.h"

namespace callvault::os {
namespace {

SwapProtection protection_of(const std::string& name) {
  struct stat st {};
  if (::stat(name.c_str(), &st) != 0) return SwapProtection::unknown;
  const bool device = S_ISBLK(st.st_mode);
  if (!device && !S_ISREG(st.st_mode)) return SwapProtection::unknown;
  const dev_t number = device ? st.st_rdev : st.st_dev;
  const Path folder = device_folder(major(number), minor(number));
  const std::string kernel_name = block_device_name(major(number), minor(number));
  if (kernel_name.empty()) return SwapProtection::unknown;
  if (device && kernel_name.starts_with("zram")) {
    const std::string backing = read_word(folder / "backing_dev");
    return backing.empty() || backing == "none" ? SwapProtection::memory : SwapProtection::unknown;
  }
  Path disk = folder;
  std::error_code ec;
  if (std::filesystem::exists(folder / "partition", ec)) disk = std::filesystem::canonical(folder, ec).parent_path();
  return is_encrypted_device(disk) ? SwapProtection::encrypted : SwapProtection::plain;
}

std::uint64_t limit_of(__rlimit_resource_t what) {
  rlimit limit{};
  if (::getrlimit(what, &limit) != 0) return 0;
  return limit.rlim_cur == RLIM_INFINITY ? ~std::uint64_t{0} : limit.rlim_cur;
}

std::optional<bool> clock_state() {
  timex query{};
  const int state = ::adjtimex(&query);
  if (state < 0) return std::nullopt;
  return state != TIME_ERROR && (query.status & STA_UNSYNC) == 0;
}

std::optional<std::string> find_hypervisor() {
  static constexpr std::array kMakers = {"QEMU",    "VMware",     "Microsoft Corporation",
                                         "Xen",     "innotek",    "Parallels",
                                         "Google",  "Amazon EC2", "OpenStack",
                                         "Bochs",   "KVM",        "DigitalOcean",
                                         "Hetzner", "Firecracker"};
  for (const char* file : {"/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name"}) {
    const std::string word = read_word(file);
    for (const char* maker : kMakers)
      if (word.find(maker) != std::string::npos) return word;
  }
  const std::string type = read_word("/sys/hypervisor/type");
  if (!type.empty()) return type;
  std::istringstream lines(read_small("/proc/cpuinfo"));
  lines.exceptions(std::ios_base::badbit);  // a lack of memory is not the end
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("flags") && (line + " ").find(" hypervisor ") != std::string::npos)
      return "the processor says so";
  return std::nullopt;
}

}  // namespace

std::vector<SwapArea> parse_swaps(std::string_view text) {
  std::vector<SwapArea> out;
  std::istringstream lines{std::string(text)};
  lines.exceptions(std::ios_base::badbit);  // a lack of memory is not the end
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name;
    if (!(words >> name)) continue;
    name = unescape_octal(name);
    out.push_back({name, protection_of(name)});
  }
  return out;
}

HostFacts examine_host() {
  HostFacts facts;
  facts.swaps = parse_swaps(read_small("/proc/swaps"));
  facts.core_pattern = read_word("/proc/sys/kernel/core_pattern");
  facts.core_limit = limit_of(RLIMIT_CORE);
  facts.locked_memory_limit = limit_of(RLIMIT_MEMLOCK);
  if (const int dumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); dumpable >= 0) facts.dumpable = dumpable != 0;
  facts.clock_synchronised = clock_state();
  const std::string scope = read_word("/proc/sys/kernel/yama/ptrace_scope");
  int number = 0;
  if (const auto got = std::from_chars(scope.data(), scope.data() + scope.size(), number);
      !scope.empty() && got.ec == std::errc{})
    facts.ptrace_scope = number;
  facts.hypervisor = find_hypervisor();
  return facts;
}

std::vector<LoosePath> loose_paths(std::span<const Path> paths) {
  std::vector<LoosePath> out;
  for (const Path& path : paths) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) continue;
    LoosePath one;
    one.path = path;
    one.mode = st.st_mode & 07777;
    one.owner = st.st_uid;
    one.others_read = (one.mode & 0044) != 0;
    one.others_write = (one.mode & 0022) != 0;
    one.other_owner = st.st_uid != ::geteuid() && st.st_uid != 0;
    if (one.others_read || one.others_write || one.other_owner) out.push_back(std::move(one));
  }
  return out;
}

bool is_inside(const Path& path, const Path& folder) {
  const auto whole = [](const Path& one) {
    std::error_code ec;
    Path out = std::filesystem::absolute(one, ec);
    Path resolved = std::filesystem::weakly_canonical(out, ec);
    if (!ec) out = std::move(resolved);
    out = out.lexically_normal();
    return out.filename().empty() && out.has_relative_path() ? out.parent_path() : out;
  };
  const Path relative = whole(path).lexically_relative(whole(folder));
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace callvault::os
