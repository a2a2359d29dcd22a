// The keeper's service: who asks, whether they may, and which verb answers. Nothing that a client names is a path here.
#include "callvault/approvals.h"
#include "callvault/breach.h"
#include "callvault/disclosure.h"
#include "callvault/keeper.h"
#include "callvault/notices.h"
#include "callvault/office.h"
#include "callvault/subjects.h"
#include "context/log.h"
#include "crypto/random.h"
#include "identity_parts.h"
#include "release_parcel.h"
#include "service/front.h"
#include "service_verbs.h"

namespace callvault {
namespace {

using service::FrameKind;
using service::Verdict;

constexpr std::chrono::seconds kRequestPatience{10};
constexpr std::chrono::seconds kReaderPatience{30};

// Who asked, when nothing shows more than the account. Sealed in the journal, as names are.
std::string account_name(std::uint32_t uid) { return "uid " + std::to_string(uid); }

Result<void> journal_refusal(Vault& vault, std::string actor, std::string_view verb, std::string_view result) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, std::move(actor)));
  CALLVAULT_TRY(
      session->context().log.append("refused", {{"verb", std::string(verb)}, {"result", std::string(result)}}));
  return {};
}

// ---- what may be asked

enum class Needs : std::uint8_t { signature, account, telephony };
enum class Counted : std::uint8_t { request, listing, opening };

struct ServedVerb {
  std::string_view name;
  VerbRunner run;
  Counted counted = Counted::request;
  Needs needs = Needs::signature;
};

// Whether there is such a person is told to nobody who may not act as them.
Result<void> may_act_as(Asked& asked, const std::string& name) {
  if (std::ranges::find(asked.people, name) != asked.people.end()) return {};
  CALLVAULT_TRY(journal_refusal(asked.vault, account_name(asked.uid), "identity", "account"));
  return fail(Errc::refused, "this account may not act as " + name);
}

Result<base::Bytes> identity(Asked& asked, const std::string& name) {
  CALLVAULT_TRY(may_act_as(asked, name));
  return read_identity(asked.vault.impl().layout, name);
}

// The client's word, as far as it goes: it has the file and could try without telling.
Result<void> unlock_failed(Asked& asked, const std::string& name, Errc why) {
  CALLVAULT_TRY(may_act_as(asked, name));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(asked.vault.impl(), Access::look_up, name));
  CALLVAULT_TRY(session->context().log.append("unlock_failed", {{"result", std::string(errc_name(why))}}));
  return {};
}

Result<RecordingId> resolve(Asked& asked, const std::string& text) { return asked.vault.resolve(text); }
Result<Tombstone> tombstone(Asked& asked, RecordingId id) { return asked.vault.tombstone(id); }
Result<std::vector<Tombstone>> gone(Asked& asked, const std::vector<RecordingId>& ids) {
  return tombstones(asked.vault, ids);
}
Result<ProofReport> prove_gone(Asked& asked, RecordingId id) { return asked.vault.prove_gone(id); }
Result<MayRecord> may_record(Asked& asked, const std::string& number) { return asked.vault.may_record(number); }
Result<CheckpointReport> checkpoint(Asked& asked) { return journal_checkpoint(asked.vault); }

Result<void> play(Asked& asked, const PlayOptions& options) {
  CALLVAULT_TRY_ASSIGN(asked.released, release_recording(asked.vault, *asked.person, options));
  return {};
}

constexpr ServedVerb kVerbs[] = {
    {"find", kRun<&Vault::find>, Counted::listing},
    {"show", kRun<&Vault::show>, Counted::listing},
    {"play", kRun<&play>, Counted::opening},
    {"pause", kRun<&Vault::pause>},
    {"resume", kRun<&Vault::resume>},
    {"consent", kRun<&Vault::set_consent>},
    {"hold", kRun<&Vault::hold>},
    {"unhold", kRun<&Vault::unhold>},
    {"erase", kRun<&Vault::erase>},
    {"restrict", kRun<&Vault::restrict>},
    {"opt_out_add", kRun<&Vault::opt_out_add>},
    {"opt_out_remove", kRun<&Vault::opt_out_remove>},
    {"request_open", kRun<&Vault::request_open>},
    {"request_assign", kRun<&Vault::request_assign>},
    {"request_decide", kRun<&Vault::request_decide>},
    {"request_extend", kRun<&Vault::request_extend>},
    {"request_close", kRun<&Vault::request_close>},
    {"request_show", kRun<&Vault::request_show>, Counted::listing},
    {"request_list", kRun<&Vault::request_list>, Counted::listing},
    {"request_answer",
     kRun<static_cast<Result<Request> (*)(Vault&, const Person&, const AnswerOptions&)>(&request_answer)>},
    {"request_document",
     kRun<static_cast<Result<Answer> (*)(Vault&, const Person&, std::string_view)>(&request_answer)>, Counted::listing},
    {"alias_add", kRun<&alias_add>},
    {"alias_remove", kRun<&alias_remove>},
    {"alias_show", kRun<&alias_show>, Counted::listing},
    {"restrict_all_of", kRun<&restrict_all_of>},
    {"rectify", kRun<&rectify>},
    {"request_requester", kRun<&request_requester>},
    {"breach_open", kRun<&breach_open>},
    {"breach_assess", kRun<&breach_assess>},
    {"breach_notify", kRun<&breach_notify>},
    {"breach_note", kRun<&breach_note>},
    {"breach_close", kRun<&breach_close>},
    {"breach_show", kRun<&breach_show>, Counted::listing},
    {"breach_list", kRun<&breach_list>, Counted::listing},
    {"breach_scope", kRun<&breach_scope>, Counted::listing},
    {"notice_add", kRun<&notice_add>},
    {"notice_list", kRun<&notice_list>, Counted::listing},
    {"notice_show", kRun<&notice_show>, Counted::listing},
    {"notice_report", kRun<&notice_report>, Counted::listing},
    {"report", kRun<&make_report>, Counted::listing},
    {"person_list", kRun<&Vault::person_list>, Counted::listing},
    {"person_show", kRun<&Vault::person_show>, Counted::listing},
    {"person_prepare", kRun<&prepare_person>},
    {"person_add", kRun<&register_person>},
    {"person_passwd", kRun<&replace_identity>},
    {"person_disable_prepare", kRun<&prepare_disabling>},
    {"person_disable", kRun<&disable_person>},
    {"person_renew_prepare", kRun<&prepare_renewal>},
    {"person_renew", kRun<&renew_person>},
    {"person_accept_prepare", kRun<&prepare_acceptance>},
    {"person_accept", kRun<&take_acceptance>},
    {"person_assess", kRun<&person_assess>},
    {"duty_set", kRun<&duty_set>},
    {"duty_show", kRun<&duty_show>},
    {"approve", kRun<&approve>},
    {"approvals_list", kRun<&approvals_list>, Counted::listing},
    {"journal_log", kRun<&Vault::journal_log>, Counted::listing},
    {"identity", kRun<&identity>, Counted::request, Needs::account},
    {"unlock_failed", kRun<&unlock_failed>, Counted::request, Needs::account},
    {"resolve", kRun<&resolve>, Counted::request, Needs::account},
    {"tombstone", kRun<&tombstone>, Counted::request, Needs::account},
    {"tombstones", kRun<&gone>, Counted::request, Needs::account},
    {"prove_gone", kRun<&prove_gone>, Counted::request, Needs::account},
    {"checkpoint", kRun<&checkpoint>, Counted::request, Needs::account},
    {"may_record", kRun<&may_record>, Counted::request, Needs::telephony},
};

const ServedVerb* find_verb(std::string_view name) {
  const auto* const it = std::ranges::find(kVerbs, name, &ServedVerb::name);
  return it == std::end(kVerbs) ? nullptr : it;
}

// ---- one connection

class Attending {
 public:
  Attending(const OpenOptions& options, service::Visit& visit) : options_(options), visit_(visit) {}

  void run() {
    const auto done = attend();
    if (!done) (void)send_frame(FrameKind::failed, service::encode_error(done.error()));
  }

 private:
  Result<void> attend() {
    const base::Layout layout{options_.dir};
    CALLVAULT_TRY_ASSIGN(config_, keys::read_config(layout.config()));
    may_record_ = std::ranges::any_of(config_.service.may_record, [&](const auto& a) { return is_peer(a); });
    for (const auto& [name, account] : config_.service.people)
      if (is_peer(account)) people_.push_back(name);
    if (visit_.over_limit)
      return refuse(fail(Errc::refused, "over the limit of requests a minute; wait a minute"), "connect", "limit");
    if (people_.empty() && !may_record_) return turn_away();
    CALLVAULT_TRY(greet(layout));
    CALLVAULT_TRY_ASSIGN(const auto frame, receive_request());
    CALLVAULT_TRY_ASSIGN(const auto request, service::decode_request(frame.payload));
    const ServedVerb* verb = find_verb(request.verb);
    if (verb == nullptr) return fail(Errc::usage, "the keeper's service knows no such verb");
    // Only now does this process hold a secret.
    CALLVAULT_TRY_ASSIGN(auto vault, Vault::open(options_));
    std::optional<Person> person;
    CALLVAULT_TRY(admit(vault, *verb, request, person));
    Asked asked{vault, person ? &*person : nullptr, visit_.peer.uid, people_, service::Decoder(request.arguments)};
    if (auto run = verb->run(asked); !run) return run;
    return give(asked);
  }

  bool is_peer(const std::string& account) const { return os::uid_of(account) == visit_.peer.uid; }

  Result<void> greet(const base::Layout& layout) {
    CALLVAULT_TRY_ASSIGN(const auto journal, journal::Journal::open(layout.journal()));
    crypto::fill_random(hello_.nonce);
    hello_.version = service::kProtocolVersion;
    hello_.vault = layout.root.string();
    hello_.origin = journal.origin();
    hello_.time_zone = config_.time_zone;
    hello_.contacts = {config_.controller_contact, config_.dpo_contact, config_.authority_contact};
    hello_.people = people_;
    return send_frame(FrameKind::hello, service::encode_hello(hello_));
  }

  Result<service::Frame> receive_request() {
    auto frame = service::receive_frame(visit_.socket, service::kMaxRequestBytes, os::within(kRequestPatience));
    if (frame && frame->kind != FrameKind::request) return fail(Errc::usage, "a request was expected on the socket");
    return frame;
  }

  // Nobody of this vault: told so, and journalled once a minute, lest anybody fill the journal.
  Result<void> turn_away() {
    const auto why = fail(Errc::refused, "this account may not use the keeper's service");
    CALLVAULT_TRY_ASSIGN(const auto verdict, visit_.counter.count("stranger", std::to_string(visit_.peer.uid), 1));
    return verdict == Verdict::within ? refuse(why, "connect", "account") : Result<void>(why);
  }

  // Errors: `why`, once it is journalled.
  Result<void> refuse(const Error& why, std::string_view verb, std::string_view result) {
    CALLVAULT_TRY_ASSIGN(auto vault, Vault::open(options_));
    return refuse(vault, account_name(visit_.peer.uid), why, verb, result);
  }
  static Result<void> refuse(Vault& vault, std::string actor, const Error& why, std::string_view verb,
                             std::string_view result) {
    CALLVAULT_TRY(journal_refusal(vault, std::move(actor), verb, result));
    return why;
  }

  // Deny by default: the account must be bound to the person, and the person must have signed.
  Result<void> admit(Vault& vault, const ServedVerb& verb, const service::Request& request,
                     std::optional<Person>& person) {
    const std::string account = account_name(visit_.peer.uid);
    if (verb.needs != Needs::signature) {
      const bool may = !people_.empty() || verb.needs == Needs::telephony;
      if (may) return {};
      return refuse(vault, account, fail(Errc::refused, "this account may ask for numbers only"), verb.name, "account");
    }
    if (std::ranges::find(people_, request.person) == people_.end())
      return refuse(vault, account, fail(Errc::refused, "this account may not act as " + request.person), verb.name,
                    "account");
    CALLVAULT_TRY_ASSIGN(auto who, registered(vault, request.person));
    const bool is_signed =
        who && crypto::verify(who->signing, service::signed_text(hello_, visit_.peer.uid, request), request.signature);
    if (!who || !is_signed)
      return refuse(vault, account, fail(Errc::refused, "the request is not signed by " + request.person), verb.name,
                    "signature");
    CALLVAULT_TRY(stay_within(vault, verb, request.person));
    person.emplace(std::make_unique<Person::Impl>(Person::Impl{keys::Identity::without_secrets(std::move(*who))}));
    return {};
  }

  static Result<std::optional<keys::PublicIdentity>> registered(Vault& vault, const std::string& name) {
    CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, name));
    const auto& people = session->directory().people;
    const auto it = people.find(name);
    if (it == people.end()) return std::optional<keys::PublicIdentity>();
    return std::optional(keys::PublicIdentity{name, it->second.signing, it->second.box});
  }

  Result<void> stay_within(Vault& vault, const ServedVerb& verb, const std::string& name) {
    if (verb.counted == Counted::request) return {};
    const bool opening = verb.counted == Counted::opening;
    const auto& policy = config_.service;
    CALLVAULT_TRY_ASSIGN(const auto verdict,
                         visit_.counter.count(opening ? "opening" : "listing", name,
                                              opening ? policy.openings_per_minute : policy.listings_per_minute));
    if (verdict == Verdict::within) return {};
    const auto why = fail(Errc::refused, name + " is over the limit of " + (opening ? "openings" : "listings") +
                                             " a minute; wait a minute");
    return verdict == Verdict::over_first ? refuse(vault, name, why, verb.name, "limit") : Result<void>(why);
  }

  // The vault's lock is free again: a slow reader keeps nobody waiting.
  Result<void> give(Asked& asked) {
    for (const auto& item : asked.items) CALLVAULT_TRY(send_frame(FrameKind::item, item));
    if (!asked.released) return send_frame(FrameKind::done, asked.result);
    CALLVAULT_TRY_ASSIGN(const auto parcel, pack(std::move(*asked.released)));
    std::vector<int> files;
    for (const auto& file : parcel.files) files.push_back(file.fd());
    CALLVAULT_TRY(
        service::send_frame(visit_.socket, FrameKind::released, parcel.plain, os::within(kReaderPatience), files));
    return service::send_secrets(visit_.socket, parcel.secrets, os::within(kReaderPatience));
  }

  Result<void> send_frame(FrameKind kind, service::ByteView payload) {
    return service::send_frame(visit_.socket, kind, payload, os::within(kReaderPatience));
  }

  const OpenOptions& options_;
  service::Visit& visit_;
  keys::Config config_;
  service::Hello hello_;
  std::vector<std::string> people_;
  bool may_record_ = false;
};

// In a process of its own, so that this one never holds a key: locked memory is not inherited by children.
Result<void> try_to_open(const OpenOptions& options) {
  CALLVAULT_TRY_ASSIGN(auto child, os::fork_child([&](os::File channel) {
                         const auto vault = Vault::open(options);
                         const auto said = service::encode_error(vault ? Error{Errc::unexpected, ""} : vault.error());
                         (void)os::write_message(channel.fd(), base::as_text(said));
                       }));
  const auto said = os::await_message(child.channel.fd());
  os::reap(child.pid);
  if (!said) return fail(Errc::unexpected, "the vault could not be opened");
  const auto error = service::decode_error(base::as_bytes(*said));
  return error.message.empty() ? Result<void>() : error;
}

}  // namespace

Result<void> keeper_serve(const ServeOptions& options) {
  CALLVAULT_TRY(crypto::ready());
  std::error_code error;
  const auto folder = std::filesystem::absolute(options.dir, error).lexically_normal();
  if (error) return fail(Errc::usage, "not a usable path: " + options.dir.string());
  const OpenOptions open{.dir = folder.has_filename() ? folder : folder.parent_path(), .keeper = options.keeper};
  CALLVAULT_TRY_ASSIGN(const auto config, keys::read_config(base::Layout{open.dir}.config()));
  CALLVAULT_TRY(try_to_open(open));
  CALLVAULT_TRY_ASSIGN(auto passed, os::LocalListener::inherited());
  const auto path = options.socket.value_or(config.service.socket.value_or(kUsualSocket));
  auto listener = passed ? Result<os::LocalListener>(std::move(*passed)) : os::LocalListener::bind(path);
  if (!listener) return std::move(listener).error();
  if (options.on_ready) options.on_ready(passed ? "the service manager's socket" : path.string());
  service::FrontOptions front;
  front.policy = config.service;
  front.idle_exit = options.idle_exit;
  front.should_stop = options.should_stop;
  front.attend = [&open](service::Visit& visit) { Attending(open, visit).run(); };
  service::run_front(std::move(*listener), front);
  return {};
}

}  // namespace callvault
