// What must hold of a vault whose power went: the promises of docs/RELIABILITY.md, asked of one state of its disk.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "disk.h"

namespace callvault::crash {

// What had been promised or begun by the time of the cut.
struct Promises {
  static Promises at(const Recording& recording, std::size_t cut);

  bool vault_made = false;                    // `init` has said so
  std::set<std::string> made;                 // finished recordings
  std::map<std::string, std::uint64_t> live;  // started ones, and the bytes that were read of them
  std::set<std::string> dying, dead;          // a shred of them has begun, is done
  std::set<std::string> expiring;             // by `life_at`
  // "hold ID", "optout NUMBER" ...: what the last command that touches it has said, or nothing while one is at it.
  std::set<std::string> kept;
  std::size_t journal_at = 0;                           // the last event at which the journal was of use to a promise
  std::chrono::milliseconds verdict_at{0}, life_at{0};  // since the epoch: nothing has expired; what may, has
  std::string passphrase, sound;                        // files
  std::size_t count = 0;  // of facts: states with the same disk and more of them are others
  std::vector<std::pair<std::size_t, std::set<std::string>>> shreds;  // which are done, and the event before them
};

// The sound of a finished recording, as its digest; nothing when it cannot be heard.
using Sounds = std::map<std::string, std::string>;
// Opens the vault in `folder`, and hears what was finished last. REQUIRES: a process of its own.
std::string hear(const std::filesystem::path& folder, const Promises& promises, const std::string& id);

// What is wrong, or nothing. `journal` is what the journal's file must begin with. Changes the vault. REQUIRES: a
// process of its own.
std::optional<std::string> judge(const std::filesystem::path& folder, const Promises& promises, const Sounds& sounds,
                                 base::ByteView journal, unsigned variant);

// Whether a copy of the vault from before a shred opens any of `ids` with a later keeper.
std::optional<std::string> attack(const std::filesystem::path& folder, const Promises& promises,
                                  const std::set<std::string>& ids);

}  // namespace callvault::crash
