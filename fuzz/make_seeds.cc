// Writes the fuzzers' first inputs: make_seeds fuzz/corpus. One sound example of each format, so that mutation starts
// behind the magic numbers. Keys in them are random and belong to nothing.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "backups/manifest.h"
#include "base/text.h"
#include "catalog/row.h"
#include "context/aliases.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "journal/entry.h"
#include "keys/config.h"
#include "keys/directory.h"
#include "keys/identity.h"
#include "keys/intake.h"
#include "keys/node.h"
#include "keys/recorder_view.h"
#include "keys/review_share.h"
#include "rights/approvals_codec.h"
#include "rights/breach_codec.h"
#include "rights/notice_codec.h"
#include "rights/people_codec.h"
#include "rights/request_codec.h"
#include "sealed/header.h"
#include "service/protocol.h"

using namespace callvault;

namespace {

std::filesystem::path corpus;

Result<void> put(const std::string& fuzzer, const std::string& name, base::ByteView bytes) {
  std::error_code error;
  std::filesystem::create_directories(corpus / fuzzer, error);
  std::ofstream out(corpus / fuzzer / name, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) return fail(Errc::io, "cannot write the seed " + name + " of " + fuzzer);
  return {};
}

RecordingId some_id() {
  std::array<std::byte, RecordingId::kBytes> bytes{};
  crypto::fill_random(bytes);
  return RecordingId(bytes);
}

Time at(int days) { return Time(std::chrono::hours(24 * (20'000 + days))); }

sealed::CallMetadata metadata() {
  sealed::CallMetadata out;
  out.started_at = at(0);
  out.caller = "+40722123456";
  out.called = "+40800111222";
  out.agent = "ana";
  out.call_id = "pbx-17";
  out.notice = "2026-1";
  out.notice_played = true;
  out.consent = Consent::implied;
  out.tracks = {TrackName::caller, TrackName::agent};
  out.sample_rate = 8000;
  return out;
}

Result<void> sealed_seeds() {
  CALLVAULT_TRY_ASSIGN(const auto pair, crypto::make_key_pair());
  CALLVAULT_TRY_ASSIGN(const auto pepper, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto recording, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto track, crypto::Key::random());
  const auto call = metadata();
  CALLVAULT_TRY_ASSIGN(const auto text, sealed::encode_metadata(call));
  CALLVAULT_TRY(put("sealed_metadata_fuzz", "call", base::as_bytes(text)));
  sealed::HeaderFields fields;
  fields.id = some_id();
  fields.track = TrackName::caller;
  CALLVAULT_TRY_ASSIGN(const auto header, sealed::make_header(fields, {pair.public_key, pepper, pair.public_key}, call,
                                                              {std::move(recording), std::move(track)}));
  CALLVAULT_TRY(put("sealed_header_fuzz", "header", header.header.raw));
  // How much of a sound file stands before the input (sealed_reader_fuzz.cc): all of it, half of it.
  CALLVAULT_TRY(put("sealed_reader_fuzz", "whole", base::as_bytes("\xff")));
  return put("sealed_reader_fuzz", "half", base::as_bytes("\x80"));
}

Result<void> node_seeds() {
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::random());
  std::vector<keys::NodeRow> rows(2);
  for (auto& row : rows) {
    row.id = some_id();
    row.started_at = at(0);
    row.expires_at = at(180);
    row.consent_since = at(1);
    row.caller_consent = Consent::granted;
    row.duration_s = 61;
    row.intake = {1, 2};
    row.record_secret = secret.reveal();
    row.tracks.push_back({TrackName::mixed, 0, {}, secret.reveal()});
  }
  rows[1].holds = {{"matter 1", at(400)}, {"matter 2", std::nullopt}};
  rows[1].restricted = true;
  CALLVAULT_TRY_ASSIGN(const auto plain, keys::encode_node(rows));
  CALLVAULT_TRY(put("keys_node_fuzz", "two", plain.reveal()));
  rows[0].corrections = {{keys::CorrectedField::caller, "+40722000001"}, {keys::CorrectedField::agent, ""}};
  rows[1].deferred = keys::DeferredErasure{at(3), "R-17", "asked by letter"};
  CALLVAULT_TRY_ASSIGN(const auto extended, keys::encode_node(rows));
  CALLVAULT_TRY(put("keys_node_fuzz", "extended", extended.reveal()));
  std::vector<keys::NodeRow> none;
  CALLVAULT_TRY_ASSIGN(const auto empty, keys::encode_node(none));
  return put("keys_node_fuzz", "none", empty.reveal());
}

Result<void> request_seeds() {
  rights::RequestsContent content{{}, 2026, 2};
  for (const char* id : {"R-2026-0001", "R-2026-0002"}) {
    Request request;
    request.id = id;
    request.name = "Ion";
    request.history.push_back({at(1), "ana", "opened", "by mail"});
    content.requests.push_back(std::move(request));
  }
  content.requests[0].decision = RequestDecision::partly;
  content.requests[0].closed = at(2);
  content.requests[1].requester = Party::agent;
  content.requests[1].answers.push_back({{}, Party::caller, CopyAnswer::silent, at(3), "asked twice"});
  content.requests[1].copies.push_back({at(4), "ana", {}, {TrackName::agent}, CopyForm::vcon, "passphrase"});
  content.requests[1].numbers = {"+40722000001", "+40733000002"};
  CALLVAULT_TRY(put("rights_requests_fuzz", "two_v3", base::as_bytes(rights::encode_requests(content))));
  context::AliasGroup group{at(1), {}, base::Bytes(3 * 129 + 40)};
  for (const auto filler : {std::byte{1}, std::byte{2}}) {
    context::AliasMember member;
    member.token.fill(filler);
    member.group_key.resize(72);
    group.members.push_back(std::move(member));
  }
  return put("context_aliases_fuzz", "one", base::as_bytes(context::encode_aliases({group})));
}

Result<void> breach_seeds() {
  Breach breach;
  breach.id = "B-2026-0001";
  breach.from = at(1);
  breach.authority_notified = at(2);
  breach.history.push_back({at(1), "ana", "opened", "a laptop"});
  return put("rights_breaches_fuzz", "one", base::as_bytes(rights::encode_breaches({{breach}, 2026, 1})));
}

Result<void> people_seeds() {
  rights::PeopleContent people;
  people.duty = Duty{2, "What is heard here stays here.", std::string(64, 'a'), at(1)};
  people.people["ana"].assessed_at = at(1);
  people.people["ana"].acceptances.push_back({2, std::string(64, 'a'), at(2), {}});
  people.people["ion"].expires_at = at(9);
  CALLVAULT_TRY(put("rights_people_fuzz", "two", base::as_bytes(rights::encode_people(people))));
  rights::ApprovalsContent approvals{{}, 2026, 1};
  approvals.records.push_back(
      {{"A-2026-0001", DualAction::erase, ApprovalState::approved, "erase", "ana", "ion", at(1), at(2)}, {}});
  return put("rights_approvals_fuzz", "one", base::as_bytes(rights::encode_approvals(approvals)));
}

Result<void> notice_seeds() {
  std::vector<Notice> notices;
  for (const int day : {1, 2}) {
    const std::string text = "We record calls, for " + std::to_string(day) + " months.";
    notices.push_back({"v" + std::to_string(day), base::to_hex(crypto::sha256(base::as_bytes(text))), text, at(day),
                       day == 1 ? std::optional(at(2)) : std::nullopt, at(0), "ana"});
  }
  return put("rights_notices_fuzz", "two", base::as_bytes(rights::encode_notices(notices)));
}

Result<void> backup_seeds() {
  backups::Manifest manifest{"callvault/0011223344556677", true, at(1), 7, 42, {}, 3, "recorders", {}};
  manifest.key_files.emplace("buckets/7.3", crypto::Digest{});
  CALLVAULT_TRY(put("backups_manifest_fuzz", "one", base::as_bytes(backups::encode_manifest(manifest))));
  CALLVAULT_TRY_ASSIGN(auto part, crypto::Key::copy_of(base::as_bytes(std::string(32, '\x55'))));
  keys::ReviewShare share{"callvault/0011223344556677", {}, 2, 5, 3, {}};
  share.parts.push_back({1, {}, std::move(part)});
  CALLVAULT_TRY_ASSIGN(const auto text, keys::encode_share(share));
  return put("keys_share_fuzz", "one", text.reveal());
}

Result<void> directory_seeds() {
  keys::Directory directory;
  directory.epoch = 7;
  directory.next_bucket = 3;
  directory.next_intake = 3;
  directory.review_number = 1;
  directory.last_purge = at(3);
  CALLVAULT_TRY_ASSIGN(directory.journal_seed, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto node_key, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto index_key, crypto::Key::random());
  directory.buckets.emplace(2,
                            keys::Bucket{2, "default", 20'000, 5, 17, {}, std::move(node_key), std::move(index_key)});
  CALLVAULT_TRY_ASSIGN(auto secret, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto pepper, crypto::Key::random());
  directory.intake.emplace(2, keys::IntakePrivate{2, at(1), std::move(secret), std::move(pepper)});
  CALLVAULT_TRY_ASSIGN(auto staff, crypto::Key::random());
  directory.staff.push_back({"2026-11", std::move(staff)});
  directory.people.emplace("ana", keys::PersonEntry{"ana", 3, false, at(0), {}, {}});
  directory.outstanding.push_back({some_id(), "erased", TrackName::agent});
  directory.outstanding.push_back({some_id(), "erased", std::nullopt});
  CALLVAULT_TRY_ASSIGN(auto register_key, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto blinding, crypto::Key::random());
  directory.registers.emplace("opt-out",
                              keys::Register{"opt-out", 3, {}, std::move(register_key), std::move(blinding)});
  CALLVAULT_TRY_ASSIGN(const auto plain, keys::encode_directory(directory));
  return put("keys_directory_fuzz", "directory", plain.reveal());
}

Result<void> other_key_seeds() {
  CALLVAULT_TRY_ASSIGN(const auto pair, crypto::make_key_pair());
  CALLVAULT_TRY_ASSIGN(auto pepper, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(const auto intake_file, keys::encode_intake({3, pair.public_key, std::move(pepper)}));
  CALLVAULT_TRY(put("keys_intake_fuzz", "intake", intake_file));
  CALLVAULT_TRY(put("keys_intake_fuzz", "review", base::as_bytes(keys::encode_review_public({1, pair.public_key}))));
  keys::Config config;
  config.organisation = "Example";
  config.time_zone = "Europe/Bucharest";
  config.country_code = "+40";
  CALLVAULT_TRY_ASSIGN(const auto six_months, Period::parse("6mo"));
  config.classes = {{"default", six_months}};
  CALLVAULT_TRY(put("keys_config_fuzz", "vault.toml", base::as_bytes(keys::write_config(config))));
  std::array<char, 4> word = {'f', 'u', 'z', 'z'};
  CALLVAULT_TRY_ASSIGN(const auto passphrase, Passphrase::take(word));
  CALLVAULT_TRY_ASSIGN(const auto person, keys::make_identity_file("ana", passphrase, {1, 8}));
  CALLVAULT_TRY_ASSIGN(const auto file, keys::with_review_key(person.file, 1, pair.secret));
  return put("keys_identity_fuzz", "ana", file);
}

Result<void> text_seeds() {
  journal::Entry entry;
  entry.at = at(5);
  entry.event = "shredded";
  entry.actor = "c2VhbGVk";
  entry.actor_key = "2026-11";
  entry.facts = {{"id", some_id().text()}, {"reason", "erased"}};
  entry.items = {some_id().text()};
  entry.note = "c2VhbGVk";
  entry.note_key = some_id().text();
  CALLVAULT_TRY(put("journal_entry_fuzz", "shredded", base::as_bytes(journal::encode(entry))));
  const std::string note = "callvault/0011223344556677\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n";
  CALLVAULT_TRY(put("journal_checkpoint_fuzz", "resigned", base::as_bytes("\x01" + note)));
  catalog::Row row;
  row.caller = "+40722123456";
  row.agent = "ana";
  row.duration_ms = 61'000;
  row.ended_at = at(0);
  row.notice_played = false;
  row.tracks = {{TrackName::mixed, 0, 8000, 4096}};
  CALLVAULT_TRY_ASSIGN(const auto bytes, catalog::encode_row(row));
  return put("catalog_row_fuzz", "call", bytes);
}

// First byte: how it is opened (codec_wav_fuzz.cc).
Result<void> audio_seeds() {
  const auto wav = [](std::uint32_t size, std::uint16_t kind, std::uint16_t channels, std::uint16_t bits) {
    std::string out;
    const auto number = [&](std::uint32_t value, int bytes) {
      for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
    };
    out += "RIFF";
    number(size, 4);
    out += "WAVEfmt ";
    number(16, 4);
    number(kind, 2);
    number(channels, 2);
    number(8000, 4);
    number(8000U * channels * bits / 8, 4);
    number(channels * bits / 8U, 2);
    number(bits, 2);
    out += "LIST";
    number(4, 4);
    out += "INFOdata";
    number(size, 4);
    return out + std::string(640, '\x55');
  };
  CALLVAULT_TRY(put("codec_wav_fuzz", "live", base::as_bytes(std::string(1, '\0') + wav(0xFFFFFFFF, 1, 1, 16))));
  CALLVAULT_TRY(put("codec_wav_fuzz", "stereo", base::as_bytes("\x19" + wav(676, 1, 2, 16))));
  CALLVAULT_TRY(put("codec_wav_fuzz", "ulaw", base::as_bytes("\x09" + wav(676, 7, 1, 8))));
  return put("codec_decoder_fuzz", "page", base::as_bytes("\x01\x10\x10" + std::string(1024, '\x08')));
}

Result<void> service_seeds() {
  PlayOptions play;
  play.id = some_id();
  play.from = std::chrono::milliseconds(1500);
  play.reason = "complaint 17";
  service::Request request{"play", "ana", {}, {}};
  service::encode(request.arguments, play);
  CALLVAULT_TRY(put("service_request_fuzz", "play", service::encode_request(request)));
  service::Hello hello;
  hello.version = service::kProtocolVersion;
  hello.vault = "/var/lib/callvault";
  hello.people = {"ana"};
  CALLVAULT_TRY(put("service_request_fuzz", "hello", service::encode_hello(hello)));
  CallRecord record;
  record.id = some_id();
  record.caller = "+40722000001";
  record.tracks = {{TrackName::mixed, 0, 8000, 1024}};
  service::Bytes encoded;
  service::encode(encoded, record);
  return put("service_request_fuzz", "record", encoded);
}

Result<void> make_all() {
  CALLVAULT_TRY(crypto::ready());
  CALLVAULT_TRY(sealed_seeds());
  CALLVAULT_TRY(node_seeds());
  CALLVAULT_TRY(directory_seeds());
  CALLVAULT_TRY(request_seeds());
  CALLVAULT_TRY(breach_seeds());
  CALLVAULT_TRY(notice_seeds());
  CALLVAULT_TRY(people_seeds());
  CALLVAULT_TRY(backup_seeds());
  CALLVAULT_TRY(other_key_seeds());
  CALLVAULT_TRY(text_seeds());
  CALLVAULT_TRY(service_seeds());
  return audio_seeds();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "make_seeds FOLDER\n");
    return 2;
  }
  corpus = argv[1];
  if (const auto made = make_all(); !made) {
    std::fprintf(stderr, "%s\n", made.error().message.c_str());
    return 1;
  }
  return 0;
}
