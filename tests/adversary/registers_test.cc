// What the office keeps of people: never in the clear, and forgotten with the rotation after it left its register.
#include <doctest/doctest.h>

#include "adversary/attack.h"
#include "adversary/rig.h"
#include "callvault/breach.h"
#include "callvault/disclosure.h"
#include "callvault/notices.h"
#include "keys/file_keeper.h"
#include "keys/register_file.h"

using namespace callvault;
using adversary::Call;
using adversary::must;
using adversary::Rig;
using namespace std::chrono_literals;

namespace {

const std::string kObjector = "+40722000009";
const std::vector<std::string> kPersonal{"0722000009", "Mircea Ionescu", "passport shown", "the whole story"};

// Every old version of every register, tried under every register key that the present key state holds.
std::size_t opened_registers(Rig& rig) {
  auto keeper = must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper");
  const auto parts = rig.parts(std::move(keeper));
  const auto state = must(keys::KeyState::load(parts.layout, *parts.keeper, keys::KeyState::Access::look), "key state");
  std::size_t opened = 0;
  for (const auto& blob : rig.blobs()) {
    if (!blob.path.starts_with("keys/registers/")) continue;
    const std::string file = blob.path.substr(std::string("keys/registers/").size());
    const auto dot = file.rfind('.');
    for (const auto& [name, known] : state.directory().registers)
      opened += keys::open_register(blob.bytes, file.substr(0, dot), std::stoull(file.substr(dot + 1)), known.key)
                    .has_value();
  }
  return opened;
}

Request open_one(Rig& rig) {
  RequestOptions options;
  options.kind = RequestKind::erase;
  options.channel = RequestChannel::email;
  options.name = kPersonal[1];
  options.numbers = {kObjector};
  options.identity = kPersonal[2];
  options.note = kPersonal[3];
  return must(rig.vault().request_open(rig.officer(), options), "open a request");
}

Breach register_breach(Rig& rig) {
  BreachOptions options;
  options.summary = kPersonal[3] + " of " + kPersonal[1];
  return must(breach_open(rig.vault(), rig.officer(), options), "open a breach");
}

// Old directories open under no present key: a rotation made them so.
void rotate(Rig& rig) {
  const auto id = rig.record({});
  rig.settle();
  rig.erase({id});
  rig.snapshot();
}

}  // namespace

TEST_CASE("numbers that opted out, requests and breaches stand nowhere in the clear") {
  Rig rig;
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kObjector, "R-1"}), "opt out"));
  rig.snapshot();
  CHECK_FALSE(must(rig.vault().opt_out_add(rig.officer(), {"0722 000 009", ""}), "opt out again"));
  const auto request = open_one(rig);
  rig.snapshot();
  CHECK(must(rig.vault().request_decide(rig.officer(), request.id, RequestDecision::refused, kPersonal[3]), "decide")
            .decision == RequestDecision::refused);
  rig.snapshot();
  const auto breach = register_breach(rig);
  rig.snapshot();
  must(breach_assess(rig.vault(), rig.officer(), breach.id, BreachRisk::none, kPersonal[3]), "assess");
  must(breach_close(rig.vault(), rig.officer(), breach.id, kPersonal[1]), "close the breach");
  rig.snapshot();
  CHECK(adversary::plain_hits(rig.blobs(), kPersonal) == std::vector<std::string>{});
  // And yet it is known, under each spelling.
  CHECK_FALSE(must(rig.vault().may_record("0722000009"), "may record").allowed);
  CHECK(must(rig.vault().may_record("0722000008"), "may record").allowed);
  CHECK(must(rig.vault().request_show(rig.officer(), request.id), "show").name == kPersonal[1]);
}

TEST_CASE("notices lie sealed, and old versions of their register open under no present key") {
  Rig rig;
  const std::string text = "We record every call and keep it for six months.";
  must(notice_add(rig.vault(), rig.officer(), {"v1", text, rig.clock().now_ - 24h, std::nullopt}), "add v1");
  rig.snapshot();
  must(notice_add(rig.vault(), rig.officer(), {"v2", text + " Or longer.", rig.clock().now_ + 24h, std::nullopt}),
       "add v2");
  rig.snapshot();
  CHECK(adversary::plain_hits(rig.blobs(), {"We record every call", "or longer"}) == std::vector<std::string>{});
  CHECK(opened_registers(rig) == 1);
  // A text stays what it was when calls were pinned to it.
  const auto again = notice_add(rig.vault(), rig.officer(), {"v1", "Other", rig.clock().now_ + 48h, std::nullopt});
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Errc::refused);
  CHECK(must(notice_show(rig.vault(), rig.officer(), "v1"), "show").text == text);
  CHECK(must(notice_show(rig.vault(), rig.officer(), "v1"), "show").until == rig.clock().now_ + 24h);
}

TEST_CASE("what left a register is forgotten with the next rotation, in every copy") {
  Rig rig;
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kObjector, ""}), "opt out"));
  rig.snapshot();
  const auto request = open_one(rig);
  must(rig.vault().request_decide(rig.officer(), request.id, RequestDecision::granted, ""), "decide");
  must(rig.vault().request_close(rig.officer(), request.id, ""), "close");
  rig.snapshot();
  CHECK(must(rig.vault().opt_out_remove(rig.officer(), {kObjector, ""}), "opt in"));
  rig.snapshot();
  // Two registers, each with its present version: no older one opens under a present key.
  CHECK(opened_registers(rig) == 2);
  // Years later the purge drops the closed request.
  rig.clock().now_ += 24h * 366 * 4;
  must(rig.vault().purge({.confirm = 0}), "purge");
  rig.snapshot();
  CHECK(must(rig.vault().request_list(rig.officer(), std::nullopt, false), "list").empty());
  rotate(rig);
  CHECK(opened_registers(rig) == 2);
  CHECK(must(rig.vault().may_record(kObjector), "may record").allowed);
}

namespace {

// Made by age-keygen; nobody has its secret key any more.
constexpr const char* kRecipient = "age1t0wffutnsk50cefv0gzjenygchska74n7ukjyjvkkef6aqrvaepqekt4kv";

class NullSink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    taken_.insert(taken_.end(), bytes.begin(), bytes.end());
    return {};
  }
  base::Bytes taken_;
};

// A request by which a stereo call leaves the vault, whole; and its bundle for an authority.
Request give_out(Rig& rig, const RecordingId& id) {
  RequestOptions options;
  options.kind = RequestKind::copy;
  options.name = kPersonal[1];
  options.numbers = {kObjector};
  options.document_hash = std::string(64, 'a');
  options.requester = Party::caller;
  const auto request = must(rig.vault().request_open(rig.officer(), options), "open a request");
  must(rig.vault().request_decide(rig.officer(), request.id, RequestDecision::granted, ""), "decide");
  must(request_answer(rig.vault(), rig.officer(),
                      {request.id, id, Party::agent, CopyAnswer::yes, "the whole story of the agent"}),
       "answer");
  rig.snapshot();
  for (const auto form : {CopyForm::wav, CopyForm::vcon}) {
    NullSink sink;
    CopyOptions copy{id, request.id, Purpose::complaint, form, {kRecipient, nullptr}, "the whole story of the copy"};
    CHECK(must(copy_recording(rig.vault(), rig.officer(), copy, sink), "copy").whole);
    CHECK(adversary::plain_hits({{"copy", sink.taken_}}, kPersonal).empty());
    rig.snapshot();
  }
  NullSink sink;
  DiscloseOptions bundle{{id}, "Parchetul Bucuresti", "123/P/2026", "Art. 170 CPP", {kRecipient, nullptr}};
  CHECK(must(disclose(rig.vault(), rig.officer(), bundle, sink), "disclose").files > 8);
  CHECK(adversary::plain_hits({{"bundle", sink.taken_}}, {"Parchetul", "0722000009"}).empty());
  rig.snapshot();
  return request;
}

}  // namespace

TEST_CASE("to whom a recording was given stands nowhere in the clear, nor which request it was") {
  Rig rig;
  const auto id = rig.record({.caller = kObjector, .stereo = true});
  rig.settle();
  const auto request = give_out(rig, id);
  auto personal = kPersonal;
  personal.insert(personal.end(), {kRecipient, "Parchetul", "123/P/2026", "170 CPP"});
  CHECK(adversary::plain_hits(rig.blobs(), personal) == std::vector<std::string>{});
  // No line of the journal names a request and a recording.
  for (const auto& blob : rig.blobs()) {
    if (!blob.path.starts_with("journal/entries")) continue;
    std::string_view text = base::as_text(blob.bytes);
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      const auto line = text.substr(0, end);
      CHECK_FALSE((line.find(request.id) != std::string_view::npos && line.find(id.text()) != std::string_view::npos));
      text.remove_prefix(end + 1);
    }
  }
}

TEST_CASE(
    "after its shred nothing of a recording that was given out opens, and its request's record goes in its time") {
  Rig rig;
  const auto id = rig.record({.caller = kObjector, .stereo = true});
  rig.settle();
  const auto request = give_out(rig, id);
  rig.erase({id});
  rig.snapshot();
  CHECK(must(rig.vault().prove_gone(id), "prove").gone);
  // The notes to whom went with it ...
  std::size_t notes = 0;
  must(rig.vault().journal_log(rig.officer(),
                               [&](const JournalLine& line) {
                                 if (line.event == "copied" || line.event == "disclosed") {
                                   ++notes;
                                   CHECK(line.note == "(gone)");
                                 }
                                 return true;
                               }),
       "journal");
  CHECK(notes == 3);
  // ... the request's record still says what was answered, until its own time is over.
  CHECK(must(rig.vault().request_show(rig.officer(), request.id), "show").copies.size() == 2);
  must(rig.vault().request_close(rig.officer(), request.id, ""), "close");
  rig.clock().now_ += 24h * 366 * 4;
  must(rig.vault().purge({.confirm = 0}), "purge");
  rotate(rig);
  CHECK(rig.vault().request_show(rig.officer(), request.id).error().code == Errc::not_found);
  CHECK(opened_registers(rig) == 1);
}

TEST_CASE("a recorder's call of a number that opted out is shredded when it is settled, and only that") {
  Rig rig;
  const auto before = rig.record({.caller = kObjector});
  rig.settle();
  rig.clock().now_ += 1h;
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kObjector, ""}), "opt out"));
  rig.clock().now_ += 1h;
  const auto after = rig.record({.caller = kObjector});
  const auto other = rig.record({.caller = "+40722000001"});
  must(rig.vault().find(rig.officer(), {}, [](const CallRecord&) { return true; }), "find");
  const auto shown = rig.vault().show(rig.officer(), after);
  REQUIRE_FALSE(shown.has_value());
  CHECK(shown.error().code == Errc::gone);
  CHECK(rig.vault().show(rig.officer(), before).has_value());
  CHECK(rig.vault().show(rig.officer(), other).has_value());
  CHECK(must(rig.vault().prove_gone(after), "prove").gone);
}

TEST_CASE("while the register of opt-outs is damaged, or incomplete since it was given up, nobody is recorded") {
  Rig rig;
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kObjector, ""}), "opt out"));
  const auto path = rig.folder() / "keys/registers/opt-out.1";
  const auto file = must(os::read_file(path, keys::kMaxRegisterBytes), "register");
  must(os::replace_file(path, base::ByteView(file).first(file.size() - 1)), "damage");
  rig.clock().now_ += 1h;
  const auto theirs = rig.record({.caller = kObjector});
  const auto other = rig.record({.caller = "+40722000001"});
  const auto waits = [&](const RecordingId& id) {
    const auto shown = rig.vault().show(rig.officer(), id);
    return !shown && shown.error().code == Errc::busy;
  };
  CHECK(rig.vault().may_record("0722000001").error().code == Errc::corrupt);
  CHECK((waits(theirs) && waits(other)));
  CHECK(must(rig.vault().status(), "status").damaged.size() == 1);
  CHECK(rig.vault().recover({.give_up = "requests", .complete = ""}).error().code == Errc::usage);

  CHECK(must(rig.vault().recover({.give_up = "opt-out", .complete = ""}), "give up").refused == 2);
  CHECK_FALSE(must(rig.vault().may_record("0722000001"), "may record").allowed);
  CHECK((waits(theirs) && waits(other)));
  CHECK(must(rig.vault().status(), "status").damaged.size() == 1);
  CHECK(rig.vault().recover({.give_up = "opt-out", .complete = ""}).error().code == Errc::refused);

  // Entered again: when it was first said nobody knows, so it counts for the call that waited.
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kObjector, ""}), "opt out again"));
  must(rig.vault().recover({.give_up = "", .complete = "opt-out"}), "complete");
  CHECK(must(rig.vault().may_record("0722000001"), "may record").allowed);
  CHECK_FALSE(must(rig.vault().may_record(kObjector), "may record").allowed);
  CHECK_FALSE(waits(other));
  CHECK(must(rig.vault().status(), "status").damaged.empty());
  CHECK(rig.vault().show(rig.officer(), other).has_value());
  CHECK(rig.vault().show(rig.officer(), theirs).error().code == Errc::gone);
}
