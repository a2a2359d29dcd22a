// Mirrors: further keepers, from which the vault is opened when the first is lost.
#include "callvault/keeper.h"
#include "keys/file_keeper.h"
#include "keys/open_keeper.h"
#include "keys/tpm_keeper.h"
#include "os/host.h"
#include "over_socket.h"
#include "session.h"

namespace callvault {
namespace {

Result<os::Path> whole_folder(const os::Path& path) {
  std::error_code error;
  os::Path out = std::filesystem::absolute(path, error);
  if (error || path.empty()) return fail(Errc::usage, "not a usable path: " + path.string());
  out = out.lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

struct Place {
  os::Path folder;
  std::optional<keys::TpmPlace> chip;
};

Result<Place> place_of(const Vault::Impl& vault, const std::string& text) {
  Place out;
  CALLVAULT_TRY_ASSIGN(out.chip, keys::parse_tpm_place(text));
  os::Path beside = vault.layout.root;
  beside += ".mirror";
  CALLVAULT_TRY_ASSIGN(out.folder, whole_folder(out.chip ? beside : os::Path(text)));
  return out;
}

Result<std::unique_ptr<keys::Keeper>> make_mirror(const Place& place, bool unsafe) {
  if (place.chip) {
    CALLVAULT_TRY_ASSIGN(auto made, keys::TpmKeeper::create(place.folder, *place.chip));
    return std::unique_ptr<keys::Keeper>(std::move(made));
  }
  CALLVAULT_TRY_ASSIGN(auto made, keys::FileKeeper::create(place.folder, unsafe));
  return std::unique_ptr<keys::Keeper>(std::move(made));
}

Result<void> add_mirror(Vault::Impl& vault, Session& session, const Place& place, bool unsafe) {
  if (os::is_inside(place.folder, vault.layout.root))
    return fail(Errc::refused, "the mirror would lie inside the vault, and every copy of the vault would hold it");
  CALLVAULT_TRY_ASSIGN(auto keeper, make_mirror(place, unsafe));
  auto added = session.state().add_mirror(std::move(keeper), place.folder, vault.keeper_folder);
  auto& log = session.context().log;
  if (added) {
    const auto told = log.append("mirror_added", {{"epoch", std::to_string(session.directory().epoch)}});
    if (!told) added = told.error();
  }
  if (!added) {
    keys::take_back_keeper(place.folder);
    return added;
  }
  CALLVAULT_TRY(log.pin_head());
  return session.state().commit();  // one that fails may show on the disk all the same: what it names stays
}

}  // namespace

Result<MirrorReport> keeper_mirror(Vault& vault, const MirrorOptions& options) {
  auto& impl = vault.impl();
  if (impl.remote) return only_at_home();
  CALLVAULT_TRY_ASSIGN(const Place place, place_of(impl, options.place));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(impl, Access::change, ""));
  MirrorReport out;
  out.path = place.folder.string();
  out.epoch = session->directory().epoch;
  if (!options.remove) {
    CALLVAULT_TRY(add_mirror(impl, *session, place, options.unsafe));
    return out;
  }
  const auto before = session->state().finalised();
  CALLVAULT_TRY(session->state().remove_mirror(place.folder, options.destroyed));
  out.finalised = session->state().finalised() - before;
  auto& log = session->context().log;
  CALLVAULT_TRY(log.append(
      "mirror_removed", {{"destroyed", options.destroyed ? "yes" : "no"}, {"final", std::to_string(out.finalised)}}));
  CALLVAULT_TRY(log.pin_head());
  CALLVAULT_TRY(session->state().commit());
  if (!options.destroyed) keys::take_back_keeper(place.folder);  // what is left holds no root
  return out;
}

const std::string& why_mirror(const Vault& vault) { return vault.impl().why_mirror; }

}  // namespace callvault
