#include "codec/opus_encoder.h"

#include <ogg/ogg.h>

#include <algorithm>
#include <array>
#include <exception>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codec/opus_handle.h"
#include "codec/opus_page.h"

namespace callvault::codec {
namespace {

constexpr std::string_view kVendor = "callvault " CALLVAULT_VERSION;
constexpr std::size_t kHeadBytes = 19;
// A line is quiet while no sample is further from zero than one step of G.711 there: 8 of 32,768, -72 dBFS.
constexpr std::int16_t kQuietestStep = 8;
// So long the encoder still hears it, that what decoders make up for frames not sent is silence, too: it follows the
// frames before slowly, and after 200 ms a tone was still heard in it. Then one frame a second, with the least effort:
// there is nothing in it.
constexpr std::size_t kQuietFramesEncoded = 25;
constexpr std::size_t kQuietFramesApart = 50;
constexpr int kQuietComplexity = 0;
// The comment header fills what the head page leaves of the first kPageBytes.
constexpr std::size_t kHeadPageBytes = kOggHeaderBytes + page_cost(kHeadBytes);
constexpr std::size_t kTagsBytes = 946;
static_assert(kHeadPageBytes + kOggHeaderBytes + page_cost(kTagsBytes) == kPageBytes);

bool is_quiet(std::span<const std::int16_t> samples) {
  // The outermost samples first: of speech one comparison is most often enough.
  const auto loud = [](std::int16_t sample) { return sample > kQuietestStep || sample < -kQuietestStep; };
  return !loud(samples.front()) && !loud(samples.back()) && std::none_of(samples.begin(), samples.end(), loud);
}

// RFC 6716 sec. 3.1: the configuration of the packet that `toc` begins, as one frame. Nothing but this byte is a frame
// that was not sent (sec. 3.2.1): the decoder goes on as the frames before it let expect.
constexpr unsigned char toc_of_unsent(unsigned char toc) { return static_cast<unsigned char>(toc & 0xFC); }

Result<int> random_serial() {
  try {
    return static_cast<int>(std::random_device{}());
  } catch (const std::exception&) {
    return fail(Errc::unexpected, "the host gives no random numbers");
  }
}

// RFC 7845 sec. 5.1.
std::array<std::byte, kHeadBytes> opus_head(std::uint32_t rate_hz, std::uint16_t pre_skip) {
  std::array<std::byte, kHeadBytes> out{};
  base::FieldWriter field(out);
  field.bytes(base::as_bytes("OpusHead"));
  field.number<std::uint8_t>(1);  // version
  field.number<std::uint8_t>(1);  // channels
  field.number(pre_skip);
  field.number(rate_hz);
  field.number<std::uint16_t>(0);  // gain
  field.number<std::uint8_t>(0);   // mapping family
  return out;
}

// RFC 7845 sec. 5.2: no comments, then padding, which a clear lowest bit of its first byte lets others drop.
std::array<std::byte, kTagsBytes> opus_tags() {
  std::array<std::byte, kTagsBytes> out{};
  base::FieldWriter field(out);
  field.bytes(base::as_bytes("OpusTags"));
  field.number(static_cast<std::uint32_t>(kVendor.size()));
  field.bytes(base::as_bytes(kVendor));
  field.number<std::uint32_t>(0);
  return out;
}

}  // namespace

std::uint32_t default_bitrate(std::uint32_t rate_hz) {
  if (rate_hz <= 8000) return 16000;
  if (rate_hz <= 16000) return 24000;
  return rate_hz <= 24000 ? 32000 : 40000;
}

struct TrackEncoder::State {
  State(EncoderHandle handle, std::uint32_t rate, unsigned lookahead, int effort)
      : encoder(std::move(handle)),
        rate_hz(rate),
        pre_skip(lookahead * (kOpusClock / rate)),
        complexity(effort),
        effort_now(effort) {
    frame.resize(rate / kPacketsPerSecond);
    held.resize(frame.size());
  }
  ~State() { ogg_stream_clear(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> add_header(const EmitPage& emit);
  Result<void> encode_frame(bool is_last, const EmitPage& emit);
  Result<void> put_held(bool is_idle, const EmitPage& emit);
  Result<void> put_encoded(std::span<const std::int16_t> samples, int effort, bool is_last, const EmitPage& emit);
  Result<void> put(std::size_t packet_bytes, bool is_last, const EmitPage& emit);
  Result<void> emit_page(bool is_last, const EmitPage& emit);
  Result<void> take_pages(std::size_t at);

  std::uint64_t to_clock(std::uint64_t samples) const { return samples * (kOpusClock / rate_hz); }

  EncoderHandle encoder;
  ogg_stream_state stream{};
  std::uint32_t rate_hz;
  std::uint32_t pre_skip;  // 48 kHz samples
  bool header_done = false;
  std::vector<std::int16_t> frame;
  std::size_t frame_fill = 0;
  std::size_t quiet_frames = 0;  // in a row, up to this one
  // A frame that need not be sent, until the next one is known. A decoder fades in what follows a frame that it
  // missed: 6 to 10 dB off the first 20 ms of a word. So the last frame before a word is sent.
  std::vector<std::int16_t> held;
  bool is_held = false;
  int complexity;              // as asked for
  int effort_now;              // the complexity that libopus was last told
  unsigned char last_toc = 0;  // of the last packet that libopus made
  PageBody body;
  std::uint64_t body_granule = 0;  // at the end of the body's last packet
  std::uint64_t encoded = 0;       // 48 kHz samples in all packets
  std::uint64_t samples_in = 0;
  std::uint64_t samples_emitted = 0;
  std::int64_t packet_number = 0;
  std::array<std::byte, kPageBytes> page{};
};

// Moves the finished pages of `stream` to page[at..], which they must fill.
Result<void> TrackEncoder::State::take_pages(std::size_t at) {
  ogg_page out{};
  while (ogg_stream_flush(&stream, &out) != 0) {
    const auto header = std::as_bytes(std::span(out.header, static_cast<std::size_t>(out.header_len)));
    const auto content = std::as_bytes(std::span(out.body, static_cast<std::size_t>(out.body_len)));
    if (header.size() + content.size() > page.size() - at) return fail(Errc::unexpected, "an audio page is too long");
    const auto middle = std::copy(header.begin(), header.end(), page.begin() + static_cast<std::ptrdiff_t>(at));
    std::copy(content.begin(), content.end(), middle);
    at += header.size() + content.size();
  }
  if (at != page.size()) return fail(Errc::unexpected, "an audio page is too short");
  return {};
}

Result<void> TrackEncoder::State::add_header(const EmitPage& emit) {
  if (header_done) return {};
  header_done = true;
  auto head = opus_head(rate_hz, static_cast<std::uint16_t>(pre_skip));
  auto tags = opus_tags();
  const auto put = [&](std::span<std::byte> bytes) {
    ogg_packet packet{};
    packet.packet = reinterpret_cast<unsigned char*>(bytes.data());
    packet.bytes = static_cast<long>(bytes.size());
    packet.b_o_s = packet_number == 0 ? 1 : 0;
    packet.packetno = packet_number++;
    return ogg_stream_packetin(&stream, &packet) == 0;
  };
  if (!put(head) || !put(tags)) return fail(Errc::unexpected, "out of memory for audio pages");
  // libogg gives the head a page of its own, as RFC 7845 asks.
  CALLVAULT_TRY(take_pages(0));
  return emit(page, false);
}

Result<void> TrackEncoder::State::emit_page(bool is_last, const EmitPage& emit) {
  if (!body.pad()) return fail(Errc::unexpected, "an audio page cannot be filled");
  std::size_t at = 0;
  for (std::size_t i = 0; i < body.count(); ++i) {
    ogg_packet packet{};
    packet.packet = body.bytes() + at;
    packet.bytes = static_cast<long>(body.size(i));
    packet.e_o_s = is_last && i + 1 == body.count() ? 1 : 0;
    packet.granulepos = static_cast<ogg_int64_t>(body_granule);  // only that of the last packet is written
    packet.packetno = packet_number++;
    if (ogg_stream_packetin(&stream, &packet) != 0) return fail(Errc::unexpected, "out of memory for audio pages");
    at += body.size(i);
  }
  body.clear();
  CALLVAULT_TRY(take_pages(0));
  const std::uint64_t decodable = body_granule > pre_skip ? body_granule - pre_skip : 0;
  samples_emitted = decodable / (kOpusClock / rate_hz);
  return emit(page, is_last);
}

// `is_idle`: so is the frame after it.
Result<void> TrackEncoder::State::put_held(bool is_idle, const EmitPage& emit) {
  is_held = false;
  if (!is_idle) return put_encoded(held, complexity, false, emit);
  *body.next() = toc_of_unsent(last_toc);
  return put(1, false, emit);
}

Result<void> TrackEncoder::State::put_encoded(std::span<const std::int16_t> samples, int effort, bool is_last,
                                              const EmitPage& emit) {
  if (effort != effort_now && opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(effort)) != OPUS_OK)
    return fail(Errc::unexpected, "libopus refuses a complexity");
  effort_now = effort;
  const int bytes = opus_encode(encoder.get(), samples.data(), static_cast<int>(samples.size()), body.next(),
                                static_cast<opus_int32>(kMaxPacketBytes));
  if (bytes < 1) return fail(Errc::unexpected, std::string("libopus cannot encode: ") + opus_strerror(bytes));
  last_toc = *body.next();
  return put(static_cast<std::size_t>(bytes), is_last, emit);
}

// Takes the packet at body.next() into the page.
Result<void> TrackEncoder::State::put(std::size_t packet_bytes, bool is_last, const EmitPage& emit) {
  if (!body.fits(packet_bytes)) {
    // Padding moves what lies behind the body: keep the new packet aside.
    std::array<unsigned char, kMaxPacketBytes> aside;
    std::copy_n(body.next(), packet_bytes, aside.begin());
    CALLVAULT_TRY(emit_page(false, emit));
    std::copy_n(aside.begin(), packet_bytes, body.next());
  }
  body.push(packet_bytes);
  encoded += kOpusClock / kPacketsPerSecond;
  body_granule = encoded;
  if (is_last) body_granule = pre_skip + to_clock(samples_in);
  if (is_last || body.count() == kPacketsPerSecond) return emit_page(is_last, emit);
  return {};
}

Result<void> TrackEncoder::State::encode_frame(bool is_last, const EmitPage& emit) {
  frame_fill = 0;
  quiet_frames = is_quiet(frame) ? quiet_frames + 1 : 0;
  const bool is_idle = quiet_frames > kQuietFramesEncoded && !is_last;
  if (is_held) CALLVAULT_TRY(put_held(is_idle, emit));
  if (!is_idle) return put_encoded(frame, complexity, is_last, emit);
  if (quiet_frames % kQuietFramesApart == 0) return put_encoded(frame, kQuietComplexity, false, emit);
  frame.swap(held);
  is_held = true;
  return {};
}

Result<TrackEncoder> TrackEncoder::make(std::uint32_t rate_hz, const EncoderOptions& options) {
  if (!is_opus_rate(rate_hz)) return fail(Errc::usage, "opus has no rate of " + std::to_string(rate_hz) + " Hz");
  const std::uint32_t bitrate = options.bitrate.value_or(default_bitrate(rate_hz));
  if (bitrate < 6000 || bitrate > 256000)
    return fail(Errc::usage, "bitrate " + std::to_string(bitrate) + " is not within 6000..256000 bit/s");
  if (options.complexity < 0 || options.complexity > 10)
    return fail(Errc::usage, "complexity " + std::to_string(options.complexity) + " is not within 0..10");

  // Not VOIP: that takes low tones off and turns the phase of what is left, and saves nothing. With the signal said to
  // be voice, libopus chooses the same modes as VOIP below 64 kbit/s (decision 129).
  int status = OPUS_OK;
  EncoderHandle encoder(opus_encoder_create(static_cast<opus_int32>(rate_hz), 1, OPUS_APPLICATION_AUDIO, &status));
  if (status != OPUS_OK || !encoder)
    return fail(Errc::unexpected, std::string("libopus cannot start: ") + opus_strerror(status));
  opus_int32 lookahead = 0;
  for (const int result : {opus_encoder_ctl(encoder.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)),
                           opus_encoder_ctl(encoder.get(), OPUS_SET_VBR(1)),
                           opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(static_cast<opus_int32>(bitrate))),
                           opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(options.complexity)),
                           opus_encoder_ctl(encoder.get(), OPUS_GET_LOOKAHEAD(&lookahead))}) {
    if (result != OPUS_OK)
      return fail(Errc::unexpected, std::string("libopus refuses a setting: ") + opus_strerror(result));
  }
  CALLVAULT_TRY_ASSIGN(const int serial, random_serial());
  auto state =
      std::make_unique<State>(std::move(encoder), rate_hz, static_cast<unsigned>(lookahead), options.complexity);
  if (ogg_stream_init(&state->stream, serial) != 0) return fail(Errc::unexpected, "out of memory for audio pages");
  return TrackEncoder(std::move(state));
}

Result<void> TrackEncoder::add(std::span<const std::int16_t> mono, const EmitPage& emit) {
  State& s = *state_;
  CALLVAULT_TRY(s.add_header(emit));
  while (!mono.empty()) {
    const std::size_t count = std::min(mono.size(), s.frame.size() - s.frame_fill);
    std::copy_n(mono.begin(), count, s.frame.begin() + static_cast<std::ptrdiff_t>(s.frame_fill));
    s.frame_fill += count;
    s.samples_in += count;
    mono = mono.subspan(count);
    if (s.frame_fill == s.frame.size()) CALLVAULT_TRY(s.encode_frame(false, emit));
  }
  return {};
}

Result<void> TrackEncoder::finish(const EmitPage& emit) {
  State& s = *state_;
  CALLVAULT_TRY(s.add_header(emit));
  // The encoder is behind by pre_skip, so at least one more frame is due, and the last page is never empty.
  if (s.is_held) CALLVAULT_TRY(s.put_held(false, emit));
  const std::uint64_t end = s.pre_skip + s.to_clock(s.samples_in);
  while (s.encoded < end) {
    std::fill(s.frame.begin() + static_cast<std::ptrdiff_t>(s.frame_fill), s.frame.end(), std::int16_t{0});
    const bool is_last = s.encoded + kOpusClock / kPacketsPerSecond >= end;
    s.frame_fill = 0;
    CALLVAULT_TRY(s.put_encoded(s.frame, s.complexity, is_last, emit));  // none is held back any more
  }
  return {};
}

std::uint64_t TrackEncoder::samples_in() const { return state_->samples_in; }
std::uint64_t TrackEncoder::samples_emitted() const { return state_->samples_emitted; }

TrackEncoder::TrackEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
TrackEncoder::TrackEncoder(TrackEncoder&&) noexcept = default;
TrackEncoder& TrackEncoder::operator=(TrackEncoder&&) noexcept = default;
TrackEncoder::~TrackEncoder() = default;

}  // namespace callvault::codec
