#!/usr/bin/env python3
"""A disk that errs for a moment, under a mounted ext4: reads, writes and flushes fail with EIO while calls are recorded
and settled, held, erased and purged. Afterwards the disk is well, its file system is checked and mounted anew, and:
nothing that was acknowledged is lost, each shred that was told done is done, no command dies of a signal or ends with
a code that does not say what happened.

  failing_disk.py CALLVAULT FAILING_DISK [--rounds N | --seconds S] [--seed N]
"""

import argparse
import collections
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "system"))
sys.dont_write_bytecode = True  # leaves nothing in the sources
from full_disk import private_mounts  # noqa: E402
from rig import CODES, RATE, Failed, Rig, Skip, expect, main, speech  # noqa: E402

MEBIBYTES = 96
PATIENCE = 120  # seconds for one command: more is a hang
STEP = 0.05  # seconds of sound that are written at a time
MOST_KEPT = 12  # recordings; the oldest are erased then
LOSS = 2.0  # seconds that a live call may lose (docs/RELIABILITY.md)
# What a command may answer while the disk errs: done, partly done, busy, gone already, refused by rule, I/O, no space.
# Not 1 (nobody foresaw it), nor 10, 20 or 22: a disk that fails to read is no proof that anything is missing or damaged.
HONEST = {0, 3, 11, 21, 23, 74, 75}


class Disk:
    """The file in FUSE, ext4 on a loop device on it; everything goes with the mount namespace, or with the test."""

    def __init__(self, program, folder):
        self.fuse, self.point = folder + "/fuse", folder + "/mounted"
        os.makedirs(self.fuse)
        os.makedirs(self.point)
        if not os.path.exists(program):
            raise Skip("failing_disk was not built: no libfuse3-dev here")
        self.process = subprocess.Popen([program, self.fuse, str(MEBIBYTES)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + 10
        while not os.path.exists(self.fuse + "/disk"):
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise Skip("cannot mount FUSE: " + self.process.communicate()[1].decode().strip()[:200])
            time.sleep(0.02)
        self.run("mkfs.ext4", "-q", "-F", self.fuse + "/disk")
        self.mount()

    @staticmethod
    def run(*words, fine=(0,)):
        try:
            done = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE,
                                  env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        except FileNotFoundError:
            raise Skip(f"no {words[0]} here") from None
        return done.returncode in fine, done

    def mount(self):
        good, done = self.run("mount", "-o", "loop", self.fuse + "/disk", self.point)
        if not good:
            raise Skip("cannot mount a loop device: " + done.stderr.decode().strip()[:200])

    def err(self, read, write, flush, milliseconds, seed, begin=0, end=MEBIBYTES):
        with open(self.fuse + "/control", "w", encoding="ascii") as file:
            file.write(f"{read:.4f} {write:.4f} {flush:.4f} {milliseconds} {seed} {begin} {end}")

    def heal(self):
        self.err(0, 0, 0, 0, 0)

    def failures(self):
        with open(self.fuse + "/control", encoding="ascii") as file:
            return [int(word) for word in file.read().split()][1::2]

    def writable(self):
        with open("/proc/self/mounts", encoding="utf-8") as file:
            for line in file:
                words = line.split()
                if words[1] == self.point:
                    return "rw" in words[3].split(",") and "emergency_ro" not in words[3].split(",")
        return False

    def repair(self):
        """What an administrator does: unmount, check, mount. Tells whether fsck found something."""
        good, done = self.run("umount", self.point)
        expect(good, f"cannot unmount: {done.stderr.decode()}")
        good, done = self.run("e2fsck", "-fy", self.fuse + "/disk", fine=(0, 1))
        expect(good, f"e2fsck exits {done.returncode}: {done.stdout.decode()[-800:]}")
        self.mount()
        return done.returncode == 1

    def gone(self):
        self.run("umount", "-l", self.point)
        self.process.terminate()
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.run("umount", "-l", self.fuse)


class Call(threading.Thread):
    """A call that is spoken in real time, and what its recorder told of it."""

    def __init__(self, rig, sound, seconds):
        super().__init__(daemon=True)
        self.id, self.told, self.seconds, self.out, self.err = None, [], seconds, b"", b""
        self.sound = sound[:int(seconds * RATE) * 2]
        self.process = rig.start("--json", "ingest", "--direction", "in", "--consent", "granted", "--format", "s16le",
                                 "--rate", str(RATE), stdin=subprocess.PIPE)
        self.start()

    def run(self):
        step, begun = int(STEP * RATE) * 2, time.monotonic()
        for at in range(0, len(self.sound), step):
            try:
                os.write(self.process.stdin.fileno(), self.sound[at:at + step])
            except OSError:
                break
            time.sleep(max(0.0, begun + at / RATE / 2 - time.monotonic()))
        try:
            self.out, self.err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.out, self.err = self.process.communicate()

    def safe(self):
        """(id, seconds that were told to be safe, whether the call was told to be sealed)"""
        self.join()
        lines = [json.loads(line) for line in self.out.splitlines()]
        started = next((line["id"] for line in lines if line.get("type") == "started"), None)
        if any(line.get("type") == "sealed" for line in lines):
            return started, self.seconds, True
        why = " ".join(line["error"]["message"] for line in lines if "error" in line)
        told = re.search(r"(\d+) of \d+ seconds are safe", why)
        return started, int(told.group(1)) if told else 0, False


class World:
    """A vault on that disk, and what was acknowledged."""

    def __init__(self, binary, disk, folder, chance):
        self.disk, self.chance = disk, chance
        self.rig = Rig("failing-disk", binary, make=False, folder=folder)
        self.rig.vault = disk.point + "/vault"
        self.rig.keeper = self.rig.vault + ".keeper"
        self.rig.env["CALLVAULT_DIR"] = self.rig.vault
        self.sound = speech(8)
        self.file = folder + "/call.raw"
        with open(self.file, "wb") as file:
            file.write(self.sound[:RATE * 2])
        self.safe = {}  # id -> seconds
        self.held = set()
        self.dying, self.dead = set(), set()  # asked for; told done
        self.unsure = set()  # holds that were neither acknowledged nor refused
        self.counts = collections.Counter()
        self.codes = collections.Counter()
        self.rig.good("init", self.rig.vault, "--organisation", "Example SRL", "--unsafe-keeper",
                      "--unsafe-fast-passphrase")

    def free(self):
        return sorted(self.safe.keys() - self.dying - self.held - self.unsure)

    def command(self, *words, codes=frozenset(HONEST)):
        done = self.rig.run("--json", *words, timeout=PATIENCE)
        self.counts["commands"] += 1
        self.codes[done.code] += 1
        expect(done.code in codes, f"while the disk errs: {done}")
        return done

    def take_call(self, call):
        ident, seconds, sealed = call.safe()
        code = call.process.returncode
        self.codes[code] += 1
        self.counts["live calls"] += 1
        self.counts["live calls sealed"] += sealed
        expect(code in HONEST, f"the recorder exits {code}: {call.out!r} {call.err!r}")
        expect((code == 0) == sealed, f"the recorder exits {code} and tells {call.out!r}")
        if ident is not None:
            self.safe[ident] = seconds

    def act(self):
        """One command of the office, at a disk that may err."""
        free = self.free()
        what = self.chance.choice(["ingest", "ingest", "find", "hold", "erase", "purge", "recover", "status"])
        if what == "ingest":
            done = self.command("ingest", self.file, "--direction", "in", "--consent", "granted", "--format", "s16le",
                                "--rate", str(RATE))
            for line in done.lines():
                if line.get("type") == "sealed":
                    self.safe[line["id"]] = 1.0
                elif line.get("type") == "started":
                    self.safe.setdefault(line["id"], 0)
        elif what == "hold" and free:
            one = self.chance.choice(free)
            self.unsure.add(one)
            if self.command("hold", one, "--matter", "case 1").code == 0:
                self.held.add(one)
        elif what == "erase" and free:
            some = self.chance.sample(free, min(len(free), self.chance.randint(1, 3)))
            self.dying.update(some)
            done = self.command("erase", *some, "--request", "R-1", "--reason", "asked")
            for item in (done.lines() or [{}])[-1].get("items", []):
                if item["done"]:
                    self.dead.add(item["id"])
        elif what in ("find", "purge", "recover", "status"):
            self.command(what, codes=frozenset(HONEST | {25}))

    def err(self):
        """One or two moments of errors, of one kind or of all."""
        self.counts["moments"] += 1
        kinds = self.chance.choice([(0, 1, 1), (0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 1)])
        chances = [kind * self.chance.choice([0.05, 0.3, 1.0]) for kind in kinds]
        # Anywhere, or in a part of the disk, which seldom is where ext4 keeps its journal: without that it goes on.
        part = self.chance.choice([None, None, 4, 16, 32])
        begin = 0 if part is None else self.chance.randrange(0, MEBIBYTES - part)
        self.disk.err(*chances, self.chance.randint(50, 600), self.chance.getrandbits(32), begin,
                      MEBIBYTES if part is None else begin + part)

    def round(self):
        calls = [Call(self.rig, self.sound, self.chance.choice([0.4, 0.8, 1.2])) for _ in range(self.chance.randint(1, 2))]
        if self.chance.random() < 0.7:  # else the errors meet caches that a mount left empty
            time.sleep(self.chance.random() * 0.4)
        for _ in range(self.chance.randint(1, 2)):
            self.err()
            for _ in range(self.chance.randint(1, 3)):
                self.act()
        # Half of the recorders meet a disk that is well again before they end.
        if self.chance.random() < 0.5:
            self.disk.heal()
        for call in calls:
            self.take_call(call)
        self.disk.heal()
        writable = self.disk.writable()
        self.counts["read-only"] += not writable
        if writable and self.chance.random() < 0.5:  # work goes on as if nothing had been
            for _ in range(self.chance.randint(1, 3)):
                self.act()
        self.counts["fsck"] += self.disk.repair()
        self.verify()

    def verify(self):
        """The disk is well."""
        rig = self.rig
        rig.good("recover")
        purged = rig.json("purge")[-1]
        expect(purged["outstanding"] == 0 and not purged["problems"], f"purge tells {purged}")
        found = {record["id"]: record for record in rig.json("find")}
        for ident, seconds in sorted(self.safe.items()):
            if ident in self.dead:
                expect(ident not in found and rig.run("show", ident).code == 21, f"{ident} was told erased, and is there")
                proof = rig.run("--json", "prove-gone", ident)
                told = [step for step in proof.lines()[-1].get("steps", [proof.out]) if not isinstance(step, dict) or not step["passed"]]
                expect(proof.code == 0, f"{ident} was told erased, and prove-gone says no: {told}")
            elif ident in found:
                has = found[ident]["duration_s"]
                expect(has >= seconds - (LOSS if seconds == 0 else 0.001), f"{ident} has {has} s, {seconds} s are safe")
                expect(ident not in self.held or found[ident]["state"] == "held", f"{ident} lost its hold")
            else:
                expect(ident in self.dying or seconds == 0, f"{ident} is lost, {seconds} s were told to be safe")
        # Whoever asked for an erasure that failed asks again.
        again = sorted(self.dying & found.keys())
        if len(found) > MOST_KEPT:
            again += [ident for ident in found if found[ident]["state"] == "live" and ident not in self.dying]
            again = again[:max(len(found) - MOST_KEPT // 2, len(self.dying & found.keys()))]
        again = [ident for ident in again if found[ident]["state"] != "held"]
        if again:
            rig.good("erase", *again, "--request", "R-2", "--reason", "asked again")
        for ident in sorted(found.keys() - set(again))[:3]:
            if self.safe.get(ident, 0) >= 0.6:
                samples, rate, _ = rig.play(ident)
                expect(len(samples) / rate >= self.safe[ident] - 0.001, f"{ident} plays {len(samples) / rate} s")
        held = {ident for ident in found if found[ident]["state"] == "held"}
        if len(held) > MOST_KEPT // 2:
            for ident in sorted(held):
                rig.good("unhold", ident, "--matter", "case 1")
            held = set()
        rig.sound()
        self.counts["shredded"] += len(self.dead) + len(again)
        # What is known now is the truth of the next round.
        self.safe = {ident: record["duration_s"] for ident, record in found.items() if ident not in again}
        self.held, self.dying, self.dead, self.unsure = held, set(), set(), set()


def campaign(binary, program, rounds, seconds, seed, quiet=False):
    private_mounts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and so unmounts
    chance, begun, done = random.Random(seed), time.monotonic(), 0
    folder = tempfile.mkdtemp(prefix="callvault-failing-disk-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    disk = world = None
    failures = [0, 0, 0]
    try:
        disk = Disk(program, folder)
        world = World(binary, disk, folder, chance)
        while (done < rounds) if rounds else (time.monotonic() - begun < seconds or done == 0):
            try:
                world.round()
            except Failed as why:
                raise Failed(f"seed {seed}, round {done + 1}: {why}") from None
            done += 1
            if not quiet and done % 25 == 0:
                print(f"{done} rounds, {time.monotonic() - begun:.0f} s, {dict(world.counts)}", flush=True)
        failures = disk.failures()
    finally:
        if disk:
            disk.gone()
        if world:
            world.rig.remove()
    if not quiet:
        codes = ", ".join(f"{CODES[code] or 'done'} {count}" for code, count in sorted(world.codes.items()))
        print(f"seed {seed}: {done} rounds in {time.monotonic() - begun:.0f} s, {failures[0]} reads, {failures[1]} writes, "
              f"{failures[2]} flushes failed; " + ", ".join(f"{n} {what}" for what, n in sorted(world.counts.items())) +
              f"; answers: {codes}; nothing lost, nothing undone")
        expect(sum(failures) > done, f"the disk hardly erred: {failures}")
    return done


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    main(lambda _: campaign(options.binary, options.program, options.rounds, options.seconds, options.seed))
