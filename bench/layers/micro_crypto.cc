// What a chunk of audio costs, and the key steps around it.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <vector>

#include "crypto/aead.h"
#include "crypto/box.h"
#include "crypto/hash.h"

namespace {

using namespace callvault;

constexpr std::size_t kChunk = 1024;

void seal_chunk(benchmark::State& state) {
  const auto key = crypto::Key::random().value();
  const std::vector<std::byte> plain(kChunk, std::byte{7});
  std::vector<std::byte> sealed(kChunk + crypto::kTagBytes);
  std::uint64_t counter = 0;
  for (auto _ : state) crypto::seal_chunk(key, counter++, false, plain, sealed);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kChunk));
}
BENCHMARK(seal_chunk);

void open_chunk(benchmark::State& state) {
  const auto key = crypto::Key::random().value();
  std::vector<std::byte> plain(kChunk, std::byte{7});
  std::vector<std::byte> sealed(kChunk + crypto::kTagBytes);
  crypto::seal_chunk(key, 1, false, plain, sealed);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::open_chunk(key, 1, false, sealed, plain));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kChunk));
}
BENCHMARK(open_chunk);

// libsodium alone: the limit of the two above.
void raw_open_chunk(benchmark::State& state) {
  unsigned char key[crypto_aead_chacha20poly1305_IETF_KEYBYTES];
  const unsigned char nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES]{};
  crypto_aead_chacha20poly1305_ietf_keygen(key);
  std::vector<unsigned char> plain(kChunk, 7);
  std::vector<unsigned char> sealed(kChunk + crypto_aead_chacha20poly1305_IETF_ABYTES);
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(), nullptr, 0, nullptr,
                                            nonce, key);
  for (auto _ : state)
    benchmark::DoNotOptimize(crypto_aead_chacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, sealed.data(),
                                                                       sealed.size(), nullptr, 0, nonce, key));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kChunk));
}
BENCHMARK(raw_open_chunk);

void seal_row_of_512(benchmark::State& state) {
  const auto key = crypto::Key::random().value();
  const std::vector<std::byte> plain(512, std::byte{7});
  for (auto _ : state) benchmark::DoNotOptimize(crypto::seal(key, {}, plain));
}
BENCHMARK(seal_row_of_512);

void hash_chunk(benchmark::State& state) {
  const std::vector<std::byte> plain(kChunk, std::byte{7});
  for (auto _ : state) benchmark::DoNotOptimize(crypto::blake2b(plain));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kChunk));
}
BENCHMARK(hash_chunk);

}  // namespace
