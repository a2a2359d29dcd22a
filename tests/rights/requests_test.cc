// Deadlines of requests, and their register's text form.
#include "rights/requests.h"

#include <doctest/doctest.h>

#include "rights/request_codec.h"

namespace {

using namespace callvault;

base::Zone bucharest() { return base::Zone::find("Europe/Bucharest").value(); }
Time at(std::string_view text) { return bucharest().parse(text).value(); }

TEST_CASE("a request is due the earlier of 30 days and one month after it came in") {
  const std::pair<const char*, const char*> table[] = {
      {"2026-01-31 10:00", "2026-02-28 10:00"},  // one month, clamped
      {"2028-01-30 10:00", "2028-02-29 10:00"},  // leap year: 30 days and a month are the same day
      {"2026-02-10 10:00", "2026-03-10 10:00"},  // February: a month is shorter
      {"2026-03-10 10:00", "2026-04-09 10:00"},  // 31 days in March: 30 days are earlier; summer time begins between
      {"2026-04-10 10:00", "2026-05-10 10:00"},  // 30 days in April: both
      {"2026-10-01 10:00", "2026-10-31 10:00"},  // summer time ends between
      {"2026-12-31 23:59", "2027-01-30 23:59"},
  };
  for (const auto& [received, due] : table) {
    CAPTURE(received);
    CHECK(rights::first_deadline(bucharest(), at(received)).value() == at(due));
  }
}

TEST_CASE("an extension gives the earlier of 60 days and two months after the first deadline") {
  CHECK(rights::extended_deadline(bucharest(), at("2026-02-28 10:00")).value() == at("2026-04-28 10:00"));
  CHECK(rights::extended_deadline(bucharest(), at("2026-07-01 10:00")).value() == at("2026-08-30 10:00"));
}

TEST_CASE("from its deadline on a request is overdue until it is closed") {
  Request r;
  r.due = at("2026-03-01");
  const auto just_before = r.due - std::chrono::milliseconds(1);
  CHECK_FALSE(rights::is_overdue(r, just_before));
  CHECK(rights::is_overdue(r, r.due));
  r.state = RequestState::decided;
  CHECK(rights::is_overdue(r, r.due));
  r.state = RequestState::closed;
  CHECK_FALSE(rights::is_overdue(r, r.due));
}

rights::RequestsContent varied() {
  Request r;
  r.id = "R-2026-0007";
  r.state = RequestState::closed;
  r.kind = RequestKind::erase;
  r.channel = RequestChannel::fax;
  r.received = at("2026-01-31 10:00");
  r.due = at("2026-04-28 10:00");
  r.extended = true;
  r.name = "Ion \"Ionel\" Popescu";
  r.numbers = {"+40722000001", "+40722000002"};
  r.identity = "identity card shown";
  r.document_hash = std::string(64, 'a');
  r.assigned = "maria";
  r.decision = RequestDecision::partly;
  r.closed = at("2026-02-02 10:00");
  r.history = {{at("2026-01-31 11:00"), "ana", "opened", "two\nlines"},
               {at("2026-02-02 10:00"), "maria", "closed", ""}};
  const auto id = RecordingId::parse("k3vq7n2m5wxyzabcdefghijkla").value();
  r.requester = Party::caller;
  r.answers = {{id, Party::agent, CopyAnswer::silent, at("2026-02-01 10:00"), "asked twice"}};
  r.copies = {{at("2026-02-02 09:00"), "maria", id, {TrackName::caller, TrackName::agent}, CopyForm::vcon, "age1x"},
              {at("2026-02-02 09:30"), "maria", id, {}, CopyForm::vcon, "passphrase"}};
  Request fresh;
  fresh.id = "R-2026-0008";
  fresh.received = at("2026-02-01");
  return {{r, fresh}, 2026, 8};
}

TEST_CASE("a register of requests gives back every field") {
  const auto in = varied();
  const auto out = rights::decode_requests(rights::encode_requests(in));
  REQUIRE(out.has_value());
  CHECK(out->year == 2026);
  CHECK(out->last_number == 8);
  REQUIRE(out->requests.size() == 2);
  const Request &a = in.requests[0], &b = out->requests[0];
  CHECK(std::tie(a.id, a.state, a.kind, a.channel, a.received, a.due, a.extended, a.name, a.numbers, a.identity,
                 a.document_hash, a.assigned, a.decision,
                 a.closed) == std::tie(b.id, b.state, b.kind, b.channel, b.received, b.due, b.extended, b.name,
                                       b.numbers, b.identity, b.document_hash, b.assigned, b.decision, b.closed));
  REQUIRE(b.history.size() == 2);
  CHECK(b.history[0].text == "two\nlines");
  CHECK(b.history[1].actor == "maria");
  CHECK(b.requester == Party::caller);
  REQUIRE(b.answers.size() == 1);
  CHECK(b.answers[0].recording == a.answers[0].recording);
  CHECK(b.answers[0].answer == CopyAnswer::silent);
  CHECK(b.answers[0].at == a.answers[0].at);
  CHECK(b.answers[0].evidence == "asked twice");
  REQUIRE(b.copies.size() == 2);
  CHECK(b.copies[0].tracks == a.copies[0].tracks);
  CHECK(b.copies[0].form == CopyForm::vcon);
  CHECK(b.copies[1].recipient == "passphrase");
  CHECK(b.copies[1].tracks.empty());
  CHECK(rights::encode_requests(*out) == rights::encode_requests(in));
  CHECK_FALSE(out->requests[1].decision.has_value());
  CHECK_FALSE(out->requests[1].closed.has_value());
}

TEST_CASE("a register of version 1 has no copies, and is read") {
  const auto out = rights::decode_requests(
      R"({"last_number":1,"requests":[{"assigned":"","channel":"post","closed":"","decision":"","document_hash":"",)"
      R"("due":"2026-03-03T00:00:00.000Z","extended":false,"history":[],"id":"R-2026-0001","identity":"","kind":"copy",)"
      R"("name":"Ion","number":"","received":"2026-02-01T00:00:00.000Z","state":"open"}],"version":1,"year":2026})");
  REQUIRE(out.has_value());
  CHECK(out->requests[0].name == "Ion");
  CHECK_FALSE(out->requests[0].requester.has_value());
  CHECK(out->requests[0].answers.empty());
  CHECK(out->requests[0].copies.empty());
}

TEST_CASE("bytes that are no UTF-8 are kept readable, and do not stop the register") {
  auto in = varied();
  in.requests[0].name = "\xff\xfe";
  CHECK(rights::decode_requests(rights::encode_requests(in)).has_value());
}

TEST_CASE("a register before version 3 knew one number of a person") {
  std::string text = rights::encode_requests(varied());
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  };
  replace("\"numbers\":[\"+40722000001\",\"+40722000002\"]", "\"number\":\"+40722000001\"");
  replace("\"numbers\":[]", "\"number\":\"\"");
  replace("\"version\":3", "\"version\":2");
  const auto read = rights::decode_requests(text);
  REQUIRE(read.has_value());
  CHECK(read->requests.at(0).numbers == std::vector<std::string>{"+40722000001"});
  CHECK(read->requests.at(1).numbers.empty());
}

TEST_CASE("a register that was cut, changed in kind, or is of a later version is told apart") {
  const std::string text = rights::encode_requests(varied());
  for (std::size_t size = 0; size < text.size(); ++size)
    REQUIRE(rights::decode_requests(text.substr(0, size)).error().code == Errc::corrupt);
  const std::pair<const char*, const char*> edits[] = {{"\"erase\"", "\"erased\""},
                                                       {"\"extended\":true", "\"extended\":1"},
                                                       {"\"last_number\":8", "\"last_number\":-8"},
                                                       {"\"history\":[{", "\"history\":[[],{"},
                                                       {"2026-01-31T", "2026-02-31T"},
                                                       {"\"silent\"", "\"loud\""},
                                                       {"\"vcon\"", "\"mp3\""},
                                                       {"\"requester\":\"caller\"", "\"requester\":7"},
                                                       {"\"answers\":[{", "\"answers\":[7,{"},
                                                       {"\"tracks\":[\"caller\"", "\"tracks\":[7"},
                                                       {"\"recording\":\"k3", "\"recording\":\"03"},
                                                       {"[\"+40722000001\"", "[7"},
                                                       {"\"numbers\":[\"", "\"numbers\":\""},
                                                       {"\"name\":", "\"names\":"}};
  for (const auto& [from, to] : edits) {
    CAPTURE(from);
    std::string changed = text;
    const auto where = changed.find(from);
    REQUIRE(where != std::string::npos);
    changed.replace(where, std::string(from).size(), to);
    CHECK(rights::decode_requests(changed).error().code == Errc::corrupt);
  }
  std::string later = text;
  later.replace(later.find("\"version\":3"), 11, "\"version\":4");
  CHECK(rights::decode_requests(later).error().code == Errc::newer_version);
}

}  // namespace
