#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "codec/sndfile_handle.h"
#include "codec/sources.h"

namespace callvault::codec {
namespace {

constexpr std::size_t kMostGathered = std::size_t{64} << 20;
constexpr std::size_t kEnoughToTell = std::size_t{16} << 10;

// What libsndfile reads: a file in place, or gathered bytes. The sizes in a WAV header that its writer never came to
// fill in are shown to it as they must be.
class Container {
 public:
  explicit Container(ByteInput input) : input_(std::move(input)) {}

  static SF_VIRTUAL_IO io() {
    return {.get_filelen = &length, .seek = &seek, .read = &read, .write = &write, .tell = &tell};
  }

  // Errc::usage as soon as libsndfile does not know the kind of bytes.
  Result<void> gather() {
    base::Bytes& bytes = input_.kept();
    bool known = false;
    for (bool more = true; more;) {
      std::array<std::byte, 4096> block;
      CALLVAULT_TRY_ASSIGN(const std::size_t got, input_.read(block));
      more = got == block.size();
      if (bytes.size() > kMostGathered)
        return fail(Errc::usage, "this kind of audio cannot be streamed beyond 64 MiB; give it as a file");
      if (!known && bytes.size() >= kEnoughToTell) {
        known = true;
        SF_INFO info{};
        SF_VIRTUAL_IO callbacks = io();
        const SndfileHandle probe(sf_open_virtual(&callbacks, SFM_READ, &info, this));
        if (!probe && sf_error(nullptr) == SF_ERR_UNRECOGNISED_FORMAT) return unknown();
        at_ = 0;
      }
    }
    return {};
  }

  static Error unknown() {
    return fail(
        Errc::usage,
        "the input is no audio file that libsndfile knows; headerless audio needs --format s16le, ulaw or alaw");
  }

  void amend(const WavHeader& wav) {
    const std::uint64_t there = size() - std::min(size(), wav.data_at);
    if (wav.data_bytes && *wav.data_bytes <= there) return;
    shorter_than_promised_ = wav.data_bytes.has_value();
    const auto put = [&](std::uint64_t at, std::uint64_t value) {
      amendments_.push_back({.at = at, .size = static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 0xffffffff))});
    };
    put(4, size() - 8);
    put(wav.data_at - 4, there);
  }

  std::uint64_t size() const { return input_.size().value_or(kept_size()); }
  bool stopped() const { return input_.asked_to_stop(); }
  bool is_file() const { return input_.kind().regular; }
  bool shorter_than_promised() const { return shorter_than_promised_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  struct Amendment {
    std::uint64_t at;
    std::uint32_t size;
  };

  std::uint64_t kept_size() const { return const_cast<ByteInput&>(input_).kept().size(); }
  static Container& self(void* user) { return *static_cast<Container*>(user); }
  static sf_count_t length(void* user) { return static_cast<sf_count_t>(self(user).size()); }
  static sf_count_t tell(void* user) { return static_cast<sf_count_t>(self(user).at_); }
  static sf_count_t write(const void*, sf_count_t, void*) { return 0; }
  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    Container& s = self(user);
    sf_count_t to = 0;
    const auto from = static_cast<sf_count_t>(whence == SEEK_CUR ? s.at_ : whence == SEEK_END ? s.size() : 0);
    if (__builtin_add_overflow(from, offset, &to) || to < 0) return -1;
    s.at_ = static_cast<std::uint64_t>(to);
    return to;
  }
  static sf_count_t read(void* out, sf_count_t count, void* user) {
    Container& s = self(user);
    if (count <= 0 || s.at_ >= s.size()) return 0;
    const auto wanted = std::min(static_cast<std::uint64_t>(count), s.size() - s.at_);
    const base::MutableBytes room(static_cast<std::byte*>(out), static_cast<std::size_t>(wanted));
    auto got = s.copy(room);
    if (!got) {
      s.error_ = std::move(got).error();
      return 0;
    }
    for (const Amendment& each : s.amendments_) {
      const auto bytes = std::as_bytes(std::span(&each.size, 1));
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (each.at + i >= s.at_ && each.at + i < s.at_ + *got)
          room[static_cast<std::size_t>(each.at + i - s.at_)] = bytes[i];
      }
    }
    s.at_ += *got;
    return static_cast<sf_count_t>(*got);
  }
  Result<std::size_t> copy(base::MutableBytes room) {
    if (is_file()) return os::read_stream_at(input_.fd(), room, input_.kind().position + at_);
    const base::Bytes& bytes = input_.kept();
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at_), room.size(), room.begin());
    return room.size();
  }

  ByteInput input_;
  std::uint64_t at_ = 0;
  std::vector<Amendment> amendments_;
  bool shorter_than_promised_ = false;
  std::optional<Error> error_;
};

class ContainerSource final : public PcmSource {
 public:
  ContainerSource(std::unique_ptr<Container> container, SampleReader reader)
      : container_(std::move(container)), reader_(std::move(reader)) {}

  std::uint32_t rate_hz() const override { return reader_.rate_hz(); }
  unsigned channels() const override { return reader_.channels(); }
  bool truncated() const override { return damaged_ || container_->shorter_than_promised(); }

  Result<std::size_t> read(std::span<std::int16_t> frames) override {
    if (ended_ || frames.size() < channels()) return std::size_t{0};
    // Gathered audio has arrived already: it is given whole.
    const std::size_t got = container_->is_file() && container_->stopped() ? 0 : reader_.read(frames);
    if (got == 0 && container_->error()) return *container_->error();
    if (got == 0) {
      ended_ = true;
      damaged_ = reader_.failed();
    }
    return got;
  }

 private:
  std::unique_ptr<Container> container_;
  SampleReader reader_;
  bool ended_ = false;
  bool damaged_ = false;
};

}  // namespace

Result<SourcePtr> open_container_source(ByteInput input, const AudioFormat& audio,
                                        const std::optional<WavHeader>& wav) {
  auto container = std::make_unique<Container>(std::move(input));
  if (!container->is_file()) CALLVAULT_TRY(container->gather());
  if (wav) container->amend(*wav);
  SF_INFO info{};
  SF_VIRTUAL_IO io = Container::io();
  SndfileHandle file(sf_open_virtual(&io, SFM_READ, &info, container.get()));
  if (container->error()) return *container->error();
  if (!file) {
    if (sf_error(nullptr) == SF_ERR_UNRECOGNISED_FORMAT) return Container::unknown();
    return fail(Errc::usage, std::string("libsndfile cannot read the input: ") + sf_strerror(nullptr));
  }
  if (info.channels < 0 || info.samplerate < 0) return Container::unknown();
  CALLVAULT_TRY(check_shape(static_cast<std::uint64_t>(info.samplerate), static_cast<std::uint64_t>(info.channels),
                            audio.rate_hz));
  return SourcePtr(std::make_unique<ContainerSource>(std::move(container), SampleReader(std::move(file), info)));
}

}  // namespace callvault::codec
