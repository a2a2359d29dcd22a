#!/usr/bin/env python3
"""docs/DISASTER.md: what each kind of loss leads to, what is said, and what brings it back."""

import os
import shutil

from rig import Rig, expect, main, pitch, tone

DAYS = ((440, "2026-01-15T12:00:00+02:00"), (660, "2026-01-15T13:00:00+02:00"), (880, "2026-01-16T12:00:00+02:00"))


class Site:
    """A vault of three calls in two buckets, with a hold, an opt-out and a backup."""

    def __init__(self, binary, name):
        self.rig = Rig("disaster-" + name, binary, init=("--retention", "2y"))
        self.calls = [self.rig.ingest(tone(1.5, hertz), "--consent", "granted", "--started-at", at)["id"]
                      for hertz, at in DAYS]
        self.rig.good("hold", self.calls[2], "--matter", "M-1")
        self.rig.good("opt-out", "add", "0722000009")
        self.backup = os.path.join(self.rig.folder, "backup")
        self.rig.good("backup", self.backup)

    def path(self, *parts):
        return os.path.join(self.rig.vault, *parts)

    def only(self, folder, start=""):
        return self.path(folder, sorted(n for n in os.listdir(self.path(folder)) if n.startswith(start))[0])

    def whole(self):
        """Everything as it was."""
        found = {r["id"] for r in self.rig.json("find")}
        expect(found == set(self.calls), f"found {found}")
        for call, (hertz, _) in zip(self.calls, DAYS):
            samples, rate, _ = self.rig.play(call)
            expect(abs(pitch(samples, rate) - hertz) < 20, f"{call} sounds like {pitch(samples, rate):.0f} Hz")
        expect(self.rig.run("may-record", "0722000009").code == 23, "the opt-out is lost")
        held = self.rig.json("show", self.calls[2])[0]["holds"]
        expect([h["matter"] for h in held] == ["M-1"], f"the hold is lost: {held}")
        self.rig.sound()

    def bring_back(self, *expected):
        report = self.rig.json("restore", self.backup)[0]
        for key, value in expected:
            expect(report[key] == value, f"{key} is {report[key]}, expected {value}: {report}")
        self.whole()


def catalogue(site):
    """Derived: made again by whoever meets the loss."""
    shutil.rmtree(site.path("catalog"))
    site.whole()
    with open(site.path("catalog", "data.mdb"), "r+b") as file:
        file.write(b"\x55" * 65536)
    site.whole()


def bucket(site):
    """One day of calls cannot be opened; the others can."""
    day = site.rig.json("show", site.calls[0])[0]["started_at"][:10]
    expect(day == "2026-01-15", day)
    os.remove(site.only("keys/buckets", "1."))
    site.rig.fails(22, "play", site.calls[0], "--purpose", "complaint", says="bucket node")
    site.rig.good("play", site.calls[2], "--purpose", "complaint")
    done = site.rig.run("--json", "check")
    expect(done.code == 22 and "bring back keys/" in done.out, str(done))
    # Nothing is planned, so nothing is destroyed, by half of the truth.
    expect(site.rig.run("purge").code == 22, "a purge goes on without a node")
    done = site.rig.run("--json", "backup", site.backup)
    expect(done.code == 3 and "restore it" in done.out and done.lines()[0]["removed_files"] == 0, str(done))
    site.bring_back(("keys", "own"), ("key_files", 1), ("restored_files", 0))


def register(site):
    """Whoever needs it is refused: a lost opt-out lets nobody be recorded."""
    os.remove(site.only("keys/registers", "opt-out"))
    site.rig.fails(22, "may-record", "0722000009", says="register")
    site.rig.good("play", site.calls[0], "--purpose", "complaint")
    site.bring_back(("keys", "own"), ("key_files", 1))


def directory(site):
    """All keys: without a copy of the present epoch, everything."""
    os.remove(site.path("keys", "directory"))
    site.rig.fails(22, "find", says="keys/directory is missing")
    site.bring_back(("keys", "backup"), ("restored_files", 0))


def journal_tail(site):
    """What the key state remembers of it must be there."""
    path = site.path("journal", "entries")
    with open(path, "rb") as file:
        lines = file.read().splitlines(True)
    with open(path, "wb") as file:
        file.writelines(lines[:4])
    site.rig.fails(22, "play", site.calls[0], "--purpose", "complaint", says="journal")
    site.rig.fails(22, "purge", says="journal")
    site.bring_back(("keys", "own"), ("journal", "backup"))
    expect([n for n in os.listdir(site.rig.vault) if n.startswith("journal.before-restore")], "no evidence is left")
    # A backup that does not reach as far cannot help, and changes nothing.
    site.rig.good("unhold", site.calls[2], "--matter", "M-1")  # which pins the journal
    with open(path, "wb") as file:
        file.writelines(lines[:4])
    site.rig.fails(22, "restore", site.backup, says="no journal reaches the [0-9]+ entries")
    with open(path, "rb") as file:
        expect(file.read() == b"".join(lines[:4]), "a refused restore changed the journal")
    # Its own key state is set aside by hand: then it is the backup's day again, hold and all.
    os.rename(site.path("keys"), site.path("keys.lost"))
    site.bring_back(("keys", "backup"), ("journal", "backup"))


def keeper(site):
    """Nothing brings it back, by design: whoever loses it has shredded everything."""
    shutil.copytree(site.rig.keeper, site.rig.folder + "/aside")
    shutil.rmtree(site.rig.keeper)
    site.rig.fails(22, "find", says="no keeper in")
    site.rig.fails(22, "restore", site.backup, says="no keeper in")
    # One that is back, but with damaged blocks, says so and wipes nothing.
    shutil.copytree(site.rig.folder + "/aside", site.rig.keeper)
    with open(site.rig.keeper + "/root", "r+b") as file:
        for slot in (8192, 28672):
            file.seek(slot + 100)
            file.write(b"\0" * 64)
    site.rig.fails(22, "find", says="keeper")
    site.rig.fails(22, "purge", says="keeper")
    shutil.rmtree(site.rig.keeper)
    os.rename(site.rig.folder + "/aside", site.rig.keeper)
    site.whole()


def keeper_with_a_mirror(site):
    """Lost with it is nothing: not the vault, not its way back from a backup. A mirror that was away is no such thing."""
    rig, mirror = site.rig, site.rig.folder + "/mirror"
    rig.good("keeper", "mirror", mirror, "--unsafe-keeper")
    rig.good("backup", site.backup)
    os.rename(rig.keeper, rig.keeper + ".lost")
    site.whole()
    shutil.rmtree(rig.vault)
    report = rig.json("restore", site.backup, "--keeper", mirror)[0]
    expect(report["keys"] == "backup" and report["recordings"] == 3, f"restored by the mirror: {report}")
    site.whole()
    os.rename(rig.keeper + ".lost", rig.keeper)
    rig.good("recover")
    os.rename(mirror, mirror + ".away")
    expect(rig.run("keeper", "rotate").code == 3, "a rotation is whole without the mirror")
    os.rename(mirror + ".away", mirror)
    os.rename(rig.keeper, rig.keeper + ".lost")
    rig.fails(22, "find", says="is behind")
    rig.fails(22, "restore", site.backup, "--keeper", mirror, says="it is behind, or an old copy; nothing was changed")
    os.rename(rig.keeper + ".lost", rig.keeper)
    rig.good("recover")
    site.whole()


def recording(site):
    """One call, or a second of it."""
    name = next(os.path.join(place, n) for place, _, names in os.walk(site.path("recordings")) for n in names
                if n.startswith(site.calls[1]))
    os.remove(name)
    done = site.rig.run("play", site.calls[1], "--purpose", "complaint")
    expect(done.code in (20, 22) and "missing" in done.err, str(done))
    done = site.rig.run("--json", "check")
    expect(done.code == 22 and "bring the file back from a backup" in done.out, str(done))
    done = site.rig.run("--json", "backup", site.backup)
    expect(done.code == 3 and "the backup holds it whole" in done.out, str(done))
    site.bring_back(("restored_files", 1), ("kept_files", 2))
    with open(name, "r+b") as file:
        file.truncate(os.path.getsize(name) - 2000)
    expect(site.rig.run("check").code == 22, "a cut recording passes the check")
    site.bring_back(("restored_files", 1), ("kept_files", 2))


def small_files(site):
    """vault.toml, a person, the public review key, the intake keys."""
    os.remove(site.path("vault.toml"))
    site.rig.fails(10, "find")
    site.bring_back(("keys", "own"))
    os.remove(site.path("people", "officer"))
    site.rig.fails(12, "find")
    site.bring_back(("key_files", 1))
    os.remove(site.path("keys", "review.pub"))
    site.rig.fails(20, "ingest", "--direction", "in", "--format", "s16le", says="review", stdin=tone(1, 440))
    site.bring_back(("key_files", 1))
    shutil.rmtree(site.path("keys", "intake"))
    os.makedirs(site.path("keys", "intake"))
    site.rig.fails((11, 22), "ingest", "--direction", "in", "--format", "s16le", says="intake", stdin=tone(1, 440))
    site.rig.good("recover")  # the directory knows them
    site.rig.ingest(tone(1, 440))


def everything_without_a_backup(site):
    """A folder lost with no backup: the keeper alone is nothing."""
    shutil.rmtree(site.rig.vault)
    site.rig.fails(10, "find")
    shutil.rmtree(site.backup)
    site.rig.fails(20, "restore", site.backup, says="no backup in")


def test(binary):
    for loss in (catalogue, bucket, register, directory, journal_tail, keeper, keeper_with_a_mirror, recording, small_files,
                 everything_without_a_backup):
        site = Site(binary, loss.__name__)
        try:
            loss(site)
            print("as documented:", loss.__name__)
        finally:
            site.rig.remove()


if __name__ == "__main__":
    main(test)
