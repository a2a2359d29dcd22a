// What becomes of a call between the recorder and the reviewer, through the public door.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include "adversary/rig.h"
#include "keys/recorder_view.h"
#include "sealed/writer.h"

using namespace callvault;
using adversary::Call;
using adversary::must;
using adversary::Rig;

namespace {

namespace fs = std::filesystem;

// No file may grow beyond `bytes` while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    struct rlimit now = before_;
    now.rlim_cur = bytes;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_ {};
  void (*handler_)(int);
};

// While this lives, the disk does not take the one file.
class FailingSync {
 public:
  explicit FailingSync(const fs::path& path) {
    struct stat of {};
    REQUIRE(::stat(path.c_str(), &of) == 0);
    inode = of.st_ino;
  }
  FailingSync(const FailingSync&) = delete;
  FailingSync& operator=(const FailingSync&) = delete;
  ~FailingSync() { inode = 0; }

  static inline std::atomic<ino_t> inode{0};
};

// s16le at 8 kHz, one file a test.
class Input {
 public:
  Input(const Rig& rig, unsigned seconds, double pitch) : path_(rig.folder().parent_path() / "said.raw") {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    for (unsigned i = 0; i < seconds * 8000; ++i) {
      const double wave = std::sin(6.2832 * pitch * i / 8000.0) * (0.6 + 0.4 * std::sin(i / 900.0));
      const auto sample = static_cast<std::int16_t>(wave * 9000);
      out.write(reinterpret_cast<const char*>(&sample), sizeof sample);
    }
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The same as a recorder gives it: live.
class Pipe {
 public:
  explicit Pipe(const Input& input) {
    REQUIRE(::pipe(ends_.data()) == 0);
    writer_ = std::thread([to = ends_[1], path = input.path()] {
      std::ifstream in(path, std::ios::binary);
      std::array<char, 4096> part{};
      while (in.read(part.data(), part.size()) || in.gcount() > 0)
        if (::write(to, part.data(), static_cast<std::size_t>(in.gcount())) < 0) break;
      ::close(to);
    });
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    writer_.join();
    ::close(ends_[0]);
  }
  int fd() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
  std::thread writer_;
};

IngestOptions call_of(Rig& rig, const Input& input) {
  IngestOptions out;
  out.vault = rig.folder();
  out.file = input.path();
  out.audio = {InputFormat::s16le, 8000, std::nullopt};
  out.encoder.complexity = 0;
  out.caller = "+40722000001";
  out.consent = Consent::granted;
  out.started_at = rig.clock().now();
  out.clock = &rig.clock();
  return out;
}

std::vector<CallRecord> all_of(Rig& rig) {
  std::vector<CallRecord> out;
  must(rig.vault().find(rig.officer(), {},
                        [&](const CallRecord& record) {
                          out.push_back(record);
                          return true;
                        }),
       "find");
  return out;
}

class Counter final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    size_ += bytes.size();
    return {};
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

fs::path stored_file(const Rig& rig, const std::string& name) {
  for (const auto& entry : fs::recursive_directory_iterator(rig.folder() / "recordings"))
    if (entry.path().filename() == name) return entry.path();
  return {};
}

PlayOptions hear(const RecordingId& id) {
  PlayOptions out;
  out.id = id;
  out.purpose = Purpose::service_quality;
  return out;
}

}  // namespace

// In place of the C library's.
extern "C" int fdatasync(int fd) {
  struct stat of {};
  if (FailingSync::inode != 0 && ::fstat(fd, &of) == 0 && of.st_ino == FailingSync::inode) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

TEST_CASE("a call that went on in new segments is whole, not interrupted") {
  Rig rig;
  const Input input(rig, 40, 300);
  RecordingId id;
  {
    const FileSizeLimit limit(20'000);
    auto options = call_of(rig, input);
    const Pipe pipe(input);
    options.file.reset();
    options.input_fd = pipe.fd();
    const auto summary = must(ingest(options), "ingest");
    CHECK(summary.tracks.size() >= 3);
    id = summary.id;
  }
  const auto found = all_of(rig);
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == id);
  CHECK_FALSE(found[0].flags.interrupted);
  CHECK_FALSE(found[0].flags.truncated);
  CHECK(found[0].duration_s.value_or(0) == doctest::Approx(40.0).epsilon(0.01));
  Counter wav;
  must(rig.vault().play(rig.officer(), hear(id), wav), "play");
  CHECK(static_cast<double>(wav.size()) == doctest::Approx(40 * 16'000).epsilon(0.01));

  must(rig.vault().reindex(), "reindex");
  const auto again = all_of(rig);
  REQUIRE(again.size() == 1);
  CHECK(again[0].duration_s == found[0].duration_s);
  CHECK(again[0].ended_at == found[0].ended_at);
  CHECK(again[0].flags == found[0].flags);

  // One that is lost costs what it held and what follows it, not what stands before it.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(rig.folder() / "recordings"))
    if (entry.path().filename() == id.text() + ".mixed.1") std::filesystem::remove(entry.path());
  Counter rest;
  const auto summary = must(rig.vault().play(rig.officer(), hear(id), rest), "play the rest");
  CHECK(summary.incomplete);
  CHECK(rest.size() > 16'000);
  CHECK(rest.size() < wav.size() / 2);

  std::filesystem::remove(stored_file(rig, id.text() + ".mixed.0"));
  std::filesystem::remove(stored_file(rig, id.text() + ".mixed"));
  Counter nothing;
  const auto headless = rig.vault().play(rig.officer(), hear(id), nothing);
  REQUIRE_FALSE(headless);
  CHECK(headless.error().code == Errc::corrupt);
  CAPTURE(headless.error().message);
  CHECK(headless.error().message.find("beginning of the track is missing") != std::string::npos);
  CHECK(nothing.size() == 0);
}

TEST_CASE("going on after a notice implies consent only when it was played to its end") {
  Rig rig;
  const Input input(rig, 1, 300);
  for (const std::optional<bool> played : {std::optional<bool>(), std::optional(true), std::optional(false)}) {
    auto options = call_of(rig, input);
    options.consent = Consent::implied;
    options.notice_played = played;
    const auto id = must(ingest(options), "ingest").id;
    rig.settle();
    const auto record = must(rig.vault().show(rig.officer(), id), "show");
    const bool unheard = played == false;
    CHECK(record.consent_of(Party::caller) == (unheard ? Consent::unknown : Consent::implied));
    Counter wav;
    const auto result = rig.vault().play(rig.officer(), hear(id), wav);
    CHECK(result.has_value() == !unheard);
    if (!result) CHECK(result.error().code == Errc::refused);
    CHECK((wav.size() == 0) == unheard);
  }
}

TEST_CASE("a call that was delivered twice is kept once; with other audio both stay, flagged") {
  Rig rig;
  const Input same(rig, 2, 300);
  auto options = call_of(rig, same);
  options.call_id = "pbx-1";
  const auto first = must(ingest(options), "ingest").id;
  rig.settle();
  const auto repeat = must(ingest(options), "ingest").id;
  rig.settle();
  auto found = all_of(rig);
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == first);
  CHECK_FALSE(found[0].flags.duplicate_call_id);
  const auto shown = rig.vault().show(rig.officer(), repeat);
  const auto proven = rig.vault().prove_gone(repeat);
  for (const auto& error : {shown ? Error{} : shown.error(), proven ? Error{} : proven.error()}) {
    CHECK(error.code == Errc::not_found);
    CHECK(error.message.starts_with("recording " + repeat.text() + " was folded into " + first.text()));
  }
  auto other_id = first.bytes();
  other_id[3] ^= std::byte{1};
  CHECK(rig.vault().prove_gone(RecordingId(other_id)).error().message.ends_with("was ever here"));

  const Input other(rig, 2, 500);
  const auto second = must(ingest(options), "ingest").id;
  rig.settle();
  found = all_of(rig);
  REQUIRE(found.size() == 2);
  for (const auto& record : found) {
    CHECK((record.id == first || record.id == second));
    CHECK(record.flags.duplicate_call_id);
  }
}

TEST_CASE("a catalogue that is lost between recording and settling is made again") {
  Rig rig;
  const Input input(rig, 1, 300);
  const auto first = must(ingest(call_of(rig, input)), "ingest").id;
  rig.settle();
  rig.clock().now_ += std::chrono::seconds(5);
  const auto second = must(ingest(call_of(rig, input)), "ingest").id;
  fs::remove_all(rig.folder() / "catalog");
  rig.reopen();
  const auto found = all_of(rig);
  REQUIRE(found.size() == 2);
  CHECK(found[0].id == second);  // newest first
  CHECK(found[1].id == first);
  CHECK(found[1].caller == "+40722000001");
}

namespace {

std::size_t heard(Rig& rig, const RecordingId& id, TrackChoice track) {
  auto options = hear(id);
  options.track = track;
  Counter wav;
  const auto played = rig.vault().play(rig.officer(), options, wav);
  CHECK_MESSAGE(played, (played ? "" : played.error().message));
  return wav.size();
}

// A finished file as a dead recorder leaves it.
fs::path make_dead(const Rig& rig, const RecordingId& id) {
  const fs::path whole = rig.folder() / "incoming" / (id.text() + ".mixed");
  fs::path part = whole;
  part += ".part";
  fs::rename(whole, part);
  fs::resize_file(part, fs::file_size(part) - sealed::kTrailerBytes);
  return part;
}

}  // namespace

TEST_CASE("settling that stopped between the two files of a call goes on without loss") {
  Rig rig;
  Call call;
  call.stereo = true;
  const auto id = rig.record(call);
  rig.settle();
  for (const char* track : {".agent", ".caller"}) {
    const std::string name = id.text() + track;
    const fs::path stored = stored_file(rig, name);
    REQUIRE_FALSE(stored.empty());
    fs::rename(stored, rig.folder() / "incoming" / name);
    must(rig.vault().recover(), "recover");
    CHECK(stored_file(rig, name) == stored);
    CHECK(heard(rig, id, TrackChoice::caller) > 8'000);
    CHECK(heard(rig, id, TrackChoice::agent) > 8'000);
  }
  CHECK_FALSE(must(rig.vault().show(rig.officer(), id), "show").flags.interrupted);
}

TEST_CASE("a track that comes after its call was settled is added to it") {
  Rig rig;
  Call call;
  call.stereo = true;
  const auto id = rig.record(call);
  const fs::path late = rig.folder() / "incoming" / (id.text() + ".agent");
  const fs::path aside = rig.folder().parent_path() / "aside";
  fs::rename(late, aside);
  rig.settle();
  auto record = must(rig.vault().show(rig.officer(), id), "show");
  CHECK(record.flags.interrupted);
  CHECK(heard(rig, id, TrackChoice::caller) > 8'000);
  HoldOptions hold;
  hold.id = id;
  hold.matter = "M-1";
  must(rig.vault().hold(rig.officer(), hold), "hold");

  fs::rename(aside, late);
  rig.settle();
  CHECK_FALSE(fs::exists(late));
  CHECK_FALSE(stored_file(rig, id.text() + ".agent").empty());
  record = must(rig.vault().show(rig.officer(), id), "show");
  CHECK_FALSE(record.flags.interrupted);
  CHECK(record.holds.size() == 1);
  CHECK(heard(rig, id, TrackChoice::caller) > 8'000);
  CHECK(heard(rig, id, TrackChoice::agent) > 8'000);
}

TEST_CASE("a file that the disk does not take keeps no other call waiting") {
  Rig rig;
  const auto bad = rig.record({});
  const auto good = rig.record({});
  {
    const FailingSync failing(make_dead(rig, bad));
    const auto report = must(rig.vault().recover(), "recover");
    CHECK(report.settled == 1);
    CHECK(report.refused == 1);
    CHECK(heard(rig, good, TrackChoice::both) > 8'000);
    CHECK_FALSE(rig.vault().show(rig.officer(), bad));
  }
  must(rig.vault().recover(), "recover");
  CHECK(heard(rig, bad, TrackChoice::both) > 4'000);
}

TEST_CASE("a call in more files than a node can name keeps no other call waiting") {
  Rig rig;
  const auto view = must(keys::RecorderView::open(rig.folder()), "view");
  const auto lease = must(view.acquire_intake(), "intake");
  const auto recording = must(crypto::Key::random(), "key");
  const auto good = rig.record({});
  const auto other = rig.record({});
  sealed::CallMetadata metadata;
  metadata.started_at = rig.clock().now();
  metadata.tracks = {TrackName::mixed};
  auto bytes = good.bytes();
  bytes[15] ^= std::byte{1};
  const RecordingId bad(bytes);
  for (std::uint16_t segment = 0; segment < 256; ++segment) {
    const sealed::HeaderFields fields{bad, TrackName::mixed, segment, lease.key.id, view.review().number};
    const sealed::Recipients to{lease.key.public_key, lease.key.pepper, view.review().key};
    auto header = must(
        sealed::make_header(fields, to, metadata, {must(recording.clone(), "key"), must(crypto::Key::random(), "key")}),
        "header");
    auto writer = must(sealed::Writer::create(rig.folder() / "incoming", std::move(header)), "writer");
    must(writer.finish(recording, {}), "finish");
  }
  const auto report = must(rig.vault().recover(), "recover");
  CHECK(report.settled == 2);
  CHECK(report.refused == 1);
  CHECK(heard(rig, good, TrackChoice::both) > 8'000);
  CHECK(heard(rig, other, TrackChoice::both) > 8'000);
}
