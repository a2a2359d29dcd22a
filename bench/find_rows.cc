// What finding costs in a process that has unlocked already, through the public door.
//   find_rows VAULT PASSPHRASE-FILE PERSON ROUNDS caller NUMBER
//   find_rows VAULT PASSPHRASE-FILE PERSON ROUNDS page FROM TO LIMIT        dates
//   find_rows VAULT PASSPHRASE-FILE PERSON ROUNDS consent WORD LIMIT
// Prints {"rows": of each round, "median_us": wall, "cpu_us": mean of all rounds}.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/vault.h"

namespace {

using namespace callvault;
using SteadyClock = std::chrono::steady_clock;

Result<Passphrase> read_passphrase(const char* path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return Passphrase::take(text);
}

Result<Query> make_query(const Vault& vault, int argc, char** argv) {
  Query query;
  const std::string_view kind = argv[5];
  if (kind == "caller" && argc == 7) {
    query.caller = argv[6];
  } else if (kind == "page" && argc == 9) {
    CALLVAULT_TRY_ASSIGN(query.from, vault.parse_time(argv[6]));
    CALLVAULT_TRY_ASSIGN(query.to, vault.parse_time(argv[7]));
    query.limit = std::strtoul(argv[8], nullptr, 10);
  } else if (kind == "consent" && argc == 8) {
    query.consent = std::string_view(argv[6]) == "granted" ? Consent::granted : Consent::implied;
    query.limit = std::strtoul(argv[7], nullptr, 10);
  } else {
    return fail(Errc::usage, "find_rows: caller NUMBER, page FROM TO LIMIT, or consent WORD LIMIT");
  }
  return query;
}

Result<void> run(int argc, char** argv) {
  CALLVAULT_TRY_ASSIGN(const auto passphrase, read_passphrase(argv[2]));
  OpenOptions options;
  options.dir = argv[1];
  CALLVAULT_TRY_ASSIGN(auto vault, Vault::open(options));
  CALLVAULT_TRY_ASSIGN(const auto person, vault.unlock(argv[3], passphrase));
  CALLVAULT_TRY_ASSIGN(const auto query, make_query(vault, argc, argv));
  std::vector<double> wall;
  std::size_t rows = 0;
  const auto rounds = std::max(1, std::atoi(argv[4]));
  const std::clock_t cpu = std::clock();
  for (int i = 0; i < rounds; ++i) {
    rows = 0;
    const auto start = SteadyClock::now();
    CALLVAULT_TRY(vault.find(person, query, [&](const CallRecord&) { return ++rows, true; }));
    wall.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count());
  }
  const double cpu_us = static_cast<double>(std::clock() - cpu) * 1e6 / CLOCKS_PER_SEC / rounds;
  std::nth_element(wall.begin(), wall.begin() + rounds / 2, wall.end());
  std::printf("{\"rows\":%zu,\"median_us\":%.1f,\"cpu_us\":%.1f}\n", rows, wall[static_cast<std::size_t>(rounds / 2)],
              cpu_us);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    std::fputs("usage: find_rows VAULT PASSPHRASE-FILE PERSON ROUNDS caller|page|consent ...\n", stderr);
    return 2;
  }
  const auto done = run(argc, argv);
  if (!done) std::fprintf(stderr, "find_rows: %s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
