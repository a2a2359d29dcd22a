#!/usr/bin/env python3
"""Processes that work on one vault and are killed at any moment; then everything that was told must hold.

  storm.py CALLVAULT CRASH_EXPLORER [--seconds N | --kills N] [--seed N]"""

import argparse
import collections
import fcntl
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
from runs import CALLER, OTHER, Run, stereo  # noqa: E402

PROCESSES = 8
FINE = {0, 3, 11, 20, 21, 23, 25}  # done, partly, busy, not found, gone, refused, overdue: any other code is a finding
KILLED = {-signal.SIGKILL, 137}
BYTES_A_SECOND = 8000 * 2 * 2
MOST_DELAY = 0.12  # seconds until a kill: longer than any command takes by itself
LOOK_EVERY = 1500  # kills


class Storm:
    """What was told so far."""

    def __init__(self, run, chance):
        self.run, self.chance = run, chance
        self.lock, self.stop = threading.Lock(), threading.Event()
        self.counts, self.problems = collections.Counter(), []
        self.live, self.made, self.dying, self.dead = {}, [], set(), set()
        self.loss = 0.0

    def command(self, *words, kill=True):
        """(exit code, output), or the code of a kill."""
        process = subprocess.Popen([self.run.vault.binary, *words], env=self.run.vault.environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if kill and self.chance.random() < 0.7:
            time.sleep(self.chance.random() * MOST_DELAY)
            process.kill()
        out, err = process.communicate(timeout=120)
        with self.lock:
            self.counts["commands"] += 1
            self.counts["kills"] += process.returncode in KILLED
            if process.returncode not in FINE | KILLED:
                self.problems.append(f"'{words[0]}' exits {process.returncode}: {(err or out).decode()[:200]}")
        return process.returncode, out.decode(errors="replace")

    def tell(self, out):
        with self.lock:
            for line in out.splitlines():
                try:
                    told = json.loads(line)
                except ValueError:
                    continue  # cut off
                if told.get("type") == "started":
                    self.live.setdefault(told["id"], 0)
                elif told.get("type") == "sealed":
                    self.made.append(told["id"])

    def record_files(self):
        while not self.stop.is_set():
            self.tell(self.command("ingest", self.run.sound, "--direction", "in", "--caller",
                                   self.chance.choice([CALLER, OTHER]), "--consent", "granted", "--json")[1])

    def record_live(self):
        """A call in real time; what its recorder had taken from the pipe when it died must not be lost but for 2 s."""
        sound = stereo(4)
        while not self.stop.is_set():
            process = subprocess.Popen(
                [self.run.vault.binary, "ingest", "--direction", "in", "--caller", OTHER, "--consent", "granted",
                 "--json", "--format", "s16le", "--channels", "caller,agent"], env=self.run.vault.environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            until, written, told = time.monotonic() + self.chance.uniform(0.2, 4), 0, b""
            begun, pausing = time.monotonic(), self.chance.random() < 0.3
            while time.monotonic() < until and written < len(sound):
                wanted = min(len(sound), int((time.monotonic() - begun) * BYTES_A_SECOND) // 4 * 4)
                if wanted > written:
                    os.write(process.stdin.fileno(), sound[written:wanted])
                    written = wanted
                time.sleep(0.02)
                if pausing and written > 2 * BYTES_A_SECOND:
                    pausing, told = False, process.stdout.readline()
                    self.command("pause", json.loads(told)["id"])
                    self.command("resume", json.loads(told)["id"])
            process.kill()
            process.wait()
            left = struct.unpack("i", fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, b"\0" * 4))[0]
            out, _ = process.communicate()
            out = told + out
            self.tell(out.decode())
            with self.lock:
                self.counts["commands"] += 1
                self.counts["kills"] += 1
                self.counts["live"] += 1
                for line in out.decode().splitlines():
                    self.live[json.loads(line)["id"]] = written - left

    def shred(self):
        while not self.stop.is_set():
            with self.lock:
                free = [i for i in self.made if i not in self.dying]
                ids = self.chance.sample(free, min(len(free), self.chance.randint(1, 3)))
                self.dying.update(ids)
            if ids:
                code, out = self.command("erase", *ids, "--request", "R-1", "--reason", "asked", "--json")
                if code == 0:
                    with self.lock:
                        self.dead.update(ids)
            if self.command("purge")[0] == 0:
                with self.lock:
                    self.counts["purges"] += 1

    def office(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            with self.lock:
                some = self.chance.choice(self.made) if self.made else "nothing"
            self.command(*self.chance.choice([
                ("hold", some, "--matter", "case 1"), ("unhold", some, "--matter", "case 1"),
                ("restrict", some, "--reason", "disputed"), ("unrestrict", some, "--reason", "over"),
                ("opt-out", "add", f"07440{number:05}"), ("find",), ("recover",), ("reindex",), ("check",),
                ("request", "open", "--kind", "access", "--channel", "email", "--name", "Ion"),
                ("person", "add", f"p{number}", "--role", "auditor", "--new-passphrase-file", self.run.passphrase)]))

    def judge(self, explorer):
        """Nobody is at work now."""
        recording = self.run.folder + ".facts"
        now = int(time.time() * 1000)
        with open(recording, "w", encoding="utf-8") as file:
            file.write(f"node 0 d\nfact clock {now} {now + 60000}\n"
                       f"fact files {self.run.passphrase} {self.run.sound}\nfact vault\n")
            made = set(self.made)
            for one, read in self.live.items():
                if one not in made:
                    file.write(f"fact started {one}\nfact read {read}\nfact ended\n")
            for one in self.made:
                file.write(f"fact started {one}\nfact made {one}\n")
            file.write("".join(f"fact shred {one}\nfact shredded\n" for one in sorted(self.dead)))
            file.write("".join(f"fact shred {one}\n" for one in sorted(self.dying - self.dead)))
        open(recording + ".bytes", "wb").close()
        done = subprocess.run([explorer, recording, self.run.folder + "-work", "--judge", self.run.folder],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.problems.append((done.stdout + done.stderr).strip() or "the judge died")

    def blow(self, seconds, kills):
        self.stop.clear()
        work = [self.record_files] * (PROCESSES - 4) + [self.record_live, self.shred, self.shred, self.office]
        threads = [threading.Thread(target=one) for one in work]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        target = self.counts["kills"] + kills
        while time.monotonic() < until and self.counts["kills"] < target and not self.problems:
            time.sleep(0.05)
        self.stop.set()
        for thread in threads:
            thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("explorer", type=os.path.abspath)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    began, total, problems = time.monotonic(), collections.Counter(), []
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    while not problems:
        work = tempfile.mkdtemp(prefix="callvault-storm-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        try:
            # A vault grows slower as it grows: a fresh one now and then.
            storm = Storm(Run(options.binary, work, "storm").init(), chance)
            left = options.kills - total["kills"] if options.kills else LOOK_EVERY
            storm.blow(1e9 if options.kills else options.seconds - (time.monotonic() - began), min(left, LOOK_EVERY))
            storm.judge(options.explorer)
            total.update(storm.counts)
            total.update(made=len(storm.made), started=len(storm.live), shredded=len(storm.dead))
            problems = storm.problems
            if options.kills:
                print(dict(total), f"{time.monotonic() - began:.0f} s", flush=True)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        done = total["kills"] >= options.kills if options.kills else time.monotonic() - began >= options.seconds
        if done:
            break
    for problem in problems[:20]:
        print("PROBLEM: " + problem)
    print(f"{total['kills']} kills of {total['commands']} commands, {total['made']} finished recordings, "
          f"{total['live']} live calls, {total['shredded']} shredded, {len(problems)} problems, "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if problems or not total["kills"] else 0)


if __name__ == "__main__":
    main()
