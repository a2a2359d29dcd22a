#include "codec/opus_decoder.h"

#include <ogg/ogg.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "codec/opus_handle.h"
#include "codec/opus_page.h"

namespace callvault::codec {
namespace {

// RFC 7845 sec. 4.6 asks for 80 ms at least. On speech, 1 % of seeks were then still under 9 dB SNR against the linear
// decode; with 300 ms, under 27 dB. It is seldom a page more to read.
constexpr std::uint64_t kPreRoll = kOpusClock * 300 / 1000;
constexpr std::uint64_t kLongestPacket = kOpusClock * 120 / 1000;

Error bad_page(std::uint64_t index, const char* what) {
  return fail(Errc::corrupt, "audio page " + std::to_string(index) + " " + what);
}

struct Head {
  std::uint16_t pre_skip = 0;
  std::int16_t gain = 0;
};

std::optional<Head> parse_head(base::ByteView packet) {
  base::FieldReader field(packet);
  if (base::as_text(field.bytes(8)) != "OpusHead") return std::nullopt;
  const auto version = field.number<std::uint8_t>();
  const auto channels = field.number<std::uint8_t>();
  const auto pre_skip = field.number<std::uint16_t>();
  field.number<std::uint32_t>();  // the rate before encoding: of no use to a decoder
  const auto gain = field.number<std::uint16_t>();
  const auto family = field.number<std::uint8_t>();
  if (!field.ok() || version != 1 || channels != 1 || family != 0) return std::nullopt;
  return Head{.pre_skip = pre_skip, .gain = static_cast<std::int16_t>(gain)};
}

}  // namespace

struct TrackDecoder::State {
  State(PageSource& source, std::uint32_t rate) : pages(&source), rate_hz(rate), per_sample(kOpusClock / rate) {
    pcm.resize(kLongestPacket / per_sample);
    ogg_sync_init(&sync);
  }
  ~State() {
    ogg_stream_clear(&stream);
    ogg_sync_clear(&sync);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> start();
  Result<ogg_page> fetch(std::uint64_t index, std::size_t skip = 0);
  Result<std::uint64_t> end_of(std::uint64_t index);
  Result<void> enter(std::uint64_t index, std::uint64_t starts);
  Result<void> enter_next();
  Result<void> decode_packet(const ogg_packet& packet);

  PageSource* pages;
  std::uint32_t rate_hz;
  std::uint64_t per_sample;  // ticks of the 48 kHz clock
  DecoderHandle decoder;
  ogg_sync_state sync{};
  ogg_stream_state stream{};
  std::array<std::byte, kPageBytes> page{};
  std::optional<std::uint64_t> page_index;  // what `page` holds
  std::uint64_t pages_read = 0;

  int serial = 0;
  std::uint64_t pre_skip = 0;           // ticks
  std::optional<std::uint64_t> end;     // ticks: granule position of the last page
  std::uint64_t next_page = 1;          // to enter
  std::uint64_t page_end = 0;           // ticks: granule position of the entered page
  bool page_is_last = false;            // of the track, finished or not
  std::uint64_t decoded = 0;            // ticks: where the next packet starts
  std::uint64_t position = 0;           // samples
  std::vector<std::int16_t> pcm;        // of one packet
  std::size_t pcm_at = 0, pcm_end = 0;  // what of it is still to be given
};

// One page, checked: whole, of this track, in its place, with whole packets only. It points into `sync`.
Result<ogg_page> TrackDecoder::State::fetch(std::uint64_t index, std::size_t skip) {
  if (page_index != index) {
    page_index.reset();
    CALLVAULT_TRY(pages->read_page(index, page));
    page_index = index;
    ++pages_read;
  }
  ogg_sync_reset(&sync);
  const std::size_t bytes = page.size() - skip;
  char* const room = ogg_sync_buffer(&sync, static_cast<long>(bytes));
  if (room == nullptr) return fail(Errc::unexpected, "out of memory for audio pages");
  std::copy_n(reinterpret_cast<const char*>(page.data()) + skip, bytes, room);
  ogg_sync_wrote(&sync, static_cast<long>(bytes));
  ogg_page out{};
  if (ogg_sync_pageout(&sync, &out) != 1) return bad_page(index, "is not an Ogg page");
  const bool header = index == 0;
  if (!header && static_cast<std::size_t>(out.header_len + out.body_len) != kPageBytes)
    return bad_page(index, "has another length");
  const std::size_t lacings = out.header[kOggHeaderBytes - 1];
  if (ogg_page_continued(&out) != 0 || lacings == 0 || out.header[kOggHeaderBytes - 1 + lacings] == 255)
    return bad_page(index, "has a torn packet");
  if (!header && (ogg_page_serialno(&out) != serial || static_cast<std::uint32_t>(ogg_page_pageno(&out)) != index + 1))
    return bad_page(index, "is not where it belongs");
  if (!header && (ogg_page_granulepos(&out) < 0 || ogg_page_bos(&out) != 0)) return bad_page(index, "has no position");
  return out;
}

Result<void> TrackDecoder::State::start() {
  if (pages->page_count() == 0) return fail(Errc::corrupt, "the track has no audio header");
  CALLVAULT_TRY_ASSIGN(ogg_page first, fetch(0));
  serial = ogg_page_serialno(&first);
  if (ogg_stream_init(&stream, serial) != 0) return fail(Errc::unexpected, "out of memory for audio pages");
  ogg_packet packet{};
  if (ogg_page_bos(&first) == 0 || ogg_page_pageno(&first) != 0 || ogg_stream_pagein(&stream, &first) != 0 ||
      ogg_stream_packetout(&stream, &packet) != 1)
    return bad_page(0, "has no audio header");
  const auto head = parse_head(std::as_bytes(std::span(packet.packet, static_cast<std::size_t>(packet.bytes))));
  if (!head) return bad_page(0, "has an audio header of another kind");
  pre_skip = head->pre_skip;

  const auto head_bytes = static_cast<std::size_t>(first.header_len + first.body_len);
  CALLVAULT_TRY_ASSIGN(ogg_page second, fetch(0, head_bytes));
  if (head_bytes + static_cast<std::size_t>(second.header_len + second.body_len) != kPageBytes ||
      ogg_page_serialno(&second) != serial || ogg_stream_pagein(&stream, &second) != 0 ||
      ogg_stream_packetout(&stream, &packet) != 1 || packet.bytes < 8 ||
      base::as_text(std::as_bytes(std::span(packet.packet, 8))) != "OpusTags")
    return bad_page(0, "has no comment header");

  int status = OPUS_OK;
  decoder.reset(opus_decoder_create(static_cast<opus_int32>(rate_hz), 1, &status));
  if (status != OPUS_OK || !decoder)
    return fail(Errc::unexpected, std::string("libopus cannot start: ") + opus_strerror(status));
  if (opus_decoder_ctl(decoder.get(), OPUS_SET_GAIN(head->gain)) != OPUS_OK)
    return fail(Errc::unexpected, "libopus refuses a gain");
  return {};
}

// The granule position at the end of page `index`; 0 for the header page.
Result<std::uint64_t> TrackDecoder::State::end_of(std::uint64_t index) {
  if (index == 0) return std::uint64_t{0};
  CALLVAULT_TRY_ASSIGN(ogg_page found, fetch(index));
  return static_cast<std::uint64_t>(ogg_page_granulepos(&found));
}

// Makes the packets of page `index` the next ones, with the decoder as new. `starts`: the end of the page before.
Result<void> TrackDecoder::State::enter(std::uint64_t index, std::uint64_t starts) {
  if (opus_decoder_ctl(decoder.get(), OPUS_RESET_STATE) != OPUS_OK)
    return fail(Errc::unexpected, "libopus cannot start again");
  ogg_stream_reset(&stream);
  next_page = index;
  decoded = page_end = starts;
  pcm_at = pcm_end = 0;
  return {};
}

Result<void> TrackDecoder::State::enter_next() {
  if (decoded < page_end) return bad_page(next_page - 1, "holds less than it says");
  CALLVAULT_TRY_ASSIGN(ogg_page next, fetch(next_page));
  const auto granule = static_cast<std::uint64_t>(ogg_page_granulepos(&next));
  page_is_last = next_page + 1 == pages->page_count();
  if (ogg_page_eos(&next) != 0 && !page_is_last) return bad_page(next_page, "ends the track too early");
  if (granule < page_end || granule - page_end > 255 * kLongestPacket) return bad_page(next_page, "jumps in time");
  if (ogg_stream_pagein(&stream, &next) != 0) return bad_page(next_page, "cannot be taken apart");
  page_end = granule;
  if (page_is_last) end = granule;
  ++next_page;
  return {};
}

// Leaves in pcm what of the packet lies at or after `position` and before the track's end.
Result<void> TrackDecoder::State::decode_packet(const ogg_packet& packet) {
  const int count = opus_decode(decoder.get(), packet.packet, static_cast<opus_int32>(packet.bytes), pcm.data(),
                                static_cast<int>(pcm.size()), 0);
  if (count < 1) return bad_page(next_page - 1, "holds what is not Opus");
  const std::uint64_t from = decoded;
  decoded += static_cast<std::uint64_t>(count) * per_sample;
  const std::uint64_t wanted = pre_skip + position * per_sample;
  if (decoded > page_end && !page_is_last) return bad_page(next_page - 1, "holds more than it says");
  const std::uint64_t until = std::min(decoded, page_end);
  if (until <= wanted) return {};
  pcm_at = wanted > from ? static_cast<std::size_t>((wanted - from) / per_sample) : 0;
  pcm_end = static_cast<std::size_t>((until - from) / per_sample);
  if (wanted < from) return bad_page(next_page - 1, "does not follow the one before");
  return {};
}

Result<TrackDecoder> TrackDecoder::open(PageSource& pages, std::uint32_t rate_hz) {
  if (!is_opus_rate(rate_hz)) return fail(Errc::usage, "opus has no rate of " + std::to_string(rate_hz) + " Hz");
  auto state = std::make_unique<State>(pages, rate_hz);
  CALLVAULT_TRY(state->start());
  return TrackDecoder(std::move(state));
}

Result<std::uint64_t> TrackDecoder::total_samples() {
  State& s = *state_;
  if (!s.end) {
    const auto end = s.end_of(s.pages->page_count() - 1);
    const auto known = s.pages->known_length();
    if (!end && end.error().code == Errc::corrupt && known && known->count() >= 0)
      return static_cast<std::uint64_t>(known->count()) * s.rate_hz / 1000;
    if (!end) return end.error();
    s.end = *end;
  }
  return *s.end > s.pre_skip ? (*s.end - s.pre_skip) / s.per_sample : std::uint64_t{0};
}

Result<void> TrackDecoder::seek(std::uint64_t sample) {
  State& s = *state_;
  CALLVAULT_TRY_ASSIGN(const std::uint64_t total, total_samples());
  s.position = std::min(sample, total);
  const std::uint64_t wanted = s.pre_skip + s.position * s.per_sample;
  const std::uint64_t from = wanted > kPreRoll ? wanted - kPreRoll : 0;
  // The first page that ends after `from`, and where the one before it ends.
  std::uint64_t starts = 0;
  std::uint64_t low = 1, high = s.pages->page_count() - 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    CALLVAULT_TRY_ASSIGN(const std::uint64_t ends, s.end_of(middle));
    if (ends > from) {
      high = middle;
    } else {
      low = middle + 1;
      starts = ends;
    }
  }
  return s.enter(low, starts);
}

Result<std::size_t> TrackDecoder::read(std::span<std::int16_t> out) {
  State& s = *state_;
  std::size_t done = 0;
  while (done < out.size()) {
    if (s.pcm_at < s.pcm_end) {
      const std::size_t count = std::min(out.size() - done, s.pcm_end - s.pcm_at);
      std::copy_n(s.pcm.begin() + static_cast<std::ptrdiff_t>(s.pcm_at), count,
                  out.begin() + static_cast<std::ptrdiff_t>(done));
      s.pcm_at += count;
      s.position += count;
      done += count;
      continue;
    }
    ogg_packet packet{};
    const int got = ogg_stream_packetout(&s.stream, &packet);
    if (got < 0) return bad_page(s.next_page - 1, "cannot be taken apart");
    if (got > 0) {
      CALLVAULT_TRY(s.decode_packet(packet));
      continue;
    }
    if (s.next_page >= s.pages->page_count()) {
      if (s.decoded < s.page_end) return bad_page(s.next_page - 1, "holds less than it says");
      break;
    }
    CALLVAULT_TRY(s.enter_next());
  }
  return done;
}

std::uint64_t TrackDecoder::position() const { return state_->position; }
std::uint64_t TrackDecoder::pages_read() const { return state_->pages_read; }

TrackDecoder::TrackDecoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
TrackDecoder::TrackDecoder(TrackDecoder&&) noexcept = default;
TrackDecoder& TrackDecoder::operator=(TrackDecoder&&) noexcept = default;
TrackDecoder::~TrackDecoder() = default;

}  // namespace callvault::codec
