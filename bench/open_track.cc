// What a listener waits for, in a process that has just unlocked, through the public door.
//   open_track VAULT PASSPHRASE-FILE PERSON ID first FROM-SECONDS   time from unlocked to the first audio byte
//   open_track VAULT PASSPHRASE-FILE PERSON ID whole ROUNDS         a whole track opened, against libsodium alone
#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "callvault/vault.h"

namespace {

using namespace callvault;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kWavHeaderBytes = 44;
constexpr std::size_t kChunkBytes = 1024;  // the sealed file's, docs/FORMAT.md
constexpr std::size_t kTagBytes = crypto_aead_chacha20poly1305_IETF_ABYTES;
constexpr std::size_t kBatch = 64;  // chunks opened into one buffer

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// Stamps the moment of the first audio byte and ends the playing there.
class FirstAudio final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    got_ += bytes.size();
    if (got_ <= kWavHeaderBytes) return {};
    at_ = SteadyClock::now();
    return fail(Errc::io, "enough");
  }
  SteadyClock::time_point at() const { return at_; }

 private:
  std::size_t got_ = 0;
  SteadyClock::time_point at_{};
};

// The stream from the first block to the last: opening the vault, the journal and the end of the track lie outside.
class Stream final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    last_ = SteadyClock::now();
    if (first_ == SteadyClock::time_point{})
      first_ = last_;
    else
      bytes_ += bytes.size();
    return {};
  }
  std::size_t bytes() const { return bytes_; }
  double seconds() const { return std::chrono::duration<double>(last_ - first_).count(); }

 private:
  SteadyClock::time_point first_{}, last_{};
  std::size_t bytes_ = 0;
};

// Chunks of the same size under one key, opened one after the other by libsodium and nothing else.
class Raw {
 public:
  explicit Raw(std::size_t bytes) : chunks_(bytes / kChunkBytes), sealed_(chunks_ * (kChunkBytes + kTagBytes)) {
    const std::vector<unsigned char> plain(kChunkBytes, 7);
    crypto_aead_chacha20poly1305_ietf_keygen(key_);
    for (std::size_t i = 0; i < chunks_; ++i) {
      set_nonce(i);
      crypto_aead_chacha20poly1305_ietf_encrypt(chunk(i), nullptr, plain.data(), plain.size(), nullptr, 0, nullptr,
                                                nonce_, key_);
    }
  }
  double open_all() {
    std::vector<unsigned char> out(kBatch * kChunkBytes);
    const auto start = SteadyClock::now();
    for (std::size_t i = 0; i < chunks_; ++i) {
      set_nonce(i);
      if (crypto_aead_chacha20poly1305_ietf_decrypt(out.data() + i % kBatch * kChunkBytes, nullptr, nullptr, chunk(i),
                                                    kChunkBytes + kTagBytes, nullptr, 0, nonce_, key_) != 0)
        std::abort();
    }
    return seconds_since(start);
  }
  std::size_t bytes() const { return chunks_ * kChunkBytes; }

 private:
  unsigned char* chunk(std::size_t i) { return sealed_.data() + i * (kChunkBytes + kTagBytes); }
  void set_nonce(std::size_t i) {
    for (std::size_t at = 0; at < 8; ++at) nonce_[at] = static_cast<unsigned char>(i >> (8 * at));
  }

  std::size_t chunks_;
  std::vector<unsigned char> sealed_;
  unsigned char key_[crypto_aead_chacha20poly1305_IETF_KEYBYTES]{};
  unsigned char nonce_[crypto_aead_chacha20poly1305_IETF_NPUBBYTES]{};
};

Result<Passphrase> read_passphrase(const char* path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return Passphrase::take(text);
}

Result<void> first_audio(Vault& vault, const Person& person, PlayOptions options, double from_seconds) {
  options.from = std::chrono::milliseconds(static_cast<std::int64_t>(from_seconds * 1000));
  FirstAudio sink;
  const auto start = SteadyClock::now();
  const auto played = vault.play(person, options, sink);
  if (sink.at() == SteadyClock::time_point{}) return fail(Errc::unexpected, "no audio came");
  std::printf("{\"first_audio_ms\":%.3f}\n", std::chrono::duration<double, std::milli>(sink.at() - start).count());
  return {};
}

Result<void> whole_track(Vault& vault, const Person& person, PlayOptions options, int rounds) {
  options.format = PlayFormat::opus;
  double ours = 0;
  double raw = 0;
  double play_ms = 0;
  std::size_t bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    Stream stream;
    const auto start = SteadyClock::now();
    CALLVAULT_TRY(vault.play(person, options, stream));
    const double whole = seconds_since(start) * 1e3;
    play_ms = round == 0 ? whole : std::min(play_ms, whole);
    bytes = stream.bytes();
    ours = std::max(ours, static_cast<double>(bytes) / stream.seconds());
    Raw peer(bytes);
    peer.open_all();
    raw = std::max(raw, static_cast<double>(peer.bytes()) / peer.open_all());
  }
  std::printf("{\"bytes\":%zu,\"ours_mb_s\":%.1f,\"raw_mb_s\":%.1f,\"play_ms\":%.2f}\n", bytes, ours / 1e6, raw / 1e6,
              play_ms);
  return {};
}

Result<void> run(char** argv) {
  CALLVAULT_TRY_ASSIGN(const auto passphrase, read_passphrase(argv[2]));
  OpenOptions options;
  options.dir = argv[1];
  CALLVAULT_TRY_ASSIGN(auto vault, Vault::open(options));
  CALLVAULT_TRY_ASSIGN(const auto person, vault.unlock(argv[3], passphrase));
  PlayOptions play;
  CALLVAULT_TRY_ASSIGN(play.id, RecordingId::parse(argv[4]));
  if (std::string_view(argv[5]) == "first") return first_audio(vault, person, play, std::atof(argv[6]));
  return whole_track(vault, person, play, std::atoi(argv[6]));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: open_track VAULT PASSPHRASE-FILE PERSON ID first|whole NUMBER\n", stderr);
    return 2;
  }
  const auto done = run(argv);
  if (!done) std::fprintf(stderr, "open_track: %s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
