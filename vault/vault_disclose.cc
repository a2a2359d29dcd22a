// One bundle for an authority: all that belongs to some recordings, signed, sealed, and verifiable without callvault.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "callvault/disclosure.h"
#include "context/rows.h"
#include "disclosure/age_writer.h"
#include "disclosure/tar_writer.h"
#include "dual_control.h"
#include "review/review.h"
#include "subject.h"
#include "vault_evidence.h"

namespace callvault {

namespace {

constexpr std::size_t kMaxDisclosed = 1000;
constexpr std::size_t kMaxWordsBytes = 256;
constexpr const char* kFolder = "disclosure";

Result<void> check(const DiscloseOptions& options) {
  if (options.ids.empty()) return fail(Errc::usage, "name the recordings to disclose");
  if (options.ids.size() > kMaxDisclosed) return fail(Errc::usage, "a bundle has at most 1,000 recordings");
  for (const auto& [what, text] :
       {std::pair{"authority", &options.authority}, std::pair{"reference", &options.reference},
        std::pair{"legal basis", &options.basis}}) {
    if (text->empty()) return fail(Errc::usage, std::string("a disclosure names its ") + what);
    if (text->size() > kMaxWordsBytes) return fail(Errc::usage, std::string("the ") + what + " has at most 256 bytes");
  }
  return disclosure::check_seal_for(options.seal_for);
}

struct Item {
  RecordingId id;
  CallRecord record;
  review::Opened opened;
  JournalSteps steps{};
  std::vector<std::string> proofs{};  // of the steps, in their order
};

struct Content {
  disclosure::Bundle bundle;
  std::vector<Item> items;
  std::map<RecordingId, crypto::Key> secrets;
  CheckpointReport checkpoint;
  crypto::Key signing_seed;
};

// What is opened under the lock, and journalled, before a byte is written.
class Disclosing {
 public:
  Disclosing(Vault::Impl& vault, Session& session, const Person& person, const DiscloseOptions& options)
      : vault_(vault),
        session_(session),
        context_(session.context()),
        options_(options),
        reviewer_{
            person.impl().identity,
            {true, context_.config.people.purposes_of(context_.state.directory().people.at(person.name()).roles), {}}} {
  }

  Result<Content> run() {
    std::vector<RecordingId> ids = options_.ids;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    // All or nothing: what is journalled as disclosed must not depend on the order.
    for (const auto& id : ids) {
      CALLVAULT_TRY(attempted(context_, "disclose", id, locate_stored(context_, id)));
      CALLVAULT_TRY(review::examine(context_, reviewer_.listener, play_options(id)));
    }
    CALLVAULT_TRY(require_second_for_copies(
        session_, ids, {"disclose", options_.authority, options_.reference, options_.basis, sealed_to()},
        "disclose " + std::to_string(ids.size()) + " recordings to " + options_.authority + ", " + options_.reference));
    CALLVAULT_TRY_ASSIGN(auto seed, context_.state.directory().journal_seed->clone());
    Content out{{{vault_.config.organisation, vault_.config.controller_contact},
                 options_.authority,
                 options_.reference,
                 options_.basis,
                 context_.now,
                 vault_.journal->origin(),
                 ids},
                {},
                {},
                {},
                std::move(seed)};
    for (const auto& id : ids) CALLVAULT_TRY(open(id, out));
    return out;
  }

 private:
  PlayOptions play_options(const RecordingId& id) const {
    PlayOptions out;
    out.id = id;
    out.format = PlayFormat::opus;
    out.purpose = Purpose::legal_claims;
    out.reason = "authority " + options_.authority + ", reference " + options_.reference + ", basis " + options_.basis +
                 ", sealed to " + sealed_to();
    return out;
  }

  std::string sealed_to() const {
    return options_.seal_for.passphrase != nullptr ? "a passphrase" : options_.seal_for.recipient;
  }

  Result<void> open(const RecordingId& id, Content& out) {
    CALLVAULT_TRY_ASSIGN(const auto found, locate_stored(context_, id));
    const auto& bucket = context_.state.directory().buckets.at(found.bucket);
    CALLVAULT_TRY_ASSIGN(const auto details, context::row_of(context_, bucket, found.row));
    CALLVAULT_TRY_ASSIGN(auto secret, crypto::Key::copy_of(found.row.record_secret));
    CALLVAULT_TRY_ASSIGN(auto opened, review::open(context_, reviewer_, play_options(id), {"disclosed", true}));
    out.secrets.emplace(id, std::move(secret));
    out.items.push_back({id, to_record(bucket, found.row, details, context_.now), std::move(opened)});
    return {};
  }

  Vault::Impl& vault_;
  Session& session_;
  context::Context& context_;
  const DiscloseOptions& options_;
  review::Reviewer reviewer_;
};

// What the journal says of them, this disclosure included, with proofs. Needs no lock.
Result<void> gather_steps(const Vault::Impl& vault, Content& content) {
  const os::Path folder = vault.layout.journal();
  CALLVAULT_TRY_ASSIGN(auto steps, journal_steps(*vault.journal, content.secrets));
  for (auto& item : content.items) {
    item.steps = std::move(steps[item.id]);
    for (const auto& step : item.steps.all) {
      CALLVAULT_TRY_ASSIGN(auto proof, journal_prove(folder, step.journal_index));
      item.proofs.push_back(std::move(proof));
    }
  }
  CALLVAULT_TRY_ASSIGN(content.checkpoint, journal_checkpoint(folder));
  return {};
}

Result<void> write_item(Item& item, const base::Zone& zone, disclosure::TarWriter& tar) {
  const std::string folder = "recordings/" + item.id.text() + "/";
  CALLVAULT_TRY_ASSIGN(const auto tracks, item.opened.tracks());
  std::vector<disclosure::AudioFile> files;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    files.push_back({tracks[i].name, tracks[i].bytes, tracks[i].duration_s});
    CALLVAULT_TRY(tar.begin(folder + std::string(to_word(tracks[i].name)) + ".opus", tracks[i].bytes));
    CALLVAULT_TRY(item.opened.write_track(i, tar));
    CALLVAULT_TRY(tar.end());
  }
  const auto add = [&](const std::string& name, const std::string& text) {
    return tar.add(folder + name, base::as_bytes(text));
  };
  CALLVAULT_TRY(add("recording.json", disclosure::recording_json(item.record, files, zone)));
  CALLVAULT_TRY(add("consent.json", disclosure::consent_json(item.record, item.steps.consents, &zone)));
  CALLVAULT_TRY(add("access.json", disclosure::access_json(item.steps.all, zone)));
  for (std::size_t i = 0; i < item.proofs.size(); ++i)
    CALLVAULT_TRY(add("proofs/" + std::to_string(item.steps.all[i].journal_index) + ".txt", item.proofs[i]));
  return {};
}

Result<void> write_bundle(Content& content, const base::Zone& zone, disclosure::TarWriter& tar) {
  const auto add = [&](const std::string& name, const std::string& text) {
    return tar.add(name, base::as_bytes(text));
  };
  CALLVAULT_TRY(add("README.txt", disclosure::instructions(content.bundle)));
  CALLVAULT_TRY(add("disclosure.json", disclosure::disclosure_json(content.bundle, zone)));
  for (auto& item : content.items) CALLVAULT_TRY(write_item(item, zone, tar));
  CALLVAULT_TRY(add("journal/checkpoint", content.checkpoint.text));
  CALLVAULT_TRY(add("journal/key.pub", content.checkpoint.public_key + "\n"));
  // The hashes of all that stands before them; the key only helps to verify, so it is not among them.
  const std::string sums = tar.sums();
  const auto signature = crypto::sign(content.signing_seed, base::as_bytes(sums));
  const auto key = crypto::signing_public_key(content.signing_seed);
  CALLVAULT_TRY(add("SHA256SUMS", sums));
  CALLVAULT_TRY(tar.add("SHA256SUMS.sig", signature));
  CALLVAULT_TRY(add("vault-key.pem", disclosure::public_key_pem(key)));
  return tar.finish();
}

}  // namespace

Result<DisclosureSummary> disclose(Vault& vault, const Person& person, const DiscloseOptions& options, ByteSink& sink) {
  CALLVAULT_TRY(check(options));
  CALLVAULT_TRY(settle_if_free(vault.impl()));
  auto content = [&]() -> Result<Content> {
    // An approval is used up: a change.
    const bool guarded = vault.impl().config.people.dual_control.contains(DualAction::bulk_export);
    CALLVAULT_TRY_ASSIGN(const auto session,
                         Session::begin(vault.impl(), guarded ? Access::change : Access::look, person.name()));
    CALLVAULT_TRY(session->require(person, {Role::officer}, "disclose"));
    CALLVAULT_TRY(session->require(person, {Role::reviewer}, "disclose"));
    return Disclosing(vault.impl(), *session, person, options).run();
  }();
  if (!content) return std::move(content).error();
  CALLVAULT_TRY(gather_steps(vault.impl(), *content));
  CALLVAULT_TRY_ASSIGN(auto age, disclosure::AgeWriter::open(sink, options.seal_for));
  CALLVAULT_TRY_ASSIGN(auto tar, disclosure::TarWriter::open(age, kFolder, content->bundle.at));
  CALLVAULT_TRY(write_bundle(*content, vault.impl().zone, tar));
  CALLVAULT_TRY(age.finish());
  DisclosureSummary out{content->bundle.ids, tar.files(), age.bytes(), false};
  for (const auto& item : content->items) out.incomplete = out.incomplete || item.opened.incomplete();
  return out;
}

}  // namespace callvault
