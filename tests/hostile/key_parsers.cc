#include "base/text.h"
#include "cli/meta_file.h"
#include "crypto/random.h"
#include "hostile/parsers.h"
#include "keys/config.h"
#include "keys/directory.h"
#include "keys/identity.h"
#include "keys/intake.h"
#include "keys/node.h"
#include "keys/node_file.h"
#include "keys/recorder_view.h"
#include "keys/register_file.h"
#include "keys/review_share.h"

namespace callvault::hostile {
namespace {

using base::as_text;
using base::ByteView;
using crypto::Key;

Key filled(std::uint8_t value) { return Key::copy_of(ByteView(base::Bytes(Key::kBytes, std::byte{value}))).value(); }

Answer node(ByteView in) {
  auto plain = crypto::SecretBuffer::copy_of(in);
  if (!plain) return refusal(plain.error());
  const auto parsed = keys::Node::parse(std::move(*plain));
  if (!parsed) return refusal(parsed.error());
  const auto rows = parsed->rows();
  return rows ? accepted(std::to_string(rows->size())) : refusal(rows.error());
}

// Whatever is refused is refused before the passphrase costs anything.
Answer identity(ByteView in) {
  const auto before = keys::passphrase_derivations();
  std::string word = "fuzz";
  const auto passphrase = Passphrase::take(word);
  const auto unlocked = keys::unlock_identity(in, "ana", *passphrase);
  if (unlocked) return accepted(unlocked->has_review_keys() ? "with review keys" : "");
  const bool derived = keys::passphrase_derivations() != before;
  if (derived && unlocked.error().code != Errc::wrong_passphrase &&
      unlocked.error().message.find("grant") == std::string::npos)
    return {"unexpected", {}, "derived before it was refused"};
  return refusal(unlocked.error());
}

}  // namespace

// Keys and numbers of the sealed files: tests/vectors/keys/make_vectors.py.
void add_key_parsers(Parsers& to) {
  to["configuration"] = [](ByteView in) {
    const auto config = keys::parse_config(as_text(in));
    return config ? accepted(config->organisation) : refusal(config.error());
  };
  to["directory"] = [](ByteView in) {
    const auto directory = keys::decode_directory(in);
    return directory ? accepted(std::to_string(directory->buckets.size())) : refusal(directory.error());
  };
  to["directory file"] = [](ByteView in) {
    const auto directory = keys::open_directory(in, filled(0x11));
    return directory ? accepted(std::to_string(directory->epoch)) : refusal(directory.error());
  };
  to["node"] = node;
  to["node file"] = [](ByteView in) {
    const auto opened = keys::open_node(in, 3, 2, filled(0x22));
    return opened ? accepted(std::to_string(opened->size())) : refusal(opened.error());
  };
  to["register file"] = [](ByteView in) {
    const auto opened = keys::open_register(in, "opt-out", 3, filled(0xb1));
    return opened ? accepted(std::string(as_text(*opened))) : refusal(opened.error());
  };
  to["intake key"] = [](ByteView in) {
    const auto key = keys::decode_intake(in);
    return key ? accepted(std::to_string(key->id)) : refusal(key.error());
  };
  to["review key"] = [](ByteView in) {
    const auto key = keys::decode_review_public(as_text(in));
    return key ? accepted(std::to_string(key->number)) : refusal(key.error());
  };
  to["share"] = [](ByteView in) {
    const auto share = keys::decode_share(in);
    return share ? accepted(std::to_string(share->number) + " of " + std::to_string(share->of))
                 : refusal(share.error());
  };
  to["identity"] = identity;
}

}  // namespace callvault::hostile
