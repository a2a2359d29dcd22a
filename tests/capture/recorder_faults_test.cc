// The recorder is killed, its disk fills, its input never ends.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>

#include "recorder_fixture.h"

using namespace callvault;
using namespace callvault::recorder_test;
using namespace std::chrono_literals;

namespace {

// No file may grow beyond `bytes` while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    set(bytes);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  void set(rlim_t bytes) {
    struct rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }

 private:
  struct rlimit before_ {};
  void (*handler_)(int);
};

std::atomic<bool> disk_takes_no_audio{false};

std::size_t resident_kib() {
  std::ifstream in("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * 4;
}

}  // namespace

// In place of the C library's. Headers are synced with fsync.
extern "C" int fdatasync(int fd) {
  if (!disk_takes_no_audio) return static_cast<int>(::syscall(SYS_fdatasync, fd));
  errno = EIO;
  return -1;
}

TEST_CASE("killed in the middle of a call, at most two seconds of what was read are lost") {
  const TestVault vault;
  const auto view = vault.view();
  Feed feed;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    feed.close_write();
    (void)capture::record(view, raw_input(feed.fd()));
    ::_exit(1);
  }
  feed.close_read();
  const Samples frame = tone(160);
  std::size_t fed = 0;
  const auto start = std::chrono::steady_clock::now();
  for (; fed < 8000 * 4; fed += frame.size()) {
    REQUIRE(feed.write(frame));
    std::this_thread::sleep_until(start + std::chrono::milliseconds(fed / 8));
  }
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));

  REQUIRE(vault.incoming().size() == 1);
  const std::string name = vault.incoming()[0];
  CHECK(name.ends_with(".mixed.part"));
  auto file = vault.open(name);
  CHECK(must(file.reader.authenticated_prefix(file.key)) == file.reader.chunk_count());
  CHECK(vault.audio_of(TrackName::mixed).size() + 2 * 8000 >= fed);
  const auto made = must(sealed::recover_trailer(vault.layout().incoming() / name, file.secrets.recording));
  CHECK(made.interrupted);
  CHECK(vault.audio_of(TrackName::mixed).size() + 2 * 8000 >= fed);
}

TEST_CASE("when a file cannot grow, the call goes on in new segments and loses nothing") {
  const TestVault vault;
  const auto view = vault.view();
  const Samples said = tone(8000 * 40);
  Feed feed;
  feed.run([&](const Feed& f) { f.write(said); });
  std::optional<Result<IngestSummary>> summary;
  {
    const FileSizeLimit limit(20'000);
    summary = capture::record(view, raw_input(feed.fd()));
  }
  must(*summary);
  CHECK((*summary)->tracks.size() >= 3);
  CHECK((*summary)->duration_s == doctest::Approx(40.0));
  const Samples heard = vault.audio_of(TrackName::mixed);
  CHECK(heard.size() == said.size());
  CHECK(loudness(heard) == doctest::Approx(loudness(said)).epsilon(0.1));
  std::size_t finished = 0;
  for (const auto& name : vault.incoming()) finished += name.ends_with(".part") ? 0U : 1U;
  CHECK(finished == 1);
}

TEST_CASE("a pause holds in every new segment") {
  const TestVault vault;
  const auto view = vault.view();
  Feed feed;
  feed.run([&](const Feed& f) {
    f.write(tone(8000));
    pause_call(vault, running_call(vault, f));
    f.write(tone(8000 * 40));
  });
  std::optional<Result<IngestSummary>> summary;
  {
    const FileSizeLimit limit(20'000);
    summary = capture::record(view, raw_input(feed.fd()));
  }
  must(*summary);
  CHECK((*summary)->tracks.size() >= 2);
  const Samples heard = vault.audio_of(TrackName::mixed);
  CHECK(heard.size() == 8000 * 41);
  CHECK(loudness(heard, 800, 7200) > 4000);
  CHECK(loudness(heard, 8800, heard.size()) < 10);
}

TEST_CASE("while the disk takes headers and no audio, a new segment is tried once a second") {
  const TestVault vault;
  const auto view = vault.view();
  const Samples said = tone(8000 * 5);
  Feed feed;
  feed.run([&](const Feed& f) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < said.size(); at += 80) {
      if (at == 8000) disk_takes_no_audio = true;
      if (at == 8000 * 4) disk_takes_no_audio = false;
      f.write(std::span(said).subspan(at, 80));
      std::this_thread::sleep_until(start + std::chrono::milliseconds(at / 8));
    }
  });
  const auto summary = capture::record(view, raw_input(feed.fd()));
  disk_takes_no_audio = false;
  must(summary);
  CHECK(summary->tracks.size() >= 3);
  CHECK(summary->tracks.size() <= 6);
  CHECK(vault.audio_of(TrackName::mixed).size() == said.size());
}

TEST_CASE("a call never has more segments than can be registered") {
  const TestVault vault;
  const auto view = vault.view();
  const Samples second = tone(8000);
  Feed feed;
  feed.run([&](const Feed& f) {
    for (int i = 0; i < 600; ++i) f.write(second);
  });
  const std::string first_error = "of 600 seconds are safe";
  std::optional<Result<IngestSummary>> summary;
  {
    const FileSizeLimit limit(3'500);
    summary = capture::record(view, raw_input(feed.fd()));
  }
  REQUIRE_FALSE(*summary);
  CHECK_MESSAGE(summary->error().message.find(first_error) != std::string::npos, summary->error().message);
  CHECK(vault.incoming().size() >= 100);
  CHECK(vault.incoming().size() <= 127);  // two tracks: 255 at most
  const std::string safe = std::to_string(vault.audio_of(TrackName::mixed).size() / 8000);
  CHECK_MESSAGE(summary->error().message.find(" " + safe + " of 600") != std::string::npos, summary->error().message);
}

TEST_CASE("a disk that fails to the end is said, with what is safe, and what is safe can be heard") {
  const TestVault vault;
  const auto view = vault.view();
  FileSizeLimit limit(RLIM_INFINITY);
  Feed feed;
  feed.run([&](const Feed& f) {
    f.write(tone(8000 * 10));
    std::this_thread::sleep_for(2500ms);
    limit.set(100);
    f.write(tone(8000 * 5));
  });
  const auto result = capture::record(view, raw_input(feed.fd()));
  limit.set(RLIM_INFINITY);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::io);
  const auto at = result.error().message.find(" of 15 seconds are safe");
  REQUIRE_MESSAGE(at != std::string::npos, result.error().message);
  const Samples heard = vault.audio_of(TrackName::mixed);
  CHECK(heard.size() >= 8 * 8000);
  const std::string safe = std::to_string(heard.size() / 8000);
  CHECK_MESSAGE(result.error().message.find(" " + safe + " of 15") != std::string::npos, result.error().message);
  CHECK(vault.incoming().size() == 1);
}

TEST_CASE("a full disk in the middle of a call is survived once there is room again") {
  const TestVault vault;
  const auto incoming = vault.layout().incoming();
  if (::mount("tmpfs", incoming.c_str(), "tmpfs", 0, "size=64k") != 0) {
    MESSAGE("SKIPPED: cannot mount a tmpfs here");
    return;
  }
  const auto view = vault.view();
  const auto filler = incoming / "filler";
  {
    const Samples part = tone(8000 * 3);
    Feed feed;
    feed.run([&](const Feed& f) {
      f.write(part);
      std::this_thread::sleep_for(500ms);
      std::ofstream(filler) << std::string(100'000, 'x');
      for (int i = 0; i < 3; ++i) f.write(part);
      std::this_thread::sleep_for(1500ms);
      std::filesystem::remove(filler);
      f.write(part);
    });
    const auto result = capture::record(view, raw_input(feed.fd()));
    CHECK_MESSAGE(result, (result ? "" : result.error().message));
    if (result) {
      CHECK(result->tracks.size() >= 2);
      CHECK(vault.audio_of(TrackName::mixed).size() == 5 * part.size());
    }
  }
  CHECK(::umount(incoming.c_str()) == 0);
}

TEST_CASE("an endless input takes bounded memory") {
  const TestVault vault;
  const auto view = vault.view();
  std::atomic<std::size_t> early{0};
  Feed feed;
  feed.run([&](const Feed& f) {
    const Samples second = tone(8000);
    for (int s = 0; s < 300; ++s) {
      f.write(second);
      if (s == 30) early = resident_kib();
    }
  });
  must(capture::record(view, raw_input(feed.fd())));
  const std::size_t late = resident_kib();
  MESSAGE("resident after 30 s of audio " << early.load() << " KiB, after 300 s " << late << " KiB");
#if !defined(__SANITIZE_ADDRESS__)
  CHECK(late < early + 512);
#endif
}
