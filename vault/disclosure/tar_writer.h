// A tar stream (POSIX ustar) of files whose sizes are known, and the list of their SHA-256 hashes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "callvault/audio.h"
#include "callvault/clock.h"
#include "crypto/hash.h"

namespace callvault::disclosure {

// Every file lies in one folder, so that unpacking makes exactly that; the names in the list are relative to it.
class TarWriter final : public ByteSink {
 public:
  // REQUIRES: `out` outlives it.
  static Result<TarWriter> open(ByteSink& out, std::string folder, Time at);
  TarWriter(TarWriter&&) noexcept;
  TarWriter& operator=(TarWriter&&) noexcept;
  ~TarWriter() override;

  // A file of exactly `bytes` bytes follows in `write`s, up to `end`. `name` is plain ASCII, with '/'.
  Result<void> begin(const std::string& name, std::uint64_t bytes);
  Result<void> write(std::span<const std::byte> bytes) override;
  Result<void> end();
  // A whole file at once.
  Result<void> add(const std::string& name, base::ByteView content);
  // Once: the end of the archive.
  Result<void> finish();

  const std::string& sums() const;  // of what was written so far, as sha256sum prints them
  std::uint64_t files() const;

 private:
  struct State;
  explicit TarWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace callvault::disclosure
