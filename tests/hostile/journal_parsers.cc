#include "hostile/parsers.h"
#include "journal/checkpoint.h"
#include "journal/entry.h"
#include "journal/note.h"
#include "journal/proof.h"
#include "rights/certificate.h"

namespace callvault::hostile {
namespace {

using base::as_text;
using base::ByteView;

// The key of zeros, under which the vectors' `signed:` lines are signed, as "example.com/v".
const journal::VerifierKey& verifier() {
  static const journal::VerifierKey key = [] {
    const auto seed = crypto::Key::copy_of(ByteView(base::Bytes(crypto::Key::kBytes)));
    return journal::VerifierKey{"example.com/v", crypto::signing_public_key(*seed)};
  }();
  return key;
}

}  // namespace

void add_journal_parsers(Parsers& to) {
  to["journal entry"] = [](ByteView in) {
    const auto entry = journal::decode(as_text(in));
    return entry ? accepted(entry->event) : refusal(entry.error());
  };
  to["checkpoint"] = [](ByteView in) {
    const auto checkpoint = journal::parse_checkpoint(as_text(in), verifier().key);
    return checkpoint ? accepted(checkpoint->origin + " " + std::to_string(checkpoint->head.size))
                      : refusal(checkpoint.error());
  };
  to["verifier key"] = [](ByteView in) {
    const auto key = journal::parse_verifier_key(as_text(in));
    return key ? accepted(key->name) : refusal(key.error());
  };
  to["proof"] = [](ByteView in) {
    const auto proven = journal::verify_proof(as_text(in), verifier());
    return proven ? accepted(std::to_string(proven->checkpoint.head.size)) : refusal(proven.error());
  };
  to["certificate"] = [](ByteView in) {
    const auto report = rights::verify_certificate(as_text(in), verifier());
    return report ? accepted() : refusal(report.error());
  };
  to["decimal"] = [](ByteView in) {
    const auto value = journal::read_decimal(as_text(in));
    return value ? accepted(std::to_string(*value)) : Answer{"no", {}, {}};
  };
}

}  // namespace callvault::hostile
