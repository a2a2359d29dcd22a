// Breaches of personal data: what happened, by when the authority is to know, and how far it reached (GDPR Art. 33 and
// 34, EDPB Guidelines 9/2022).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/call_record.h"

namespace callvault {

class Person;
class Vault;

enum class BreachNature : std::uint8_t { confidentiality, integrity, availability };
// not_assessed counts as a risk: the clock runs.
enum class BreachRisk : std::uint8_t { not_assessed, none, some, high };
enum class BreachAudience : std::uint8_t { authority, people };
std::string_view to_word(BreachNature);
std::string_view to_word(BreachRisk);
std::string_view to_word(BreachAudience);
// Errc::usage, naming the accepted words, when `word` is none of them.
Result<BreachNature> parse_breach_nature(std::string_view word);
Result<BreachRisk> parse_breach_risk(std::string_view word);
Result<BreachAudience> parse_breach_audience(std::string_view word);

struct BreachOptions {
  BreachNature nature = BreachNature::confidentiality;
  std::optional<Time> discovered;  // default: now; the clock counts from it
  std::optional<Time> from, to;    // when it happened, as far as is known
  std::string summary;             // at most 4,096 bytes, like each text here
};

struct BreachNotice {
  BreachAudience audience = BreachAudience::authority;
  std::optional<Time> at{};  // default: now
  std::string reference{};   // of the authority's receipt, or how the people were told
  std::string reason{};      // of the delay: needed after the deadline (Art. 33(1))
};

struct BreachStep {
  Time at{};
  std::string actor;  // name of a person
  std::string what;   // opened, assessed, notified_authority, notified_people, noted, closed
  std::string text;
};

struct Breach {
  std::string id;  // "B-2026-0001"
  bool closed = false;
  BreachNature nature = BreachNature::confidentiality;
  BreachRisk risk = BreachRisk::not_assessed;
  Time discovered{};
  Time due{};  // when the authority must know: 72 hours after the discovery, or policy.breach_notice_hours
  std::optional<Time> from, to;
  std::optional<Time> authority_notified, people_notified, closed_at;
  bool overdue = false;  // a risk, open, the authority not told in time
  std::vector<BreachStep> history;
};

// Officers write, officers and auditors read. Texts are sealed in the register; the journal names ids and codes.
// Errors: not_found; usage; refused: role, closed already, in the future, late without a reason, not told yet.
Result<Breach> breach_open(Vault& vault, const Person& person, const BreachOptions& options);
Result<Breach> breach_assess(Vault& vault, const Person& person, std::string_view id, BreachRisk risk,
                             const std::string& reason);
Result<Breach> breach_notify(Vault& vault, const Person& person, std::string_view id, const BreachNotice& notice);
Result<Breach> breach_note(Vault& vault, const Person& person, std::string_view id, const std::string& text);
Result<Breach> breach_close(Vault& vault, const Person& person, std::string_view id, const std::string& note);
Result<Breach> breach_show(Vault& vault, const Person& person, std::string_view id);
Result<std::vector<Breach>> breach_list(Vault& vault, const Person& person);

// What was in the wrong hands. keeper: the root key, and the vault's folder with it. disk: the vault's folder without
// the keeper. person: somebody's identity and passphrase. backup: a copy of the folder from some day, without keeper.
struct Exposure {
  enum class Kind : std::uint8_t { keeper, disk, person, backup } kind = Kind::keeper;
  std::string person;        // a name
  std::optional<Time> made;  // the backup; its last instant
};
// "keeper", "disk", "person:NAME", "backup:DATE" (the vault's zone). Errc::usage else.
Result<Exposure> parse_exposure(const Vault& vault, std::string_view text);

struct ScopedRecording {
  RecordingId id;
  std::string start_day;
  bool gone = false;                          // shredded since
  bool opened = false;                        // the journal says so (person only)
  bool audio_open = false, key_open = false;  // as in BreachScope
};

struct BreachScope {
  Exposure::Kind exposed = Exposure::Kind::keeper;
  std::uint64_t present = 0;       // recordings that existed at some time between from and to
  std::uint64_t gone_since = 0;    // of those, shredded since: whose people nobody can name any more
  std::uint64_t details_open = 0;  // whose numbers and times could be read with what was exposed
  std::uint64_t audio_open = 0;    // whose voices could be heard with it: the vault would have released them
  std::uint64_t opened = 0;        // that were opened by that person, by the journal
  std::uint64_t exported = 0;      // of which a file was made
  std::uint64_t people = 0;        // distinct numbers of the customers in what could be read, among those stored
  std::uint64_t first_epoch = 0, last_epoch = 0;  // of the root key between from and to
  // Whose voices that person's review keys open, whatever the vault would have said: with the keeper's half from
  // elsewhere. Of a person only.
  std::uint64_t key_open = 0;
  std::vector<std::string> because;         // one sentence each: why this much, and what is assumed
  std::vector<ScopedRecording> recordings;  // only when asked for
};

// Journalled. Errors: usage (from after to), refused (role), not_found (no such person), corrupt, io.
Result<BreachScope> breach_scope(Vault& vault, const Person& person, Time from, Time to, const Exposure& exposed,
                                 bool with_recordings);

}  // namespace callvault
