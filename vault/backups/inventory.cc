#include "backups/inventory.h"

#include <algorithm>
#include <tuple>

#include "keys/register_file.h"

namespace callvault::backups {

std::strong_ordering SealedFile::operator<=>(const SealedFile& other) const {
  return std::tie(id, track, segment) <=> std::tie(other.id, other.track, other.segment);
}

const SealedFile* Inventory::find(const SealedFile& file) const {
  const auto it = std::lower_bound(files.begin(), files.end(), file);
  return it != files.end() && *it == file ? &*it : nullptr;
}

Inventory take_inventory(const keys::KeyState& state) {
  Inventory out;
  for (const auto& entry : state.directory().buckets) {
    const auto& number = entry.first;
    const auto& bucket = entry.second;
    const auto read = [&]() -> Result<void> {
      CALLVAULT_TRY_ASSIGN(const auto node, state.open_node(number));
      for (std::size_t i = 0; i < node.size(); ++i) {
        CALLVAULT_TRY_ASSIGN(const auto row, node.row(i));
        for (const auto& track : row.tracks)
          out.files.push_back({row.id, track.name, track.segment, bucket.day, number, row.in_progress, false});
      }
      return {};
    }();
    if (!read) out.problems.push_back(read.error().message);
  }
  std::sort(out.files.begin(), out.files.end());
  return out;
}

std::vector<KeyFile> key_files_of(const keys::Directory& directory) {
  std::vector<KeyFile> out;
  for (const auto& [number, bucket] : directory.buckets)
    if (bucket.generation > 0)
      out.push_back({"buckets/" + std::to_string(number) + "." + std::to_string(bucket.generation), bucket.node_hash,
                     keys::kMaxNodeBytes, bucket.recordings});
  for (const auto& [name, known] : directory.registers)
    if (known.generation > 0)
      out.push_back(
          {"registers/" + name + "." + std::to_string(known.generation), known.hash, keys::kMaxRegisterBytes, 0});
  return out;
}

Result<base::Bytes> read_key_file(const base::Layout& layout, const KeyFile& file) {
  CALLVAULT_TRY_ASSIGN(auto bytes, os::read_file(layout.keys() / file.name, file.max_bytes));
  if (crypto::blake2b(bytes) != file.hash) return fail(Errc::corrupt, "keys/" + file.name + " is damaged");
  return bytes;
}

}  // namespace callvault::backups
