// The review key, split among several people: for the day when nobody who holds it is there any more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "callvault/passphrase.h"
#include "callvault/result.h"

namespace callvault {

class Person;
class Vault;

struct ReviewSplit {
  unsigned of = 0, need = 0;
  std::vector<std::filesystem::path> files;
};
// Writes shares of all review keys there are as texts, each a file of its own in a new folder, for `of` people of whom
// `need` must come together. A review key that is drawn later wants a split of its own. Fewer learn nothing; and all of
// them open no recording without the keeper side. Journalled. Errors: usage (numbers; the folder is not empty), refused
// (an officer who holds the key), io.
Result<ReviewSplit> review_split(Vault& vault, const Person& officer, unsigned of, unsigned need,
                                 const std::filesystem::path& folder);

// Joins shares and makes, with the keys, a new person who is officer and reviewer. The shares are the authority:
// nobody's passphrase is asked but the new one's. Journalled. Errors: usage (too few, or one twice; the name), corrupt
// (a share is damaged, or they do not belong together), refused (of another vault, or of a key that is not in use any
// more).
Result<void> review_join(Vault& vault, const std::vector<std::filesystem::path>& shares, const std::string& name,
                         const Passphrase& passphrase);

}  // namespace callvault
