#!/usr/bin/env python3
"""Backups: what they hold, what they never do, and the restore drill."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import survivors  # noqa: E402
from rig import Failed, Rig, expect, main, pitch, speech, tone, tree

CALLS = {"first": (440, "2026-01-15T12:00:00+02:00"), "second": (660, "2026-01-15T13:00:00+02:00"),
         "third": (880, "2026-01-16T12:00:00+02:00")}


def ingest(rig, hertz, at, *words):
    return rig.ingest(tone(2, hertz), "--consent", "granted", "--started-at", at, "--class", "default", *words)["id"]


def heard(rig, call, hertz):
    samples, rate, _ = rig.play(call)
    expect(abs(pitch(samples, rate) - hertz) < 15, f"{call} sounds like {pitch(samples, rate):.0f} Hz, not {hertz}")


def files(folder):
    return sorted(os.path.relpath(path, folder) for path in tree(folder) if os.path.isfile(path))


def lose(rig):
    """The vault's folder is gone; its keeper is not."""
    shutil.rmtree(rig.vault)


def flip(path, at=-100):
    with open(path, "r+b") as file:
        file.seek(at, os.SEEK_END)
        byte = file.read(1)
        file.seek(at, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))


def sealed(folder, call):
    for place, _, names in os.walk(os.path.join(folder, "recordings")):
        for name in names:
            if name.startswith(call):
                return os.path.join(place, name)
    return None


def drill(binary):
    """A vault is lost and comes back, all of the living and none of the shredded."""
    rig = Rig("backup", binary, init=("--retention", "2y"))
    try:
        calls = {name: ingest(rig, *call) for name, call in CALLS.items()}
        rig.good("hold", calls["third"], "--matter", "M-1")
        rig.good("opt-out", "add", "0722000009")
        copy = os.path.join(rig.folder, "copy")
        report = rig.json("backup", copy)[0]
        expect(report["files"] == report["copied_files"] == 3 and not report["problems"], f"first backup: {report}")
        names = files(copy)
        expect(not [n for n in names if n.startswith(("catalog", "keys/spare", "keys/lock"))], f"too much: {names}")
        expect("root" not in [os.path.basename(n) for n in names], "a keeper is in the backup")
        report = rig.json("backup", copy)[0]
        expect(report["files"] == 3 and report["copied_files"] == 0, f"nothing was new: {report}")
        rig.json("backup", copy, "--verify")
        old = os.path.join(rig.folder, "old")
        shutil.copytree(copy, old)

        rig.good("erase", calls["second"], "--request", "R-1", "--reason", "asked")
        late = ingest(rig, 550, "2026-01-17T12:00:00+02:00")
        report = rig.json("backup", copy)[0]
        expect(report["files"] == 3 and report["copied_files"] == 1 and report["removed_files"] >= 2,
               f"after an erasure: {report}")
        expect(not sealed(copy, calls["second"]) and sealed(old, calls["second"]), "the wrong copy forgot")
        expect(rig.json("check")[0]["ok"], "the backup changed the vault")
        found = rig.json("find")
        before = tree(copy)

        # The drill: from nothing.
        lose(rig)
        told = rig.json("restore", copy, "--check")[0]
        expect(told["restored_files"] == 3 and not os.path.exists(rig.vault), f"a check changed something: {told}")
        report = rig.json("restore", copy)[0]
        expect(report["recordings"] == 3 and report["keys"] == report["journal"] == "backup", f"restored: {report}")
        expect(rig.json("find") == found, "other recordings came back")
        for call, hertz in ((calls["first"], 440), (calls["third"], 880), (late, 550)):
            heard(rig, call, hertz)
        expect(rig.run("show", calls["second"]).code == 21, "a shredded recording is not gone")
        expect(rig.json("prove-gone", calls["second"])[0]["gone"], "no proof any more")
        expect(rig.run("may-record", "0722000009").code == 23, "the opt-out is lost")
        held = rig.json("show", calls["third"])[0]["holds"]
        expect([h["matter"] for h in held] == ["M-1"], f"the hold is lost: {held}")
        rig.sound()
        expect(tree(copy) == before, "a restore changed the backup")

        # An older backup opens nothing, and says why.
        lose(rig)
        rig.fails(22, "restore", old, says="backup is of epoch 1 while the keeper is at epoch 2")
        expect(not os.path.exists(rig.vault), "a refused restore left something")

        # The old bulk with the newest key state: everything that lives, and the shredded stays away.
        mixed = os.path.join(rig.folder, "mixed")
        shutil.copytree(copy, mixed)
        for place, _, names in os.walk(os.path.join(old, "recordings")):
            target = os.path.join(mixed, os.path.relpath(place, old))
            os.makedirs(target, exist_ok=True)
            for name in names:
                shutil.copy(os.path.join(place, name), target)
        expect(sealed(mixed, calls["second"]), "the test lost its teeth")
        report = rig.json("restore", mixed)[0]
        expect(report["recordings"] == 3 and not sealed(rig.vault, calls["second"]), f"restored: {report}")
        rig.sound()

        # In use again: another call, another backup on top of the same one.
        again = ingest(rig, 330, "2026-01-18T12:00:00+02:00")
        report = rig.json("backup", copy)[0]
        expect(report["files"] == 4 and report["copied_files"] == 1, f"the next backup: {report}")
        heard(rig, again, 330)

        # A plain copy of the backup's folder is a vault as well.
        lose(rig)
        shutil.copytree(copy, rig.vault)
        rig.good("recover")
        heard(rig, again, 330)
        expect(len(rig.json("find")) == 4, "a plain copy finds other recordings")
    finally:
        rig.remove()


def damage(binary):
    """A sound copy is never exchanged for a damaged file; and it comes back over it."""
    rig = Rig("damage", binary, init=("--retention", "2y"))
    try:
        calls = {name: ingest(rig, *call) for name, call in CALLS.items()}
        copy = os.path.join(rig.folder, "copy")
        rig.good("backup", copy)
        mine, theirs = sealed(rig.vault, calls["first"]), sealed(copy, calls["second"])
        flip(mine, -3000)
        flip(theirs, -3000)
        os.remove(sealed(rig.vault, calls["third"]))
        done = rig.run("--json", "backup", copy, "--verify")
        report = done.lines()[0]
        expect(done.code == 3 and len(report["problems"]) == 2 and report["copied_files"] == 1, str(done))
        expect(report["files"] == 3, f"files lost: {report}")
        expect(all("the backup holds it whole" in p for p in report["problems"]), str(report["problems"]))
        report = rig.json("restore", copy, "--verify")[0]
        expect(report["restored_files"] == 2 and report["kept_files"] == 1 and report["keys"] == "own", str(report))
        for name, (hertz, _) in CALLS.items():
            heard(rig, calls[name], hertz)
        rig.sound()

        # A vault that was rolled back does not spoil the backup that knows more.
        with open(os.path.join(copy, "journal", "entries"), "rb") as file:
            entries = file.read()
        shutil.copytree(rig.vault, rig.folder + "/yesterday")
        late = ingest(rig, 550, "2026-01-17T12:00:00+02:00")
        rig.good("backup", copy)
        lose(rig)
        shutil.copytree(rig.folder + "/yesterday", rig.vault)
        rig.good("recover")
        rig.fails(22, "backup", copy, says="rolled back")
        with open(os.path.join(copy, "journal", "entries"), "rb") as file:
            expect(file.read().startswith(entries), "the backup's journal was changed")
        # It is put right by the backup: the newer key state of the two is used.
        report = rig.json("restore", copy)[0]
        expect(report["keys"] == "backup" and report["recordings"] == 4, f"restored: {report}")
        heard(rig, late, 550)
        rig.sound()
    finally:
        rig.remove()


def live(binary):
    """While a call is recorded: it is told, and taken next time."""
    rig = Rig("live", binary)
    try:
        copy = os.path.join(rig.folder, "copy")
        call = rig.start("--json", "ingest", "--direction", "in", "--consent", "granted", "--format", "s16le",
                         stdin=subprocess.PIPE)
        call.stdin.write(speech(1))
        call.stdin.flush()
        name = json.loads(call.stdout.readline())["id"]
        report = rig.json("backup", copy)[0]
        expect(report["in_progress"] == 1 and report["files"] == 0, f"during a call: {report}")
        call.stdin.write(speech(1))
        call.communicate()
        report = rig.json("backup", copy)[0]
        expect(report["in_progress"] == 0 and report["files"] == 1, f"after the call: {report}")

        # A finished call that nobody has settled yet is in it: the vault is busy for whoever would.
        late = rig.ingest(speech(1), "--consent", "granted")["id"]
        shutil.copytree(copy, rig.folder + "/unsettled")
        for file in os.listdir(os.path.join(rig.vault, "incoming")):
            shutil.copy(os.path.join(rig.vault, "incoming", file), rig.folder + "/unsettled/incoming")
        lose(rig)
        rig.good("restore", rig.folder + "/unsettled")
        expect({r["id"] for r in rig.json("find")} == {name, late}, "an unsettled call is lost")
        rig.sound()
    finally:
        rig.remove()


def refusals(binary):
    rig = Rig("refusals", binary)
    other = Rig("other", binary)
    try:
        rig.fails(23, "backup", rig.vault + "/copy", says="inside the vault")
        rig.fails(23, "backup", rig.folder, says="inside the vault, or around it")
        rig.fails(23, "backup", rig.keeper, says="keeper")
        full = os.path.join(rig.folder, "full")
        os.makedirs(full)
        open(full + "/letter", "w", encoding="utf-8").close()
        rig.fails(2, "backup", full, says="not empty")
        copy = os.path.join(rig.folder, "copy")
        rig.good("backup", copy)
        rig.fails(23, "backup", copy, says="another vault", env={"CALLVAULT_DIR": other.vault})
        shutil.copytree(rig.keeper, copy + "/vault.keeper")
        rig.fails(23, "backup", copy, says="a keeper lies in")
        shutil.rmtree(copy + "/vault.keeper")
        rig.fails(20, "restore", full, says="no backup in")
        rig.fails(22, "restore", copy, "--into", rig.folder + "/elsewhere", says="no keeper in")
        rig.fails(22, "restore", copy, "--into", rig.folder + "/elsewhere", "--keeper", other.keeper,
                  says="no key state opens with this keeper")
        rig.fails(23, "restore", copy, "--into", copy + "/inside", says="itself")
        # A second one at the same time waits, and says so.
        with open(copy + "/lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            started = rig.start("backup", copy)
            time.sleep(0.5)
            expect(started.poll() is None, "two backups at once")
            fcntl.flock(lock, fcntl.LOCK_UN)
            expect(started.wait(30) == 0, "the second one failed")
    finally:
        rig.remove()
        other.remove()


def killed(rig, words, call, when):
    """True when the command was killed at that call; false when it made fewer."""
    done = rig.start(*words, under=("strace", "-E", "ASAN_OPTIONS=detect_leaks=0", "-f", "-o", "/dev/null",
                                    "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}"))
    done.communicate(timeout=60)
    expect(done.returncode in (0, -signal.SIGKILL, 128 + signal.SIGKILL), f"killed at {call} {when}: {done.returncode}")
    return done.returncode != 0


def cuts(binary):
    """Killed at every sync, rename and removal: the backup before stays usable, and the next one continues."""
    if not shutil.which("strace"):
        print("SKIPPED the kills: no strace here")
        return
    rig = Rig("cuts", binary, init=("--retention", "2y"))
    try:
        old = {ingest(rig, 440, "2026-01-15T12:00:00+02:00")}
        base, copy, back = (os.path.join(rig.folder, name) for name in ("base", "copy", "back"))
        rig.good("backup", base)
        new = old | {ingest(rig, 660, "2026-01-15T13:00:00+02:00"), ingest(rig, 880, "2026-01-16T13:00:00+02:00")}
        rig.good("find")
        points = 0
        for call in ("fsync", "rename", "unlink"):
            for when in range(1, 200):
                shutil.rmtree(copy, ignore_errors=True)
                shutil.rmtree(back, ignore_errors=True)
                shutil.copytree(base, copy)
                if not killed(rig, ("backup", copy), call, when):
                    break
                points += 1
                rig.good("restore", copy, "--into", back, "--keeper", rig.keeper)
                there = {"CALLVAULT_DIR": back, "CALLVAULT_KEEPER": rig.keeper}
                found = {r["id"] for r in rig.json("find", env=there)}
                expect(found in (old, new), f"killed at {call} {when}: restored {found}")
                expect(rig.json("check", "--deep", env=there)[0]["ok"], f"killed at {call} {when}: not whole")
                report = rig.json("backup", copy)[0]
                expect(report["files"] == 3 and not report["problems"], f"killed at {call} {when}, then: {report}")
            else:
                expect(False, f"{call} never ends")
        # A restore that is cut is done again.
        for call in ("fsync", "rename"):
            for when in range(1, 400, 7):
                shutil.rmtree(back, ignore_errors=True)
                cut = killed(rig, ("restore", copy, "--into", back, "--keeper", rig.keeper), call, when)
                rig.good("restore", copy, "--into", back, "--keeper", rig.keeper)
                there = {"CALLVAULT_DIR": back, "CALLVAULT_KEEPER": rig.keeper}
                expect({r["id"] for r in rig.json("find", env=there)} == new, f"restore cut at {call} {when}")
                expect(rig.json("check", "--deep", env=there)[0]["ok"], f"restore cut at {call} {when}: not whole")
                if not cut:
                    break
                points += 1
        print(f"{points} kills")
    finally:
        rig.remove()


def test(binary):
    drill(binary)
    damage(binary)
    live(binary)
    refusals(binary)
    cuts(binary)


def seeds():
    """Name, guarantee, where it shows, and what is changed."""
    backup, restore = "vault/backups/backup.cc", "vault/backups/restore.cc"
    return [
        ("damage_copied", "a sound copy is never exchanged for a damaged file", damage, backup,
         "if (here || (source && !os::exists(copy)))", "if (source)"),
        ("shredded_kept", "what was shredded leaves the backup", drill, backup, "if (wanted(name)) continue;",
         "continue;"),
        ("directory_first", "whatever the directory names is there before it", cuts, backup,
         "  CALLVAULT_TRY(copy_key_files(directory, manifest));",
         "  CALLVAULT_TRY(os::replace_file(target_.layout().directory(), directory_file));\n"
         "  CALLVAULT_TRY(copy_key_files(directory, manifest));"),
        ("rolled_back", "a vault that was rolled back spoils no backup", damage, "vault/journal/copy.cc",
         "if (mine && *mine == signed_part->head) return {};", "return {};"),
        ("keeper_beside", "no backup is made beside a keeper", refusals, "vault/backups/target.cc",
         "  CALLVAULT_TRY(check_no_keeper(folder, names));\n", ""),
        ("backup_wins", "newer key state is never replaced by older", damage, restore,
         "report_.keys_from_backup = !mine ||", "report_.keys_from_backup = true ||"),
        ("damaged_counts", "a damaged file is no file", damage, restore, "  if (here) {", "  if (mine) {"),
    ]


def seeded(build, source):
    sys.exit(1 if survivors(build, source, seeds(), Failed) else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        main(lambda _: seeded(*sys.argv[2:]))
    main(test)
