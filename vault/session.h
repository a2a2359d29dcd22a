// An opened vault, and one verb's stay in it: locked, recovered, consistent, at one instant, for one actor.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "callvault/vault.h"
#include "capture/settle.h"
#include "context/context.h"
#include "keys/identity.h"
#include "keys/keeper.h"
#include "os/lock.h"
#include "service/client.h"
#include "shred/shred.h"

namespace callvault {

struct Person::Impl {
  keys::Identity identity;
};

// Where the keeper's service listens unless vault.toml says otherwise.
inline constexpr const char* kUsualSocket = "/run/callvault/keeper.sock";

// Opened by the vault's own account, which has all of it; or through the keeper's service, and then there is `remote`
// and neither keeper nor journal nor catalogue.
struct Vault::Impl {
  base::Layout layout;
  keys::Config config;
  base::Zone zone;
  std::unique_ptr<keys::Keeper> keeper;
  os::Path keeper_folder;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<catalog::Catalog> catalog;
  std::chrono::milliseconds patience;
  const Clock* clock;
  std::unique_ptr<service::Client> remote{};
  std::string why_mirror{};  // why the first keeper does not open the vault, when a mirror has to do
};

enum class Access : std::uint8_t {
  look,     // shared lock: reads key state, may append to the journal; the catalogue is up to date
  look_up,  // the same with the catalogue as it is: for lookups that tell themselves when it is stale
  change,   // exclusive lock: finishes what a crash left, then changes key state
  rebuild,  // the same, and the catalogue is made anew first: whoever replaces it must be alone, since settling asks it
};

class Session {
 public:
  // Errors: busy, corrupt (also when the journal is shorter than the directory remembers), io; refused through the
  // keeper's service, where only the verbs go that have a way over the socket.
  static Result<std::unique_ptr<Session>> begin(Vault::Impl& vault, Access access, std::string actor);

  context::Context& context() const { return *context_; }
  keys::KeyState& state() { return state_; }
  const keys::Directory& directory() const { return state_.directory(); }
  const shred::Finished& finished() const { return finished_; }
  // From what is on the disk, after a change that failed halfway: what it staged and did not commit is gone, and the
  // catalogue follows what it did commit. Nothing that was read before may be used after it. Errors: as `begin`.
  Result<void> start_over();

  // Errc::refused unless this vault knows the actor, with these keys, and has not disabled them. Journalled. Enough
  // only for what lets a person act again: reading and accepting the duty text, seeing how they stand.
  Result<void> recognise(const Person& person, std::string_view verb);
  // The same, and their access has not ended, their assessment stands and they have accepted their duties, where that
  // is in force.
  Result<void> admit(const Person& person, std::string_view verb);
  // The same, and the actor has one of the roles.
  Result<void> require(const Person& person, std::initializer_list<Role> roles, std::string_view verb);
  // An officer who is admitted. While none could be, any officer: a text that nobody has accepted yet, or dates that
  // ran out, must not lock everybody out.
  Result<void> require_in_charge(const Person& person, std::string_view verb);

 private:
  Session(Vault::Impl& vault, os::Lock lock, keys::KeyState state)
      : vault_(vault), lock_(std::move(lock)), state_(std::move(state)) {}
  Result<void> check_journal();
  Result<void> check_no_later_shred();
  Result<void> bring_in_mirrors();
  Result<void> refuse(std::string_view verb, std::string_view result, std::string message);
  Result<void> recover(bool rebuild);
  Result<void> make_catalog_anew();

  Vault::Impl& vault_;
  os::Lock lock_;
  keys::KeyState state_;
  std::unique_ptr<context::Log> log_;
  std::unique_ptr<context::Context> context_;
  shred::Finished finished_;
};

// What is said when a shred waits for these mirrors.
std::string wait_for_mirrors(const std::vector<std::string>& mirrors);

// Settles what waits in incoming/, when the lock can be had at once; tells how many recordings stay unsettled. Calls of
// numbers that had opted out are shredded at once.
Result<std::uint64_t> settle_if_free(Vault::Impl& vault);

// Where a recording stands.
struct Located {
  std::uint32_t bucket = 0;
  keys::Node node;  // keeps the row's views alive
  keys::NodeRow row;
};
// Errors: gone (a tombstone is left, or it has expired and nothing holds it), not_found, busy (still being recorded).
Result<Located> locate(context::Context& context, const RecordingId& id);
// The same without asking whether it has expired.
Result<Located> locate_stored(context::Context& context, const RecordingId& id);

bool is_held(const keys::NodeRow& row, Time now);
State state_of(const keys::NodeRow& row, Time now);
CallRecord to_record(const keys::Bucket& bucket, const keys::NodeRow& row, const catalog::Row& details, Time now);

// Every recording of the vault, bucket by bucket.
Result<void> survey(context::Context& context,
                    const std::function<Result<void>(const keys::Bucket&, const keys::NodeRow&)>& visit);

// Shreds whose erasure or withdrawal was accepted and is not final.
std::set<RecordingId> outstanding_of(const keys::Directory& directory);
// The agent's voice is a track of its own.
bool agent_is_apart(const keys::NodeRow& row);
// policy.review_date of vault.toml has come: the measures are to be reviewed (S25).
Result<bool> is_review_due(const context::Context& context);
// True also where nothing needs a second person.
Result<bool> second_officer_is_able(const context::Context& context);
// How every verb shreds. `context` outlives it.
shred::Options shred_options(context::Context& context);

}  // namespace callvault
