// What a shred leaves on the device: a vault and its keeper on a file system of their own, whose raw image is searched
// at every byte after each step, mounted and unmounted.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <functional>

#include "adversary/inside.h"
#include "base/text.h"
#include "blocks/secrets.h"
#include "callvault/keeper.h"
#include "os/mounted.h"
#include "os/place.h"

using namespace callvault;
using adversary::Call;
using adversary::must;
using adversary::Rig;
using blocks::describe;
using blocks::Needles;
using blocks::Secrets;
using tests::Mounted;

namespace {

const std::string kAna = "+40722000001", kBob = "+40722000002", kEve = "+40722000003", kFay = "+40722000004";
const std::vector<std::string> kTexts{"0722000001",
                                      "0722000002",
                                      "0722000003",
                                      "0722000004",
                                      "+407220000",
                                      "Maria Popescu",
                                      "Zoe Agent",
                                      "matter-77",
                                      "call-4711-xyz",
                                      "Ion Ionescu",
                                      "correct horse battery staple"};
constexpr std::size_t kSectorsOfRoot = 32;

// Mounts that go with this process, however it ends.
bool mounts_of_our_own() {
  static const bool done =
      ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return done;
}

bool skipped(const Mounted& mounted) {
  if (!mounted.ready) MESSAGE("SKIPPED: " << mounted.why);
  return !mounted.ready;
}

void write_all(const Mounted& mounted) {
  const int fd = ::open(mounted.point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::syncfs(fd) == 0);
  ::close(fd);
}

void put(const os::Path& path, std::string_view text) {
  REQUIRE(os::write_new_file(path, base::as_bytes(text)).has_value());
}

class Search {
 public:
  explicit Search(const Mounted& mounted) : mounted_(mounted), image_(mounted.image()) {}

  // Nothing of what was told to `secrets` but the present roots, each sector of them once.
  void expect_clean(const Secrets& secrets, const std::string& after, std::size_t roots = 1) const {
    INFO("after " << after);
    if (mounted_.ready) write_all(mounted_);
    CHECK(describe(secrets.never().find_in(image_)) == "");
    CHECK(describe(secrets.old_roots().find_in(image_)) == "");
    std::size_t found = 0;
    for (const auto& hit : secrets.present_roots().find_in(image_)) found += hit.times;
    CHECK(found == roots * kSectorsOfRoot);
  }

  std::size_t old_roots(const Secrets& secrets) const {
    if (mounted_.ready) write_all(mounted_);
    std::size_t found = 0;
    for (const auto& hit : secrets.old_roots().find_in(image_)) found += hit.times;
    return found;
  }

 private:
  const Mounted& mounted_;
  os::Path image_;
};

RecordingId record(Rig& rig, Secrets& secrets, const Call& call) {
  const auto id = rig.record(call);
  secrets.gather(rig);  // while it waits in incoming/
  secrets.gather_audio(rig, id);
  secrets.gather(rig);
  return id;
}

// The office at work: what is written of people beside recordings.
void keep_books(Rig& rig, const RecordingId& id) {
  must(rig.vault().hold(rig.officer(), {id, "matter-77", std::nullopt}), "hold");
  must(rig.vault().restrict(rig.officer(), id, true, "Maria Popescu disputes it"), "restrict");
  must(rig.vault().opt_out_add(rig.officer(), {kEve, "letter of Ion Ionescu"}), "opt-out");
  RequestOptions request;
  request.name = "Ion Ionescu";
  request.numbers = {kBob};
  request.identity = "Maria Popescu saw a card";
  must(rig.vault().request_open(rig.officer(), request), "request");
  must(rig.vault().restrict(rig.officer(), id, false, "Maria Popescu is content"), "unrestrict");
  must(rig.vault().unhold(rig.officer(), id, "matter-77"), "unhold");
}

void shred_and_search(Mounted& mounted) {
  Secrets secrets(kTexts);
  const Search search(mounted);
  {
    // Where the folder for temporary files is itself an unsound place, so is a loop device on it.
    Rig rig(mounted.point, !must(os::examine_place(mounted.point), "place").sound);
    const auto after = [&](const std::string& what) {
      secrets.gather(rig);
      search.expect_clean(secrets, what);
    };
    const auto ana = record(rig, secrets, Call{.caller = kAna, .agent = "Zoe Agent", .call_id = "call-4711-xyz"});
    const auto bob = record(rig, secrets, Call{.caller = kBob});
    const auto fay = record(rig, secrets, Call{.caller = kFay, .stereo = true});
    const auto kim = record(rig, secrets, Call{.caller = kAna});
    after("recording");
    rig.erase({ana});
    after("an erasure");
    const auto unsettled = rig.record(Call{.caller = kEve});
    secrets.gather(rig);
    rig.erase({unsettled});
    after("the erasure of a call that was not settled");
    must(rig.vault().set_consent(rig.officer(), {fay, Party::agent, Consent::withdrawn, "Maria Popescu said so"}),
         "consent");
    after("a withdrawal of consent");
    keep_books(rig, bob);
    after("work of the office");
    adversary::die_in_shred(rig, {{kim}}, adversary::Cut::before_wipe);
    secrets.gather_roots(rig);
    search.expect_clean(secrets, "an erasure that was cut before the wipe", 2);
    rig.reopen();
    must(rig.vault().recover(), "recover");
    after("recovery");
    must(keeper_rotate(rig.vault()), "rotate");
    after("a rotation");
    must(rig.vault().reindex(), "reindex");
    rig.clock().now_ = must(rig.vault().show(rig.officer(), bob), "show").expires_at + std::chrono::hours(1);
    CHECK(must(rig.vault().purge({}), "purge").shredded == 2);
    after("a purge");
    CHECK(must(rig.vault().check({true}), "check").recordings == 0);
    CHECK(secrets.roots_seen() >= 7);
  }
  mounted.unmount();
  search.expect_clean(secrets, "unmounting");
}

// What is left of old roots where a keeper is refused; only `unsafe_keeper` gets it there.
std::size_t left_of_old_roots(const Mounted& mounted, const std::function<void(Rig&)>& before = {}) {
  if (!before) CHECK_FALSE(must(os::examine_place(mounted.point), "place").sound);
  Secrets secrets(kTexts);
  const Search search(mounted);
  Rig rig(mounted.point, true);
  const auto id = rig.record(Call{});
  rig.settle();
  secrets.gather(rig);
  if (before) before(rig);
  rig.erase({id});
  secrets.gather(rig);
  return search.old_roots(secrets);
}

}  // namespace

TEST_CASE("what is on a device is found, in every form") {
  REQUIRE_MESSAGE((::geteuid() != 0 || mounts_of_our_own()), "cannot have mounts of our own");
  Mounted mounted("ext4", "");
  if (skipped(mounted)) return;
  const auto made_of = [](std::size_t size, unsigned step) {
    base::Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>((i * step + (i >> 5) * 31) >> 3);
    return out;
  };
  const auto found = [&](const auto& add) {
    Needles needles;
    add(needles);
    return needles.find_in(mounted.image());
  };
  unsigned step = 7919;
  for (const char* form : {"raw", "hex", "base64", "base64 of more", "base64 of still more"}) {
    const auto secret = made_of(32, step += 2);  // another for each, since what is removed stays
    const std::string raw(base::as_text(secret)), how = form;
    const std::string text = how == "raw"              ? raw
                             : how == "hex"            ? base::to_hex(secret)
                             : how == "base64"         ? base::to_base64(secret)
                             : how == "base64 of more" ? base::to_base64(base::as_bytes("1" + raw + "2"))
                                                       : base::to_base64(base::as_bytes("12" + raw));
    CHECK(found([&](Needles& n) { n.add("it", secret); }).empty());
    put(mounted.point / "plain", std::string(4090, '.') + text);
    write_all(mounted);
    REQUIRE(os::remove_file(mounted.point / "plain").has_value());
    write_all(mounted);
    CHECK_MESSAGE(found([&](Needles& n) { n.add("it", secret); }).size() == 1, how);
  }
  const auto sound = made_of(4096, 6007);
  put(mounted.point / "sound", base::as_text(base::ByteView(sound).subspan(1000, 63)));
  write_all(mounted);
  CHECK(found([&](Needles& n) { n.add_pieces("sound", sound); }).size() == 1);
}

TEST_CASE("nothing shredded, no key and nothing in the clear is left on ext4") {
  REQUIRE_MESSAGE((::geteuid() != 0 || mounts_of_our_own()), "cannot have mounts of our own");
  Mounted mounted("ext4", "");
  if (!skipped(mounted)) shred_and_search(mounted);
}

TEST_CASE("nothing shredded, no key and nothing in the clear is left on xfs") {
  REQUIRE_MESSAGE((::geteuid() != 0 || mounts_of_our_own()), "cannot have mounts of our own");
  Mounted mounted("xfs", "");
  if (!skipped(mounted)) shred_and_search(mounted);
}

TEST_CASE("old roots are left where a keeper is refused, and the search finds them") {
  REQUIRE_MESSAGE((::geteuid() != 0 || mounts_of_our_own()), "cannot have mounts of our own");
  {
    Mounted mounted("ext4", "data=journal");
    if (!skipped(mounted)) CHECK(left_of_old_roots(mounted) > 0);
  }
  {
    Mounted mounted("btrfs", "");
    if (!skipped(mounted)) CHECK(left_of_old_roots(mounted) > 0);
  }
  Mounted mounted("xfs", "");
  if (skipped(mounted)) return;
  const auto left = left_of_old_roots(mounted, [&](Rig& rig) {
    REQUIRE(tests::run({"cp", "--reflink=always", rig.keeper_file().string(), (mounted.point / "copy").string()}) == 0);
  });
  CHECK(left >= kSectorsOfRoot);
}
