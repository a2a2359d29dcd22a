// vCon documents (draft-ietf-vcon-vcon-core, syntax 0.4.0): a call's audio and facts in one JSON text that other
// systems read (GDPR Art. 20).
#pragma once

#include <string>
#include <vector>

#include "disclosure/documents.h"

namespace callvault::disclosure {

// Pieces of text, between each two of which the next file of `files` stands in base64url: so an hour of audio needs no
// hour of memory.
std::vector<std::string> vcon_frame(const CallRecord& record, const std::vector<AudioFile>& files,
                                    const std::vector<ConsentStep>& steps, const Controller& controller, Detail detail,
                                    Time now);
// What a shredded recording leaves: no personal data, and a reference to what it was.
std::string vcon_stub(const Tombstone& tombstone, const Controller& controller, Time now);

// Streams base64url without padding, as JSON wants binary data.
class Base64Url {
 public:
  // All that can be written of `bytes` and of what was kept; up to two bytes are kept.
  std::string take(base::ByteView bytes);
  std::string finish();

 private:
  base::Bytes kept_;
};

}  // namespace callvault::disclosure
