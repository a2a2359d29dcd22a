// The peer of find and purge: the same columns in SQLite, unsealed, with the indexes that the searches want.
//   sqlite_rows FILE make ROWS DAYS                       rows as bench/layers/generate_vault spreads them
//   sqlite_rows FILE ROUNDS caller NUMBER -1 | page LIMIT -1 | consent WORD LIMIT   [unlogged]
//   sqlite_rows FILE delete FROM-DAY DAYS                 secure_delete, then VACUUM
// A round opens nothing: one prepared statement, and an entry in a log table (synchronous=FULL), since callvault
// journals every search; `unlogged`: without. Prints {"rows", "median_us", "cpu_us"}.
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr const char* kMonthlyCaller = "+40722000001";
constexpr int kMonth = 30;

struct Closer {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

[[noreturn]] void give_up(sqlite3* db) {
  std::fprintf(stderr, "sqlite_rows: %s\n", sqlite3_errmsg(db));
  std::exit(1);
}

void execute(sqlite3* db, const char* text) {
  if (sqlite3_exec(db, text, nullptr, nullptr, nullptr) != SQLITE_OK) give_up(db);
}

Statement prepare(sqlite3* db, const char* text) {
  sqlite3_stmt* out = nullptr;
  if (sqlite3_prepare_v2(db, text, -1, &out, nullptr) != SQLITE_OK) give_up(db);
  return Statement(out);
}

void bind(sqlite3_stmt* statement, int at, const std::string& text) {
  sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void make(sqlite3* db, std::int64_t rows, std::int64_t days) {
  execute(
      db,
      "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
      "CREATE TABLE recording(id BLOB PRIMARY KEY, started INTEGER, ended INTEGER, expires INTEGER, day INTEGER,"
      " caller TEXT, called TEXT, agent TEXT, call_id TEXT, direction INTEGER, class TEXT, consent TEXT, notice TEXT,"
      " bytes INTEGER) WITHOUT ROWID;"
      "CREATE TABLE log(at INTEGER, what TEXT); BEGIN");
  const auto insert = prepare(db, "INSERT INTO recording VALUES(?,?,?,?,?,?,?,?,?,0,'default',?,'2026-01',?)");
  std::mt19937_64 random(7);
  std::int64_t last_day = -1;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t day = i * days / rows;
    const std::int64_t started =
        day * kDayMs + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(kDayMs));
    const std::uint64_t id[2] = {random(), random()};
    const bool monthly = day != last_day && (days - 1 - day) % kMonth == 0;
    last_day = day;
    const auto caller = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows / 5 + 1));
    const std::string number = std::to_string(10'000'000 + caller).substr(1);
    sqlite3_bind_blob(insert.get(), 1, id, sizeof id, SQLITE_TRANSIENT);
    sqlite3_bind_int64(insert.get(), 2, started);
    sqlite3_bind_int64(insert.get(), 3, started + 200'000);
    sqlite3_bind_int64(insert.get(), 4, started + 180 * kDayMs);
    sqlite3_bind_int64(insert.get(), 5, day);
    bind(insert.get(), 6, monthly ? kMonthlyCaller : "+4073" + number);
    bind(insert.get(), 7, "+4080011" + std::to_string(1000 + random() % 20));
    bind(insert.get(), 8, "agent-" + std::to_string(100 + random() % 200));
    bind(insert.get(), 9, "pbx-" + std::to_string(random()));
    bind(insert.get(), 10, "implied");
    sqlite3_bind_int64(insert.get(), 11, 200 * 2080);
    if (sqlite3_step(insert.get()) != SQLITE_DONE) give_up(db);
    sqlite3_reset(insert.get());
  }
  execute(db,
          "COMMIT; CREATE INDEX by_caller ON recording(caller, started); CREATE INDEX by_called ON recording(called, "
          "started);"
          "CREATE INDEX by_agent ON recording(agent, started); CREATE INDEX by_call_id ON recording(call_id);"
          "CREATE INDEX by_start ON recording(started); CREATE INDEX by_consent ON recording(consent, started);"
          "PRAGMA journal_mode=WAL;");
}

void search(sqlite3* db, int rounds, int argc, char** argv) {
  const std::string_view kind = argv[3];
  const bool by_caller = kind == "caller";
  const auto statement = prepare(
      db, by_caller        ? "SELECT * FROM recording WHERE caller=?1 ORDER BY started DESC"
          : kind == "page" ? "SELECT * FROM recording WHERE started>=?2 AND started<?3 ORDER BY started DESC LIMIT ?1"
                           : "SELECT * FROM recording WHERE consent=?2 ORDER BY started DESC LIMIT ?1");
  if (by_caller) {
    bind(statement.get(), 1, argv[4]);
  } else if (kind == "page") {
    const auto newest = prepare(db, "SELECT max(day) FROM recording");
    if (sqlite3_step(newest.get()) != SQLITE_ROW) give_up(db);
    const std::int64_t day = sqlite3_column_int64(newest.get(), 0);
    sqlite3_bind_int64(statement.get(), 1, std::atoll(argv[4]));
    sqlite3_bind_int64(statement.get(), 2, day * kDayMs);
    sqlite3_bind_int64(statement.get(), 3, (day + 1) * kDayMs);
  } else {
    bind(statement.get(), 2, argv[4]);
    sqlite3_bind_int64(statement.get(), 1, argc > 5 ? std::atoll(argv[5]) : -1);
  }
  execute(db, "PRAGMA synchronous=FULL");
  const bool logged = argc < 7 || std::string_view(argv[6]) != "unlogged";
  const auto log = prepare(db, "INSERT INTO log VALUES(unixepoch(), 'listed')");
  std::vector<double> wall;
  std::size_t rows = 0;
  long long bytes = 0;
  const std::clock_t cpu = std::clock();
  for (int i = 0; i < rounds; ++i) {
    const auto start = SteadyClock::now();
    rows = 0;
    if (logged) {
      if (sqlite3_step(log.get()) != SQLITE_DONE) give_up(db);
      sqlite3_reset(log.get());
    }
    while (sqlite3_step(statement.get()) == SQLITE_ROW) {
      for (int c = 0; c < sqlite3_column_count(statement.get()); ++c) bytes += sqlite3_column_bytes(statement.get(), c);
      ++rows;
    }
    sqlite3_reset(statement.get());
    wall.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count());
  }
  const double cpu_us = static_cast<double>(std::clock() - cpu) * 1e6 / CLOCKS_PER_SEC / rounds;
  std::nth_element(wall.begin(), wall.begin() + rounds / 2, wall.end());
  std::printf("{\"rows\":%zu,\"median_us\":%.1f,\"cpu_us\":%.1f,\"bytes\":%lld}\n", rows,
              wall[static_cast<std::size_t>(rounds / 2)], cpu_us, bytes);
}

void forget(sqlite3* db, std::int64_t from, std::int64_t days) {
  const auto start = SteadyClock::now();
  execute(db, "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON");
  const auto statement = prepare(db, "DELETE FROM recording WHERE day>=?1 AND day<?2");
  sqlite3_bind_int64(statement.get(), 1, from);
  sqlite3_bind_int64(statement.get(), 2, from + days);
  if (sqlite3_step(statement.get()) != SQLITE_DONE) give_up(db);
  const int gone = sqlite3_changes(db);
  execute(db, "PRAGMA wal_checkpoint(TRUNCATE)");
  const double deleted = std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
  execute(db, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  const double whole = std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
  std::printf("{\"rows\":%d,\"deleted_ms\":%.1f,\"whole_ms\":%.1f}\n", gone, deleted, whole);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: sqlite_rows FILE make ROWS DAYS | delete FROM DAYS | ROUNDS caller|page|consent ...\n", stderr);
    return 2;
  }
  sqlite3* opened = nullptr;
  if (sqlite3_open(argv[1], &opened) != SQLITE_OK) return 1;
  const std::unique_ptr<sqlite3, Closer> db(opened);
  const std::string_view verb = argv[2];
  if (verb == "make")
    make(db.get(), std::atoll(argv[3]), std::atoll(argv[4]));
  else if (verb == "delete")
    forget(db.get(), std::atoll(argv[3]), std::atoll(argv[4]));
  else
    search(db.get(), std::max(1, std::atoi(argv[2])), argc, argv);
  return 0;
}
