#include "os/place_layers.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <charconv>
#include <fstream>

#include "os/place.h"

namespace callvault::os {
namespace {

// Walks from a partition to its disk.
Path disk_folder(std::uint32_t major, std::uint32_t minor) {
  std::error_code ec;
  Path folder = std::filesystem::canonical(device_folder(major, minor), ec);
  if (ec) return {};
  if (std::filesystem::exists(folder / "partition", ec)) folder = folder.parent_path();
  return folder;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

}  // namespace

std::string read_small(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string out(64 * 1024, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(in.gcount() > 0 ? static_cast<std::size_t>(in.gcount()) : 0);
  return out;
}

std::string read_word(const Path& path) {
  std::string out = read_small(path);
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_device_numbers(std::string_view text) {
  std::uint32_t major = 0, minor = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
  return std::pair(major, minor);
}

void add_options(std::string_view words, std::vector<std::string>& options) {
  while (!words.empty()) {
    const auto comma = words.find(',');
    options.emplace_back(words.substr(0, comma));
    words = comma == std::string_view::npos ? std::string_view{} : words.substr(comma + 1);
  }
}

std::string unescape_octal(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && text.size() - i > 3 && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                        is_octal(text[i + 3]);
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

Path device_folder(std::uint32_t major, std::uint32_t minor) {
  return "/sys/dev/block/" + std::to_string(major) + ":" + std::to_string(minor);
}

std::string block_device_name(std::uint32_t major, std::uint32_t minor) {
  std::error_code ec;
  const Path folder = std::filesystem::canonical(device_folder(major, minor), ec);
  return ec ? std::string() : folder.filename().string();
}

std::string medium_of(std::uint32_t major, std::uint32_t minor) {
  const Path disk = disk_folder(major, minor);
  if (disk.empty()) return "unknown";
  const std::string name = disk.filename().string();
  if (name.starts_with("vd") || name.starts_with("xvd") || name.starts_with("nbd") || name.starts_with("rbd"))
    return "unknown";
  const std::string maker = read_word(disk / "device/vendor");
  if (maker == "QEMU" || maker == "VMware" || maker == "Msft" || maker == "Google") return "unknown";
  const std::string rotational = read_word(disk / "queue/rotational");
  if (rotational == "1") return "rotational";
  if (rotational == "0") return "solid state";
  return "unknown";
}

std::vector<std::string> notes_on_device(std::uint32_t major, std::uint32_t minor) {
  std::vector<std::string> notes;
  const Path disk = disk_folder(major, minor);
  if (disk.empty()) return notes;
  const std::string name = disk.filename().string();
  const std::string dm = read_word(disk / "dm/uuid");
  if (dm.starts_with("LVM-")) notes.emplace_back("a logical volume: snapshots of it cannot be seen from here");
  if (!dm.empty() && !dm.starts_with("LVM-"))
    notes.emplace_back("a mapped device: what lies below cannot be seen from here");
  if (name.starts_with("md")) notes.emplace_back("a RAID: its parity and caches cannot be seen from here");
  if (name.starts_with("loop")) notes.emplace_back("a loop device: its file may be copied");
  if (name.starts_with("vd") || name.starts_with("xvd"))
    notes.emplace_back("the disk of a virtual machine: snapshots of it cannot be seen from here");
  return notes;
}

std::optional<Path> loop_backing_file(std::uint32_t major, std::uint32_t minor) {
  const Path disk = disk_folder(major, minor);
  if (disk.empty()) return std::nullopt;
  const std::string file = read_word(disk / "loop/backing_file");
  if (file.empty() || file.ends_with(" (deleted)")) return std::nullopt;
  return Path(file);
}

std::string disk_of(const Path& path, int depth) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return {};
  const auto numbers = std::pair(::major(st.st_dev), ::minor(st.st_dev));
  const Path disk = disk_folder(numbers.first, numbers.second);
  if (disk.empty()) return std::to_string(numbers.first) + ":" + std::to_string(numbers.second);
  const auto below = depth < 4 ? loop_backing_file(numbers.first, numbers.second) : std::nullopt;
  const std::string deeper = below ? disk_of(*below, depth + 1) : std::string();
  return deeper.empty() ? disk.string() : deeper;
}

bool on_same_disk(const Path& one, const Path& other) {
  const std::string first = disk_of(one);
  return !first.empty() && first == disk_of(other);
}

bool is_encrypted_device(const Path& folder, int depth) {
  if (read_word(folder / "dm/uuid").starts_with("CRYPT-")) return true;
  if (depth > 4) return false;
  std::error_code ec;
  const auto slaves = list_folder(folder / "slaves");
  if (!slaves || slaves->empty()) return false;
  for (const std::string& name : *slaves)
    if (!is_encrypted_device(folder / "slaves" / name, depth + 1)) return false;
  return true;
}

}  // namespace callvault::os
