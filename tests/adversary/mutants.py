#!/usr/bin/env python3
"""Breaks one guarantee at a time and expects the adversary's tests to notice.

  mutants.py BUILD SOURCE [NAME...] [--share=N]     all of them, or those named; of these each N-th
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import Build, Stale  # noqa: E402

PROGRAM = "tests/adversary/test_adversary"
PATIENCE = 120

SHRED, TARGETS, RETIRE = "vault/shred/shred.cc", "vault/shred/targets.cc", "vault/shred/retirement.cc"
STATE, KEEPER, KEEPERS = "vault/keys/key_state.cc", "vault/keys/file_keeper.cc", "vault/keys/keepers.cc"
HEADER, TRACK = "vault/sealed/header.cc", "vault/capture/track_recorder.cc"
BLIND, ROW, LOG = "vault/catalog/blind.cc", "vault/catalog/row.cc", "vault/context/log.cc"
RING, DUAL = "vault/review_ring.cc", "vault/dual_control.cc"
CHANGES, ERASE, SUBJECT, PURGE = "vault/vault_changes.cc", "vault/vault_erase.cc", "vault/subject.cc", "vault/vault_purge.cc"
ALIASES, ROWS, REACH = "vault/context/aliases.cc", "vault/context/rows.cc", "vault/rights/reach.cc"

# Other keys than those that are named go, too.
ONLY_NAMED = (RETIRE, "  if (!out.asked_.empty()) out.any_ = present;\n", "")
UNVERIFIED = (SHRED, "if (!gone) return fail", "if (false) return fail")

# name, the guarantee it breaks, edits (file, old, new); those named here show in the tests of single steps
IN_STEPS = {"one_of_two_wishes", "voice_kept", "intake_not_retired", "unsettled_key_kept", "recorder_not_asked", "begun_header_opens",
            "trouble_ignored",
            "recorder_does_not_look", "stalled_not_put_off", "voice_becomes_call", "undone_forgotten", "wish_forgotten",
            "withdrawal_takes_all", "one_secret_for_all", "kept_voice_taken"}
IN_PERSONS = {"first_number_only", "objection_of_one_number", "deferred_forgotten", "deferred_not_carried_out", "hold_ends_nothing",
              "group_kept", "numbers_under_one_key", "correction_in_clear", "correction_not_found", "pruned_too_late", "damage_stops_purge", "withdrawn_number_listed",
              "withdrawn_number_shown"}
IN_PEOPLE = {"old_review_key_stays", "leaver_gets_the_new_key", "ring_stays", "forged_identity_granted", "lapse_ignored",
             "signature_not_checked", "approved_by_the_same", "approval_for_anything", "approval_used_twice", "approval_for_ever",
             "reach_after_leaving", "reach_before_joining", "reach_of_later_keys", "person_in_the_clear"}
IN_MIRROR = {"mirror_not_rotated", "mirror_wipes_nothing", "late_mirror_not_wiped"}
IN_REGISTERS = {"register_key_reused", "plain_register", "opted_out_kept", "closed_requests_kept", "request_beside_recording",
                "recipient_in_the_clear", "copy_in_the_clear", "notice_replaced",
                "incomplete_settles", "incomplete_records", "entered_again_too_late"}
MUTANTS = [
    ("node_key_reused", "a node key never repeats",
     [(STATE, "CALLVAULT_TRY_ASSIGN(auto node_key, crypto::Key::random());\n  const std::uint64_t generation",
       "CALLVAULT_TRY_ASSIGN(auto node_key, bucket.generation == 0 ? crypto::Key::random() : bucket.node_key.clone());\n"
       "  const std::uint64_t generation")]),
    ("keeper_not_wiped", "the old root is wiped",
     [(KEEPER, "    CALLVAULT_TRY(wipe_slot(i));", "    (void)i;"), UNVERIFIED]),
    ("keeper_header_wiped_only", "the old root's bytes are wiped, not only its name",
     [(KEEPER, "  return blocks_->write_verified(filler.reveal(), keys_at(index));", "  return {};")]),
    ("root_repeats", "root keys never repeat",
     [(KEEPER, "  crypto::fill_random(material.reveal_mutable());\n", "")]),
    ("no_rotation", "a shred rotates the root",
     [(SHRED, "CALLVAULT_TRY(context_.state.stage_root());", "CALLVAULT_TRY(context_.state.commit());"),
      (SHRED, "    CALLVAULT_TRY(context_.state.commit_rotation(doomed_.size()));\n    CALLVAULT_TRY(context_.state.forget_old());\n", "")]),
    ("old_root_seals", "the directory is sealed under the fresh root",
     [(STATE, "const auto file, seal_with(*key)", "const auto file, seal_with(keepers_.key())"), UNVERIFIED]),
    ("rows_kept", "victims leave the node",
     [(SHRED, "    return d.whole;", "    return false;"), UNVERIFIED]),
    ("voice_kept", "one party's secret leaves the node",
     [(SHRED, "    std::erase_if(row.tracks, [&](const keys::TrackSecret& t) { return d.takes(t.name); });\n", ""),
      UNVERIFIED]),
    ("one_of_two_wishes", "two wishes about one recording are both carried out",
     [(TARGETS, "target.tracks.insert(*victim.track);", "target.tracks = {*victim.track};")]),
    ("intake_key_kept", "x_d leaves the directory with the victims sealed to it",
     [(SHRED, "    for (const auto id : retirement_.retired()) directory.intake.erase(id);\n", ""), UNVERIFIED]),
    ("intake_not_retired", "every intake key of a victim is retired",
     [ONLY_NAMED, (RETIRE, "    wanted.insert(row->intake.begin(), row->intake.end());\n", ""),
      (RETIRE, "return directory.intake.contains(id) && std::find", "return false && std::find")]),
    ("unsettled_key_kept", "intake keys that only unsettled segments name are retired",
     [ONLY_NAMED, (RETIRE, "      out[name->id].insert(reader->header().intake_key);\n", "")]),
    ("begun_header_opens", "a header that was begun and never counted opens to nobody after an erasure", [ONLY_NAMED]),
    ("trouble_ignored", "a call that had trouble with the disk waits for every key that it may have used",
     [(RETIRE, "      asked_.contains(row.id) &&\n", "      asked_.contains(row.id) && row.id == RecordingId() &&\n")]),
    ("recorder_not_asked", "a live victim's recorder is asked to end first",
     [(RETIRE, "    CALLVAULT_TRY(ask_to_end(context.layout, targets[i].id));\n", "")]),
    ("recorder_does_not_look", "no segment of a call that was asked to end",
     [(TRACK, "if (os::may_exist(call_->view.layout().incoming() / sealed::stop_file_name(call_->id)))", "if (false)")]),
    ("stalled_not_put_off", "a victim whose intake key stays is not called done",
     [(RETIRE, "return directory.intake.contains(id) && std::find", "return false && std::find")]),
    ("voice_becomes_call", "an outstanding shred remembers whose voice",
     [(TARGETS, "list.push_back({target.id, target.reason, track});",
       "list.push_back({target.id, target.reason, std::nullopt});")]),
    ("undone_forgotten", "an erasure that was cut short stays asked for",
     [(SHRED, "  for (const auto& d : pending->doomed)\n    if (was_asked_for(d.reason))", "  for (const auto& d : pending->doomed)\n    if (false)"),
      (RETIRE, "    if (was_asked_for(target.reason)) put_off", "    if (false) put_off")]),
    ("wish_forgotten", "an erasure that fails before its intent stays asked for",
     [(RETIRE, "    if (was_asked_for(target.reason)) put_off", "    if (false) put_off")]),
    ("hold_ignored", "a hold stops an erasure",
     [(ERASE, "} else if (is_protected(*row, context_.now)) {", "} else if (false) {")]),
    ("withdrawal_takes_all", "an agent's withdrawal does not take the caller's voice",
     [(PURGE, "  return {out.begin(), out.end()};\n}\n\nstruct PurgePlan", "  return {};\n}\n\nstruct PurgePlan")]),
    ("kept_voice_taken", "the agent's voice that is kept stays at the next purge",
     [("vault/context/context.cc", "row.caller_shredded ? Consent::granted : row.caller_consent", "row.caller_consent")]),
    ("static_index_key", "the index key changes with every retain",
     [(SHRED, "      CALLVAULT_TRY_ASSIGN(bucket.index_key, crypto::Key::random());\n", "")]),
    ("equal_tokens", "no two rows have one token",
     [(BLIND, "return blind(*index_key_, field, value, k++);", "return blind(*index_key_, field, value, 0 * k++);")]),
    ("number_as_token", "a token hides its value",
     [(BLIND, "  std::copy_n(digest.begin(), kTokenBytes, token.begin());",
       "  const std::string plain = (std::string(value) + std::to_string(k) + std::string(kTokenBytes, ' ')).substr(0, kTokenBytes);\n"
       "  std::copy_n(base::as_bytes(plain).begin(), kTokenBytes, token.begin());")]),
    ("plain_row", "catalogue rows are sealed",
     [(ROW, "  return crypto::seal(key, id.bytes(), plain);", "  return plain;"),
      (ROW, 'CALLVAULT_TRY_ASSIGN(const Bytes plain, crypto::open_plain(key, id.bytes(), sealed, "catalogue row " + id.text()));',
       "const Bytes plain = base::to_bytes(sealed);")]),
    ("plain_metadata", "who was in a call is sealed",
     [(HEADER, "  return crypto::seal(key, associated_for(padded + kMetadataOverhead), plain);",
       "  associated_for(padded + kMetadataOverhead);\n  plain.resize(padded + kMetadataOverhead);\n  return plain;"),
      (HEADER, "CALLVAULT_TRY_ASSIGN(const Bytes plain, crypto::open_plain(key, header.fixed_fields(), header.metadata_box(),\n"
       "                                                             \"metadata of recording \" + header.id.text()));",
       "const Bytes plain = base::to_bytes(header.metadata_box());")]),
    ("plain_note", "free text in the journal is sealed",
     [(LOG, "entry.note = base::to_base64(crypto::seal(key, id.bytes(), base::as_bytes(text)));",
       "entry.note = std::string(text);")]),
    ("secret_in_journal", "no secret stands in the journal",
     [(LOG, "  entry.note_key = id.text();", "  entry.note_key = id.text();\n"
       "  entry.facts[\"ref\"] = base::to_hex(record_secret.reveal());")]),
    ("review_half_ignored", "the keeper's side alone opens no audio",
     [(HEADER, "  return review_half.derive(kLabelAudio, context.reveal());", "  return track_secret.derive(kLabelAudio, context.reveal());")]),
    ("track_half_ignored", "the review key alone opens no audio",
     [(HEADER, "  std::copy(track.begin(), track.end(), out.begin());\n", "")]),
    ("register_key_reused", "each version of a register has a key of its own",
     [(STATE, "CALLVAULT_TRY_ASSIGN(auto key, crypto::Key::random());\n  const std::uint64_t generation = known->generation + 1;",
       "CALLVAULT_TRY_ASSIGN(auto key, known->key.clone());\n  const std::uint64_t generation = known->generation + 1;")]),
    ("plain_register", "a register is sealed",
     [("vault/keys/register_file.cc", "  const auto sealed = crypto::seal(sealing, out, plain);", "  const auto sealed = base::to_bytes(plain);"),
      ("vault/keys/register_file.cc", "  return crypto::open_plain(sealing, header, file.subspan(header.size()), title(name, generation));",
       "  return base::to_bytes(file.subspan(header.size()));")]),
    ("request_beside_recording", "no entry names a request and a recording",
     [("vault/vault_rights.cc", '                          facts.emplace("party", to_word(options.party));',
       '                          facts.emplace("party", to_word(options.party));\n'
       '                          facts.emplace("id", options.recording.text());')]),
    ("recipient_in_the_clear", "to whom a copy went is sealed",
     [("vault/review/release.cc", 'if (!refused_as.empty()) facts.emplace("result", std::move(refused_as));',
       'if (!refused_as.empty()) facts.emplace("result", std::move(refused_as));\n'
       '    facts.emplace("reason", options_.reason);')]),
    ("copy_in_the_clear", "what leaves the vault is sealed",
     [("vault/disclosure/age_writer.cc", "  crypto::seal_chunk(payload_key_, chunk_++, last, plain_, out);",
       "  std::copy(plain_.begin(), plain_.end(), out.begin());")]),
    ("opted_out_kept", "a call of a number that opted out is shredded when it is settled",
     [("vault/capture/settle.cc", "      r.row.caller_consent = Consent::refused;\n", ""),
      ("vault/capture/settle.cc", "      report_.objected.push_back(r.row.id);\n", "")]),
    ("closed_requests_kept", "a closed request goes when its time is over",
     [("vault/rights/requests.cc", "      over = context.now >= end;", "      over = false;")]),
    ("notice_replaced", "the text of a notice is never replaced",
     [("vault/rights/notices.cc", "  if (find(options.version) != nullptr)\n", "  if (false)\n"),
      ("vault/rights/notice_codec.cc", " || !versions.insert(notice.version).second", "")]),
    ("first_number_only", "a person is found by every number",
     [(ALIASES, "    out.insert(person.numbers.begin(), person.numbers.end());", "    out.insert(person.numbers.front());")]),
    ("objection_of_one_number", "one number's objection is all numbers'",
     [("vault/capture/settle.cc", "CALLVAULT_TRY_ASSIGN(numbers, aliases_->of(numbers));", "")]),
    ("deferred_forgotten", "a deferred erasure stays asked for",
     [(ERASE, "    all.insert(all.end(), deferred_.begin(), deferred_.end());\n", "")]),
    ("hold_ends_nothing", "the end of a hold carries out what it deferred",
     [(CHANGES, "[&](NodeRow& row) { std::erase_if(row.holds, same); }, false));\n  return carry_out_deferred(context, {id});",
       "[&](NodeRow& row) { std::erase_if(row.holds, same); }, false));\n  return false;")]),
    ("deferred_not_carried_out", "a hold that ends by itself ends the delay too",
     [(PURGE, "  out.erase_requested = outstanding.contains(row.id);", "  out.erase_requested = outstanding.contains(row.id) && row.holds.empty();")]),
    ("group_kept", "an alias group goes with the person's last recording",
     [(SUBJECT, "    dropped = aliases.drop(number) || dropped;", "    dropped = false;")]),
    ("numbers_under_one_key", "the alias register alone lists nobody",
     [(ALIASES, "crypto::seal(group_key, base::as_bytes(kNumbersLabel), to_slots(person))", "to_slots(person)"),
      (ALIASES, "    CALLVAULT_TRY_ASSIGN(const auto plain, crypto::open_plain(group_key, base::as_bytes(kNumbersLabel), group.numbers,\n"
       "                                                              \"the numbers of an alias group\"));\n    return from_slots(plain);",
       "    return from_slots(group.numbers);")]),
    ("correction_in_clear", "old values are sealed in the journal",
     [(LOG, "entry.note = base::to_base64(crypto::seal(key, id.bytes(), base::as_bytes(text)));",
       "entry.note = std::string(text);")]),
    ("correction_not_found", "what was corrected is what is found",
     [(ROWS, "  for (const auto& correction : node_row.corrections) *fields.at(correction.field) = correction.value;\n", "")]),
    ("pruned_too_late", "what leaves the registers is forgotten the same night",
     [(PURGE, "CALLVAULT_TRY_ASSIGN(how.rotate, prune_registers(context, report));", "CALLVAULT_TRY(prune_registers(context, report));")]),
    ("damage_stops_purge", "a damaged register stops no purge",
     [(PURGE, "  auto damaged = damaged_registers(context);\n", "  auto damaged = damaged_registers(context);\n  if (!damaged || !damaged->empty()) std::abort();\n")]),
    ("incomplete_settles", "while the register of opt-outs is incomplete no call is settled",
     [("vault/capture/settle.cc", "    if (opt_outs_->incomplete_since())\n", "    if (false)\n")]),
    ("incomplete_records", "while the register of opt-outs is incomplete nobody may be recorded",
     [("vault/vault_rights.cc", "  out.allowed = !out.incomplete_since;\n", "")]),
    ("entered_again_too_late", "an objection that is entered again counts for the calls that waited",
     [("vault/context/opt_out.cc", "return entered_again || entry.since <= time;", "return entered_again ? entry.since <= time : entry.since <= time;")]),
    ("withdrawn_number_listed", "the number of who withdrew is listed to officers alone",
     [("vault/vault_find.cc", "if (match.row.caller_shredded && !by_officer_) {", "if (false && !by_officer_) {")]),
    ("withdrawn_number_shown", "the number of who withdrew is shown to officers alone",
     [("vault/vault_find.cc", "if (found->row.caller_shredded && !is_officer_acting(*session, person))", "if (false)")]),
    ("reach_after_leaving", "who was disabled could reach nothing since",
     [(REACH, "  if (disabled_at_) end = std::min(end, *disabled_at_);\n", "")]),
    ("reach_before_joining", "who was not added yet could reach nothing",
     [(REACH, "const Time begin = std::max(from, entry_.since);", "const Time begin = from;")]),
    ("reach_of_later_keys", "a review key that somebody never had fits nothing of theirs",
     [(REACH, "|| header->review_key < *lacks_from_;", "|| header->review_key > 0;")]),
    ("person_in_the_clear", "whom an entry is about is sealed",
     [(LOG, "CALLVAULT_TRY_ASSIGN(entry.person, seal_name(*key, kPersonLabel, entry.event, name));",
       "entry.person = base::to_base64(base::as_bytes(name));")]),
    ("old_review_key_stays", "calls after somebody was disabled are sealed to a key they never had",
     [(RING, "  CALLVAULT_TRY(keys::replace_review_public(vault.layout, fresh));\n", "")]),
    ("leaver_gets_the_new_key", "who is disabled is not granted the new review key",
     [(RING, "if (name == leaver || (name", "if ((name")]),
    ("ring_stays", "who is disabled loses the review keys in their identity",
     [("vault/vault_people.cc", "const auto bare, keys::without_review_keys(*file)", "const auto bare, Result<base::Bytes>(*file)")]),
    ("forged_identity_granted", "a review key is granted to the identity that the directory knows",
     [(RING, "keys::with_sealed_review_key(file, number, grant->sealed, &owner)", "keys::with_sealed_review_key(file, number, grant->sealed)")]),
    ("lapse_ignored", "who is not assessed, has not accepted or whose time is over may not act",
     [("vault/session_people.cc", "  if (lapse == rights::Lapse::none) return {};\n  return refuse(verb, to_word(lapse)", "  if (verb != \"\") return {};\n  return refuse(verb, to_word(lapse)")]),
    ("signature_not_checked", "an acceptance is the person's own signature",
     [("vault/rights/people.cc", "return crypto::verify(person.signing, base::as_bytes(statement), it->signature) ? &*it : nullptr;",
       "return statement.empty() ? nullptr : &*it;")]),
    ("approved_by_the_same", "nobody approves what they asked for",
     [(DUAL, "  if (approval.asked_by == officer.name())\n", "  if (false)\n")]),
    ("approval_for_anything", "an approval is for exactly what was asked, and for who asked",
     [("vault/rights/approvals.cc", "  add(who);\n  for (const auto& parameter : parameters) add(parameter);\n", "  (void)who;\n  (void)parameters;\n")]),
    ("approval_used_twice", "an approval is used once",
     [(DUAL, "    rights::settle_approval(*record, ApprovalState::used);\n", "")]),
    ("approval_for_ever", "an approval runs out",
     [("vault/rights/approvals.cc", "return a.state != ApprovalState::used && now < a.stands_until;", "return a.state != ApprovalState::used && now > Time{};")]),
    ("mirror_not_rotated", "a rotation is done on the mirror, too",
     [(KEEPERS, "    auto slot = one.keeper->stage(epoch, directory.epoch);\n",
       "    auto slot = i == opener_ ? one.keeper->stage(epoch, directory.epoch) : first_root(*one.keeper);\n"),
      (KEEPERS, "    auto wiped = one.keeper->wipe_all_but(directory.epoch);",
       "    auto wiped = i == opener_ ? one.keeper->wipe_all_but(directory.epoch) : Result<void>();"),
      (KEEPERS, "Result<bool> holds_one(Keeper& keeper, std::uint64_t epoch) {",
       "[[maybe_unused]] Result<KeeperSlot> first_root(Keeper& keeper) {\n  CALLVAULT_TRY_ASSIGN(auto slots, keeper.read());\n"
       "  return std::move(slots.front());\n}\n\nResult<bool> holds_one(Keeper& keeper, std::uint64_t epoch) {"), UNVERIFIED]),
    ("mirror_wipes_nothing", "a shred wipes the mirror's old root",
     [(KEEPERS, "    auto wiped = one.keeper->wipe_all_but(directory.epoch);",
       "    auto wiped = i == opener_ ? one.keeper->wipe_all_but(directory.epoch) : Result<void>();"), UNVERIFIED]),
    ("late_mirror_not_wiped", "a keeper that is back forgets before its shreds are final",
     [(STATE, "  CALLVAULT_TRY(commit());\n  CALLVAULT_TRY(wipe_old());\n",
       "  for (auto& e : directory_.keepers) { e.oldest = directory_.epoch; finalised_ += std::exchange(e.waiting, 0); }\n"
       "  CALLVAULT_TRY(commit());\n")]),
    ("one_secret_for_all", "each track has a secret of its own",
     [(TRACK, "CALLVAULT_TRY_ASSIGN(auto track, crypto::Key::random());", "CALLVAULT_TRY_ASSIGN(auto track, call.secret.clone());")]),
]


def reason_of(output):
    """The first thing the test complained of."""
    found = re.search(r"ERROR: (.*)", output)
    if found:
        return found.group(1).strip()[:110]
    lines = [line for line in output.strip().splitlines() if line]
    return (lines[-1] if lines else "no output")[:110]


def run(build, name, edits):
    """(passed, what it said) of the tests with these edits."""
    folder = tempfile.mkdtemp(prefix="callvault-mutant-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        files = {}
        for path, old, new in edits:
            files.setdefault(path, []).append((old, new))
        objects = [build.compile(path, changes, folder) for path, changes in files.items()]
        program = os.path.join(folder, name)
        tests = "*" if name == "unchanged" else "/steps_test.cc" if name in IN_STEPS else "/registers_test.cc" if name in IN_REGISTERS else "/persons_test.cc" if name in IN_PERSONS else "/people_test.cc" if name in IN_PEOPLE else "/mirror_test.cc" if name in IN_MIRROR else "/adversary_test.cc"
        build.link(PROGRAM, objects, program)
        try:
            done = subprocess.run([program, "--abort-after=1", "--no-colors=true", f"--source-file=*{tests}"], env={**os.environ, "TMPDIR": folder},
                                  timeout=PATIENCE, capture_output=True, text=True, errors="replace", check=False)
        except subprocess.TimeoutExpired:
            return False, f"did not end within {PATIENCE} s"
        return done.returncode == 0, reason_of(done.stdout + done.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    build, wanted, began = Build(sys.argv[1], sys.argv[2]), sys.argv[3:], time.monotonic()
    share = int(wanted.pop().removeprefix("--share=")) if wanted and wanted[-1].startswith("--share=") else 1
    mutants = [m for m in MUTANTS if not wanted or m[0] in wanted][::share]
    bad = len(wanted) - len(mutants) if wanted else 0

    def attempt(mutant):
        start = time.monotonic()
        try:
            return mutant, run(build, mutant[0], mutant[2]), time.monotonic() - start
        except Stale as error:
            return mutant, error, time.monotonic() - start

    unchanged = ("unchanged", "the tests pass with nothing broken", [(SHRED, "namespace callvault::shred {\nnamespace {",
                                                                      "namespace callvault::shred {\nnamespace {")])
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(4, max(2, os.cpu_count() or 2))) as pool:
        for mutant, result, took in pool.map(attempt, [unchanged] + mutants):
            name, guarantee, _ = mutant
            if isinstance(result, Stale):
                verdict, detail = "ERROR", str(result)
            elif name == "unchanged":
                verdict, detail = ("ok", guarantee) if result[0] else ("FAILED", result[1])
            else:
                verdict, detail = ("SURVIVED", guarantee) if result[0] else ("caught", f"{guarantee}: {result[1]}")
            bad += verdict in ("ERROR", "FAILED", "SURVIVED")
            print(f"{verdict:9}{name:26}{took:5.1f} s  {detail}", flush=True)
    print(f"{len(mutants)} seeded bugs, {bad} problems, {time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
