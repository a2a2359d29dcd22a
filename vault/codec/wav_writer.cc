#include "codec/wav_writer.h"

namespace callvault::codec {

base::Bytes wav_header(std::uint32_t rate_hz, unsigned channels, std::optional<std::uint64_t> frames) {
  constexpr std::uint32_t kUnknown = 0xffffffff;
  constexpr std::uint32_t kAfterRiffSize = kWavHeaderBytes - 8;
  const std::uint32_t block = channels * 2;
  const bool fits = frames && *frames <= (kUnknown - kAfterRiffSize - 1) / block;
  const std::uint32_t data_bytes = fits ? static_cast<std::uint32_t>(*frames) * block : kUnknown;

  base::Bytes out(kWavHeaderBytes);
  base::FieldWriter field(out);
  field.bytes(base::as_bytes("RIFF"));
  field.number<std::uint32_t>(fits ? data_bytes + kAfterRiffSize : kUnknown);
  field.bytes(base::as_bytes("WAVEfmt "));
  field.number<std::uint32_t>(16);
  field.number<std::uint16_t>(1);  // PCM
  field.number(static_cast<std::uint16_t>(channels));
  field.number<std::uint32_t>(rate_hz);
  field.number<std::uint32_t>(rate_hz * block);
  field.number(static_cast<std::uint16_t>(block));
  field.number<std::uint16_t>(16);
  field.bytes(base::as_bytes("data"));
  field.number<std::uint32_t>(data_bytes);
  return out;
}

}  // namespace callvault::codec
