// Files of named vectors: tests/vectors/hostile/README. An input is put together from lines, so that a vector shows
// what is hostile about it and not only its bytes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace callvault::hostile {

struct Vector {
  std::string file, parser, name;
  std::string expect;  // "ok", or an error's word
  std::string gives;   // of an accepted one, when the file says so: what it was read as
  base::Bytes input;
  std::string bad;  // why the vector itself makes no sense; empty when it does
};

// `root`: the checkout; a base's path begins there.
std::vector<Vector> read_vectors(const std::filesystem::path& file, const std::filesystem::path& root);

}  // namespace callvault::hostile
