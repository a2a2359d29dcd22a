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

from rig import RATE, Rig, Skip, expect, main, pitch, tone

PAGE = 4096
SIZE = 4 * 1024 * 1024
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
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "tmpfs", path],
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


def shred_with_little_room(rig, disk, master, words, victims, survivors):
    """`words` with room for 0, 1, 2 ... pages: it is done or it is not, and with room it is finished."""
    done_with, refused_with = [], []
    for pages in range(30):
        for name in ("vault", "vault.keeper"):
            shutil.rmtree(os.path.join(disk.path, name), ignore_errors=True)
            shutil.copytree(os.path.join(master, name), os.path.join(disk.path, name))
        disk.leave(pages)
        done = rig.run("--json", *words)
        expect(done.code in (0, 75), f"with {pages} pages: {done}")
        (refused_with if done.code else done_with).append(pages)
        if done.code:
            error = done.lines()[-1]["error"]
            expect(error["code"] == "no_space" and error["hint"], str(done))
        else:
            for victim in victims:
                shown = rig.run("show", victim)
                expect(shown.code == 21, f"done with {pages} pages, and yet: {shown}")
        disk.free()
        # Whatever it said, said again with room it is done.
        again = rig.run("--json", *words)
        expect(again.code in ((0, 21) if words[0] == "erase" else (0,)), f"after {pages} pages: {again}")
        for victim in victims:
            expect(rig.run("show", victim).code == 21, f"after {pages} pages and once more, {victim} is not gone")
        rig.good("prove-gone", victims[0])
        samples, rate, _ = rig.play(survivors[pages % len(survivors)])
        expect(expect_stairs(samples, rate) == 2.0, "a survivor is damaged")
        rig.sound()
        if len(done_with) == 2:
            break
    expect(done_with, f"{words[0]} is never done, up to {refused_with[-1:]} free pages")
    print(f"{words[0]}: refused with {refused_with} free pages, done with {done_with}")


def test(binary):
    private_mounts()
    rig, disk = Rig("disk", binary, init=("--retention", "1d", "--time-zone", "UTC")), None
    try:
        # Made where there is room, then used where there is little.
        begun = datetime.datetime.now(datetime.timezone.utc)
        start = (begun - datetime.timedelta(days=1) + datetime.timedelta(seconds=3)).isoformat(timespec="seconds")
        sound = ("--consent", "granted", "--class", "default")
        dying = [rig.ingest(stairs(2), *sound, "--started-at", start)["id"] for _ in range(3)]
        living = [rig.ingest(stairs(2), *sound)["id"] for _ in range(4)]
        rig.json("find")
        time.sleep(max(0.0, 4 - (datetime.datetime.now(datetime.timezone.utc) - begun).total_seconds()))
        disk = Disk(rig.folder + "/small")
        master = rig.folder
        rig.vault = disk.path + "/vault"
        rig.env["CALLVAULT_DIR"] = rig.vault
        shred_with_little_room(rig, disk, master, ("purge",), dying, living)
        shred_with_little_room(rig, disk, master,
                               ("erase", living[0], living[1], "--request", "R-1", "--reason", "asked"), living[:2],
                               living[2:])
        full_before(rig, disk)
        full_for_good(rig, disk, ["mixed"])
        full_for_good(rig, disk, ["caller", "agent"])
        full_for_a_while(rig, disk)
    finally:
        if disk:
            disk.gone()
        rig.remove()


if __name__ == "__main__":
    main(test)
