// Where opened audio goes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "callvault/audio.h"

namespace callvault::cli {

// Standard output.
class StdoutSink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override;
};

// A new file of mode 0600, made by the first write, removed unless finish() was reached.
class FileSink final : public ByteSink {
 public:
  // `replace`: an existing regular file may go.
  FileSink(std::filesystem::path path, bool replace, std::function<void(std::uint64_t)> on_bytes)
      : path_(std::move(path)), replace_(replace), on_bytes_(std::move(on_bytes)) {}
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  // Errc::usage when the file exists and may not be replaced. Call before anything is asked of a person.
  Result<void> check() const;
  Result<void> write(std::span<const std::byte> bytes) override;
  // Everything is on disk.
  Result<void> finish();

 private:
  Result<void> open();

  std::filesystem::path path_;
  bool replace_;
  std::function<void(std::uint64_t)> on_bytes_;
  int fd_ = -1;
  std::uint64_t written_ = 0;
};

// A new file of mode 0600 that has its name only once it is whole: written beside it under a name of its own, and
// renamed by finish(). Never replaces anything.
class NewFileSink final : public ByteSink {
 public:
  explicit NewFileSink(std::filesystem::path path) : path_(std::move(path)) {}
  ~NewFileSink() override;
  NewFileSink(const NewFileSink&) = delete;
  NewFileSink& operator=(const NewFileSink&) = delete;

  // Makes the file, under its other name. Errc::usage when something has the name it is to get. Call before anything is
  // asked of a person.
  Result<void> open();
  Result<void> write(std::span<const std::byte> bytes) override;
  // REQUIRES: open(). Everything is on disk, and the name is there. Errc::usage when somebody else took it meanwhile.
  Result<void> finish();

 private:
  Result<void> check() const;

  std::filesystem::path path_;
  std::string part_;
  int fd_ = -1;
};

// Puts `text` in place of `path` by rename, so that a reader never sees half. Readable by everyone.
Result<void> replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace callvault::cli
