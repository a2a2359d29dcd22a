// What lies below a file system, from /proc and /sys. Best effort: what cannot be read is empty or "unknown".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/file.h"

namespace callvault::os {

// The first 64 KiB of a file of /proc or /sys; empty when it cannot be read.
std::string read_small(const Path& path);
// The same without the final line end.
std::string read_word(const Path& path);

// "8:1".
std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_device_numbers(std::string_view text);
// "rw,relatime,data=ordered" split at the commas.
void add_options(std::string_view words, std::vector<std::string>& options);
// mountinfo and /proc/swaps write a space as \040.
std::string unescape_octal(std::string_view text);

Path device_folder(std::uint32_t major, std::uint32_t minor);             // /sys/dev/block/8:1
std::string block_device_name(std::uint32_t major, std::uint32_t minor);  // "sda1"; empty when unknown
// "rotational", "solid state"; "unknown" also for the disks of virtual machines, which only claim to be one.
std::string medium_of(std::uint32_t major, std::uint32_t minor);
std::vector<std::string> notes_on_device(std::uint32_t major, std::uint32_t minor);
std::optional<Path> loop_backing_file(std::uint32_t major, std::uint32_t minor);
// dm-crypt at any depth of device-mapper.
// What a file lies on: its disk's folder in /sys, or the device's numbers where there is none. Empty when unknown.
std::string disk_of(const Path& path, int depth = 0);
bool is_encrypted_device(const Path& device_folder, int depth = 0);

}  // namespace callvault::os
