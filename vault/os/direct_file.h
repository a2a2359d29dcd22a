// A file of fixed size, read and written in whole blocks past the page cache, so that what was read back is what the
// device holds (a retried fsync lies; a write with O_DIRECT|O_DSYNC and a read with O_DIRECT do not).
#pragma once

#include <memory>

#include "os/file.h"

namespace callvault::os {

inline constexpr std::size_t kBlockBytes = 4096;

// Locked pages for whole blocks, aligned for O_DIRECT, wiped when they go.
class BlockBuffer {
 public:
  static Result<BlockBuffer> make(std::size_t blocks);
  BlockBuffer(BlockBuffer&& other) noexcept;
  BlockBuffer& operator=(BlockBuffer&& other) noexcept;
  ~BlockBuffer();

  ByteView reveal() const { return {pages_.data(), size_}; }
  MutableBytes reveal_mutable() { return {pages_.data(), size_}; }

 private:
  BlockBuffer(MutableBytes pages, std::size_t size) : pages_(pages), size_(size) {}
  void wipe();
  MutableBytes pages_;
  std::size_t size_ = 0;
};

class DirectFile {
 public:
  enum class Way : std::uint8_t {
    direct,  // O_DIRECT|O_DSYNC
    synced,  // through the page cache, synced and dropped from it: where O_DIRECT is not to be had
  };

  // `way` is what is asked for; `synced` allows the fall-back and does not force it.
  // Errors: refused when `way` is direct and the file system has no O_DIRECT; those of File.
  static Result<std::unique_ptr<DirectFile>> create(const Path& path, Way way, unsigned mode = 0600);  // must not exist
  static Result<std::unique_ptr<DirectFile>> open(const Path& path, Way way);

  virtual ~DirectFile() = default;

  // REQUIRES: offset and size are whole blocks, memory as from BlockBuffer.
  // Durable when it returns. Errors: io, no_space.
  virtual Result<void> write(ByteView data, std::uint64_t offset) = 0;
  // Errors: corrupt when the file ends before; io.
  virtual Result<void> read(MutableBytes out, std::uint64_t offset) = 0;
  virtual const Path& path() const = 0;
  // -1 when there is no file behind.
  virtual int fd() const = 0;

  // Writes, reads back, compares. Errors: io also when the device gives back something else.
  Result<void> write_verified(ByteView data, std::uint64_t offset);
};

}  // namespace callvault::os
