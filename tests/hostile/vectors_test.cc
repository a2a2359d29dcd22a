// Hostile inputs, each with a name and the answer it must get: tests/vectors/hostile. None may take more than a second
// of processor time, and all together no more than 64 MiB of memory. HOSTILE_SHOW=1 prints every answer.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "crypto/random.h"
#include "hostile/parsers.h"
#include "hostile/vector_file.h"

using namespace callvault;
namespace fs = std::filesystem;

namespace {

constexpr double kMostSeconds = 1;
constexpr long kMostKib = 64 * 1024;
constexpr std::size_t kLeastVectors = 1000;  // with those of tests/system/hostile.py

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

hostile::Parsers all_parsers() {
  hostile::Parsers out;
  hostile::add_text_parsers(out);
  hostile::add_audio_parsers(out);
  hostile::add_recording_parsers(out);
  hostile::add_key_parsers(out);
  hostile::add_office_parsers(out);
  hostile::add_journal_parsers(out);
  return out;
}

std::vector<hostile::Vector> all_vectors() {
  const fs::path root = CALLVAULT_SOURCES;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(root / "tests/vectors/hostile"))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<hostile::Vector> out;
  for (const auto& file : files) {
    auto some = hostile::read_vectors(file, root);
    out.insert(out.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return out;
}

}  // namespace

TEST_CASE("every hostile vector gets the answer it names") {
  REQUIRE(crypto::ready());
  const auto parsers = all_parsers();
  const bool show = std::getenv("HOSTILE_SHOW") != nullptr;
  std::set<std::string> names;
  std::size_t judged = 0;
  double slowest = 0;
  long most_growth = 0;
  std::string slowest_name, hungriest;
  for (const auto& v : all_vectors()) {
    const std::string name = v.file + ": " + v.parser + ": " + v.name;
    CAPTURE(name);
    CHECK_MESSAGE(v.bad.empty(), v.bad);
    CHECK_MESSAGE(names.insert(name).second, "the name stands twice");
    const auto parser = parsers.find(v.parser);
    REQUIRE_MESSAGE(parser != parsers.end(), "no parser of this name");
    const long before = peak_kib();
    const double began = processor_seconds();
    const auto answer = parser->second(v.input);
    const double took = processor_seconds() - began;
    if (show)
      std::printf("%s -> %s [%s] %s\n", name.c_str(), answer.word.c_str(), answer.gives.c_str(),
                  answer.message.c_str());
    CHECK_MESSAGE(answer.word == v.expect,
                  "expected " << v.expect << ", got " << answer.word << " [" << answer.gives << "] " << answer.message);
    if (!v.gives.empty()) CHECK(answer.gives == v.gives);
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(took < kMostSeconds);
#endif
    if (peak_kib() - before > most_growth) {
      most_growth = peak_kib() - before;
      hungriest = name;
    }
    if (took > slowest) {
      slowest = took;
      slowest_name = name;
    }
    ++judged;
  }
  CHECK(judged >= kLeastVectors);
  std::printf("%zu hostile vectors; slowest %.3f s (%s); peak memory %.1f MiB, most of it by %s\n", judged, slowest,
              slowest_name.c_str(), static_cast<double>(peak_kib()) / 1024, hungriest.c_str());
#if !defined(__SANITIZE_ADDRESS__)
  CHECK(peak_kib() < kMostKib);
#endif
}
