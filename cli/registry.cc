#include <array>

#include "cli/command.h"
#include "cli/commands/all.h"

namespace callvault::cli {
namespace {

constexpr auto kGroups = std::to_array<GroupEntry>({
    {"alias", "telephone numbers that are one person's"},
    {"opt-out", "numbers that are not to be recorded"},
    {"request", "what people ask for, and by when they are answered"},
    {"breach", "breaches of personal data, their clock and their reach"},
    {"notice", "the privacy notice in its versions"},
    {"report", "reports for the data protection officer"},
    {"person", "people and what they may do"},
    {"duty", "the text that everybody has to accept"},
    {"approvals", "what needs a second person"},
    {"journal", "what was done, by whom and when"},
});

constexpr auto kCommands = std::to_array<CommandEntry>({
    {"init", "make a vault, its keeper and its first person", make_init},
    {"ingest", "record one call: read audio to its end and seal it", make_ingest},
    {"find", "list recordings, newest first", make_find},
    {"show", "tell everything known about one recording", make_show},
    {"play", "open a recording for review or export", make_play},
    {"pause", "keep what is said in a running call out of its recording", make_pause},
    {"resume", "end a pause", make_resume},
    {"consent", "note a party's consent, refusal or withdrawal", make_consent},
    {"hold", "put a recording under a legal hold", make_hold},
    {"unhold", "end a legal hold", make_unhold},
    {"erase", "erase recordings on request", make_erase},
    {"purge", "shred what expired", make_purge},
    {"prove-gone", "prove that a recording is gone", make_prove_gone},
    {"inspect", "tell what a sealed file says without keys", make_inspect},
    {"check", "check that the vault is whole", make_check},
    {"recover", "finish or undo what a crash left", make_recover},
    {"reindex", "rebuild the catalogue", make_reindex},
    {"status", "tell counts, what is overdue and the next expiry", make_status},
    {"doctor", "check that the host is safe", make_doctor},
    {"may-record", "tell whether calls of a number may be recorded", make_may_record},
    {"opt-out add", "note that a number is not to be recorded", make_opt_out_add},
    {"opt-out remove", "let a number be recorded again", make_opt_out_remove},
    {"alias add", "say that numbers are one person's", make_alias_add},
    {"alias remove", "say that a number is not that person's any more", make_alias_remove},
    {"alias show", "tell which numbers belong together", make_alias_show},
    {"rectify", "correct what is said of a recording", make_rectify},
    {"restrict", "keep a recording from being opened or purged", make_restrict},
    {"unrestrict", "end a restriction", make_unrestrict},
    {"request open", "register a person's request", make_request_open},
    {"request assign", "say who answers a request", make_request_assign},
    {"request decide", "note the answer to a request", make_request_decide},
    {"request extend", "take more time for a request", make_request_extend},
    {"request party", "note which party asks, and what a party said to a copy", make_request_party},
    {"request close", "close a request", make_request_close},
    {"request show", "tell everything about one request", make_request_show},
    {"request list", "list the requests", make_request_list},
    {"request answer", "write what a request for access is answered with", make_request_answer},
    {"breach open", "register a breach of personal data", make_breach_open},
    {"breach assess", "note the risk a breach is to people", make_breach_assess},
    {"breach notify", "note who was told of a breach", make_breach_notify},
    {"breach note", "document effects and measures of a breach", make_breach_note},
    {"breach close", "close a breach", make_breach_close},
    {"breach show", "tell everything about one breach", make_breach_show},
    {"breach list", "list the breaches", make_breach_list},
    {"breach scope", "tell what was openable with what was exposed", make_breach_scope},
    {"notice add", "add a version of the privacy notice", make_notice_add},
    {"notice list", "list the versions of the privacy notice", make_notice_list},
    {"notice show", "print one version of the privacy notice", make_notice_show},
    {"report processing", "print the record of processing (GDPR Art. 30)", make_report_processing},
    {"report data-map", "print which personal data lie where", make_report_data_map},
    {"report retention", "print what is stored, due, overdue and held", make_report_retention},
    {"report accesses", "print who opened and listed what, and for which purpose", make_report_accesses},
    {"report requests", "print how many requests stand where", make_report_requests},
    {"report notice", "tell which privacy notice a call was told of", make_report_notice},
    {"copy", "give a recording to somebody in it, on a granted request", make_copy},
    {"disclose", "make a signed, sealed bundle for an authority", make_disclose},
    {"person add", "add a person", make_person_add},
    {"person assess", "note that a person was assessed", make_person_assess},
    {"person accept", "accept the duty text, by signature", make_person_accept},
    {"person renew", "set the end of a person's access", make_person_renew},
    {"person list", "list the people", make_person_list},
    {"person show", "tell one person's roles, and whether they may act", make_person_show},
    {"person passwd", "change a passphrase", make_person_passwd},
    {"person disable", "take a person's access away", make_person_disable},
    {"duty set", "put a duty text into force", make_duty_set},
    {"duty show", "print the duty text that is in force", make_duty_show},
    {"approve", "approve, as a second person, what another asked to do", make_approve},
    {"approvals list", "list what waits for a second person", make_approvals_list},
    {"journal log", "list the journal", make_journal_log},
    {"journal verify", "verify the journal, offline", make_journal_verify},
    {"journal checkpoint", "print the signed head of the journal, to be kept", make_journal_checkpoint},
    {"journal prove", "print a proof for somebody outside", make_journal_prove},
});

}  // namespace

std::span<const CommandEntry> commands() { return kCommands; }
std::span<const GroupEntry> groups() { return kGroups; }

}  // namespace callvault::cli
