#include "disclosure/documents.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace callvault::disclosure {
namespace {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 is replaced, not refused: nothing a person typed may keep another from their data.
std::string pretty(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json known(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

std::string recording_json(const CallRecord& r, const std::vector<AudioFile>& files, const base::Zone& zone) {
  Json audio = Json::array();
  for (const auto& f : files)
    audio.push_back({{"file", std::string(to_word(f.track)) + ".opus"},
                     {"track", to_word(f.track)},
                     {"codec", "opus"},
                     {"bytes", f.bytes},
                     {"duration_s", f.duration_s}});
  Json flags = Json::array();
  if (r.flags.truncated) flags.push_back("truncated");
  if (r.flags.interrupted) flags.push_back("interrupted");
  if (r.flags.duplicate_call_id) flags.push_back("duplicate_call_id");
  return pretty({{"id", r.id.text()},
                 {"started_at", zone.rfc3339(r.started_at)},
                 {"ended_at", r.ended_at ? Json(zone.rfc3339(*r.ended_at)) : Json()},
                 {"duration_s", r.duration_s ? Json(*r.duration_s) : Json()},
                 {"expires_at", zone.rfc3339(r.expires_at)},
                 {"direction", to_word(r.direction)},
                 {"caller", known(r.caller)},
                 {"called", known(r.called)},
                 {"agent", known(r.agent)},
                 {"call_id", known(r.call_id)},
                 {"class", r.retention_class},
                 {"state", to_word(r.state)},
                 {"flags", std::move(flags)},
                 {"audio", std::move(audio)}});
}

std::string consent_json(const CallRecord& r, const std::vector<ConsentStep>& steps, const base::Zone* zone,
                         Detail detail) {
  const auto when = [&](Time time) { return zone != nullptr ? zone->rfc3339(time) : base::utc_text(time); };
  const std::string other = detail == Detail::caller_only ? "agent" : detail == Detail::agent_only ? "caller" : "";
  Json changes = Json::array();
  for (const auto& s : steps) {
    if (s.party == other) continue;
    changes.push_back({{"at", when(s.at)},
                       {"party", s.party},
                       {"consent", s.consent},
                       {"evidence", known(s.evidence)},
                       {"journal_entry", s.journal_index}});
  }
  Json consents = Json::object();
  for (const auto& c : r.consents)
    if (to_word(c.party) != other) consents[std::string(to_word(c.party))] = to_word(c.consent);
  return pretty({{"basis", to_word(r.basis)},
                 {"notice", known(r.notice)},
                 {"notice_played", r.notice_played ? Json(*r.notice_played) : Json()},
                 {"consents", std::move(consents)},
                 {"changes", std::move(changes)}});
}

std::string access_json(const std::vector<AccessStep>& steps, const base::Zone& zone) {
  Json out = Json::array();
  for (const auto& s : steps)
    out.push_back({{"journal_entry", s.journal_index},
                   {"at", zone.rfc3339(s.at)},
                   {"event", s.event},
                   {"facts", Json(s.facts)},
                   {"proof", "proofs/" + std::to_string(s.journal_index) + ".txt"}});
  return pretty(out);
}

std::string disclosure_json(const Bundle& bundle, const base::Zone& zone) {
  Json ids = Json::array();
  for (const auto& id : bundle.ids) ids.push_back(id.text());
  return pretty(
      {{"controller", {{"name", bundle.controller.organisation}, {"contact", known(bundle.controller.contact)}}},
       {"authority", bundle.authority},
       {"reference", bundle.reference},
       {"legal_basis", bundle.basis},
       {"made_at", zone.rfc3339(bundle.at)},
       {"journal", bundle.origin},
       {"recordings", std::move(ids)}});
}

std::string instructions(const Bundle& bundle) {
  return "Recordings disclosed by " + bundle.controller.organisation + "\n\n" +
         "What this is\n"
         "  disclosure.json            to whom, under which reference, on which legal basis\n"
         "  recordings/<id>/*.opus     the audio as it was recorded, one file a party (or mixed), not encoded again\n"
         "  recordings/<id>/recording.json, consent.json   facts of the call, evidence of consent\n"
         "  recordings/<id>/access.json, proofs/           who did what with it, each step with its proof\n"
         "  journal/                   signed head and public key of the log those steps stand in\n"
         "  SHA256SUMS, SHA256SUMS.sig, vault-key.pem      hashes of all other files, signed by the vault's key\n\n"
         "How to verify it, with public tools, in this folder\n"
         "  0. it was unpacked by:          age -d -i KEYFILE BUNDLE.age | tar x      (or age -d, with a passphrase)\n"
         "  1. nothing was changed:         sha256sum -c SHA256SUMS\n"
         "  2. the vault signed that list:  openssl pkeyutl -verify -pubin -inkey vault-key.pem -rawin \\\n"
         "                                    -in SHA256SUMS -sigfile SHA256SUMS.sig\n"
         "  3. the key is the vault's:      compare vault-key.pem with the key that " +
         bundle.controller.organisation +
         "\n"
         "                                  gives you by another way:\n"
         "                                    openssl pkey -pubin -in vault-key.pem -outform DER | sha256sum\n"
         "                                  journal/key.pub is the same key in the form of C2SP signed notes.\n"
         "  4. a step stands in the log:    callvault journal verify --proof FILE --key journal/key.pub, or any tool\n"
         "                                  for c2sp.org/tlog-proof (from the third line on)\n"
         "  5. to listen:                   any player of Ogg Opus; opusinfo FILE; ffmpeg -i FILE out.wav\n\n"
         "What it does not show: that no other copy or recording exists, and that the clock of the vault was right.\n"
         "Names of staff and reasons they gave are sealed in the log; the controller can open them.\n";
}

std::string public_key_pem(const crypto::SigningPublicKey& key) {
  // SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }
  constexpr std::array<unsigned char, 12> kEd25519{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                   0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
  base::Bytes der = base::to_bytes(std::as_bytes(std::span(kEd25519)));
  der.insert(der.end(), key.begin(), key.end());
  return "-----BEGIN PUBLIC KEY-----\n" + base::to_base64(der) + "\n-----END PUBLIC KEY-----\n";
}

}  // namespace callvault::disclosure
