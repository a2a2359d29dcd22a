// A checkpoint is either refused or genuine; with the known key only what it signed gets through. The first byte
// chooses whether the input is re-signed, so that the parser behind the signature is reached too.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "crypto/random.h"
#include "journal/checkpoint.h"

using namespace callvault;

namespace {

const crypto::Key& seed() {
  static const crypto::Key key = [] {
    if (!crypto::ready()) std::abort();
    const std::array<std::byte, 32> bytes{};
    auto made = crypto::Key::copy_of(crypto::Key::View(bytes));
    if (!made) std::abort();
    return std::move(made).value();
  }();
  return key;
}

// The note of a checkpoint of ours around the input.
std::string signed_note(std::string_view note) {
  const std::string origin(note.substr(0, note.find('\n')));
  if (!journal::is_origin(origin)) return std::string(note);
  const std::string model = journal::make_checkpoint(origin, {}, seed());
  const auto line_at = model.find("\n\n") + 2;
  const auto blob_at = model.rfind(' ') + 1;
  auto blob = base::from_base64(std::string_view(model).substr(blob_at, model.size() - blob_at - 1));
  if (!blob) std::abort();
  const auto signature = crypto::sign(seed(), base::as_bytes(note));
  std::copy(signature.begin(), signature.end(), blob->begin() + 4);
  return std::string(note) + "\n" + model.substr(line_at, blob_at - line_at) + base::to_base64(*blob) + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool resign = (data[0] & 1) != 0;
  const auto key = crypto::signing_public_key(seed());
  const auto parsed = journal::parse_checkpoint(resign ? signed_note(text) : std::string(text), key);
  if (parsed) {
    const auto again = journal::parse_checkpoint(journal::make_checkpoint(parsed->origin, parsed->head, seed()), key);
    if (!again || *again != *parsed) std::abort();
  } else if (parsed.error().code != Errc::corrupt) {
    std::abort();
  }
  const auto verifier = journal::parse_verifier_key(text);
  if (verifier && journal::encode_verifier_key(verifier->name, verifier->key) != text) std::abort();
  return 0;
}
