#!/usr/bin/env python3
"""Each call that reaches the disk, in every command, fails with each error it can meet, once and for good.

  matrix.py CALLVAULT LIBRARY CRASH_EXPLORER [--long|--all] [--only NAME,...] [--seconds N] [--seed N]

--all: from each place in the program, in each command. --long: from each place once, in one of the commands that come by.
Else as many as the seconds allow, drawn at random, in some of the commands. After every run the exit code must be one that is
documented for that fault; the vault must be whole, what was told done be so, and the command done on the next attempt."""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
import faults  # noqa: E402
from scenes import Scene, Slot, as_of_now, commands  # noqa: E402

SAMPLED = 24  # commands in the short form
WORKERS = max(2, min(4, os.cpu_count() or 2))
LIVE_SECONDS, SHORT_SECONDS = 3, 0.4  # what "live" and "ingest" record
FAULT_CODES = {1, 3, 74, 75}  # what a fault of the host may turn any command into
REPORTS = {"check": 22, "recover": 22, "journal-verify": 22, "prove-gone": 24, "restore": 3}  # whose result it may be
REPEATED = {"open", "open+", "read", "pread", "write", "pwrite", "fsync", "fdatasync", "flock", "fallocate", "posix_fallocate",
            "ftruncate", "poll", "waitpid", "recv", "close", "recvmsg", "sendmsg", "connect", "accept4"}
TOLD = {"fsync", "fdatasync", "pwrite", "rename"}  # whose failure nobody may be silent about, but for
NOT_TOLD = re.compile(r"/catalog|/incoming|lock$|/hashes|/offsets|/spare|/checkpoint")  # what is derived, set aside or goes on elsewhere
OBJECTS = re.compile(r"/|the input|standard|memory|keeper|catalogue|child|[a-z2-7]{10}|[RB]-20")


class Prepared:
    """A command, how it ends undisturbed, and where it can be disturbed."""

    def __init__(self, command, scene, library, work):
        self.command, self.scene = command, scene
        command.bind(scene)
        slot = Slot(scene, f"{work}/count-{command.name}")
        slot.ready()
        self.folder = slot.folder
        words, env = slot.words(command), slot.environment()
        first, self.calls = faults.calls_of(words, env, library, slot.log, command.sound)
        again = faults.run(words, env, library, None, stdin=command.sound)
        self.code, self.again = first.code, again.code
        slot.drop()
        slot.ready()
        _, self.allocations = faults.allocations_of(words, env, library, slot.log, command.sound)
        shutil.rmtree(slot.folder)
        if self.code not in (0, 3, 20, 23, 25):
            raise RuntimeError(f"{command.name} exits {self.code} undisturbed: {first.err}")

    def places(self, seen):
        """(call, error, for good) for the first call from each place in the program (and on each kind of file, when it
        changes something) that is not in `seen`."""
        for call in self.calls:
            key = (call.name, call.stack)
            if call.changes():
                key += (re.sub(r"[0-9]+|\b[a-z2-7]{26}\b", "", call.path.removeprefix(self.folder)),)
            if key in seen:
                continue
            seen.add(key)
            for error in faults.ERRORS[call.name]:
                if error in ("EINTR", "short") and call.path.endswith(".mdb"):
                    continue  # LMDB takes either for a failure
                for ever in (False, True):
                    if not (ever and error == "EDQUOT"):
                        yield Fault(self, call, error, ever)

    def allocation_places(self, seen):
        for nth, stack in self.allocations:
            if stack not in seen:
                seen.add(stack)
                yield from (MemoryFault(self, nth, ever) for ever in (False, True))


class Fault:
    """One call that fails."""

    def __init__(self, prepared, call, error, ever):
        self.prepared, self.call, self.error, self.ever = prepared, call, error, ever
        self.text = faults.io_fault(call.nth, error, ever)
        self.weighty = call.changes()

    def __str__(self):
        return f"{self.prepared.command.name}: {self.call.name} number {self.call.nth} ({os.path.basename(self.call.path)}) " \
               f"{self.error} {'for good' if self.ever else 'once'}"

    def met(self, hit):
        """Whether it was an error that the call can meet which it came upon: where time has a say, not every run makes its
        calls in the same order."""
        if hit:
            self.call = faults.Call(hit.splitlines()[0].removeprefix("INJECTED "))
        lmdb = self.error in ("EINTR", "short") and self.call.path.endswith(".mdb")
        return bool(hit) and self.error in faults.ERRORS[self.call.name] and not lmdb

    def wrong_answer(self, done, said):
        if done.code == self.prepared.code:
            told = self.error != "EIO" or self.call.name not in TOLD or NOT_TOLD.search(self.call.path)
            return None if told else f"a failed {self.call.name} is not told: exit {done.code}"
        if self.error in ("ENOSPC", "EDQUOT") and done.code == 74:
            return f"a full disk is told as exit 74: {said}"
        walks = "cannot list" in done.err or "cannot remove" in done.err  # std::filesystem repeats nothing
        if self.error == "short" or (self.error == "EINTR" and self.call.name in REPEATED and not walks):
            return f"{self.error} is not got over: exit {done.code}: {said}"
        if done.code == REPORTS.get(self.prepared.command.name) and done.out:
            return None
        if done.code not in FAULT_CODES | ({11} if self.error == "ENOLCK" else set()):
            return f"a fault of the host is told as exit {done.code}: {said}"
        if self.call.fd in ("1", "2") or done.code == 3:
            return None
        told = done.err + (done.out if "--json" in self.prepared.command.words else "")
        return None if OBJECTS.search(told) else f"exits {done.code} and names nothing: {said or done.out[:200]}"


class MemoryFault:
    """One allocation that fails, or it and all later ones."""

    weighty, error = False, "memory"

    def __init__(self, prepared, nth, ever):
        self.prepared, self.nth, self.ever = prepared, nth, ever
        self.text = f"memory {nth} 0 {'ever' if ever else 'once'}"

    def __str__(self):
        return f"{self.prepared.command.name}: allocation {self.nth} {'and all later ones' if self.ever else ''}"

    @staticmethod
    def met(_):
        return True

    def wrong_answer(self, done, said):
        if done.code == self.prepared.code:
            return None
        if done.code == REPORTS.get(self.prepared.command.name) and done.out:
            return None
        if done.code not in FAULT_CODES:
            return f"a lack of memory is told as exit {done.code}: {said}"
        told = done.err + (done.out if "--json" in self.prepared.command.words else "")
        named = "memory" in told or "cannot" in told or "unexpected failure" in told  # libraries do not tell all
        return None if named else f"exits {done.code} and does not say why: {said or done.out[:200]}"


class Matrix:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.outcomes = collections.defaultdict(collections.Counter)
        self.messages = collections.Counter()
        self.problems, self.runs, self.judged, self.missed = [], 0, 0, 0
        self._slots, self._lock = threading.local(), threading.Lock()
        self._count, self.began = 0, time.monotonic()

    def prepare(self, wanted):
        chosen = [c for c in commands() if not wanted or c.name in wanted]
        scenes = {name: Scene(self.options.binary, self.work, name) for name in dict.fromkeys(c.scene for c in chosen)}
        with concurrent.futures.ThreadPoolExecutor(max_workers=WORKERS) as pool:
            return list(pool.map(lambda c: Prepared(c, scenes[c.scene], self.options.library, self.work), chosen))

    def slot(self, scene):
        mine = self._slots.__dict__
        if scene.name not in mine:
            with self._lock:
                self._count += 1
                mine[scene.name] = Slot(scene, f"{self.work}/slot-{self._count}-{scene.name}")
        return mine[scene.name]

    def one(self, fault):
        prepared = fault.prepared
        slot, command = self.slot(prepared.scene), prepared.command
        slot.ready()
        done = faults.run(slot.words(command), slot.environment(), self.options.library, fault.text, slot.log, command.sound)
        said = (done.err.strip() or done.out.strip()).replace("\n", " | ")[:300]
        wrong, judged = None, False
        if done.code is None:
            wrong = "hangs"
        elif done.code not in faults.CODES:
            wrong = f"exits {done.code}: {said}"
        elif fault.met(done.hit):
            wrong = fault.wrong_answer(done, said)
        if slot.changed() and not wrong:
            wrong, judged = self._state(fault, slot, done), True
        if wrong:
            slot.drop()
        with self._lock:
            self.runs += 1
            if self.runs % 500 == 0:
                print(f"... {self.runs}, {self.judged} judged, {time.monotonic() - self.began:.0f} s", flush=True)
            self.judged += judged
            self.missed += not done.hit
            self.outcomes[fault.error][done.code] += 1
            if done.code != prepared.code:
                self.messages[(done.code, re.sub(r"/\S+|[a-z2-7]{26}|\d+", "#", done.err.split("\n")[0])[:110])] += 1
            if wrong:
                self.problems.append(f"{fault}: {wrong}")
                print(f"PROBLEM: {fault}: {wrong}", flush=True)

    def _state(self, fault, slot, done):
        """The vault after a fault is whole and keeps what was promised; then the command is tried again."""
        prepared, command = fault.prepared, fault.prepared.command
        told = done.code == prepared.code and done.code in (0, 3)
        # The judge hears everything and lives on with the vault. What reads is judged so now and then.
        judge = prepared.scene.name not in ("empty", "lost", "duty")
        if judge and (fault.weighty or self.runs % 4 == 0):
            wrong = self._judge(command.certain if told else command.doubtful, slot)
            if wrong:
                return f"after exit {done.code}: {wrong}"
        wrong = self._recorded(slot, command, done)
        if wrong:
            return wrong
        again = faults.run(slot.words(command), slot.environment(), self.options.library, None, stdin=command.sound)
        allowed = {prepared.again} if told else {prepared.code, prepared.again}
        if command.name == "init" and not told:
            allowed.add(23)  # the keeper that could not be taken away again
        if again.code not in allowed:
            return f"after exit {done.code} the next attempt exits {again.code}, not {allowed}: {again.err[:300]}"
        if command.name == "init" and again.code != 0 and not told:
            return None  # what could not be taken away again stands in the way, and is named
        for words in (("check", "--deep"),) + ((("journal", "verify"),) if fault.weighty else ()):
            wrong = slot.must(*words)
            if wrong:
                return f"after exit {done.code} and the next attempt {wrong}"
        return None

    def _recorded(self, slot, command, done):
        """What a recorder told of a call is so."""
        started = re.search(r'"started","id":"(\w+)"', done.out)
        if not started:
            return None
        seconds = {"live": LIVE_SECONDS, "ingest": SHORT_SECONDS}[command.name]
        told = re.search(r"(\d+) of \d+ seconds are safe", done.out)
        safe = seconds if '"sealed"' in done.out else int(told.group(1)) if told else 0
        heard = slot.folder + "/recorded.wav"
        played = faults.run([slot.scene.binary, "play", started.group(1), "--purpose", "complaint", "-o", heard, "--quiet"],
                            slot.environment(), self.options.library, None)
        if played.code == 0:
            length = (os.path.getsize(heard) - 44) / (16000 * (2 if command.name == "live" else 1))
            os.remove(heard)
            return None if length > safe - 0.05 else f"{safe} s were told to be safe, {length} s are: {done.out[-200:]}"
        if safe or played.code in (20, 21):
            return f"a call that was told started, {safe} s of it safe, cannot be heard: exit {played.code}: {played.err[:200]}"
        return None

    def _judge(self, recording, slot):
        copy = slot.folder + "-judged"
        shutil.copytree(slot.folder, copy)
        recording = as_of_now(recording, copy + ".recording")
        judged = subprocess.run([self.options.explorer, recording, copy + "-work", "--judge", copy], capture_output=True,
                                text=True, timeout=120, check=False)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.rmtree(copy + "-work", ignore_errors=True)
        return None if judged.returncode == 0 else (judged.stdout + judged.stderr).strip()[:300] or "the judge died"


def main():
    parser = argparse.ArgumentParser()
    for name in ("binary", "library", "explorer"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--kind", choices=("io", "memory", "both"), default="both")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began, total = time.monotonic(), 0
    if options.seconds is None:
        options.seconds = float("inf") if options.all or options.long else 12
    work = tempfile.mkdtemp(prefix="callvault-faults-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        matrix = Matrix(options, work)
        wanted = set(filter(None, options.only.split(",")))
        if not wanted and not options.all and not options.long:
            wanted = set(random.Random(options.seed).sample([c.name for c in commands()], SAMPLED))
        prepared = matrix.prepare(wanted)
        seen, jobs, memory, draw = set(), [], [], random.Random(options.seed)
        for one in prepared:
            seen = set() if options.all else seen
            jobs += one.places(seen) if options.kind != "memory" else ()
            memory += one.allocation_places(seen) if options.kind != "io" else ()
        total = len(jobs) + len(memory)
        if jobs and options.seconds != float("inf"):
            memory = draw.sample(memory, min(len(memory), len(jobs)))  # there are many more of them
        jobs += memory
        draw.shuffle(jobs)
        print(f"{len(prepared)} commands, {sum(len(p.calls) for p in prepared)} calls, "
              f"{sum(len(p.allocations) for p in prepared)} places of allocation; {total} faults; prepared in "
              f"{time.monotonic() - began:.0f} s", flush=True)
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(max_workers=WORKERS) as pool:
            for _ in pool.map(lambda job: time.monotonic() - start < options.seconds and matrix.one(job), jobs):
                pass
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for error, codes in sorted(matrix.outcomes.items()):
        print(f"{error:8}", "  ".join(f"exit {c}: {n}" for c, n in sorted(codes.items(), key=str)))
    if options.all or options.long:
        for (code, text), count in matrix.messages.most_common(200):
            print(f"  {count:5} exit {code}: {text}")
    print(f"{matrix.runs} of {total} faults, {matrix.judged} states judged, {matrix.missed} not reached, "
          f"{len(matrix.problems)} problems, {time.monotonic() - began:.0f} s")
    sys.exit(1 if matrix.problems or not matrix.runs else 0)


if __name__ == "__main__":
    main()
