// The words of the public enumerations, and ids as text.
#include <array>
#include <utility>

#include "base/text.h"
#include "callvault/approvals.h"
#include "callvault/breach.h"
#include "callvault/call_record.h"
#include "callvault/copies.h"
#include "callvault/office.h"
#include "callvault/options.h"
#include "callvault/rights.h"

namespace callvault {
namespace {

template <typename E, std::size_t N>
using Words = std::array<std::pair<E, std::string_view>, N>;

template <typename E, std::size_t N>
std::string_view word_of(const Words<E, N>& words, E value) {
  for (const auto& [v, w] : words)
    if (v == value) return w;
  return "unknown";
}

template <typename E, std::size_t N>
Result<E> value_of(const Words<E, N>& words, std::string_view word, std::string_view what) {
  std::string accepted;
  for (const auto& [v, w] : words) {
    if (w == word) return v;
    accepted.append(accepted.empty() ? "" : ", ").append(w);
  }
  return fail(Errc::usage, std::string(what) + " must be one of " + accepted);
}

constexpr Words<Direction, 2> kDirections{{{Direction::in, "in"}, {Direction::out, "out"}}};
constexpr Words<Party, 2> kParties{{{Party::caller, "caller"}, {Party::agent, "agent"}}};
constexpr Words<TrackName, 3> kTracks{
    {{TrackName::mixed, "mixed"}, {TrackName::caller, "caller"}, {TrackName::agent, "agent"}}};
constexpr Words<Consent, 6> kConsents{{{Consent::unknown, "unknown"},
                                       {Consent::implied, "implied"},
                                       {Consent::granted, "granted"},
                                       {Consent::pending, "pending"},
                                       {Consent::refused, "refused"},
                                       {Consent::withdrawn, "withdrawn"}}};
constexpr Words<Basis, 4> kBases{{{Basis::consent, "consent"},
                                  {Basis::contract, "contract"},
                                  {Basis::legal_obligation, "legal_obligation"},
                                  {Basis::legitimate_interest, "legitimate_interest"}}};
constexpr Words<State, 6> kStates{{{State::in_progress, "in_progress"},
                                   {State::live, "live"},
                                   {State::held, "held"},
                                   {State::restricted, "restricted"},
                                   {State::expired, "expired"},
                                   {State::gone, "gone"}}};
constexpr Words<NoticeState, 3> kNoticeStates{
    {{NoticeState::valid, "valid"}, {NoticeState::unknown, "unknown"}, {NoticeState::not_in_force, "not_in_force"}}};
constexpr Words<Purpose, 6> kPurposes{{{Purpose::service_quality, "service_quality"},
                                       {Purpose::customer_needs, "customer_needs"},
                                       {Purpose::evaluation, "evaluation"},
                                       {Purpose::complaint, "complaint"},
                                       {Purpose::legal_claims, "legal_claims"},
                                       {Purpose::proof_of_interaction, "proof_of_interaction"}}};
constexpr Words<ReportKind, 5> kReportKinds{{{ReportKind::processing, "processing"},
                                             {ReportKind::data_map, "data-map"},
                                             {ReportKind::retention, "retention"},
                                             {ReportKind::accesses, "accesses"},
                                             {ReportKind::requests, "requests"}}};
constexpr Words<BreachNature, 3> kBreachNatures{{{BreachNature::confidentiality, "confidentiality"},
                                                 {BreachNature::integrity, "integrity"},
                                                 {BreachNature::availability, "availability"}}};
constexpr Words<BreachRisk, 4> kBreachRisks{{{BreachRisk::none, "none"},
                                             {BreachRisk::some, "some"},
                                             {BreachRisk::high, "high"},
                                             {BreachRisk::not_assessed, "not_assessed"}}};
constexpr Words<BreachAudience, 2> kBreachAudiences{
    {{BreachAudience::authority, "authority"}, {BreachAudience::people, "people"}}};
constexpr Words<RequestKind, 9> kRequestKinds{{{RequestKind::inform, "inform"},
                                               {RequestKind::access, "access"},
                                               {RequestKind::copy, "copy"},
                                               {RequestKind::rectify, "rectify"},
                                               {RequestKind::object, "object"},
                                               {RequestKind::restrict, "restrict"},
                                               {RequestKind::erase, "erase"},
                                               {RequestKind::portability, "portability"},
                                               {RequestKind::withdraw, "withdraw"}}};
constexpr Words<RequestChannel, 6> kRequestChannels{{{RequestChannel::post, "post"},
                                                     {RequestChannel::email, "email"},
                                                     {RequestChannel::fax, "fax"},
                                                     {RequestChannel::visit, "visit"},
                                                     {RequestChannel::phone, "phone"},
                                                     {RequestChannel::web, "web"}}};
constexpr Words<RequestDecision, 3> kRequestDecisions{{{RequestDecision::granted, "granted"},
                                                       {RequestDecision::partly, "partly"},
                                                       {RequestDecision::refused, "refused"}}};
constexpr Words<CopyAnswer, 4> kCopyAnswers{
    {{CopyAnswer::asked, "asked"}, {CopyAnswer::yes, "yes"}, {CopyAnswer::no, "no"}, {CopyAnswer::silent, "silent"}}};
constexpr Words<CopyForm, 3> kCopyForms{{{CopyForm::wav, "wav"}, {CopyForm::opus, "opus"}, {CopyForm::vcon, "vcon"}}};
constexpr Words<RequestState, 3> kRequestStates{
    {{RequestState::open, "open"}, {RequestState::decided, "decided"}, {RequestState::closed, "closed"}}};
constexpr Words<Role, 5> kRoles{{{Role::officer, "officer"},
                                 {Role::reviewer, "reviewer"},
                                 {Role::evaluator, "evaluator"},
                                 {Role::auditor, "auditor"},
                                 {Role::operator_, "operator"}}};
constexpr Words<DualAction, 4> kDualActions{{{DualAction::unhold, "unhold"},
                                             {DualAction::erase, "erase"},
                                             {DualAction::bulk_export, "export"},
                                             {DualAction::officer, "officer"}}};
constexpr Words<ApprovalState, 5> kApprovalStates{{{ApprovalState::asked, "asked"},
                                                   {ApprovalState::approved, "approved"},
                                                   {ApprovalState::rejected, "rejected"},
                                                   {ApprovalState::used, "used"},
                                                   {ApprovalState::expired, "expired"}}};
constexpr Words<Errc, 16> kErrors{{{Errc::unexpected, "unexpected"},
                                   {Errc::usage, "usage"},
                                   {Errc::partly_done, "partly_done"},
                                   {Errc::no_vault, "no_vault"},
                                   {Errc::busy, "busy"},
                                   {Errc::wrong_passphrase, "wrong_passphrase"},
                                   {Errc::newer_version, "newer_version"},
                                   {Errc::not_found, "not_found"},
                                   {Errc::gone, "gone"},
                                   {Errc::corrupt, "corrupt"},
                                   {Errc::refused, "refused"},
                                   {Errc::not_gone, "not_gone"},
                                   {Errc::overdue, "overdue"},
                                   {Errc::io, "io"},
                                   {Errc::no_space, "no_space"},
                                   {Errc::interrupted, "interrupted"}}};

}  // namespace

std::string_view errc_name(Errc code) { return word_of(kErrors, code); }
std::string_view to_word(Direction v) { return word_of(kDirections, v); }
std::string_view to_word(Party v) { return word_of(kParties, v); }
std::string_view to_word(TrackName v) { return word_of(kTracks, v); }
std::string_view to_word(Consent v) { return word_of(kConsents, v); }
std::string_view to_word(Basis v) { return word_of(kBases, v); }
std::string_view to_word(State v) { return word_of(kStates, v); }
std::string_view to_word(NoticeState v) { return word_of(kNoticeStates, v); }
std::string_view to_word(Purpose v) { return word_of(kPurposes, v); }
std::string_view to_word(Role v) { return word_of(kRoles, v); }
Result<Direction> parse_direction(std::string_view w) { return value_of(kDirections, w, "direction"); }
Result<Party> parse_party(std::string_view w) { return value_of(kParties, w, "party"); }
Result<TrackName> parse_track(std::string_view w) { return value_of(kTracks, w, "track"); }
Result<Consent> parse_consent(std::string_view w) { return value_of(kConsents, w, "consent"); }
Result<Basis> parse_basis(std::string_view w) { return value_of(kBases, w, "basis"); }
Result<State> parse_state(std::string_view w) { return value_of(kStates, w, "state"); }
Result<Purpose> parse_purpose(std::string_view w) { return value_of(kPurposes, w, "purpose"); }
std::string_view to_word(ReportKind v) { return word_of(kReportKinds, v); }
std::string_view to_word(BreachNature v) { return word_of(kBreachNatures, v); }
std::string_view to_word(BreachRisk v) { return word_of(kBreachRisks, v); }
std::string_view to_word(BreachAudience v) { return word_of(kBreachAudiences, v); }
Result<BreachNature> parse_breach_nature(std::string_view w) { return value_of(kBreachNatures, w, "nature"); }
Result<BreachRisk> parse_breach_risk(std::string_view w) { return value_of(kBreachRisks, w, "risk"); }
Result<BreachAudience> parse_breach_audience(std::string_view w) { return value_of(kBreachAudiences, w, "audience"); }
std::string_view to_word(RequestKind v) { return word_of(kRequestKinds, v); }
std::string_view to_word(RequestChannel v) { return word_of(kRequestChannels, v); }
std::string_view to_word(RequestDecision v) { return word_of(kRequestDecisions, v); }
std::string_view to_word(CopyAnswer v) { return word_of(kCopyAnswers, v); }
std::string_view to_word(CopyForm v) { return word_of(kCopyForms, v); }
std::string_view to_word(RequestState v) { return word_of(kRequestStates, v); }
Result<RequestKind> parse_request_kind(std::string_view w) { return value_of(kRequestKinds, w, "kind"); }
Result<RequestChannel> parse_request_channel(std::string_view w) { return value_of(kRequestChannels, w, "channel"); }
Result<RequestDecision> parse_request_decision(std::string_view w) {
  return value_of(kRequestDecisions, w, "decision");
}
Result<CopyAnswer> parse_copy_answer(std::string_view w) { return value_of(kCopyAnswers, w, "answer"); }
Result<CopyForm> parse_copy_form(std::string_view w) { return value_of(kCopyForms, w, "format"); }
Result<RequestState> parse_request_state(std::string_view w) { return value_of(kRequestStates, w, "state"); }
std::string_view to_word(DualAction v) { return word_of(kDualActions, v); }
std::string_view to_word(ApprovalState v) { return word_of(kApprovalStates, v); }
Result<DualAction> parse_dual_action(std::string_view w) { return value_of(kDualActions, w, "action"); }
Result<ApprovalState> parse_approval_state(std::string_view w) { return value_of(kApprovalStates, w, "state"); }
Result<Role> parse_role(std::string_view w) { return value_of(kRoles, w, "role"); }

Result<RecordingId> RecordingId::parse(std::string_view text) {
  const auto bytes = text.size() == kTextLength ? base::from_base32(text) : std::nullopt;
  if (!bytes || bytes->size() != kBytes) return fail(Errc::usage, "a recording id is 26 characters of a-z and 2-7");
  std::array<std::byte, kBytes> raw{};
  std::copy(bytes->begin(), bytes->end(), raw.begin());
  return RecordingId(raw);
}

std::string RecordingId::text() const { return base::to_base32(bytes_); }

Consent CallRecord::consent_of(Party party) const {
  for (const auto& c : consents)
    if (c.party == party) return c.consent;
  return Consent::unknown;
}

}  // namespace callvault
