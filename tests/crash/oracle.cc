#include "oracle.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "callvault/process.h"
#include "callvault/vault.h"

namespace callvault::crash {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kWavHeader = 44;
constexpr std::uint64_t kMaxLoss = 2 * 8000 * 2 * 2;  // two seconds of two parties at 8 kHz, 16 bits a sample

class FixedClock final : public Clock {
 public:
  explicit FixedClock(std::chrono::milliseconds since_epoch) : now_(since_epoch) {}
  Time now() const override { return now_; }

 private:
  Time now_;
};

class Ear final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    hasher_.add(bytes);
    count_ += bytes.size();
    return {};
  }
  std::string digest() { return base::to_hex(hasher_.finish()); }
  std::uint64_t count() const { return count_; }

 private:
  crypto::Hasher hasher_;
  std::uint64_t count_ = 0;
};

Result<Passphrase> take_passphrase(const fs::path& file) {
  std::ifstream in(file);
  std::string text;
  std::getline(in, text);
  return Passphrase::take(text);
}

std::string told(const Error& error) { return std::string(errc_name(error.code)) + ": " + error.message; }

// An opened vault, whose answers are what the oracle goes by.
class Witness {
 public:
  static Result<Witness> open(const fs::path& folder, const Promises& promises, const Clock& clock) {
    OpenOptions options;
    options.dir = folder / "vault";
    options.clock = &clock;
    CALLVAULT_TRY_ASSIGN(auto vault, Vault::open(options));
    CALLVAULT_TRY_ASSIGN(const auto passphrase, take_passphrase(promises.passphrase));
    CALLVAULT_TRY_ASSIGN(auto officer, vault.unlock("officer", passphrase));
    return Witness(std::move(vault), std::move(officer));
  }

  Vault& vault() { return vault_; }
  const Person& officer() const { return officer_; }

  struct Heard {
    std::string digest;
    std::uint64_t bytes = 0;
  };
  Result<Heard> play(const std::string& id, TrackChoice track = TrackChoice::both) {
    CALLVAULT_TRY_ASSIGN(const auto recording, RecordingId::parse(id));
    Ear ear;
    PlayOptions options;
    options.id = recording;
    options.track = track;
    options.purpose = Purpose::legal_claims;
    options.reason = "a crash";
    CALLVAULT_TRY(vault_.play(officer_, options, ear));
    return Heard{ear.digest(), ear.count()};
  }

 private:
  Witness(Vault vault, Person officer) : vault_(std::move(vault)), officer_(std::move(officer)) {}
  Vault vault_;
  Person officer_;
};

class Judgement {
 public:
  Judgement(fs::path folder, const Promises& promises, const Sounds& sounds, base::ByteView journal, unsigned variant)
      : folder_(std::move(folder)), promises_(promises), sounds_(sounds), journal_(journal), variant_(variant) {}

  std::optional<std::string> run() {
    if (!promises_.vault_made && !fs::exists(folder_ / "vault/vault.toml")) return std::nullopt;  // no vault yet
    // A recorder is there before anybody has looked after the vault, now and then.
    if (variant_ % 2 == 0) record("before recovery");
    const FixedClock then(promises_.verdict_at),
        later(promises_.life_at + std::chrono::hours(variant_ % 4 == 1 ? 21 : 0));
    std::set<std::string> gone;
    with("after the cut", then, [&](Witness& w) {
      recover(w);
      look(w, gone);
      kept(w);
    });
    if (problem_) return problem_;
    journal_is_whole();
    std::error_code ignored;
    fs::rename(folder_ / "vault.mirror.away", folder_ / "vault.mirror", ignored);  // somebody brings it back
    with("the life after it", later, [&](Witness& w) { live_on(w); });
    // `check` has authenticated every byte of what stays: that is heard once more now and then.
    const auto before = gone;
    const bool all = variant_ % 8 == 0;
    gone.clear();
    purged_ = true;
    if (!all && promises_.dying.empty()) return problem_;
    with("at last", then, [&](Witness& w) {
      look(w, gone, all ? nullptr : &promises_.dying);
      if (all) kept(w);
    });
    for (const auto& id : before)
      if (!gone.contains(id)) wrong("a shred is undone by what follows");
    return problem_;
  }

 private:
  void wrong(std::string what) {
    if (!problem_) problem_ = std::move(what);
  }
  // Whether it is fine.
  template <typename T>
  bool must(const Result<T>& result, const std::string& what) {
    if (!result) wrong(what + ": " + told(result.error()));
    return result.has_value();
  }

  template <typename Step>
  void with(const std::string& when, const Clock& clock, const Step& step) {
    if (problem_) return;
    auto witness = Witness::open(folder_, promises_, clock);
    if (must(witness, "cannot open the vault " + when)) step(*witness);
  }

  void recover(Witness& w) {
    const auto report = w.vault().recover();
    if (!must(report, "recover")) return;
    if (!report->problems.empty() || report->refused > 0)
      wrong("recover: " + (report->problems.empty() ? "refused a header" : report->problems.front()));
    if (report->journal_signed) wrong("the journal has lost its checkpoint");
  }

  void look(Witness& w, std::set<std::string>& gone, const std::set<std::string>* only = nullptr) {
    const auto wanted = [&](const std::string& id) { return only == nullptr || only->contains(id); };
    for (const auto& id : promises_.made)
      if (wanted(id)) hear_finished(w, id, gone);
    for (const auto& [id, read] : promises_.live)
      if (!promises_.made.contains(id) && wanted(id)) hear_live(w, id, read);
  }

  void hear_finished(Witness& w, const std::string& id, std::set<std::string>& gone) {
    const auto heard = w.play(id);
    const bool dead = promises_.dead.contains(id),
               dying = promises_.dying.contains(id) || (purged_ && promises_.expiring.contains(id));
    if (heard) {
      if (dead) return wrong("a shred that was reported done is undone");
      const auto sound = sounds_.find(id);
      if (sound != sounds_.end() && heard->digest != sound->second) wrong("a finished recording sounds different");
      return;
    }
    // A withdrawal that was accepted forbids hearing at once; the next purge carries it out.
    if (heard.error().code == Errc::refused && dying && !dead && !purged_) return;
    if (heard.error().code != Errc::gone) return wrong("a finished recording: " + told(heard.error()));
    if (!dead && !dying) return wrong("a finished recording is gone");
    const auto recording = RecordingId::parse(id);
    const auto proof = w.vault().prove_gone(*recording);
    if (!must(proof, "prove-gone")) return;
    if (proof->gone) gone.insert(id);
    // An erasure that was accepted closes the door at once; the next purge carries it out.
    if (proof->gone || (!dead && !purged_)) return;
    for (const auto& step : proof->steps)
      if (!step.passed) wrong("prove-gone: " + step.what + ": " + step.detail);
    wrong("prove-gone is not sure");
  }

  // Both parties are heard alone: the one must not be lost behind the other.
  void hear_live(Witness& w, const std::string& id, std::uint64_t read) {
    for (const TrackChoice party : {TrackChoice::caller, TrackChoice::agent}) {
      const auto heard = w.play(id, party);
      const std::uint64_t bytes = heard ? 2 * (heard->bytes - std::min(heard->bytes, kWavHeader)) : 0;
      if (!heard && (heard.error().code == Errc::not_found || heard.error().code == Errc::gone))
        return wrong("a recording that had started is lost: " + told(heard.error()));
      if (!heard && read > kMaxLoss) return wrong("a live call: " + told(heard.error()));
      if (bytes + kMaxLoss < read) return wrong("more than 2 seconds of a live call are lost");
    }
  }

  void kept(Witness& w) {
    for (const auto& fact : promises_.kept) {
      const auto space = fact.find(' ');
      const std::string kind = fact.substr(0, space), name = fact.substr(space + 1);
      if (!holds(w, kind, name)) wrong("what was reported done is undone: " + kind);
    }
  }

  bool holds(Witness& w, const std::string& kind, const std::string& name) {
    auto& vault = w.vault();
    if (kind == "held" || kind == "restricted" || kind == "free") {
      const auto id = RecordingId::parse(name);
      const auto call = vault.show(w.officer(), *id);
      if (!must(call, "show")) return true;
      return kind == "held"         ? !call->holds.empty()
             : kind == "restricted" ? call->state == State::restricted
                                    : call->holds.empty() && call->state == State::live;
    }
    if (kind == "optout" || kind == "optin") {
      const auto answer = vault.may_record(name);
      return !must(answer, "may-record") || answer->allowed == (kind == "optin");
    }
    if (kind == "person" || kind == "disabled") {
      const auto person = vault.person_show(w.officer(), name);
      return !must(person, "person show") || person->disabled == (kind == "disabled");
    }
    if (kind == "passphrase") {  // NAME@FILE
      const auto at = name.find('@');
      const auto passphrase = take_passphrase(name.substr(at + 1));
      return passphrase && vault.unlock(name.substr(0, at), *passphrase).has_value();
    }
    if (kind == "request") {  // ID=STATE
      const auto at = name.find('=');
      const auto request = vault.request_show(w.officer(), name.substr(0, at));
      return !must(request, "request show") || to_word(request->state) == name.substr(at + 1);
    }
    wrong("unknown fact " + kind);
    return true;
  }

  std::optional<RecordingId> record(const std::string& when) {
    IngestOptions options;
    options.vault = folder_ / "vault";
    options.file = promises_.sound;
    options.caller = "0733999888";
    options.consent = Consent::granted;
    options.started_at = Time(promises_.life_at);
    options.encoder.complexity = 0;
    const auto made = ingest(options);
    if (!must(made, "ingest " + when)) return std::nullopt;
    return made->id;
  }

  // The vault is still of use.
  void live_on(Witness& w) {
    const auto fresh = record("after recovery");
    if (!fresh) return;
    const auto purged = w.vault().purge({});
    if (!must(purged, "purge")) return;
    if (!purged->problems.empty()) wrong("purge: " + purged->problems.front());
    if (variant_ / 8 % 2 == 0) erase(w, *fresh);
    const auto checked = w.vault().check({.deep = true});
    if (must(checked, "check") && !checked->problems.empty()) wrong("check: " + checked->problems.front());
    const auto log = w.vault().journal_verify();
    if (must(log, "journal verify") && !log->problems.empty()) wrong("journal verify: " + log->problems.front());
    if (fs::exists(folder_ / "vault/keys/pending")) wrong("keys/pending stays");
  }

  void erase(Witness& w, const RecordingId& id) {
    EraseOptions wanted;
    wanted.ids = {id};
    wanted.request = "R-9";
    wanted.reason = "asked";
    const auto erased = w.vault().erase(w.officer(), wanted);
    if (must(erased, "erase") && (erased->items.size() != 1 || !erased->items[0].done)) wrong("erase does not erase");
  }

  void journal_is_whole() {
    std::ifstream in(folder_ / "vault/journal/entries", std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    if (text.substr(0, journal_.size()) != base::as_text(journal_)) wrong("the journal lost what was told before");
  }

  fs::path folder_;
  const Promises& promises_;
  const Sounds& sounds_;
  base::ByteView journal_;
  unsigned variant_;
  bool purged_ = false;
  std::optional<std::string> problem_;
};

}  // namespace

std::string hear(const fs::path& folder, const Promises& promises, const std::string& id) {
  const FixedClock clock(promises.verdict_at);
  auto witness = Witness::open(folder, promises, clock);
  if (!witness) return "cannot open: " + told(witness.error());
  const auto heard = witness->play(id);
  return heard ? heard->digest : "cannot play: " + told(heard.error());
}

std::optional<std::string> judge(const fs::path& folder, const Promises& promises, const Sounds& sounds,
                                 base::ByteView journal, unsigned variant) {
  return Judgement(folder, promises, sounds, journal, variant).run();
}

std::optional<std::string> attack(const fs::path& folder, const Promises& promises, const std::set<std::string>& ids) {
  const FixedClock clock(promises.verdict_at);
  auto witness = Witness::open(folder, promises, clock);
  if (!witness) return std::nullopt;
  for (const auto& id : ids)
    if (witness->play(id)) return "an old copy opens what was shredded, with the keeper that is left";
  return std::nullopt;
}

}  // namespace callvault::crash
