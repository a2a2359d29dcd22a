// libopus' states, owned.
#pragma once

#include <opus.h>

#include <memory>

namespace callvault::codec {

struct OpusDeleter {
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
  void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
};
using EncoderHandle = std::unique_ptr<OpusEncoder, OpusDeleter>;
using DecoderHandle = std::unique_ptr<OpusDecoder, OpusDeleter>;

}  // namespace callvault::codec
