// Who gets a copy of what: S21, S22.
#include "rights/copies.h"

#include <doctest/doctest.h>

using namespace callvault;
using keys::CopyConsent;

namespace {

const RecordingId kCall = RecordingId::parse("k3vq7n2m5wxyzabcdefghijkla").value();
const RecordingId kOther = RecordingId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").value();

Request granted() {
  Request r;
  r.id = "R-2026-0001";
  r.kind = RequestKind::copy;
  r.channel = RequestChannel::post;
  r.state = RequestState::decided;
  r.decision = RequestDecision::granted;
  r.numbers = {"+40722000001"};
  r.document_hash = std::string(64, 'a');
  r.requester = Party::caller;
  return r;
}

const rights::CopySubject kStereo{kCall, "+40722000001", {TrackName::caller, TrackName::agent}};
const rights::CopySubject kMixed{kCall, "+40722000001", {TrackName::mixed}};

void say(Request& r, Party party, CopyAnswer answer, const RecordingId& id = kCall) {
  REQUIRE(rights::note_answer(r, {id, party, answer, {}, {}}));
}

bool refuses(const Result<void>& result) { return !result && result.error().code == Errc::refused; }

}  // namespace

TEST_CASE("a copy needs a granted, open, written request of its kind") {
  CHECK(rights::may_copy(granted()));
  const auto refused = [](auto change) {
    Request r = granted();
    change(r);
    return refuses(rights::may_copy(r));
  };
  for (const auto kind : {RequestKind::inform, RequestKind::rectify, RequestKind::object, RequestKind::restrict,
                          RequestKind::erase, RequestKind::withdraw})
    CHECK(refused([&](Request& r) { r.kind = kind; }));
  for (const auto kind : {RequestKind::access, RequestKind::portability})
    CHECK_FALSE(refused([&](Request& r) { r.kind = kind; }));
  CHECK(refused([](Request& r) { r.state = RequestState::closed; }));
  CHECK(refused([](Request& r) { r.decision.reset(); }));
  CHECK(refused([](Request& r) { r.decision = RequestDecision::refused; }));
  CHECK_FALSE(refused([](Request& r) { r.decision = RequestDecision::partly; }));
  CHECK(refused([](Request& r) { r.channel = RequestChannel::phone; }));
  CHECK(refused([](Request& r) { r.document_hash.clear(); }));
  CHECK(refused([](Request& r) { r.requester.reset(); }));
}

TEST_CASE("all of it only when the other party said yes; else the own track") {
  for (const auto requester : {Party::caller, Party::agent}) {
    const Party other = requester == Party::caller ? Party::agent : Party::caller;
    const auto own = requester == Party::caller ? TrackChoice::caller : TrackChoice::agent;
    for (const auto answer : {CopyAnswer::asked, CopyAnswer::yes, CopyAnswer::no, CopyAnswer::silent}) {
      Request r = granted();
      r.requester = requester;
      say(r, other, answer);
      say(r, other, CopyAnswer::yes, kOther);  // of another call
      const auto extent = rights::copy_extent(r, kStereo, CopyConsent::all_parties);
      REQUIRE(extent);
      CHECK(extent->whole == (answer == CopyAnswer::yes));
      CHECK(extent->tracks == (answer == CopyAnswer::yes ? TrackChoice::both : own));
      const auto lax = rights::copy_extent(r, kStereo, CopyConsent::requester);
      REQUIRE(lax);
      CHECK(lax->whole == (answer != CopyAnswer::no));
    }
    Request r = granted();
    r.requester = requester;
    const auto unasked = rights::copy_extent(r, kStereo, CopyConsent::all_parties);
    REQUIRE(unasked);
    CHECK(unasked->tracks == own);
    // The requester's own yes is not the other's.
    say(r, requester, CopyAnswer::yes);
    CHECK_FALSE(rights::copy_extent(r, kStereo, CopyConsent::all_parties)->whole);
  }
}

TEST_CASE("the last answer counts") {
  Request r = granted();
  say(r, Party::agent, CopyAnswer::yes);
  say(r, Party::agent, CopyAnswer::no);
  CHECK(r.answers.size() == 1);
  CHECK_FALSE(rights::copy_extent(r, kStereo, CopyConsent::all_parties)->whole);
}

TEST_CASE("both voices in one track go to nobody alone") {
  Request r = granted();
  const auto refused = rights::copy_extent(r, kMixed, CopyConsent::all_parties);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
  CHECK(refused.error().message.find("one track") != std::string::npos);
  say(r, Party::agent, CopyAnswer::yes);
  CHECK(rights::copy_extent(r, kMixed, CopyConsent::all_parties)->whole);
}

TEST_CASE("where the own track was shredded alone there is nothing to give") {
  Request r = granted();
  r.requester = Party::agent;
  CHECK_FALSE(rights::copy_extent(r, {kCall, {}, {TrackName::caller}}, CopyConsent::all_parties));
}

TEST_CASE("a recording of another number goes to nobody by this request") {
  Request r = granted();
  say(r, Party::agent, CopyAnswer::yes);
  auto subject = kStereo;
  subject.outside_number = "+40722000002";
  CHECK_FALSE(rights::copy_extent(r, subject, CopyConsent::all_parties));
  subject.outside_number.clear();  // withheld
  CHECK_FALSE(rights::copy_extent(r, subject, CopyConsent::all_parties));
  r.numbers.clear();  // the office says which calls are theirs
  CHECK(rights::copy_extent(r, subject, CopyConsent::all_parties));
  r.numbers = {"+40722000001"};
  r.requester = Party::agent;  // about their own voice, whoever called
  CHECK(rights::copy_extent(r, subject, CopyConsent::all_parties));
}

TEST_CASE("only what rests on consent or contract is portable") {
  Request r = granted();
  r.kind = RequestKind::portability;
  auto subject = kStereo;
  for (const auto basis : {Basis::consent, Basis::contract, Basis::legal_obligation, Basis::legitimate_interest}) {
    subject.basis = basis;
    CHECK(rights::copy_extent(r, subject, CopyConsent::all_parties).has_value() ==
          (basis == Basis::consent || basis == Basis::contract));
  }
  r.kind = RequestKind::access;
  CHECK(rights::copy_extent(r, subject, CopyConsent::all_parties));
}

TEST_CASE("a request's record is bounded") {
  Request r = granted();
  r.answers.resize(rights::kMaxAnswers);
  CHECK(refuses(rights::note_answer(r, {kCall, Party::agent, CopyAnswer::no, {}, {}})));
  r.copies.resize(rights::kMaxCopies);
  CHECK(refuses(rights::note_copy(r, {})));
}
