// People and the journal they are held to.
#include <algorithm>

#include "base/civil_time.h"
#include "base/text.h"
#include "context/commit.h"
#include "context/rows.h"
#include "dual_control.h"
#include "identity_parts.h"
#include "over_socket.h"
#include "person_info.h"
#include "remote.h"
#include "subject.h"

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
  if (impl_->remote) return unlock_over_socket(*impl_, name, passphrase);
  auto file = read_identity(impl_->layout, name);
  auto identity = [&]() -> Result<keys::Identity> {
    if (file) return keys::unlock_identity(*file, name, passphrase);
    if (file.error().code == Errc::io) return file.error();  // not the passphrase's fault
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

namespace {

Result<void> check_new_person(const Session& session, const PersonOptions& options, Time now) {
  if (!base::is_plain_name(options.name, 32)) return fail(Errc::usage, "a person's name is of a-z, 0-9, - _ . only");
  if (options.roles.empty()) return fail(Errc::usage, "a person needs at least one role");
  if (options.until && *options.until <= now) return fail(Errc::usage, "their access would be over already");
  if (session.directory().people.contains(options.name))
    return fail(Errc::usage, "there is a person called " + options.name);
  return {};
}

}  // namespace

Result<NewIdentityFacts> prepare_person(Vault& vault, const Person& officer, const PersonOptions& options) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "person_add"));
  CALLVAULT_TRY(check_new_person(*session, options, session->context().now));
  const auto cost = usual_cost(vault.impl().layout);
  NewIdentityFacts out{cost.passes, cost.memory_kib, {}};
  if (holds_review_keys(bits_of(options.roles))) {
    CALLVAULT_TRY_ASSIGN(out.ring, ring_wish(vault.impl(), session->directory(), options.name));
  }
  return out;
}

Result<base::Bytes> make_person(NewIdentityFacts facts, const Person& officer, const PersonOptions& options,
                                const Passphrase& passphrase) {
  CALLVAULT_TRY_ASSIGN(auto fresh,
                       keys::make_identity_file(options.name, passphrase, {facts.passes, facts.memory_kib}));
  if (facts.ring.members.empty()) return std::move(fresh.file);
  RingMember& member = facts.ring.members.front();
  member.signing = base::to_bytes(fresh.identity.public_part().signing);
  member.box = base::to_bytes(fresh.identity.public_part().box);
  CALLVAULT_TRY_ASSIGN(const auto gift, fulfil(facts.ring, officer));
  return with_grants(facts.ring, gift, options.name, std::move(fresh.file));
}

Result<void> register_person(Vault& vault, const Person& officer, const PersonOptions& options,
                             const base::Bytes& identity) {
  const auto& layout = vault.impl().layout;
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "person_add"));
  auto& context = session->context();
  CALLVAULT_TRY(check_new_person(*session, options, context.now));
  const std::uint8_t roles = bits_of(options.roles);
  const std::string until = options.until ? base::utc_text(*options.until) : "";
  if ((roles & static_cast<std::uint8_t>(Role::officer)) != 0)
    CALLVAULT_TRY(require_second(*session, DualAction::officer, {options.name, std::to_string(roles), until},
                                 "add the officer " + options.name));
  auto& directory = session->state().edit();
  CALLVAULT_TRY_ASSIGN(const auto facts, keys::inspect_identity(identity, options.name));
  std::vector<std::uint32_t> granted;
  if (holds_review_keys(roles)) {
    CALLVAULT_TRY_ASSIGN(const auto wish, ring_wish(vault.impl(), directory, options.name));
    granted = wish.members.front().lacks;
  }
  if (facts.review_numbers != granted)
    return fail(Errc::refused, "the identity of " + options.name + " holds other review keys than its roles take");
  // A file without an entry in the directory is nobody: left by a crash, it may be replaced.
  CALLVAULT_TRY(os::replace_file(layout.people() / options.name, identity));
  const auto& keys = facts.public_part;
  directory.people.emplace(options.name,
                           keys::PersonEntry{options.name, roles, false, context.now, keys.signing, keys.box});
  CALLVAULT_TRY_ASSIGN(auto people, rights::People::load(context));
  if (options.until) {
    people.edit(options.name) = {};
    people.edit(options.name).expires_at = options.until;
  }
  // Written anew also when nothing in it changes: an old directory that is brought back alone then names a file that is
  // missing.
  CALLVAULT_TRY(people.stage(context));
  return context::commit_about(context, "person_added", options.name, {{"roles", std::to_string(roles)}});
}

Result<void> Vault::person_add(const Person& officer, const PersonOptions& options, const Passphrase& passphrase) {
  CALLVAULT_TRY_ASSIGN(auto facts, impl_->remote
                                       ? signed_call<NewIdentityFacts>(*impl_, "person_prepare", officer, options)
                                       : prepare_person(*this, officer, options));
  CALLVAULT_TRY_ASSIGN(const auto file, make_person(std::move(facts), officer, options, passphrase));
  if (impl_->remote) return signed_call<void>(*impl_, "person_add", officer, options, file);
  return register_person(*this, officer, options, file);
}

Result<std::vector<PersonInfo>> Vault::person_list(const Person& person) {
  if (impl_->remote) return signed_call<std::vector<PersonInfo>>(*impl_, "person_list", person);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "person_list"));
  CALLVAULT_TRY_ASSIGN(const auto known, rights::People::load(session->context()));
  std::vector<PersonInfo> out;
  for (const auto& [name, entry] : session->directory().people)
    out.push_back(person_info(session->context(), known, entry));
  return out;
}

Result<PersonInfo> Vault::person_show(const Person& person, std::string_view name) {
  if (impl_->remote) return signed_call<PersonInfo>(*impl_, "person_show", person, name);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  // How one stands oneself is told to who may not act, too: it says what is missing.
  CALLVAULT_TRY(name == person.name() ? session->recognise(person, "person_show")
                                      : session->require(person, {Role::officer, Role::auditor}, "person_show"));
  const auto& people = session->directory().people;
  const auto it = people.find(std::string(name));
  if (it == people.end())
    return refuse(session->context(), "person_show", {},
                  fail(Errc::not_found, "no person called " + std::string(name)));
  CALLVAULT_TRY_ASSIGN(const auto known, rights::People::load(session->context()));
  return person_info(session->context(), known, it->second);
}

Result<void> replace_identity(Vault& vault, const Person& person, const base::Bytes& identity) {
  const auto& layout = vault.impl().layout;
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY_ASSIGN(const auto present, read_identity(layout, person.name()));
  CALLVAULT_TRY(keys::check_rewrapped(present, identity, person.name()));
  CALLVAULT_TRY(os::replace_file(layout.people() / person.name(), identity));
  CALLVAULT_TRY(session->context().log.append("passphrase_changed"));
  return {};
}

Result<void> Vault::person_passwd(std::string_view name, const Passphrase& old_passphrase,
                                  const Passphrase& new_passphrase) {
  CALLVAULT_TRY_ASSIGN(const Person person, unlock(name, old_passphrase));
  CALLVAULT_TRY_ASSIGN(const auto file, impl_->remote ? account_call<base::Bytes>(*impl_, "identity", name)
                                                      : read_identity(impl_->layout, name));
  CALLVAULT_TRY_ASSIGN(const auto fresh, keys::with_new_passphrase(file, old_passphrase, new_passphrase));
  return impl_->remote ? signed_call<void>(*impl_, "person_passwd", person, fresh)
                       : replace_identity(*this, person, fresh);
}

Result<RingWish> prepare_disabling(Vault& vault, const Person& officer, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "person_disable"));
  const auto& directory = session->directory();
  const auto it = directory.people.find(std::string(name));
  const auto no = [&](const Error& why) { return refuse(session->context(), "person_disable", {}, why); };
  if (it == directory.people.end()) return no(fail(Errc::not_found, "no person called " + std::string(name)));
  if (name == officer.name())
    if (const auto self = refuse_self(directory, officer.name()); !self) return no(self.error());
  if (it->second.disabled || !holds_review_keys(it->second.roles)) return RingWish{};
  return rotation_wish(vault.impl(), directory, officer.name(), it->first);
}

Result<DisableReport> disable_person(Vault& vault, const Person& officer, std::string_view name, const RingGift& gift) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, officer.name()));
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
      CALLVAULT_TRY_ASSIGN(auto fresh, apply_rotation(vault.impl(), directory, officer.name(), leaver.name, gift));
      report.review_key = fresh.number;
      report.problems = std::move(fresh.problems);
      facts.emplace("review_key", std::to_string(fresh.number));
    }
    leaver.disabled = true;
    CALLVAULT_TRY_ASSIGN(const auto people, rights::People::load(session->context()));
    CALLVAULT_TRY(people.stage(session->context()));  // as in register_person
    CALLVAULT_TRY(context::commit_about(session->context(), "person_disabled", leaver.name, std::move(facts)));
  }
  // Last: a crash before leaves a file whose keys the keeper side answers nobody for; disabling again takes them.
  if (const auto taken = take_review_keys(vault.impl().layout, leaver.name); !taken)
    report.problems.push_back("the review keys stay in the identity of " + leaver.name + ": " + taken.error().message);
  return report;
}

Result<DisableReport> Vault::person_disable(const Person& officer, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(const auto wish, impl_->remote
                                            ? signed_call<RingWish>(*impl_, "person_disable_prepare", officer, name)
                                            : prepare_disabling(*this, officer, name));
  CALLVAULT_TRY_ASSIGN(const auto gift, fulfil(wish, officer));
  if (impl_->remote) return signed_call<DisableReport>(*impl_, "person_disable", officer, name, gift);
  return disable_person(*this, officer, name, gift);
}

Result<void> Vault::journal_log(const Person& person, const std::function<bool(const JournalLine&)>& visit) {
  if (impl_->remote) return signed_call<void>(*impl_, "journal_log", person, visit);
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
    JournalLine line{index, entry.at, entry.event, {}, entry.facts, {}, {}};
    if (!entry.actor.empty()) {
      const auto actor = context::open_actor(entry, context.state.directory());
      line.actor = actor ? *actor : "(gone)";
    }
    if (!entry.person.empty()) {
      const auto named = context::open_person(entry, context.state.directory());
      line.person = named ? *named : "(gone)";
    }
    if (!entry.items.empty()) line.facts.emplace("items", std::to_string(entry.items.size()));
    if (!entry.note.empty()) line.note = note_of(entry);
    return visit(line);
  });
}

}  // namespace callvault
