// People and the journal they are held to.
#include <algorithm>

#include "base/text.h"
#include "context/rows.h"
#include "keys/recorder_view.h"
#include "session.h"

namespace callvault {
namespace {

constexpr Role kRoles[] = {Role::officer, Role::reviewer, Role::evaluator, Role::auditor, Role::operator_};

std::uint8_t bits_of(const std::vector<Role>& roles) {
  unsigned bits = 0;
  for (const Role role : roles) bits |= static_cast<unsigned>(role);
  return static_cast<std::uint8_t>(bits);
}

PersonInfo info_of(const keys::PersonEntry& entry) {
  PersonInfo out{entry.name, {}, entry.disabled, entry.since};
  for (const Role role : kRoles)
    if ((entry.roles & static_cast<std::uint8_t>(role)) != 0) out.roles.push_back(role);
  return out;
}

// Officers hold the review key ring in order to grant it; auditors and operators hold none.
bool holds_review_keys(std::uint8_t roles) {
  return (roles & (static_cast<unsigned>(Role::officer) | static_cast<unsigned>(Role::reviewer) |
                   static_cast<unsigned>(Role::evaluator))) != 0;
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

Result<base::Bytes> read_identity(const base::Layout& layout, std::string_view name) {
  if (!base::is_plain_name(name, keys::kMaxPersonNameBytes)) return fail(Errc::not_found, "no such person");
  return os::read_file(layout.people() / name, keys::kMaxIdentityBytes);
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
  auto& directory = session->state().edit();
  if (directory.people.contains(options.name)) return fail(Errc::usage, "there is a person called " + options.name);
  const std::uint8_t roles = bits_of(options.roles);
  CALLVAULT_TRY_ASSIGN(auto fresh, keys::make_identity_file(options.name, passphrase, usual_cost(impl_->layout)));
  if (holds_review_keys(roles)) {
    CALLVAULT_TRY_ASSIGN(const auto text, os::read_file(impl_->layout.review_public(), 4096));
    CALLVAULT_TRY_ASSIGN(const auto current, keys::decode_review_public(base::as_text(text)));
    for (std::uint32_t number = 1; number <= directory.review_number; ++number) {
      CALLVAULT_TRY_ASSIGN(const crypto::Key* key, officer.impl().identity.review_key(number));
      CALLVAULT_TRY_ASSIGN(const auto half, crypto::public_key_of(*key));
      if (number == current.number && half != current.key)
        return fail(Errc::corrupt, "the review key of " + officer.name() + " is not the one in keys/review.pub");
      CALLVAULT_TRY_ASSIGN(fresh.file, keys::with_review_key(fresh.file, number, *key));
    }
  }
  // A file without an entry in the directory is nobody: left by a crash, it may be replaced.
  CALLVAULT_TRY(os::replace_file(impl_->layout.people() / options.name, fresh.file));
  const auto& mine = fresh.identity.public_part();
  directory.people.emplace(
      options.name, keys::PersonEntry{options.name, roles, false, session->context().now, mine.signing, mine.box});
  CALLVAULT_TRY(session->context().log.append("person_added", {{"roles", std::to_string(roles)}}));
  CALLVAULT_TRY(session->context().log.pin_head());
  return session->state().commit();
}

Result<std::vector<PersonInfo>> Vault::person_list(const Person& person) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "person_list"));
  std::vector<PersonInfo> out;
  for (const auto& [name, entry] : session->directory().people) out.push_back(info_of(entry));
  return out;
}

Result<PersonInfo> Vault::person_show(const Person& person, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  CALLVAULT_TRY(name == person.name() ? session->admit(person, "person_show")
                                      : session->require(person, {Role::officer, Role::auditor}, "person_show"));
  const auto& people = session->directory().people;
  const auto it = people.find(std::string(name));
  if (it == people.end()) return fail(Errc::not_found, "no person called " + std::string(name));
  return info_of(it->second);
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

Result<void> Vault::person_disable(const Person& officer, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "person_disable"));
  auto& people = session->state().edit().people;
  const auto it = people.find(std::string(name));
  if (it == people.end()) return fail(Errc::not_found, "no person called " + std::string(name));
  const auto officers = std::count_if(people.begin(), people.end(), [](const auto& p) {
    return !p.second.disabled && (p.second.roles & static_cast<std::uint8_t>(Role::officer)) != 0;
  });
  const bool last =
      !it->second.disabled && (it->second.roles & static_cast<std::uint8_t>(Role::officer)) != 0 && officers == 1;
  if (last) return fail(Errc::refused, std::string(name) + " is the last officer; name another one first");
  it->second.disabled = true;
  CALLVAULT_TRY(session->context().log.append("person_disabled"));
  CALLVAULT_TRY(session->context().log.pin_head());
  return session->state().commit();
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
