// People and the journal they are held to.
#include <algorithm>

#include "base/civil_time.h"
#include "base/text.h"
#include "context/commit.h"
#include "context/rows.h"
#include "dual_control.h"
#include "person_info.h"
#include "review_ring.h"
#include "session.h"

namespace callvault {
namespace {

std::uint8_t bits_of(const std::vector<Role>& roles) {
  unsigned bits = 0;
  for (const Role role : roles) bits |= static_cast<unsigned>(role);
  return static_cast<std::uint8_t>(bits);
}

// The cost of the vault's own identities, so that an unknown name costs what a known one does.
crypto::PassphraseCost usual_cost(const base::Layout& layout) {
  const auto names = os::list_folder(layout.people());
  if (!names) return crypto::kDefaultCost;
  for (const auto& name : *names) {
    const auto file = os::read_file(layout.people() / name, keys::kMaxIdentityBytes);
    if (!file) continue;
    if (const auto facts = keys::inspect_identity(*file, name)) return facts->cost;
  }
  return crypto::kDefaultCost;
}

// The last officer could never be replaced; and who draws the new review key must not be who loses it.
Result<void> refuse_self(const keys::Directory& directory, const std::string& name) {
  const auto officers = std::count_if(directory.people.begin(), directory.people.end(), [](const auto& p) {
    return !p.second.disabled && (p.second.roles & static_cast<std::uint8_t>(Role::officer)) != 0;
  });
  if (officers == 1) return fail(Errc::refused, name + " is the last officer; name another one first");
  return fail(Errc::refused, "nobody disables themselves: another officer has to disable " + name);
}

Result<void> take_review_keys(const base::Layout& layout, const std::string& name) {
  const auto file = read_identity(layout, name);
  if (!file && file.error().code == Errc::not_found) return {};
  if (!file) return file.error();
  CALLVAULT_TRY_ASSIGN(const auto facts, keys::inspect_identity(*file, name));
  if (facts.review_numbers.empty()) return {};
  CALLVAULT_TRY_ASSIGN(const auto bare, keys::without_review_keys(*file));
  return os::replace_file(layout.people() / name, bare);
}

}  // namespace

Result<Person> Vault::unlock(std::string_view name, const Passphrase& passphrase) {
  auto file = read_identity(impl_->layout, name);
  auto identity = [&]() -> Result<keys::Identity> {
    if (file) return keys::unlock_identity(*file, name, passphrase);
    CALLVAULT_TRY(keys::spend_passphrase_cost(passphrase, usual_cost(impl_->layout)));
    return fail(Errc::wrong_passphrase, "wrong passphrase, or no such person");
  }();
  const std::string who(name.substr(0, keys::kMaxPersonNameBytes));
  if (identity) return Person(std::make_unique<Person::Impl>(Person::Impl{std::move(*identity)}));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, who));
  CALLVAULT_TRY(
      session->context().log.append("unlock_failed", {{"result", std::string(errc_name(identity.error().code))}}));
  return std::move(identity).error();
}

Result<void> Vault::person_add(const Person& officer, const PersonOptions& options, const Passphrase& passphrase) {
  if (!base::is_plain_name(options.name, 32)) return fail(Errc::usage, "a person's name is of a-z, 0-9, - _ . only");
  if (options.roles.empty()) return fail(Errc::usage, "a person needs at least one role");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "person_add"));
  auto& context = session->context();
  if (options.until && *options.until <= context.now) return fail(Errc::usage, "their access would be over already");
  auto& directory = session->state().edit();
  if (directory.people.contains(options.name)) return fail(Errc::usage, "there is a person called " + options.name);
  const std::uint8_t roles = bits_of(options.roles);
  const std::string until = options.until ? base::utc_text(*options.until) : "";
  if ((roles & static_cast<std::uint8_t>(Role::officer)) != 0)
    CALLVAULT_TRY(require_second(*session, DualAction::officer, {options.name, std::to_string(roles), until},
                                 "add the officer " + options.name));
  CALLVAULT_TRY_ASSIGN(auto fresh, keys::make_identity_file(options.name, passphrase, usual_cost(impl_->layout)));
  const auto& mine = fresh.identity.public_part();
  if (holds_review_keys(roles)) {
    CALLVAULT_TRY_ASSIGN(fresh.file, with_review_ring(*impl_, directory, officer, mine, std::move(fresh.file)));
  }
  // A file without an entry in the directory is nobody: left by a crash, it may be replaced.
  CALLVAULT_TRY(os::replace_file(impl_->layout.people() / options.name, fresh.file));
  directory.people.emplace(options.name,
                           keys::PersonEntry{options.name, roles, false, context.now, mine.signing, mine.box});
  if (options.until) {
    CALLVAULT_TRY_ASSIGN(auto people, rights::People::load(context));
    people.edit(options.name) = {};
    people.edit(options.name).expires_at = options.until;
    CALLVAULT_TRY(people.stage(context));
  }
  return context::commit_journalled(context, "person_added", {{"roles", std::to_string(roles)}});
}

Result<std::vector<PersonInfo>> Vault::person_list(const Person& person) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "person_list"));
  CALLVAULT_TRY_ASSIGN(const auto known, rights::People::load(session->context()));
  std::vector<PersonInfo> out;
  for (const auto& [name, entry] : session->directory().people)
    out.push_back(person_info(session->context(), known, entry));
  return out;
}

Result<PersonInfo> Vault::person_show(const Person& person, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  // How one stands oneself is told to who may not act, too: it says what is missing.
  CALLVAULT_TRY(name == person.name() ? session->recognise(person, "person_show")
                                      : session->require(person, {Role::officer, Role::auditor}, "person_show"));
  const auto& people = session->directory().people;
  const auto it = people.find(std::string(name));
  if (it == people.end()) return fail(Errc::not_found, "no person called " + std::string(name));
  CALLVAULT_TRY_ASSIGN(const auto known, rights::People::load(session->context()));
  return person_info(session->context(), known, it->second);
}

Result<void> Vault::person_passwd(std::string_view name, const Passphrase& old_passphrase,
                                  const Passphrase& new_passphrase) {
  CALLVAULT_TRY(unlock(name, old_passphrase));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, std::string(name)));
  CALLVAULT_TRY_ASSIGN(const auto file, read_identity(impl_->layout, name));
  CALLVAULT_TRY_ASSIGN(const auto fresh, keys::with_new_passphrase(file, old_passphrase, new_passphrase));
  CALLVAULT_TRY(os::replace_file(impl_->layout.people() / name, fresh));
  CALLVAULT_TRY(session->context().log.append("passphrase_changed"));
  return {};
}

Result<DisableReport> Vault::person_disable(const Person& officer, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "person_disable"));
  auto& directory = session->state().edit();
  const auto it = directory.people.find(std::string(name));
  if (it == directory.people.end()) return fail(Errc::not_found, "no person called " + std::string(name));
  keys::PersonEntry& leaver = it->second;
  DisableReport report;
  report.was_disabled = leaver.disabled;
  if (leaver.name == officer.name()) CALLVAULT_TRY(refuse_self(directory, leaver.name));
  if (!leaver.disabled) {
    std::map<std::string, std::string> facts;
    if (holds_review_keys(leaver.roles)) {
      CALLVAULT_TRY_ASSIGN(auto fresh, rotate_review_key(*impl_, directory, officer, leaver.name));
      report.review_key = fresh.number;
      report.problems = std::move(fresh.problems);
      facts.emplace("review_key", std::to_string(fresh.number));
    }
    leaver.disabled = true;
    CALLVAULT_TRY(context::commit_journalled(session->context(), "person_disabled", std::move(facts)));
  }
  // Last: a crash before leaves a file whose keys the keeper side answers nobody for; disabling again takes them.
  if (const auto taken = take_review_keys(impl_->layout, leaver.name); !taken)
    report.problems.push_back("the review keys stay in the identity of " + leaver.name + ": " + taken.error().message);
  return report;
}

Result<void> Vault::journal_log(const Person& person, const std::function<bool(const JournalLine&)>& visit) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "journal_log"));
  auto& context = session->context();
  CALLVAULT_TRY(context.log.append("journal_read"));
  const auto note_of = [&](const journal::Entry& entry) -> std::string {
    const auto id = RecordingId::parse(entry.note_key);
    if (!id) return "(gone)";
    const auto found = locate(context, *id);  // not of an expired one either
    if (!found) return "(gone)";
    const auto secret = crypto::Key::copy_of(found->row.record_secret);
    if (!secret) return "(unreadable)";
    const auto note = context::open_note(entry, *secret);
    return note ? *note : "(gone)";  // sealed before the recording's secret was renewed
  };
  return context.log.journal().for_each(0, [&](std::uint64_t index, const journal::Entry& entry) -> Result<bool> {
    JournalLine line{index, entry.at, entry.event, {}, entry.facts, {}};
    if (!entry.actor.empty()) {
      const auto actor = context::open_actor(entry, context.state.directory());
      line.actor = actor ? *actor : "(gone)";
    }
    if (!entry.items.empty()) line.facts.emplace("items", std::to_string(entry.items.size()));
    if (!entry.note.empty()) line.note = note_of(entry);
    return visit(line);
  });
}

}  // namespace callvault
