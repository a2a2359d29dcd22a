// Golden tables: "input => expected" lines, '#' starts a comment.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/civil_time.h"

struct GoldenLine {
  std::string text;
  std::vector<std::string> input, expected;  // words

  // The value of "key=value" among the input.
  std::string operator[](const std::string& key) const {
    for (const std::string& word : input)
      if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
    FAIL("no " << key << " in: " << text);
    return {};
  }
};

// Fails the test when the table has fewer than `at_least` lines: an empty table would prove nothing.
inline std::vector<GoldenLine> read_golden(const std::string& name, std::size_t at_least) {
  std::ifstream file(std::string(CALLVAULT_TESTS) + "/retention/golden/" + name);
  REQUIRE_MESSAGE(file.is_open(), name);
  std::vector<GoldenLine> lines;
  for (std::string text; std::getline(file, text);) {
    if (text.empty() || text.front() == '#') continue;
    GoldenLine line{text, {}, {}};
    std::istringstream words(text);
    std::vector<std::string>* part = &line.input;
    for (std::string word; words >> word;) {
      if (word == "=>") {
        part = &line.expected;
      } else {
        part->push_back(word);
      }
    }
    REQUIRE_MESSAGE(!line.expected.empty(), text);
    lines.push_back(std::move(line));
  }
  REQUIRE(lines.size() >= at_least);
  return lines;
}

inline callvault::Time utc(const std::string& text) {
  const auto time = callvault::base::parse_utc(text);
  REQUIRE_MESSAGE(time, text);
  return *time;
}
