#include "cli/hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace callvault::cli {
namespace {

constexpr std::string_view kNewestJournal =
    "bring back the newest copy of journal/: an older one would hide what was done since";
constexpr std::string_view kNewestKeys =
    "bring keys/ back from a backup made since the last shred; an older copy cannot be opened, by design";

bool says(std::string_view message, std::string_view words) { return message.find(words) != std::string_view::npos; }

bool says_any(std::string_view message, std::initializer_list<std::string_view> choices) {
  return std::ranges::any_of(choices, [&](std::string_view words) { return says(message, words); });
}

// Said by the file system, not by a rule of the vault.
bool is_denied(std::string_view message) {
  return message.ends_with("Permission denied") || message.ends_with("Operation not permitted");
}

// "/a/b" of "cannot read the meta file /a/b: No such file or directory", told what stands before it.
std::string object_of(std::string_view message, std::string_view before) {
  const auto rest = message.substr(before.size());
  return std::string(rest.substr(0, rest.rfind(": ")));
}

// What a message tells whatever its code is, and whichever command met it.
std::string_view of_any_code(std::string_view message) {
  if (says(message, "keeper has moved on the disk"))
    return "put the keeper's file back where it was; 'callvault doctor' tells what is found";
  if (says_any(message, {"the keeper's place is not sound any more", "the keeper has a second name or was removed",
                         "a part of the keeper is "}))
    return "'callvault doctor' tells what is found at the keeper's place";
  if (says(message, "the TPM takes another auth value"))
    return "the file tpm.auth in the keeper's folder is not the one it was made with: bring that one back";
  if (says(message, "cannot reach the TPM")) return "look at the chip, its driver and who may use it";
  if (says(message, "built without TPM keepers")) return "build it where libtss2-dev is installed";
  if (says(message, "of the TPM is in use already")) return "choose another index: --keeper tpm:0x01800100";
  return "";
}

std::string usage(std::string_view message, std::string_view command) {
  if (says(message, "holds no backup")) return "name an empty folder, or the one of the backup before";
  if (says(message, "ended before any audio")) return "look at what feeds the recorder if calls keep ending so";
  if (command == "ingest" && says_any(message, {"holds no audio", "ends inside its wav header"}))
    return "the call ended before any audio came; look at what feeds the recorder if calls keep ending so";
  return command.empty() ? "see 'callvault --help'" : fmt::format("see 'callvault {} --help'", command);
}

std::string not_found(std::string_view message, std::string_view command) {
  if (command == "restore") return "name the folder that 'callvault backup' made";
  if (message.ends_with("No such file or directory") && says(message, "/journal/")) return std::string(kNewestJournal);
  if (message.ends_with("No such file or directory"))
    return "a file of the vault is missing: bring it back from a backup; 'callvault check' names what else is damaged";
  if (says(message, "no keeper of this vault is in ")) return "'callvault keeper status' names them";
  if (says(message, " was folded into ")) return "name the recording that it was folded into";
  if (says(message, "no duty text is set")) return "an officer sets one: 'callvault duty set FILE'";
  if (says(message, "no approval ")) return "'callvault approvals list' names them";
  if (command.starts_with("person")) return "'callvault person list' names the people";
  if (says(message, "journal: there is no entry")) return "'callvault journal log' lists the entries";
  if (says(message, "no journal in ")) return "--journal takes a copy of the vault's folder journal/";
  if (says(message, "no notice version ")) return "'callvault notice list' names the versions";
  if (says(message, "no request ")) return "'callvault request list' names the requests";
  if (says(message, "no breach ")) return "'callvault breach list' names the breaches";
  if (says(message, "no person of that name")) return "'callvault person list' names the people";
  if (command.starts_with("alias"))
    return "nothing was changed; 'callvault alias add NUMBER NUMBER' puts numbers together";
  if (says(message, "of the person of request")) return "'callvault request show REQUEST' tells its numbers";
  if (command.starts_with("opt-out")) return "nothing was changed; 'callvault may-record NUMBER' tells";
  return "'callvault find' lists the recordings; an id may be cut to a unique prefix of 6 or more characters";
}

std::string gone(std::string_view message) {
  if (says_any(message, {"expired on", "retention period is over"}))
    return "its time is over: nobody can open it any more, and the next 'callvault purge' destroys it";
  if (says(message, "is being erased")) return "the next 'callvault purge' or 'callvault recover' finishes its erasure";
  return "nobody can open it any more; 'callvault prove-gone ID' shows the proof";
}

struct Damage {
  std::string_view words, hint;
};

// The first that fits, so what is told in more detail stands first.
constexpr std::array<Damage, 43> kDamages{{
    {"this keeper opens the backup's",
     "use the keeper that opens the vault; moving the vault's keys/ aside accepts the old state"},
    {"no keeper opens keys/directory",
     "bring back a keeper that 'callvault keeper status' called current: docs/DISASTER.md"},
    {"has forgotten epoch", "bring back the newest copy of the vault: that keeper has seen a later shred"},
    {"journal knows of a shred", "bring back the newest keys/ and a keeper that is not behind"},
    {"the keeper in ", "'callvault keeper status' tells where each keeper stands"},
    {"review key's share", "compare it letter by letter with the printed one: its last line is a check of the others"},
    {"the shares do not", "bring together shares of one split of this vault's present review key"},
    {"the TPM was cleared", "nothing brings back what was in it; if the vault was moved, its chip must come along"},
    {"the vault was rolled back", "'callvault restore' brings this vault to where that backup is"},
    {"no key state opens with this keeper",
     "use a backup made since the last shred, or bring back the vault's own keys/; --keeper names another keeper"},
    {"no journal reaches", "look for a newer copy of the vault's folder journal/, and put it into the vault"},
    {"register", kNewestKeys},
    {"checkpoint to compare with", "keep both: either that checkpoint or this journal is not the vault's"},
    {"journal proof", "believe nothing of it; ask for another one, and for the public key by another way"},
    {"certificate: ", "believe nothing of it; ask for another one, and for the public key by another way"},
    {"journal public key: malformed", "--key takes a copy of the vault's journal/key.pub"},
    {"no keeper in ", "--keeper PATH or CALLVAULT_KEEPER names where it is; it is never restored from a backup"},
    {"keeper has no root for keys/directory",
     "bring back the keys/ that this keeper belongs to: a copy of before the last shred cannot be opened, by design"},
    {"keeper", "no backup holds a keeper: leave its file as it is and look at the disk; 'callvault doctor' tells more"},
    {"vault.toml", "correct that line of vault.toml in the vault's folder; a backup of the vault holds it as it was"},
    {"journal/key.pub", "bring journal/key.pub back from a backup"},
    {"checkpoint", "'callvault recover' verifies the journal and signs it anew; else bring back its newest copy"},
    {"journal public key", "bring journal/key.pub back from a backup"},
    {"entries are not the ones", kNewestJournal},
    {"entries are missing", kNewestJournal},
    {"entries are left of", kNewestJournal},
    {"a line that begins at byte", kNewestJournal},
    {"journal has ", kNewestJournal},
    {"journal is not the one", kNewestJournal},
    {"journal:",
     "'callvault recover' makes its derived files again; entries themselves only its newest copy brings back"},
    {"journal", "'callvault journal verify' names what is damaged; only the journal's newest copy brings it back"},
    {"keys/", kNewestKeys},
    {"bucket node", kNewestKeys},
    {"intake key", kNewestKeys},
    {"directory holds no", kNewestKeys},
    {"identity of", "bring that file of people/ back from a backup, or have an officer add the person anew"},
    {"catalogue", "'callvault reindex' rebuilds the catalogue"},
    {"before the first second was safe", "nothing of it was ever safe; 'callvault erase' removes what is left"},
    {"sealed file", "restore the damaged file from a backup"},
    {"of the track is missing", "restore its files from a backup; 'callvault check --deep' names every damaged one"},
    {"sealed header", "restore the damaged file from a backup"},
    {"chunk", "restore the damaged file from a backup; 'callvault check --deep' names every damaged one"},
    {"recording", "restore its files from a backup; 'callvault check --deep' names every damaged one"},
}};

// What is said besides absolute paths: a vault may lie in a folder of any name.
std::string without_paths(std::string_view message) {
  std::string out;
  for (std::size_t i = 0; i < message.size(); ++i) {
    const bool begins = message[i] == '/' && (i == 0 || message[i - 1] == ' ' || message[i - 1] == '(');
    if (begins) i = std::min(message.find(' ', i), message.size());
    if (i < message.size()) out += message[i];
  }
  return out;
}

const Damage* damage_of(std::string_view message) {
  const auto it = std::ranges::find_if(kDamages, [&](const Damage& d) { return says(message, d.words); });
  return it == kDamages.end() ? nullptr : &*it;
}

std::string corrupt(std::string_view message, std::string_view command) {
  if (command == "inspect")
    return says_any(message, {"not a sealed file", "not a regular file"})
               ? "name a sealed recording: they lie in recordings/ and incoming/ of the vault"
               : "restore the damaged file from a backup";
  const Damage* damage = damage_of(without_paths(message));
  if (damage == nullptr) damage = damage_of(message);
  if (damage == nullptr || (damage->words == "catalogue" && command == "reindex"))
    return "'callvault check --deep' names what is damaged";
  return std::string(damage->hint);
}

std::string refused_mirror(std::string_view message) {
  if (says(message, "a keeper is there already"))
    return "choose another place; a keeper that belongs to no vault any more may be removed by hand";
  if (says(message, "cannot be wiped"))
    return "bring it back first; --destroyed says that it does not exist any more, and makes final what waits for it";
  if (says(message, "is the one that opens the vault")) return "name another keeper of the vault with --keeper PATH";
  return "put it elsewhere, or accept this place with --unsafe-keeper";
}

std::string refused_init(std::string_view message) {
  if (says(message, "a keeper is there already"))
    return "choose another place with --keeper PATH; a keeper that belongs to no vault any more may be removed by hand";
  return "put the keeper elsewhere with --keeper PATH, or accept this place with --unsafe-keeper";
}

// The messages of these say themselves that nothing is stored.
std::string refused_ingest(std::string_view message) {
  if (says(message, "consent was refused")) return "a call without consent is not to be recorded at all";
  if (says(message, "5 minutes ahead")) return "look at --started-at and at the clock of both hosts";
  if (says(message, "already over")) return "look at --started-at, and at the periods of [retention] in vault.toml";
  if (says(message, "no retention class")) return "[retention] in vault.toml names the classes; nothing was stored";
  return "nothing was stored";
}

std::string refused(std::string_view message, std::string_view command) {
  if (says(message, "for the vault's own account"))
    return "run it as the account that owns the vault's folder; docs: callvault-keeper-serve(1)";
  if (says_any(message,
               {"this account may not act as", "this account may not use", "this account may ask for numbers"}))
    return "[service.people] in vault.toml names the account of each person; --as NAME says who acts";
  if (says(message, "is not signed by")) return "nothing was done; ask again, and tell your officer if it stays so";
  if (says(message, "over the limit of")) return "[service] in vault.toml has the limits";
  if (says(message, "is not served by the account of")) return "do not use that socket: somebody else listens there";
  if (is_denied(message)) {
    if (command == "init") return "make it where this account may write, or run it as another account";
    return "run it as the vault's own account, or have its keeper served; recorders may only ingest";
  }
  if (says_any(message, {"this host does not say where it stands", "vault.toml does not say where",
                         "which vault.toml does not allow", " and this host is in "}))
    return "look at [location] of vault.toml and at the host's file that says where it stands";
  if (says_any(message, {"has no role that allows", "has neither the role"}))
    return "'callvault person show NAME' tells a person's roles; --as NAME acts as another";
  if (says(message, "the access of ")) return "an officer lengthens it: 'callvault person renew NAME --until D'";
  if (says(message, "has no assessment that stands"))
    return "an officer notes it: 'callvault person assess NAME --date D'";
  if (says(message, "has not accepted the duty text"))
    return "read it with 'callvault duty show', then sign it with 'callvault person accept'";
  if (says(message, "no duty text is set")) return "an officer sets one: 'callvault duty set FILE'";
  if (says(message, "needs a second person"))
    return "another officer runs 'callvault approve APPROVAL'; then the same command again, unchanged, does it";
  if (command == "approve") return "'callvault approvals list' tells what waits, for whom and until when";
  if (says(message, "was rejected by")) return "'callvault approvals list' tells until when that stands";
  if (says(message, "was not granted review key"))
    return "an officer who holds it grants it again: 'callvault person renew NAME --until D'";
  if (says(message, "has no role that opens recordings for"))
    return "'callvault person show NAME' tells the purposes of a person; [roles] of vault.toml sets them";
  if (says(message, "the window for that is over"))
    return "policy.evaluation_window of vault.toml sets how long that is";
  if (says_any(message, {"nobody disables themselves", "another officer has to do that"}))
    return "'callvault person list' names the officers";
  if (says(message, "is the last officer")) return "'callvault person add NAME --role officer' makes another";
  if (command == "purge")
    return "look at the clock and at 'callvault purge --dry-run'; if the plan is right, name its count with --confirm "
           "N";
  if (command == "init") return refused_init(message);
  if (command == "keeper mirror") return refused_mirror(message);
  if (command == "backup") return "give the backup a folder of its own, on another disk; never one that holds a keeper";
  if (command == "restore") return "name the vault's own folder with --into";
  if (command == "review join") return "bring together shares of one split of this vault's present review key";
  if (command == "ingest") return refused_ingest(message);
  if (command == "play")
    return "'callvault show ID' tells its consent, holds and state; --purpose and --as decide what you may open";
  if (says(message, "no copy for request "))
    return "'callvault request show REQUEST' tells its state; 'callvault request party' notes who asks and who agreed";
  if (command == "copy" || command == "disclose")
    return "'callvault show ID' tells its consent, holds and state; --purpose and --as decide what you may open";
  if (says(message, "request R-")) return "'callvault request show REQUEST' tells its state and what was done with it";
  if (command == "erase") return "'callvault show ID' lists its holds; 'callvault unhold' ends one";
  if (says(message, "the call is not paused")) return "'callvault journal log' tells who paused and resumed it";
  if (command == "pause" || command == "resume") return "only a call in progress is paused and resumed";
  if (command == "unhold" || command == "hold") return "'callvault show ID' lists its holds";
  if (command == "restrict" || command == "unrestrict" || command == "rectify")
    return "'callvault show ID' tells its state";
  if (command == "breach open") return "look at --discovered, --from and --to, and at the clock";
  if (command.starts_with("breach") && !says(message, "has no role"))
    return "'callvault breach show BREACH' tells its state and what was done about it";
  if (command == "notice add") return "nothing was changed; 'callvault notice list' tells since when each is in force";
  if (command == "request open") return "look at --received and at the clock";
  if (command.starts_with("request"))
    return "'callvault request show REQUEST' tells its state and what was done with it";
  return "'callvault person show NAME' tells a person's roles; --as NAME acts as another";
}

std::string io(std::string_view message, std::string_view command) {
  constexpr std::string_view kPassphrase = "cannot read the passphrase file ", kMeta = "cannot read the meta file ",
                             kOpen = "cannot open ";
  if (message.starts_with(kPassphrase))
    return fmt::format("nothing was done; look for {} and at who may read it", object_of(message, kPassphrase));
  if (message.starts_with(kMeta))
    return fmt::format("nothing was stored; look for {}, which --meta-file names", object_of(message, kMeta));
  if (command == "ingest" && message.starts_with(kOpen))
    return fmt::format("nothing was stored; look for {} and at who may read it", object_of(message, kOpen));
  if (command == "notice add" && message.starts_with(kOpen))
    return fmt::format("nothing was changed; look for {} and at who may read it", object_of(message, kOpen));
  if ((command == "prove-gone" || command.starts_with("journal")) && message.starts_with(kOpen))
    return fmt::format("nothing was verified; look for {} and at who may read it", object_of(message, kOpen));
  if (command == "inspect" && message.starts_with(kOpen))
    return fmt::format("look for {} and at who may read it", object_of(message, kOpen));
  if (command == "init") return "nothing was made; DIR and the keeper's place each need a folder above them";
  if (command == "ingest") return "what was sealed before is safe: 'callvault recover' completes it";
  if (command == "play" || command == "copy" || command == "disclose") return "nothing was kept of an unfinished copy";
  return "what was reported done is safe; run the command again, it continues where it stopped";
}

}  // namespace

std::string hint_for(const Error& error, std::string_view command) {
  const std::string& message = error.message;
  if (const auto known = of_any_code(message); !known.empty()) return std::string(known);
  switch (error.code) {
    case Errc::usage:
      return usage(message, command);
    case Errc::no_vault:
      if (says(message, "serves another vault"))
        return "name the vault that is meant with --vault, and its own --socket";
      return "name the vault with --vault DIR or CALLVAULT_DIR, or make one with 'callvault init DIR'";
    case Errc::busy:
      if (says_any(message, {"nobody answers at", "the other side of the socket", "too many wait at"}))
        return "'systemctl status callvault-keeper' tells whether the keeper is served";
      if (says(message, "is not settled yet"))
        return "it is found once its call has ended: try again in a moment; if its recorder died, run 'callvault "
               "recover'";
      if (says(message, "does not answer"))
        return "its process is stopped, or its disk stalls; if it must not go on, end the process that records";
      if (says(message, "was resumed by another")) return "pause it again if it must not be heard";
      return "try again when the other process is done; a stopped one must be ended first";
    case Errc::wrong_passphrase:
      if (command == "person passwd") return "it takes the present passphrase of the person named, whoever asks";
      return "check the passphrase and who acts: --as NAME or CALLVAULT_USER";
    case Errc::newer_version:
      return "use the callvault that wrote this vault, or a later one";
    case Errc::not_found:
      return not_found(message, command);
    case Errc::gone:
      return gone(message);
    case Errc::corrupt:
      return corrupt(message, command);
    case Errc::refused:
      return refused(message, command);
    case Errc::io:
      return io(message, command);
    case Errc::no_space:
      return "make room on the disk, then run the command again; what was reported done is safe";
    case Errc::unexpected:
      return "'callvault doctor' checks the host";
    case Errc::partly_done:
    case Errc::not_gone:
    case Errc::overdue:
    case Errc::interrupted:
      return "";
  }
  return "";
}

}  // namespace callvault::cli
