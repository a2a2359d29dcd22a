// backup.json: read strictly, and never newer than this code.
#include "backups/manifest.h"

#include <doctest/doctest.h>

namespace {

using namespace callvault;

backups::Manifest sample_manifest() {
  backups::Manifest m{"callvault/0011223344556677",
                      true,
                      Time(std::chrono::milliseconds(1'767'225'600'123)),
                      7,
                      42,
                      {},
                      3,
                      "recorders",
                      {}};
  m.directory.fill(std::byte{0xab});
  m.key_files.emplace("buckets/7.3", m.directory);
  return m;
}

TEST_CASE("a manifest comes back as it was") {
  const auto m = sample_manifest();
  const auto read = backups::decode_manifest(backups::encode_manifest(m));
  REQUIRE(read.has_value());
  CHECK(read->origin == m.origin);
  CHECK(read->complete);
  CHECK(read->taken_at == m.taken_at);
  CHECK(read->epoch == 7);
  CHECK(read->journal_size == 42);
  CHECK(read->directory == m.directory);
  CHECK(read->files == 3);
  CHECK(read->recorder_group == "recorders");
  CHECK(read->key_files == m.key_files);
}

TEST_CASE("what is missing or of another kind is damage; a larger version is a newer one") {
  const std::string text = backups::encode_manifest(sample_manifest());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    out.replace(at, from.size(), to);
    return backups::decode_manifest(out);
  };
  CHECK(with("\"version\": 1", "\"version\": 2").error().code == Errc::newer_version);
  CHECK(with("\"epoch\": 7", "\"epoch\": -7").error().code == Errc::corrupt);
  CHECK(with("\"epoch\"", "\"epochs\"").error().code == Errc::corrupt);
  CHECK(with("\"complete\": true", "\"complete\": 1").error().code == Errc::corrupt);
  CHECK(with("abab", "abAB").error().code == Errc::corrupt);
  CHECK(with("abab", "ab").error().code == Errc::corrupt);
  CHECK(with("2026-01-01", "2026-02-30").error().code == Errc::corrupt);
  for (std::size_t size = 0; size + 2 < text.size(); ++size)
    CHECK_FALSE(backups::decode_manifest(text.substr(0, size)).has_value());
}

}  // namespace
