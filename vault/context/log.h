// Writing the journal: who, when, what; names and free text only in envelopes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.h"
#include "keys/key_state.h"

namespace callvault::context {

class Log {
 public:
  // REQUIRES: both outlive it. `actor`: a person's name, or empty when the system acts.
  Log(journal::Journal& journal, keys::KeyState& state, std::string actor, Time now)
      : journal_(&journal), state_(&state), actor_(std::move(actor)), now_(now) {}

  // An entry at `now` by the actor, whose name is sealed under the month's staff key.
  Result<journal::Entry> entry(std::string_view event, std::map<std::string, std::string> facts = {}) const;
  // Says whom of the staff an entry is about: a name, sealed like the actor's.
  Result<void> add_person(journal::Entry& entry, std::string_view name) const;
  // Adds free text, sealed under the recording's s_0: it dies with the recording.
  static Result<void> add_note(journal::Entry& entry, const RecordingId& id, const crypto::Key& record_secret,
                               std::string_view text);
  // Durable on return; the index of the first.
  Result<std::uint64_t> append(const std::vector<journal::Entry>& entries);
  Result<std::uint64_t> append(std::string_view event, std::map<std::string, std::string> facts = {});

  // Puts the journal's present size and root into the edited directory: the journal may never be shorter again.
  Result<void> pin_head();

  const journal::Journal& journal() const { return *journal_; }
  const std::string& actor() const { return actor_; }

 private:
  journal::Journal* journal_;
  keys::KeyState* state_;
  std::string actor_;
  Time now_;
};

// The months of staff keys that must exist: this one and the next twelve, so that nobody has to write the directory
// just because a month began. Returns true when the directory was edited.
Result<bool> ensure_staff_keys(keys::Directory& directory, Time now);

// The text in an envelope; empty when there is none. Errc::gone when there is no key for it any more.
Result<std::string> open_actor(const journal::Entry& entry, const keys::Directory& directory);
Result<std::string> open_person(const journal::Entry& entry, const keys::Directory& directory);
Result<std::string> open_note(const journal::Entry& entry, const crypto::Key& record_secret);

}  // namespace callvault::context
