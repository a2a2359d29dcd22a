#!/usr/bin/env python3
"""A disk that fills up: in the middle of a call, before one, under a purge and under an erasure."""

import array
import datetime
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import survivors  # noqa: E402
from rig import RATE, Failed, Rig, Skip, expect, main, pitch, tone

PAGE = 4096
SIZE = 24 * 1024 * 1024
SAYS = "[Nn]o space"


def private_mounts():
    """Again, where mounts are this test's alone and go with it."""
    if "CALLVAULT_TEST_MOUNTS" in os.environ:
        return
    if os.geteuid() != 0:
        raise Skip("needs root, to mount a small file system")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("this host allows no mounts")
    os.environ["CALLVAULT_TEST_MOUNTS"] = "private"
    os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B", *sys.argv])


class Disk:
    """A small file system with room for exactly so many pages more."""

    def __init__(self, path):
        self.path, self.filler = path, path + "/filler"
        os.makedirs(path)
        self.mount()

    def mount(self):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "tmpfs", self.path],
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise Skip("cannot mount a tmpfs: " + done.stderr.decode().strip())

    def leave(self, pages):
        stat = os.statvfs(self.path)
        with open(self.filler, "ab", buffering=0) as file:
            file.write(b"\1" * max(0, (stat.f_bavail * stat.f_frsize // PAGE - pages) * PAGE))

    def gone(self):
        subprocess.run(["umount", self.path], check=False)

    def free(self):
        if os.path.exists(self.filler):
            os.remove(self.filler)


def stairs(seconds, first=300):
    """Each second has a pitch of its own."""
    return b"".join(tone(1, first + 20 * i) for i in range(seconds))


def interleave(left, right):
    out = array.array("h", bytes(len(left) * 2))
    out[0::2], out[1::2] = array.array("h", left), array.array("h", right)
    return out.tobytes()


def expect_stairs(samples, rate, first=300):
    """What plays is what was said, from its start."""
    for second in range(len(samples) // rate):
        heard = pitch(samples[second * rate:(second + 1) * rate], rate)
        expect(abs(heard - first - 20 * second) < 8, f"second {second}: {heard:.0f} Hz, not {first + 20 * second} Hz")
    return len(samples) / rate


def expect_usable(rig):
    """After all of it a call goes in and is heard."""
    call = rig.ingest(stairs(3), "--consent", "granted")
    samples, rate, _ = rig.play(call["id"])
    expect(expect_stairs(samples, rate) == 3.0, "a new call does not play whole")
    rig.sound()


def full_for_good(rig, disk, tracks):
    """The disk fills up in the middle of a call and stays full: exit 75, and what was said to be safe is."""
    disk.leave(14 * len(tracks))
    pcm = stairs(70)
    if len(tracks) == 2:
        pcm = interleave(pcm, stairs(70, 500))
    known = {record["id"] for record in rig.json("find")}
    done = rig.run("--json", "ingest", "--direction", "in", "--consent", "granted", "--format", "s16le",
                   "--channels", ",".join(tracks), stdin=pcm)
    expect(done.code == 75 and len(done.lines()) == 2, str(done))
    started, failure = done.lines()
    expect(failure["error"]["code"] == "no_space" and failure["error"]["hint"], str(done))
    told = re.search(r"(\d+) of 70 seconds are safe", failure["error"]["message"])
    expect(told and started["id"] in failure["error"]["message"], str(done))
    safe = int(told.group(1))
    expect(10 <= safe <= 50, f"{safe} s are said to be safe: {done}")
    expect(rig.run("find").code in (0, 75), "find on the full disk")
    disk.free()
    rig.good("recover")
    fresh = [record for record in rig.json("find") if record["id"] not in known]
    expect([record["id"] for record in fresh] == [started["id"]], f"found: {fresh}")
    expect("interrupted" in fresh[0]["flags"], f"not flagged: {fresh}")
    for track, first in zip(tracks, (300, 500)):
        samples, rate, _ = rig.play(started["id"], "--track", track) if len(tracks) > 1 else rig.play(started["id"])
        played = expect_stairs(samples, rate, first)
        expect(safe <= played <= 70, f"{track} plays {played} s, {safe} s are safe")
    expect_usable(rig)


def full_for_a_while(rig, disk):
    """The disk fills up in the middle of a call and has room again: nothing is lost, and nobody needs to know."""
    disk.leave(14)
    process = rig.start("--json", "ingest", "--direction", "in", "--consent", "granted", "--format", "s16le",
                        stdin=subprocess.PIPE)
    process.stdin.write(stairs(40))
    process.stdin.flush()
    time.sleep(1.5)
    expect(process.poll() is None, "the recorder gave up a live call")
    stat = os.statvfs(disk.path)
    expect(stat.f_bavail == 0, f"the disk was never full: {stat.f_bavail} pages left")
    disk.free()
    out, err = process.communicate(stairs(50)[40 * RATE * 2:], timeout=30)
    expect(process.returncode == 0, f"exit {process.returncode}: {out} {err}")
    call = rig.json("show", out.decode().split('"id":"')[1][:26])[0]
    expect(abs(call["duration_s"] - 50) < 0.005 and not call["flags"], f"shown: {call}")
    samples, rate, _ = rig.play(call["id"])
    expect(abs(expect_stairs(samples, rate) - 50) < 0.03, f"plays {len(samples) / rate} s of 50 s")
    expect_usable(rig)


def full_before(rig, disk):
    """No room from the start: nothing is stored, and it is said."""
    disk.leave(0)
    known = len(rig.json("find"))
    rig.fails(75, "ingest", "--direction", "in", "--format", "s16le", says=SAYS, stdin=stairs(2))
    disk.free()
    expect(os.listdir(rig.vault + "/incoming") == [], f"left: {os.listdir(rig.vault + '/incoming')}")
    expect(len(rig.json("find")) == known, "a call without a byte on disk is found")


def fresh_copy(rig, disk, master):
    for name in ("vault", "vault.keeper"):
        shutil.rmtree(os.path.join(disk.path, name), ignore_errors=True)
        shutil.copytree(os.path.join(master, name), os.path.join(disk.path, name))
    rig.good("recover")  # a copy has no room set aside behind the end of its files


def shred_with_little_room(rig, disk, master, words, victims, survivors):
    """`words` with room for 0, 1, 2 ... pages: done each time, from what the vault has set aside."""
    for pages in range(3):
        fresh_copy(rig, disk, master)
        disk.leave(pages)
        rig.good(*words)
        expect(os.statvfs(disk.path).f_bavail <= pages + 64, "the disk was not full")
        for victim in victims:
            shown = rig.run("show", victim)
            expect(shown.code == 21, f"done with {pages} pages, and yet: {shown}")
        rig.good("show", survivors[0])
        disk.free()
        rig.good("prove-gone", victims[0])
        samples, rate, _ = rig.play(survivors[pages % len(survivors)])
        expect(expect_stairs(samples, rate) == 2.0, "a survivor is damaged")
        rig.sound()


def write_fails(rig, disk, master, victims, survivors):
    """The n-th write of a purge and the one that takes its place find no room: what was begun is undone or finished, and
    the purge goes on a bucket at a time."""
    if shutil.which("strace") is None:
        raise Skip("needs strace")
    trace = os.path.join(rig.folder, "trace")
    nth = 0
    while True:
        nth += 1 if nth < 4 else 3
        fresh_copy(rig, disk, master)
        done = rig.run("--json", "purge", under=(
            "strace", "-f", "-qq", "-o", trace, "-e", "trace=pwrite64",
            "-e", f"inject=pwrite64:error=ENOSPC:when={nth}..{nth + 1}"))
        with open(trace, encoding="utf-8") as file:
            failed = file.read().count("INJECTED")
        if failed == 0:
            break
        expect(done.code == 0, f"write {nth} finds no room: {done}")
        report = done.lines()[-1]
        expect(report["shredded"] == len(victims) and report["refused"] == len(survivors), f"write {nth}: {report}")
        for victim in victims:
            expect(rig.run("show", victim).code == 21, f"write {nth} finds no room, and {victim} is not gone")
        for survivor in survivors:
            rig.good("show", survivor)
        rig.good("prove-gone", victims[0])
        rig.sound()
    expect(nth > 15, f"a purge has only {nth} writes")


def test(binary, calls=True, kind=Disk, more=None, lead=3):
    private_mounts()
    rig, disk = Rig("disk", binary, init=("--retention", "1d", "--time-zone", "UTC")), None
    try:
        classes = [f"class{i}" for i in range(10)]
        with open(rig.vault + "/vault.toml", encoding="utf-8") as file:
            config = file.read()
        with open(rig.vault + "/vault.toml", "w", encoding="utf-8") as file:
            file.write(config.replace("[retention]\n", "[retention]\n" + "".join(f"{c} = '1d'\n" for c in classes)))
        # Made where there is room, then used where there is little.
        began = time.monotonic()
        living = [rig.ingest(stairs(2), "--consent", "granted", "--class", "default")["id"] for _ in range(4)]
        asked, kept = ([rig.ingest(stairs(2), "--consent", "granted", "--class", c)["id"] for c in classes]
                       for _ in range(2))
        rig.json("find")
        # On a busy machine, too, the held ones are held before their time comes.
        due = int(time.time() + lead + (time.monotonic() - began))
        start = datetime.datetime.fromtimestamp(due - 86400, datetime.timezone.utc).isoformat()
        dying, holding = ([rig.ingest(stairs(2), "--consent", "granted", "--class", c, "--started-at", start)["id"]
                           for c in ("default", *classes[:2])] for _ in range(2))
        for survivor in holding:  # of the purge, each beside a victim
            rig.good("hold", survivor, "--matter", "case 1")
        time.sleep(max(0.0, due + 1 - time.time()))
        disk = kind(rig.folder + "/small")
        master = rig.folder
        rig.vault = disk.path + "/vault"
        rig.env["CALLVAULT_DIR"] = rig.vault
        shred_with_little_room(rig, disk, master, ("purge",), dying, living)
        shred_with_little_room(rig, disk, master,
                               ("erase", living[0], living[1], "--request", "R-1", "--reason", "asked"), living[:2],
                               living[2:])
        # More for the journal than the blocks of a replaced directory give back.
        shred_with_little_room(rig, disk, master,
                               ("erase", *asked, "--request", "R-2", "--reason", "asked by letter, " * 100), asked, kept)
        if more:
            more(rig, disk, master, dying, holding)
        else:
            write_fails(rig, disk, master, dying, holding)
        if not calls:
            return
        full_before(rig, disk)
        full_for_good(rig, disk, ["mixed"])
        full_for_good(rig, disk, ["caller", "agent"])
        full_for_a_while(rig, disk)
    finally:
        if disk:
            disk.gone()
        rig.remove()


# name, the guarantee it breaks, file, old, new
SEEDED = [
    ("no_spare_files", "what is set aside is used", "vault/os/spare.cc", "  if (!best || ", "  if (true || "),
    ("no_room_in_journal", "the intent of a shred has room", "vault/session.cc", "  vault_.journal->keep_room();\n", ""),
    ("all_or_nothing", "a purge goes on a bucket at a time", "vault/vault_purge.cc",
     "done.error().code == Errc::no_space && !options.dry_run", "false"),
    ("counts_lost", "what the first attempt shredded is reported", "vault/vault_purge.cc",
     "report.shredded += session->finished().recordings;", "report.shredded += 0;"),
]


def seeded(build, source):
    private_mounts()
    runs = [(name, guarantee, lambda program: test(program, calls=False), *change) for name, guarantee, *change in SEEDED]
    sys.exit(1 if survivors(build, source, runs, Failed) else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        main(lambda _: seeded(*sys.argv[2:]))
    main(test)
