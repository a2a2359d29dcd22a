#include "capture/incoming.h"

#include <algorithm>

#include "callvault/clock.h"

namespace callvault::capture {
namespace {

constexpr std::chrono::minutes kFreshHeaderLife{1};

}  // namespace

bool IncomingCall::alive() const {
  return std::any_of(files.begin(), files.end(), [](const IncomingFile& f) { return f.alive; });
}

Result<std::vector<IncomingCall>> list_incoming(const base::Layout& layout) {
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(layout.incoming()));
  std::map<RecordingId, IncomingCall> calls;
  for (const auto& text : names) {
    const auto name = sealed::parse_file_name(text);
    if (!name) continue;
    const os::Path path = layout.incoming() / text;
    if (name->state == sealed::FileState::fresh) {
      const auto changed = os::changed_at(path);
      // One that cannot be removed is none of a recorder's, and does no harm.
      if (changed && system_clock().now() - *changed > kFreshHeaderLife) (void)os::remove_file(path);
      continue;
    }
    IncomingFile file{*name, path, false, {}};
    if (name->state == sealed::FileState::part) {
      auto open = os::File::open_write(path, os::Links::refuse);
      if (!open && open.error().code == Errc::not_found) continue;  // finished meanwhile: the next listing sees it
      if (!open && (open.error().code == Errc::corrupt || open.error().code == Errc::refused)) {
        calls[name->id].files.push_back(std::move(file));  // litter: whoever reads it says what is wrong with it
        continue;
      }
      if (!open) return std::move(open).error();
      CALLVAULT_TRY_ASSIGN(const bool dead, open->try_lock_exclusive());
      file.alive = !dead;
      if (dead) {
        // Between the listing and the lock the recorder may have finished: then the name is gone.
        if (!os::exists(path)) continue;
        file.lock = std::move(*open);
      }
    }
    auto& call = calls[name->id];
    call.files.push_back(std::move(file));
  }
  std::vector<IncomingCall> out;
  for (auto& [id, call] : calls) {
    call.id = id;
    call.stop_requested = os::exists(layout.incoming() / sealed::stop_file_name(id));
    out.push_back(std::move(call));
  }
  return out;
}

}  // namespace callvault::capture
