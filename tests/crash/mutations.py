"""Seeded durability bugs: a recorded run, changed as if the code had forgotten or misplaced one of its steps.

Each names the step it breaks, and the run in which that matters. Whoever explores the changed run must find something;
a step whose loss nobody can notice is in HARMLESS, with the reason."""

import re


class Stale(Exception):
    """The recording holds no such step."""


def spots(lines, pattern, after=0):
    found = [i for i, line in enumerate(lines) if i >= after and re.search(pattern, line)]
    if not found:
        raise Stale(pattern)
    return found


def drop(pattern, nth=None, after=None, seen=None):
    """Forgets the steps: all, or the nth, behind the first line that matches `after`. `seen`: the step that must come
    before anybody can notice, so that nothing before it need be explored."""
    def change(lines):
        begin = spots(lines, after)[0] if after else 0
        found = spots(lines, pattern, begin)
        chosen = set(found if nth is None else [found[nth]])
        out = [line for i, line in enumerate(lines) if i not in chosen]
        return out, spots(out, seen, min(chosen))[0] if seen else min(chosen)
    return change


def drop_last_of_each(pattern):
    """Of each file the last such step."""
    def change(lines):
        last = {lines[i].split()[1]: i for i in spots(lines, pattern)}
        return [line for i, line in enumerate(lines) if i not in set(last.values())], min(last.values())
    return change


def drop_but_last_of_each(pattern):
    def change(lines):
        found = spots(lines, pattern)
        last = {lines[i].split()[1]: i for i in found}
        gone = set(found) - set(last.values())
        if not gone:
            raise Stale(pattern)
        return [line for i, line in enumerate(lines) if i not in gone], min(gone)
    return change


def unsafe_writes(pattern, after=None):
    """O_DIRECT|O_DSYNC forgotten."""
    def change(lines):
        begin = spots(lines, after)[0] if after else 0
        found = [i for i in spots(lines, pattern, begin) if re.match(r"write \d+ \d+ \d+ \d+ 1", lines[i])]
        if not found:
            raise Stale(pattern)
        out = list(lines)
        for i in found:
            out[i] = re.sub(r"^(write \d+ \d+ \d+ \d+) 1", r"\1 0", out[i])
        return out, found[0]
    return change


def move(pattern, before, nth=0, after=None, upto=None):
    """The step, or all up to and with the next line that matches `upto`, is done before the nearest earlier line `before`."""
    def change(lines):
        begin = spots(lines, after)[0] if after else 0
        at = spots(lines, pattern, begin)[nth]
        to = max((i for i in spots(lines, before) if i < at), default=None)
        if to is None:
            raise Stale(before)
        end = (spots(lines, upto, at)[0] if upto else at) + 1
        return lines[:to] + lines[at:end] + lines[to:at] + lines[end:], to
    return change


def in_place(final, nth=0, after=None):
    """Written over the old file, instead of beside it and renamed."""
    def change(lines):
        begin = spots(lines, after)[0] if after else 0
        moved = spots(lines, r"^move .* # " + final + "$", begin)[nth]
        _, folder, fresh, _, name = lines[moved].split()[:5]
        made = max(i for i in spots(lines, rf"^name {folder} {re.escape(fresh)} ") if i < moved)
        new = lines[made].split()[3]
        old = None
        for line in lines[:made]:
            w = line.split()
            if w[0] == "entry" and w[1:3] == [folder, name]:
                old = w[3]
            elif w[0] == "name" and w[1:3] == [folder, name]:
                old = w[3]
            elif w[0] == "move" and w[3:5] == [folder, name]:
                source = [x.split() for x in lines[:made] if x.startswith(f"name {w[1]} {w[2]} ")]
                old = source[-1][3] if source else old
        out = []
        for i, line in enumerate(lines):
            w = line.split()
            if i == made:
                out.append(f"cut {old} 0 # {final}")
            elif i == moved:
                continue
            elif w[0] in ("write", "sync", "cut", "grow") and w[1] == new:
                out.append(" ".join([w[0], old, *w[2:]]))
            else:
                out.append(line)
        return out, made
    return change


KEEPER = r"^write .*vault\.keeper/root"
SHRED = "^fact shred "
COMMIT = r"^move .* # vault/keys/directory$"


def wipe(lines):
    """The writes of the first rotation's wipe: header, then key blocks, behind its commit."""
    rotation = spots(lines, KEEPER, spots(lines, SHRED)[0])[0]
    commit = spots(lines, COMMIT, rotation)[0]
    return spots(lines, KEEPER, commit)[:2]


def forget_wipe(lines):
    gone = wipe(lines)
    out = [line for i, line in enumerate(lines) if i not in gone]
    return out, spots(out, "^fact shredded")[0]


def wipe_to_cache(lines):
    out = list(lines)
    for i in wipe(lines):
        out[i] = re.sub(r"^(write \d+ \d+ \d+ \d+) 1", r"\1 0", out[i])
    return out, spots(out, "^fact shredded")[0]


def told_before_wipe(lines):
    at, to = spots(lines, "^fact shredded")[0], wipe(lines)[0]
    return lines[:to] + [lines[at]] + lines[to:at] + lines[at + 1:], to


def wipe_before(pattern):
    """The old root goes before the step that must be done by then."""
    def change(lines):
        gone = wipe(lines)
        to = max(i for i in spots(lines, pattern) if i < gone[0])
        rest = [line for i, line in enumerate(lines) if i not in gone]
        return rest[:to] + [lines[i] for i in gone] + rest[to:], to
    return change


MIRROR = r"^write .*vault\.mirror(\.away)?/root"


def mirror_wipe(lines):
    """The same, of the mirror in the first rotation."""
    rotation = spots(lines, MIRROR, spots(lines, SHRED)[0])[0]
    return spots(lines, MIRROR, spots(lines, COMMIT, rotation)[0])[:2]


def forget_mirror_wipe(lines):
    gone = mirror_wipe(lines)
    out = [line for i, line in enumerate(lines) if i not in gone]
    return out, spots(out, "^fact shredded")[0]


def mirror_wiped_before_commit(lines):
    gone = mirror_wipe(lines)
    to = max(i for i in spots(lines, COMMIT) if i < gone[0])
    rest = [line for i, line in enumerate(lines) if i not in gone]
    return rest[:to] + [lines[i] for i in gone] + rest[to:], to


def told_without_mirror(lines):
    """What was shredded while the mirror was away is told at once."""
    at = spots(lines, "^fact shredded")[1]
    to = spots(lines, r"^move .* # vault\.mirror$")[-1]
    return lines[:to] + [lines[at]] + lines[to:at] + lines[at + 1:], to


def stale_mirror_kept(lines):
    """Back, it gets a new root and keeps the old one."""
    back = spots(lines, r"^move .* # vault\.mirror$")[-1]
    gone = spots(lines, MIRROR, spots(lines, COMMIT, spots(lines, MIRROR, back)[0])[0])[:2]
    out = [line for i, line in enumerate(lines) if i not in gone]
    return out, spots(out, "^fact shredded")[1]


ROTATION = (KEEPER, SHRED)

# name, run, the step that is missing or misplaced, change
MUTATIONS = [
    ("header_not_synced", "live", "Writer::create: a header is durable before its id is told",
     drop(r"^sync .*incoming/.*\.new fsync")),
    ("header_name_not_synced", "settle", "Writer::create: and so is its name",
     drop(r"^sync .*vault/incoming fsync", nth=0)),
    ("started_too_early", "settle", "record: the id is told after that", 
     move(r"^fact started", r"^sync .*incoming/.*\.new fsync", after=r"^name .*incoming/")),
    ("chunks_not_synced", "live", "TrackRecorder::tick: a live call is synced while it goes on",
     drop_but_last_of_each(r"^sync .*incoming/.* fdatasync")),
    ("end_not_synced", "live", "Writer::finish: the trailer and the last chunks are synced before the file is renamed",
     drop_last_of_each(r"^sync .*incoming/.* fdatasync")),
    ("made_too_early", "settle", "Writer::finish: `sealed` is told after the last sync",
     move(r"^fact made", r"^sync .*incoming/.* fdatasync", after=r"^name .*incoming/")),
    ("segment_header_not_synced", "live", "TrackRecorder::open_next_segment: a new segment begins like a new file",
     drop(r"^sync .*incoming/.*\.1\.new fsync")),
    ("segment_name_not_synced", "live", "the same, for its name",
     drop(r"^sync .*vault/incoming fsync", after=r"^move .*\.1\.part$", nth=0)),
    ("day_not_synced", "settle", "Settling::move_files: a new day's folder is durable before files are moved into it",
     drop(r"^sync .*vault/recordings fsync", nth=0)),
    ("node_not_synced", "settle", "os::write_new_file: a node is synced before the directory names it",
     drop(r"^sync .*keys/buckets/.* fsync", seen=COMMIT)),
    ("node_name_not_synced", "settle", "KeyState::sync_staged: and so is its name", drop(r"^sync .*keys/buckets fsync")),
    ("directory_not_synced", "settle", "os::replace_file: the new directory is synced before it takes the old one's name",
     drop(r"^sync .*keys/directory\.new-\d+ fsync")),
    ("directory_renamed_first", "settle", "the same, done in the wrong order",
     move(COMMIT, r"^sync .*keys/directory\.new-\d+ fsync")),
    ("directory_in_place", "settle", "the directory is replaced, never written over", in_place("vault/keys/directory")),
    ("commit_not_synced", "settle", "KeyState::commit: the folder is synced before the change is told",
     drop(r"^sync .*vault/keys fsync", after="^fact change", seen="^fact kept")),
    ("told_before_commit", "settle", "commit_journalled: the change is told after its commit", move(r"^fact kept", COMMIT)),
    ("superseded_too_early", "settle", "KeyState::remove_superseded: old nodes go after the commit",
     move(r"^remove .*keys/buckets/", COMMIT, after=r"^name .*directory\.new")),
    ("journal_not_synced", "settle", "Journal::append: entries are synced before the directory remembers them",
     drop(r"^sync .*journal/entries fdatasync")),
    ("checkpoint_not_synced", "settle", "store_checkpoint: synced before it takes the old one's name",
     drop(r"^sync .*journal/checkpoint\.new fsync")),
    ("checkpoint_too_early", "settle", "Journal::append: signed after the entries are safe",
     move(r"^name .*journal/checkpoint\.new", r"^write .*journal/entries", upto=r"^move .*journal/checkpoint$")),
    ("register_not_synced", "office", "KeyState::stage_register: a register is synced before the directory names it",
     drop(r"^sync .*keys/registers/.* fsync", seen=COMMIT)),
    ("register_name_not_synced", "office", "KeyState::sync_staged: and so is its name",
     drop(r"^sync .*keys/registers fsync")),
    ("registers_folder_not_synced", "office", "KeyState::stage_register: and so is the folder they lie in",
     drop(r"^sync .*vault/keys fsync", after=r"^name .*# vault/keys/registers$", nth=0)),
    ("person_not_synced", "office", "Vault::person_add: a person's file is synced before the directory knows them",
     drop(r"^sync .*people/ana\.new.* fsync", seen=COMMIT)),
    ("person_name_not_synced", "office", "os::replace_file: the folder is synced before it is told",
     drop(r"^sync .*vault/people fsync", seen=COMMIT)),
    ("intent_unmarked", "erase", "write_intent: keys/pending is durable before anything is taken away",
     drop(r"^sync .*vault/keys fsync", after=r"^move .* # vault/keys/pending$", nth=0, seen=COMMIT)),
    ("intent_mark_empty", "erase", "write_intent: and is no empty file",
     drop(r"^sync .*keys/pending\.new.* fsync")),
    ("intent_not_synced", "erase", "write_intent: the intent itself is synced",
     drop(r"^sync .*journal/entries fdatasync", after=r"^move .* # vault/keys/pending$", nth=0)),
    ("root_not_direct", "erase", "FileKeeper::stage: a root reaches the disk before the directory is sealed with it",
     unsafe_writes(KEEPER, after=SHRED)),
    ("survivors_not_synced", "erase", "Shredding::retain: survivors' nodes are durable before the old root goes",
     drop(r"^sync .*keys/buckets/.* fsync", after=r"^move .* # vault/keys/pending$", seen=COMMIT)),
    ("rotation_not_synced", "erase", "commit_rotation: the new directory is durable before the old root is wiped",
     drop(r"^sync .*vault/keys fsync", after=r"^write .*vault\.keeper/root", nth=0)),
    ("wiped_before_commit", "erase", "forget_old comes after commit_rotation", wipe_before(COMMIT)),
    ("wiped_before_survivors", "erase", "forget_old comes after the survivors' nodes", wipe_before(r"^sync .*keys/buckets/")),
    ("wipe_forgotten", "erase", "forget_old: the old root is overwritten", forget_wipe),
    ("wipe_in_cache", "erase", "forget_old: past every cache, before it is told", wipe_to_cache),
    ("told_before_wipe", "erase", "Shredding::run: done is told after the wipe",
     told_before_wipe),
    ("end_not_journalled", "erase", "journal_end: tombstones are synced before keys/pending goes",
     drop(r"^sync .*journal/entries fdatasync", after=r"^remove .*recordings/", nth=0)),
    ("pending_cleared_early", "erase", "clean: keys/pending stays until the tombstones are journalled",
     move(r"^remove .*vault/keys/pending", r"^remove .*recordings/.*")),
    ("unlink_not_synced", "erase", "remove_recordings: the files are gone for good before it is told",
     drop(r"^sync .*vault/recordings/\S+ fsync", after=r"^remove .*recordings/", seen="^fact shredded")),
    ("intake_not_synced", "erase", "KeyState::publish_intake: a new intake key is synced before recorders find it",
     drop(r"^sync .*keys/intake/.* fsync")),
    ("intake_renamed_first", "erase", "the same, done in the wrong order",
     move(r"^move .* # vault/keys/intake/\d+$", r"^sync .*keys/intake/.* fsync")),
    ("intake_before_commit", "erase", "Retirement::run: recorders find a key after the directory holds it",
     move(r"^name .*keys/intake/\d+\.new", COMMIT, upto=r"^sync .*vault/keys/intake fsync")),
    ("purge_wipe_forgotten", "purge", "a purge forgets as an erasure does", forget_wipe),
    ("withdrawal_wipe_in_cache", "withdraw", "a withdrawal forgets as an erasure does", wipe_to_cache),
    ("mirror_wipe_forgotten", "mirror", "Keepers::wipe_old: every keeper forgets before it is told", forget_mirror_wipe),
    ("mirror_wiped_before_commit", "mirror", "Keepers::wipe_old: a mirror forgets after the commit, too",
     mirror_wiped_before_commit),
    ("told_without_mirror", "mirror", "Shredding::note_mirrors: done is told when the mirror is back, and wiped",
     told_without_mirror),
    ("stale_mirror_kept", "mirror", "KeyState::bring_in_mirrors: its old root goes before anything is final",
     stale_mirror_kept),
    ("mirror_root_not_direct", "mirror", "Keepers::stage: a mirror's root reaches the disk before the directory wraps to it",
     unsafe_writes(MIRROR, after=SHRED)),
    ("recovered_directory_not_synced", "recover_finishes",
     "KeyState::load: what a dead process renamed is durable before its successor wipes the old root",
     drop(r"^sync .*vault/keys fsync", after=r"^move .* # vault/keys/pending$", nth=1)),
    ("trailer_of_recovery_not_synced", "recover_live", "recover_trailer: synced before the file gets its final name",
     drop(r"^sync .*incoming/.*\.part fdatasync")),
    ("config_not_synced", "init", "fill_vault: vault.toml is whole when it appears",
     drop(r"^sync .*vault\.toml\.new.* fsync")),
    ("first_root_not_direct", "init", "KeyState::create: the first root is on the disk before the vault is told of",
     unsafe_writes(KEEPER)),
    ("first_names_not_synced", "init", "fill_vault: every folder is durable before the vault is told of",
     drop(r"^sync .*vault/(people|journal|keys)? ?fsync")),
    ("keeper_name_not_synced", "init", "FileKeeper::create: the keeper's name is durable",
     drop(r"^sync .*vault\.keeper fsync")),
]

# What nobody can miss, and why. The explorer must not find anything there.
HARMLESS = [
    ("catalogue_never_synced", "settle", "it is derived: any state of it is survived",
     drop(r"^sync .*vault/catalog/.*")),
    ("finished_name_not_synced", "settle", "a whole file called .part is finished by the next command",
     drop(r"^sync .*vault/incoming fsync", after=r"^move .*\.part \d+ .*mixed #", nth=0)),
]
