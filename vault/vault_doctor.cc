// doctor: whether the host is safe, and the keepers are.
#include <algorithm>

#include "os/host.h"
#include "os/place.h"
#include "over_socket.h"
#include "separation.h"
#include "session.h"

namespace callvault {
namespace {

using Level = DoctorFinding::Level;

// A mirror on the first keeper's own disk is lost with it.
void examine_mirrors(Session& session, DoctorReport& out) {
  const auto keepers = session.state().keepers();
  for (std::size_t i = 0; i < keepers.size(); ++i) {
    const auto& k = keepers[i];
    if (!k.problem.empty())
      out.findings.push_back(
          {Level::danger, "mirror",
           k.problem + "; until it is back, shreds are not final and it opens nothing of the present"});
    else if (k.told && !k.told->sound)
      out.findings.push_back({Level::danger, "mirror", k.path + ": not shown to forget: " + k.told->reason});
    for (std::size_t j = 0; j < i; ++j)
      if (k.told && keepers[j].told && k.told->kind == "file" && keepers[j].told->kind == "file" &&
          os::on_same_disk(k.path, keepers[j].path))
        out.findings.push_back({Level::warning, "mirror",
                                "the keepers in " + keepers[j].path + " and " + k.path +
                                    " are on one disk, and lost together: put one on another"});
  }
}

std::string why_not(const Separation& separation) {
  if (!separation.unknown.empty())
    return "not separated: vault.toml binds " + separation.unknown.front() + " to an account this host does not know";
  if (!separation.at_home.empty())
    return "not separated: " + separation.at_home.front() + " acts from an account that can read the keeper";
  if (separation.apart.empty()) return "not separated: commands read the keeper as the vault's own user";
  return "not separated: nobody serves " + separation.socket.string();
}

}  // namespace

Result<DoctorReport> Vault::doctor() {
  if (impl_->remote) return only_at_home();
  DoctorReport out;
  const auto add = [&](Level level, std::string subject, std::string message) {
    out.findings.push_back({level, std::move(subject), std::move(message)});
  };
  const auto session = Session::begin(*impl_, Access::look_up, "");
  if (session) examine_mirrors(**session, out);
  if (!session) {
    const auto roots = impl_->keeper->read();
    if (roots && !roots->empty()) return session.error();
    add(Level::danger, "keeper",
        (roots ? "it holds no root" : roots.error().message) +
            "; without it nothing in this vault can be opened: bring it back");
  }
  const auto keeper = impl_->keeper->describe();
  if (!impl_->why_mirror.empty())
    add(Level::danger, "keeper",
        impl_->why_mirror +
            ": bring the first keeper back, or say with 'callvault keeper mirror "
            "--remove --destroyed' that it is gone, and make another");
  else if (keeper.sound)
    add(Level::ok, "keeper", keeper.kind + " in " + keeper.path + ", medium " + keeper.medium);
  else
    add(Level::danger, "keeper", "the place is not shown to forget: " + keeper.reason);
  if (os::is_inside(impl_->keeper_folder, impl_->layout.root))
    add(Level::danger, "keeper", "it lies inside the vault: every copy of the vault holds it; move it out");
  const auto separation = separation_of(*impl_);
  if (separation.holds())
    add(Level::ok, "separation", "separated: people act through " + separation.socket.string());
  else
    add(Level::warning, "separation", why_not(separation));
  const auto host = os::examine_host();
  const bool plain_swap = std::any_of(host.swaps.begin(), host.swaps.end(), [](const os::SwapArea& s) {
    return s.protection == os::SwapProtection::plain || s.protection == os::SwapProtection::unknown;
  });
  if (plain_swap)
    add(Level::warning, "swap", "unencrypted swap is in use; keys are locked in memory, audio buffers are not");
  else
    add(Level::ok, "swap", host.swaps.empty() ? "none in use" : "encrypted or in memory");
  if (host.core_limit == 0 && host.dumpable == false)
    add(Level::ok, "core dumps", "forbidden for this process");
  else
    add(Level::danger, "core dumps", "this process could be dumped or traced");
  if (host.clock_synchronised == true)
    add(Level::ok, "clock", "synchronised");
  else
    add(Level::warning, "clock", "the kernel does not call it synchronised; retention depends on it");
  if (host.locked_memory_limit < 8ULL * 1024 * 1024)
    add(Level::warning, "locked memory", "the limit is below 8 MiB; large buckets may not open");
  if (host.hypervisor)
    add(Level::warning, "virtual machine", *host.hypervisor + ": memory snapshots of this host may hold keys");
  const os::Path secret[] = {impl_->layout.directory(), impl_->layout.buckets(), impl_->layout.journal(),
                             impl_->layout.catalog(),   impl_->layout.people(),  impl_->keeper_folder};
  const auto loose = os::loose_paths(secret);
  for (const auto& path : loose)
    add(Level::danger, "permissions", path.path.string() + " is open to others; chmod go= it");
  if (loose.empty())
    add(Level::ok, "permissions", "key state, journal, catalogue and keeper are the vault user's alone");
  if (!session) return out;
  CALLVAULT_TRY_ASSIGN(const bool review_due, is_review_due((*session)->context()));
  if (const auto& date = impl_->config.people.review_date; !date.empty())
    add(review_due ? Level::warning : Level::ok, "measures",
        review_due ? "their review was due on " + date + ": review them, then set policy.review_date anew"
                   : "to be reviewed on " + date);
  CALLVAULT_TRY_ASSIGN(const bool able, second_officer_is_able((*session)->context()));
  if (!able)
    add(Level::warning, "dual control", "fewer than two officers can act: what needs a second person cannot be done");
  CALLVAULT_TRY_ASSIGN(const bool complete, (*session)->state().spare_is_complete());
  if (complete)
    add(Level::ok, "full disk", "room is set aside for a purge to finish");
  else
    add(Level::warning, "full disk", "no room is set aside for a purge to finish; the next change does it, if it can");
  return out;
}

}  // namespace callvault
