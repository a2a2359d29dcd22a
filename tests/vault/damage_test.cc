// What is left of a recording is heard, and what is not is said.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <random>

#include "adversary/rig.h"
#include "sealed/reader.h"

using namespace callvault;
using adversary::Call;
using adversary::must;
using adversary::Rig;

namespace {

namespace fs = std::filesystem;

class Sink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {};
  }
  const base::Bytes& bytes() const { return bytes_; }

 private:
  base::Bytes bytes_;
};

struct Played {
  Result<PlaySummary> result;
  base::Bytes bytes;
};

Played play(Rig& rig, const RecordingId& id, std::optional<std::chrono::milliseconds> from = {},
            std::optional<std::chrono::milliseconds> to = {}) {
  PlayOptions options;
  options.id = id;
  options.purpose = Purpose::service_quality;
  options.from = from;
  options.to = to;
  Sink sink;
  auto result = rig.vault().play(rig.officer(), options, sink);
  return {std::move(result), sink.bytes()};
}

IngestSummary record_samples(Rig& rig, unsigned samples) {
  const fs::path path = rig.folder().parent_path() / "said.raw";
  {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    std::minstd_rand random(7);
    for (unsigned i = 0; i < samples; ++i) {
      const auto sample = static_cast<std::int16_t>(std::sin(i * 0.2) * 6000 + static_cast<double>(random() % 2000));
      out.write(reinterpret_cast<const char*>(&sample), sizeof sample);
    }
  }
  IngestOptions options;
  options.vault = rig.folder();
  options.file = path;
  options.audio = {InputFormat::s16le, 8000, std::nullopt};
  options.encoder.complexity = 0;
  options.consent = Consent::granted;
  options.started_at = rig.clock().now();
  options.clock = &rig.clock();
  return must(ingest(options), "ingest");
}

fs::path file_of(const Rig& rig, const std::string& name) {
  for (const auto& entry : fs::recursive_directory_iterator(rig.folder() / "recordings"))
    if (entry.path().filename() == name) return entry.path();
  return {};
}

void flip_byte(const fs::path& path, std::uint64_t at) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(at));
  const char was = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(was ^ 1));
  REQUIRE(file.good());
}

bool any_has(const std::vector<std::string>& lines, std::string_view what) {
  for (const auto& line : lines)
    if (line.find(what) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("of a recording whose last chunk is damaged, what stands before it is heard") {
  Rig rig;
  const auto id = record_samples(rig, 80'000).id;
  rig.settle();
  const auto whole = play(rig, id);
  REQUIRE(whole.result);
  const fs::path file = file_of(rig, id.text() + ".mixed");
  flip_byte(file, fs::file_size(file) - sealed::kTrailerBytes - 20);

  const auto all = play(rig, id);
  REQUIRE_FALSE(all.result);
  CHECK(all.result.error().code == Errc::corrupt);
  CHECK(all.bytes.size() > whole.bytes.size() / 2);
  REQUIRE(all.bytes.size() < whole.bytes.size());
  CHECK(std::equal(all.bytes.begin(), all.bytes.end(), whole.bytes.begin()));

  for (const auto from : {std::optional<std::chrono::milliseconds>(), std::optional(std::chrono::milliseconds(2000))}) {
    const auto part = play(rig, id, from, std::chrono::milliseconds(5000));
    REQUIRE_MESSAGE(part.result, (part.result ? "" : part.result.error().message));
    CHECK(part.result->to_s == 5.0);
    CHECK(part.bytes.size() == 44U + (from ? 3 : 5) * 16'000U);
  }
  const auto report = must(rig.vault().check({.deep = true, .progress = {}}), "check");
  CHECK(any_has(report.problems, "bring the file back from a backup, else erase the recording"));
}

TEST_CASE("a recording whose sealed file is missing is damaged, not unknown") {
  Rig rig;
  const auto id = rig.record({});
  rig.settle();
  fs::remove(file_of(rig, id.text() + ".mixed"));
  const auto played = play(rig, id);
  REQUIRE_FALSE(played.result);
  CHECK(played.result.error().code == Errc::corrupt);
  CHECK(played.result.error().message == "the sealed file " + id.text() + ".mixed is missing");
  const auto report = must(rig.vault().check({}), "check");
  CHECK(any_has(report.problems, "is missing; bring the file back"));
}

TEST_CASE("a recording cut off before its first second says so, when played and when checked") {
  Rig rig;
  const auto id = rig.record({});
  const auto sound = rig.record({});
  const fs::path whole = rig.folder() / "incoming" / (id.text() + ".mixed");
  fs::path part = whole;
  part += ".part";
  fs::resize_file(whole, must(inspect(whole), "inspect").header_bytes);
  fs::rename(whole, part);
  must(rig.vault().recover(), "recover");
  const auto played = play(rig, id);
  REQUIRE_FALSE(played.result);
  CHECK(played.result.error().code == Errc::corrupt);
  CHECK(played.result.error().message ==
        "the recording holds no audio: its recorder was cut off before the first second was safe");
  for (const bool deep : {false, true}) {
    const auto report = must(rig.vault().check({.deep = deep, .progress = {}}), "check");
    CHECK(report.problems.empty());
    CHECK(any_has(report.notes, id.text() + ".mixed holds no audio"));
    CHECK_FALSE(any_has(report.notes, sound.text()));
  }
}

TEST_CASE("how long a recording lasts is the same wherever it is said") {
  Rig rig;
  const auto summary = record_samples(rig, 39'255);  // 4.906875 s
  rig.settle();
  const auto record = must(rig.vault().show(rig.officer(), summary.id), "show");
  const auto played = play(rig, summary.id);
  REQUIRE(played.result);
  const auto ms = [](double seconds) { return std::lround(seconds * 1000); };
  CHECK(ms(summary.duration_s) == 4907);
  CHECK(ms(record.duration_s.value_or(0)) == 4907);
  CHECK(ms(played.result->to_s) == 4907);
  CHECK(record.ended_at == summary.ended_at);
}

TEST_CASE("the first that is said of a vault without its root is the danger") {
  Rig rig;
  const auto size = fs::file_size(rig.keeper_file());
  {
    const std::string zeros(size - 4096, '\0');
    std::fstream keeper(rig.keeper_file(), std::ios::binary | std::ios::in | std::ios::out);
    keeper.seekp(4096);
    keeper.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
  }
  const auto report = must(rig.vault().doctor(), "doctor");
  REQUIRE_FALSE(report.findings.empty());
  CHECK(report.findings[0].level == DoctorFinding::Level::danger);
  CHECK(report.findings[0].subject == "keeper");
}
