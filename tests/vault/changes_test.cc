// What changes a recording's fate, and what those changes leave behind for someone who reads the files later.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "adversary/rig.h"
#include "catalog/blind.h"
#include "keys/file_keeper.h"

using namespace callvault;
using adversary::Call;
using adversary::must;
using adversary::Rig;

namespace {

namespace fs = std::filesystem;

const std::string kAna = "+40722000001", kBob = "+40722000002";

// Every token that ever stood in the catalogue, and whose it was.
class TokenHistory {
 public:
  // The recordings whose tokens passed to another one since.
  std::vector<RecordingId> note(const Rig& rig, const std::string& caller) {
    std::vector<RecordingId> out;
    auto keeper = must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper");
    const auto parts = rig.parts(std::move(keeper));
    const auto state =
        must(keys::KeyState::load(parts.layout, *parts.keeper, keys::KeyState::Access::look), "key state");
    for (const auto& [number, bucket] : state.directory().buckets) {
      for (std::uint32_t k = 0;; ++k) {
        const auto token = catalog::blind(bucket.index_key, catalog::Field::caller, caller, k);
        const auto id = must(parts.catalog->lookup(number, token), "lookup");
        if (!id) break;
        const auto [it, fresh] = owners_.emplace(token, *id);
        if (!fresh && it->second != *id) out.push_back(*id);
      }
    }
    return out;
  }
  std::size_t size() const { return owners_.size(); }

 private:
  std::map<catalog::Token, RecordingId> owners_;
};

RecordingId called(Rig& rig, const std::string& number) {
  const fs::path input = rig.folder().parent_path() / "outgoing.raw";
  std::ofstream(input, std::ios::binary) << std::string(16'000, '\x11');
  IngestOptions options;
  options.vault = rig.folder();
  options.file = input;
  options.audio = {InputFormat::s16le, 8000, std::nullopt};
  options.direction = Direction::out;
  options.caller = kBob;
  options.called = number;
  options.consent = Consent::granted;
  options.started_at = rig.clock().now();
  options.clock = &rig.clock();
  return must(ingest(options), "ingest").id;
}

EraseOptions erase_of(const std::string& number) {
  EraseOptions out;
  out.caller = number;
  out.request = "R-17";
  out.reason = "asked by letter";
  return out;
}

std::vector<JournalLine> journal_of(Rig& rig) {
  std::vector<JournalLine> out;
  must(rig.vault().journal_log(rig.officer(),
                               [&](const JournalLine& line) {
                                 out.push_back(line);
                                 return true;
                               }),
       "journal");
  return out;
}

bool speaks_of(const JournalLine& line, const std::string& text) {
  return std::any_of(line.facts.begin(), line.facts.end(), [&](const auto& f) { return f.second == text; });
}

}  // namespace

TEST_CASE("a search token never passes from one recording to another") {
  Rig rig;
  TokenHistory history;
  const Call call{.caller = kAna, .agent = "ana", .call_id = ""};
  std::vector<RecordingId> ids;
  // One at a time: they are counted as they come, which is not the order of their ids.
  for (int i = 0; i < 6; ++i) {
    ids.push_back(rig.record(call));
    rig.settle();
    CHECK(history.note(rig, kAna).empty());
  }
  CHECK(history.size() == 6);

  must(rig.vault().set_consent(rig.officer(), {ids[2], Party::caller, Consent::granted, "letter"}), "consent");
  CHECK(history.note(rig, kAna).empty());
  CHECK(history.size() == 12);  // a bucket that is rebuilt has a fresh key
  must(rig.vault().hold(rig.officer(), {ids[3], "matter", std::nullopt}), "hold");
  CHECK(history.note(rig, kAna).empty());
  CHECK(history.size() == 12);  // nothing to rebuild
  rig.erase({ids[0]});
  CHECK(history.note(rig, kAna).empty());
  for (int i = 0; i < 3; ++i) {
    ids.push_back(rig.record(call));
    rig.settle();
    CHECK(history.note(rig, kAna).empty());
  }

  const auto before_reindex = history.size();
  must(rig.vault().reindex(), "reindex");
  CHECK(history.note(rig, kAna).empty());
  CHECK(history.size() == before_reindex + 8);
  ids.push_back(rig.record(call));
  rig.settle();
  CHECK(history.note(rig, kAna).empty());
  fs::remove_all(rig.folder() / "catalog");
  rig.reopen();
  rig.settle();
  CHECK(history.note(rig, kAna).empty());

  // The same call id twice: the first one's row is rewritten.
  Call twice = call;
  twice.call_id = "pbx-1";
  rig.record(twice);
  rig.settle();
  CHECK(history.note(rig, kAna).empty());
  rig.clock().now_ -= std::chrono::seconds(1);  // a repeat has the same start
  rig.record(twice);
  rig.settle();
  CHECK(history.note(rig, kAna).empty());
  rig.erase({ids[1]});
  CHECK(history.note(rig, kAna).empty());
}

TEST_CASE("everything of one number: calls from it and calls to it") {
  Rig rig;
  const auto from = rig.record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  const auto to = called(rig, kAna);
  const auto other = called(rig, "+40733000001");
  rig.settle();
  const auto report = must(rig.vault().erase(rig.officer(), erase_of(kAna)), "erase");
  std::set<RecordingId> erased;
  for (const auto& item : report.items)
    if (item.done) erased.insert(item.id);
  CHECK(erased == std::set<RecordingId>{from, to});
  CHECK(must(rig.vault().show(rig.officer(), other), "show").id == other);
}

TEST_CASE("the journal does not tie what is erased to what is kept by the same request") {
  Rig rig;
  const auto gone = rig.record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  const auto held = rig.record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  rig.settle();
  must(rig.vault().hold(rig.officer(), {held, "matter", std::nullopt}), "hold");
  const std::size_t before = journal_of(rig).size();
  must(rig.vault().erase(rig.officer(), erase_of(kAna)), "erase");
  std::size_t refused = 0, accepted = 0;
  for (const auto& line : journal_of(rig)) {
    if (line.index < before) continue;
    CHECK_FALSE(speaks_of(line, "R-17"));
    CHECK_FALSE(speaks_of(line, held.text()));
    if (line.event == "erasure_accepted") {
      ++accepted;
      CHECK(speaks_of(line, gone.text()));
      CHECK(line.note == "(gone)");
    }
    if (line.event == "erasure_deferred") {
      ++refused;
      CHECK(speaks_of(line, "held"));
      CHECK(line.note.empty());
    }
  }
  CHECK(accepted == 1);
  CHECK(refused == 1);

  // On its own it ties nothing, and says what was asked.
  EraseOptions alone;
  alone.ids = {held};
  alone.request = "R-18";
  alone.reason = "asked again";
  must(rig.vault().erase(rig.officer(), alone), "erase");
  const auto lines = journal_of(rig);
  const auto line =
      std::find_if(lines.rbegin(), lines.rend(), [](const auto& l) { return l.event == "erasure_deferred"; });
  REQUIRE(line != lines.rend());
  CHECK(speaks_of(*line, held.text()));
  CHECK_FALSE(speaks_of(*line, "R-18"));
  CHECK(line->note == "request R-18: asked again");
}

TEST_CASE("one party's consent does not restart the time in which the other's is awaited") {
  Rig rig;
  const auto id = rig.record(Call{.caller = kAna, .agent = "ana", .call_id = "", .consent = Consent::pending});
  rig.settle();
  const auto due = must(rig.vault().status(), "status").next_expiry;
  REQUIRE(due);
  rig.clock().now_ += std::chrono::hours(1);
  must(rig.vault().set_consent(rig.officer(), {id, Party::agent, Consent::granted, "contract"}), "consent");
  CHECK(must(rig.vault().status(), "status").next_expiry == due);
  must(rig.vault().set_consent(rig.officer(), {id, Party::caller, Consent::granted, "letter"}), "consent");
  CHECK(must(rig.vault().status(), "status").next_expiry > due);
}

TEST_CASE("reindex tells which recordings it found no details of") {
  Rig rig;
  const auto good = rig.record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  const auto bad = rig.record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  rig.settle();
  fs::path file;
  for (const auto& entry : fs::recursive_directory_iterator(rig.folder() / "recordings"))
    if (entry.path().filename().string().starts_with(bad.text())) file = entry.path();
  REQUIRE_FALSE(file.empty());
  const fs::path aside = rig.folder().parent_path() / "aside";
  fs::rename(file, aside);
  for (int i = 0; i < 2; ++i) {
    const auto report = must(rig.vault().reindex(), "reindex");
    CHECK(report.recordings == 2);
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems[0].find(bad.text()) != std::string::npos);
    CHECK(report.problems[0].find(good.text()) == std::string::npos);
  }
  fs::rename(aside, file);
  CHECK(must(rig.vault().reindex(), "reindex").problems.empty());
  CHECK(must(rig.vault().show(rig.officer(), bad), "show").caller == kAna);
}
