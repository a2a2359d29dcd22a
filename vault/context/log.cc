#include "context/log.h"

#include <algorithm>
#include <chrono>

#include "base/civil_time.h"
#include "base/text.h"
#include "crypto/aead.h"

namespace callvault::context {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::string_view kActorLabel = "callvault v1 actor";
constexpr std::string_view kPersonLabel = "callvault v1 person";
constexpr std::string_view kNoteLabel = "callvault v1 note";
constexpr int kMonthsAhead = 13;
constexpr std::size_t kNameBlock = 32;  // padding: the length of a sealed name says nothing

std::string month_of(Time t) { return base::utc_text(t).substr(0, 7); }

const keys::StaffKey* staff_key(const keys::Directory& directory, std::string_view month) {
  for (const auto& s : directory.staff)
    if (s.month == month) return &s;
  return nullptr;
}

// The month's key, else the newest there is.
Result<const keys::StaffKey*> sealing_key(const keys::Directory& directory, Time now) {
  if (const keys::StaffKey* key = staff_key(directory, month_of(now))) return key;
  if (directory.staff.empty()) return fail(Errc::corrupt, "the directory holds no staff key");
  return &directory.staff.back();
}

Result<std::string> seal_name(const keys::StaffKey& staff, std::string_view label, std::string_view event,
                              std::string_view name) {
  std::string padded(name);
  padded.resize((padded.size() / kNameBlock + 1) * kNameBlock, '\0');
  CALLVAULT_TRY_ASSIGN(const auto sealing, staff.key.derive(label));
  return base::to_base64(crypto::seal(sealing, base::as_bytes(event), base::as_bytes(padded)));
}

Result<std::string> open_name(const std::string& envelope, std::string_view label, const journal::Entry& entry,
                              const keys::Directory& directory) {
  if (envelope.empty()) return std::string();
  const keys::StaffKey* key = staff_key(directory, entry.actor_key);
  if (key == nullptr) return fail(Errc::gone, "the staff key of " + entry.actor_key + " is gone");
  const auto sealed = base::from_base64(envelope);
  if (!sealed) return fail(Errc::corrupt, "a name's envelope in the journal is damaged");
  CALLVAULT_TRY_ASSIGN(const auto sealing, key->key.derive(label));
  CALLVAULT_TRY_ASSIGN(const auto plain, crypto::open_plain(sealing, base::as_bytes(entry.event), *sealed, "a name"));
  const std::string_view text = base::as_text(plain);
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace

Result<journal::Entry> Log::entry(std::string_view event, std::map<std::string, std::string> facts) const {
  journal::Entry out;
  out.at = now_;
  out.event = event;
  out.facts = std::move(facts);
  if (actor_.empty()) return out;
  CALLVAULT_TRY_ASSIGN(const keys::StaffKey* key, sealing_key(state_->directory(), now_));
  CALLVAULT_TRY_ASSIGN(out.actor, seal_name(*key, kActorLabel, out.event, actor_));
  out.actor_key = key->month;
  return out;
}

Result<void> Log::add_person(journal::Entry& entry, std::string_view name) const {
  CALLVAULT_TRY_ASSIGN(const keys::StaffKey* key, sealing_key(state_->directory(), now_));
  CALLVAULT_TRY_ASSIGN(entry.person, seal_name(*key, kPersonLabel, entry.event, name));
  entry.actor_key = key->month;
  return {};
}

Result<void> Log::add_note(journal::Entry& entry, const RecordingId& id, const crypto::Key& record_secret,
                           std::string_view text) {
  if (text.empty()) return {};
  CALLVAULT_TRY_ASSIGN(const auto key, record_secret.derive(kNoteLabel));
  entry.note = base::to_base64(crypto::seal(key, id.bytes(), base::as_bytes(text)));
  entry.note_key = id.text();
  return {};
}

Result<std::uint64_t> Log::append(const std::vector<journal::Entry>& entries) {
  const auto& seed = state_->directory().journal_seed;
  if (!seed) return fail(Errc::corrupt, "the directory holds no journal key");
  if (entries.empty()) return std::uint64_t{0};
  return journal_->append(entries, *seed, kPatience);
}

Result<std::uint64_t> Log::append(std::string_view event, std::map<std::string, std::string> facts) {
  CALLVAULT_TRY_ASSIGN(auto one, entry(event, std::move(facts)));
  std::vector<journal::Entry> entries;
  entries.push_back(std::move(one));
  return append(entries);
}

Result<void> Log::pin_head() {
  CALLVAULT_TRY_ASSIGN(const auto head, journal_->head());
  state_->edit().journal_size = head.size;
  state_->edit().journal_root = head.root;
  return {};
}

Result<bool> ensure_staff_keys(keys::Directory& directory, Time now) {
  bool edited = false;
  std::string month = month_of(now);
  for (int i = 0; i < kMonthsAhead; ++i) {
    if (staff_key(directory, month) == nullptr) {
      CALLVAULT_TRY_ASSIGN(auto key, crypto::Key::random());
      directory.staff.push_back(keys::StaffKey{month, std::move(key)});
      edited = true;
    }
    // The first of a month plus 31 days always lies in the next month.
    CALLVAULT_TRY_ASSIGN(const Time first, base::parse_utc(month + "-01T00:00:00.000Z"));
    month = month_of(first + std::chrono::days(31));
  }
  std::sort(directory.staff.begin(), directory.staff.end(),
            [](const keys::StaffKey& a, const keys::StaffKey& b) { return a.month < b.month; });
  return edited;
}

Result<std::string> open_actor(const journal::Entry& entry, const keys::Directory& directory) {
  return open_name(entry.actor, kActorLabel, entry, directory);
}

Result<std::string> open_person(const journal::Entry& entry, const keys::Directory& directory) {
  return open_name(entry.person, kPersonLabel, entry, directory);
}

Result<std::string> open_note(const journal::Entry& entry, const crypto::Key& record_secret) {
  CALLVAULT_TRY_ASSIGN(const auto id, RecordingId::parse(entry.note_key));
  const auto sealed = base::from_base64(entry.note);
  if (!sealed) return fail(Errc::corrupt, "a note in the journal is damaged");
  CALLVAULT_TRY_ASSIGN(const auto key, record_secret.derive(kNoteLabel));
  CALLVAULT_TRY_ASSIGN(const auto plain, crypto::open_plain(key, id.bytes(), *sealed, "a note"));
  return std::string(base::as_text(plain));
}

}  // namespace callvault::context
