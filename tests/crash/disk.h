// A recorded run (recording.py), and what a disk may show of it after a power cut.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace callvault::crash {

using Content = std::shared_ptr<const base::Bytes>;
using Names = std::map<std::string, int>;

struct Event {
  enum class Kind : std::uint8_t { name, move, remove, write, cut, grow, sync, fact } kind = Kind::fact;
  int node = 0, other = 0;     // a folder for names; the file else
  std::string name, new_name;  // of `move`: in `other`
  int child = 0;               // of `name`
  std::uint64_t offset = 0;    // of `write`; the size of `cut` and `grow`
  base::ByteView data;         // of `write`
  bool durable = false;        // O_DSYNC
  bool resizes = false;        // changes what the file system's journal must know
  std::vector<std::string> fact;

  bool is_name() const { return kind == Kind::name || kind == Kind::move || kind == Kind::remove; }
  bool is_data() const { return kind == Kind::write || kind == Kind::cut || kind == Kind::grow; }
};

struct Recording {
  static Recording load(const std::filesystem::path& path);

  std::vector<Event> events;
  std::map<int, Names> folders;  // what there was before; node 0 is the root
  std::map<int, Content> contents;
  std::map<int, bool> is_folder;
  std::vector<std::vector<std::string>> facts_before;
  Content blob;  // keeps the events' data alive
};

// How much of one event a disk shows.
struct Part {
  std::size_t event = 0;
  std::uint64_t from = 0, to = UINT64_MAX;  // of a write: these bytes of it
  bool zeros = false;                       // the file is as long as with all of it
};
using Selection = std::vector<Part>;

// Path to content; null for a folder. In order of the paths.
using Tree = std::map<std::string, Content>;
Tree build(const Recording& recording, const Selection& selection);
void write_tree(const Tree& tree, const std::filesystem::path& folder);
crypto::Digest fingerprint(const Tree& tree);

// ordered: what was written before is there, whatever was synced; the last write may be torn.
// ext4: names and sizes keep their order, and any sync brings all earlier ones; of data that was not synced anything
//   may be missing.
// worst: what POSIX allows: of everything that was not synced itself anything may be missing, sector by sector.
enum class Profile : std::uint8_t { ordered, ext4, worst };
inline constexpr const char* kProfileNames[] = {"in order", "ext4", "worst"};

// What the disk may show when the power goes before event number `cut`. `effort` is the number of samples of each kind.
std::vector<Selection> selections(const Recording& recording, std::size_t cut, Profile profile, unsigned effort,
                                  std::mt19937& random);
// Everything that happened before `cut`.
Selection everything(const Recording& recording, std::size_t cut);
// Whether the cut before this event adds anything to the next one's.
bool is_cut(const Recording& recording, std::size_t cut);

}  // namespace callvault::crash
