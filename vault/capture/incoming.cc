#include "capture/incoming.h"

#include <algorithm>
#include <optional>
#include <set>

#include "callvault/clock.h"
#include "os/presence.h"

namespace callvault::capture {
namespace {

constexpr std::chrono::minutes kFreshHeaderLife{1};
constexpr std::chrono::minutes kControlLife{1};

bool is_older(const os::Path& path, std::chrono::minutes life) {
  const auto changed = os::changed_at(path);
  return changed && system_clock().now() - *changed > life;
}

// A folder that is read while a file in it is renamed may show neither name: what one reading misses, the next sees
// under its final name.
Result<std::set<std::string>> names_in(const os::Path& folder) {
  std::set<std::string> out;
  for (int reading = 0; reading < 2; ++reading) {
    CALLVAULT_TRY_ASSIGN(auto names, os::list_folder(folder));
    for (auto& name : names) out.insert(std::move(name));
  }
  return out;
}

// Nothing when the file is gone. One that cannot be examined counts as dead: whoever reads it says what is wrong.
std::optional<IncomingFile> look_at(const os::Path& folder, sealed::FileName name) {
  IncomingFile file{name, folder / sealed::to_text(name), false, {}};
  if (name.state == sealed::FileState::part) {
    auto open = os::File::open_write(file.path, os::Links::refuse);
    if (!open && open.error().code != Errc::not_found) return file;
    if (open) {
      const auto dead = open->try_lock_exclusive();
      if (!dead) return file;
      file.alive = !*dead;
      if (file.alive) return file;
      // Between the listing and the lock the recorder may have finished: then the name is gone.
      if (os::may_exist(file.path)) {
        file.lock = std::move(*open);
        return file;
      }
    }
    file.alive = false;
    file.name.state = sealed::FileState::finished;
    file.path = folder / sealed::to_text(file.name);
  }
  if (!os::may_exist(file.path)) return std::nullopt;  // one that is passed over loses its intake key
  return file;
}

void add(IncomingCall& call, std::optional<IncomingFile> file) {
  if (!file) return;
  auto& files = call.files;
  if (std::none_of(files.begin(), files.end(), [&](const IncomingFile& f) { return f.name == file->name; }))
    files.push_back(std::move(*file));
}

}  // namespace

bool IncomingCall::alive() const {
  return std::any_of(files.begin(), files.end(), [](const IncomingFile& f) { return f.alive; });
}

Result<std::vector<IncomingCall>> list_incoming(const base::Layout& layout) {
  CALLVAULT_TRY_ASSIGN(const auto names, names_in(layout.incoming()));
  std::map<RecordingId, IncomingCall> calls;
  for (const auto& text : names) {
    const auto name = sealed::parse_file_name(text);
    if (!name) continue;
    const os::Path path = layout.incoming() / text;
    if (name->state == sealed::FileState::fresh) {
      // One that cannot be removed is none of a recorder's, and does no harm.
      if (is_older(path, kFreshHeaderLife)) (void)os::remove_file(path);
      continue;
    }
    add(calls[name->id], look_at(layout.incoming(), *name));
  }
  std::erase_if(calls, [](const auto& item) { return item.second.files.empty(); });
  for (const auto& text : names) {
    const auto id = sealed::parse_control_file_name(text);
    if (id && !calls.contains(*id) && is_older(layout.incoming() / text, kControlLife))
      (void)os::remove_file(layout.incoming() / text);
  }
  std::vector<IncomingCall> out;
  for (auto& [id, call] : calls) {
    call.id = id;
    call.stop_requested = os::exists(layout.incoming() / sealed::stop_file_name(id));
    out.push_back(std::move(call));
  }
  return out;
}

Result<IncomingCall> look_at_incoming(const base::Layout& layout, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const auto names, names_in(layout.incoming()));
  IncomingCall out;
  out.id = id;
  for (const auto& text : names) {
    const auto name = sealed::parse_file_name(text);
    if (name && name->id == id && name->state != sealed::FileState::fresh) add(out, look_at(layout.incoming(), *name));
  }
  return out;
}

}  // namespace callvault::capture
