// Every flipped bit and every truncation of a small finished recording: found, or a named prefix that is right. Never
// other sound, never a crash, never a silent end.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "callvault/vault.h"

using namespace callvault;
namespace fs = std::filesystem;

namespace {

template <typename T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().message));
  return std::move(result).value();
}
void must(Result<void> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().message));
}

Passphrase passphrase() {
  std::string text = "correct horse battery staple";
  return must(Passphrase::take(std::span(text.data(), text.size())));
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void spill(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(out.good());
}

class Ear final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    heard.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  std::string heard;
};

// A vault with one settled call of 2.5 seconds.
struct Small {
  // In memory where that is possible: thousands of openings, each with its entry in the journal made durable.
  fs::path folder = (fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) /
                    ("callvault-bits-" + std::to_string(std::random_device()()));
  std::optional<Vault> vault;
  std::optional<Person> officer;
  RecordingId id;
  fs::path file;
  std::string whole;  // its bytes
  std::string right;  // what is heard of it

  Small() {
    fs::create_directories(folder);
    InitOptions made;
    made.dir = folder / "vault";
    made.unsafe_keeper = true;
    made.unsafe_fast_passphrase = true;
    must(Vault::create(made, passphrase()));
    std::string pcm;
    for (int i = 0; i < 20000; ++i) {
      const auto sample = static_cast<std::int16_t>(9000 * std::sin(i * (0.1 + i * 0.00001)));
      pcm.append(reinterpret_cast<const char*>(&sample), sizeof sample);
    }
    spill(folder / "call.raw", pcm);
    IngestOptions call;
    call.vault = made.dir;
    call.file = folder / "call.raw";
    call.audio = {InputFormat::s16le, 8000, ChannelMap::mixed};
    call.consent = Consent::granted;
    call.caller = "+40722123456";
    id = must(ingest(call)).id;
    OpenOptions open;
    open.dir = made.dir;
    vault.emplace(must(Vault::open(open)));
    officer.emplace(must(vault->unlock("officer", passphrase())));
    must(vault->find(*officer, {}, [](const CallRecord&) { return true; }));
    for (const auto& entry : fs::recursive_directory_iterator(made.dir / "recordings"))
      if (entry.is_regular_file()) file = entry.path();
    REQUIRE(!file.empty());
    whole = slurp(file);
    Ear ear;
    REQUIRE(!must(play(ear, PlayFormat::opus)).incomplete);
    right = std::move(ear.heard);
    REQUIRE(right.size() > 2000);
    REQUIRE(must(vault->check({.deep = true})).problems.empty());
  }
  ~Small() {
    officer.reset();
    vault.reset();
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  Small(const Small&) = delete;
  Small& operator=(const Small&) = delete;

  Result<PlaySummary> play(Ear& ear, PlayFormat format) {
    PlayOptions options;
    options.id = id;
    options.format = format;
    options.purpose = Purpose::complaint;
    return vault->play(*officer, options, ear);
  }
};

// How often what was found; the last lines of a run.
struct Tally {
  std::map<std::string, int> counts;
  ~Tally() {
    for (const auto& [what, count] : counts) MESSAGE(what << ": " << count);
  }
};

// Errors that say the recording is damaged, and no other: it is neither gone nor was it never there.
bool names_damage(const Error& error) { return error.code == Errc::corrupt || error.code == Errc::newer_version; }

// Opens the recording as it is now.
void judge(Small& small, const std::string& what, Tally& tally) {
  CAPTURE(what);
  Ear ear;
  const auto played = small.play(ear, PlayFormat::opus);
  CHECK_MESSAGE(small.right.starts_with(ear.heard), "other sound is heard");
  if (!played) {
    CHECK_MESSAGE(names_damage(played.error()), played.error().message);
    ++tally.counts[ear.heard.empty() ? "refused" : "a prefix, then refused"];
  } else if (played->incomplete) {
    ++tally.counts["a named prefix"];
  } else {
    CHECK_MESSAGE(ear.heard == small.right, "the end is missing, and nobody says so");
    ++tally.counts["heard whole"];
  }
}

void check_finds(Small& small, const std::string& what) {
  CAPTURE(what);
  const auto report = must(small.vault->check({.deep = true}));
  CHECK_MESSAGE(report.problems.size() == 1, "check finds nothing");
  const auto seen = inspect(small.file);
  CHECK((seen || names_damage(seen.error())));
}

// The journal grows with each opening, and `check` reads all of it: so now and then another vault.
constexpr int kOpeningsOfOneVault = 300;

class Vaults {
 public:
  Small& next() {
    if (!small_ || ++used_ % kOpeningsOfOneVault == 0) {
      small_.reset();
      small_ = std::make_unique<Small>();
    }
    return *small_;
  }

 private:
  std::unique_ptr<Small> small_;
  int used_ = 0;
};

}  // namespace

TEST_CASE("every flipped bit of a recording is found, or what is heard is right") {
  Vaults vaults;
  const auto shape = must(inspect(vaults.next().file));
  const std::size_t size = vaults.next().whole.size();
  const std::size_t chunks_end = shape.header_bytes + shape.chunks * 1040;
  REQUIRE(chunks_end < size);
  Tally tally;
  for (std::size_t at = 0; at < size; ++at) {
    const bool in_chunks = at >= shape.header_bytes && at < chunks_end;
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (in_chunks && bit != at % 8) continue;
      Small& small = vaults.next();
      REQUIRE(small.whole.size() == size);
      std::string broken = small.whole;
      broken[at] = static_cast<char>(static_cast<unsigned char>(broken[at]) ^ (1U << bit));
      spill(small.file, broken);
      const std::string what = "bit " + std::to_string(bit) + " of byte " + std::to_string(at);
      judge(small, what, tally);
      if (bit == at % 8 && (!in_chunks || at % 8 == 0)) check_finds(small, what);
    }
  }
}

TEST_CASE("every truncation of a recording is found, or what is heard is right") {
  Vaults vaults;
  const std::size_t size = vaults.next().whole.size();
  Tally tally;
  for (std::size_t length = 0; length < size; ++length) {
    Small& small = vaults.next();
    spill(small.file, small.whole.substr(0, length));
    const std::string what = "cut to " + std::to_string(length) + " of " + std::to_string(size) + " bytes";
    judge(small, what, tally);
    if (length % 8 == 0 || length + 200 > size) check_finds(small, what);
  }
  // And with something behind its end.
  for (const std::size_t more : {1, 16, 1040, 4096}) {
    Small& small = vaults.next();
    spill(small.file, small.whole + std::string(more, '\0'));
    judge(small, "longer by " + std::to_string(more), tally);
    check_finds(small, "longer by " + std::to_string(more));
  }
  CHECK(tally.counts["heard whole"] == 0);
}

TEST_CASE("a damaged recording is heard as WAV up to the damage") {
  Small small;
  const std::string whole = slurp(small.file);
  Ear ear;
  REQUIRE(!must(small.play(ear, PlayFormat::wav)).incomplete);
  const auto shape = must(inspect(small.file));
  REQUIRE(shape.chunks >= 5);
  for (std::uint64_t chunk = 0; chunk < shape.chunks; ++chunk) {
    std::string broken = whole;
    broken[shape.header_bytes + chunk * 1040 + 500] ^= 1;
    spill(small.file, broken);
    CAPTURE(chunk);
    Ear part;
    const auto played = small.play(part, PlayFormat::wav);
    CHECK((played ? played->incomplete : names_damage(played.error())));
    constexpr std::size_t kHead = 44;  // its sizes are those of what follows
    if (part.heard.size() > kHead) CHECK(ear.heard.substr(kHead).starts_with(part.heard.substr(kHead)));
    CHECK(part.heard.size() < ear.heard.size());
    if (chunk > 2 && chunk + 1 < shape.chunks)
      CHECK(part.heard.size() > kHead);  // before it come the Opus headers, and sound; the last one tells the length
  }
}
