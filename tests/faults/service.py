#!/usr/bin/env python3
"""Calls that fail in a command over the keeper's service, and in the service while it answers one.

  service.py CALLVAULT LIBRARY CRASH_EXPLORER [--long] [--seconds N] [--seed N] [--side client|server|both]

Each place in the program, drawn at random for the seconds; --long: all of them. Whatever fails, the client ends with a
documented exit code; the service lives on, answers the next client and ends when it is asked to; and the vault is whole."""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types

sys.dont_write_bytecode = True  # leaves nothing in the sources
import faults  # noqa: E402
from matrix import FAULT_CODES, REPEATED, WORKERS, Fault, Matrix  # noqa: E402
from scenes import Scene, commands  # noqa: E402

SERVED = ("find", "play", "hold")
BUSY = 11  # the service may say that it cannot take one more now
PATIENCE = 45  # seconds for the service to end: longer than it waits for any client
CONFIG = """
[service]
requests_per_minute = 100000
openings_per_minute = 100000
listings_per_minute = 100000

[service.people]
officer = "{}"
"""


class Service:
    """`keeper serve` on the vault of a slot, with a fault or without."""

    def __init__(self, slot, library, fault=None):
        self.log = slot.folder + ".served"
        env = slot.environment()
        if fault:
            env.update(LD_PRELOAD=library, CALLVAULT_FAULT=fault, CALLVAULT_FAULT_LOG=self.log)
        if os.path.exists(self.log):
            os.remove(self.log)
        self._process = subprocess.Popen([slot.scene.binary, "keeper", "serve", "--socket", slot.folder + "/keeper.sock"], env=env,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                         start_new_session=True, preexec_fn=faults._still_addresses if fault else None)
        self.said = self._first_words()
        self.serves = "serving at" in self.said

    def _first_words(self):
        out, until = b"", time.monotonic() + PATIENCE
        while b"\n" not in out and time.monotonic() < until:
            if select.select([self._process.stderr], [], [], 0.5)[0]:
                more = os.read(self._process.stderr.fileno(), 4096)
                if not more:
                    break
                out += more
        return out.decode("utf-8", "replace")

    def hits(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def alive(self):
        return self._process.poll() is None

    def end(self):
        """Its exit code, or nothing when it had to be killed."""
        try:
            if self.alive() and self.serves:
                self._process.send_signal(signal.SIGTERM)
            _, err = self._process.communicate(timeout=PATIENCE)
            self.said += err.decode("utf-8", "replace")
            return self._process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            return None


class Trial:
    """One command over the socket: how it ends undisturbed, and where either side can be disturbed."""

    def __init__(self, command, matrix, scene):
        self.command, self.matrix, self.scene = command, matrix, scene
        command.bind(scene)
        at = len(command.words[:1])
        command.words[at:at] = ["--socket", "{}/keeper.sock"]
        slot = matrix.slot(scene)
        self.client = self._client(slot)
        self.server = self._server(slot)
        self.code = self.client.code
        if self.code != 0 or self.server.code != 0:
            raise RuntimeError(f"{command.name} exits {self.client.code} undisturbed, the service {self.server.code}: {self.client.err}")

    def _client(self, slot):
        slot.drop()
        slot.ready()
        service = Service(slot, None)
        done, calls = faults.calls_of(slot.words(self.command), slot.environment(), self.matrix.options.library, slot.log)
        service.end()
        return types.SimpleNamespace(command=self.command, scene=self.scene, code=done.code, calls=calls, err=done.err)

    def _server(self, slot):
        slot.drop()
        slot.ready()
        service = Service(slot, self.matrix.options.library, "io 0 0 once")
        before = len(service.hits().splitlines())
        done = faults.run(slot.words(self.command), slot.environment(), None, None)
        calls = [faults.Call(line) for line in service.hits().splitlines()]
        service.end()
        slot.drop()
        return types.SimpleNamespace(command=self.command, scene=self.scene, code=done.code, calls=calls[before:])

    def places(self, side, seen):
        one = getattr(self, side)
        for call in one.calls:
            key = (side, call.name, call.stack)
            if key in seen:
                continue
            seen.add(key)
            for error in faults.ERRORS[call.name]:
                if not (error in ("EINTR", "short") and call.path.endswith(".mdb")):  # LMDB takes either for a failure
                    yield from ((self, side, Fault(one, call, error, ever)) for ever in (False, True) if not (ever and error == "EDQUOT"))

    def run(self, side, fault):
        """What is wrong, or nothing."""
        slot = self.matrix.slot(self.scene)
        slot.drop()
        slot.ready()
        wrong = self._in_client(slot, fault) if side == "client" else self._in_server(slot, fault)
        return wrong or self._state(slot, fault)

    def _words(self, slot):
        return slot.words(self.command), slot.environment(), self.matrix.options.library

    def _in_client(self, slot, fault):
        service = Service(slot, None)
        done = faults.run(*self._words(slot), fault.text, slot.log)
        met = self._met(fault, done, done.hit)
        if done.code is None:
            wrong = "hangs"
        else:
            wrong = fault.wrong_answer(done, self.said(done)) if met else None
        return wrong or self._afterwards(slot, service, done)

    def _in_server(self, slot, fault):
        service = Service(slot, self.matrix.options.library, fault.text)
        if not service.serves:
            code = service.end()
            return None if code in FAULT_CODES else f"does not begin, and exits {code}: {service.said}"
        done = faults.run(*self._words(slot), None)
        hit = service.hits()
        met = self._met(fault, done, hit)
        if done.code is None:
            wrong = "hangs"
        elif done.code == self.code or not met:
            wrong = None
        elif not fault.ever and (fault.error == "short" or (fault.error == "EINTR" and fault.call.name in REPEATED)):
            wrong = f"is not got over: exit {done.code}: {self.said(done)}"
        else:
            wrong = None if done.code in FAULT_CODES | {BUSY} else f"is told as exit {done.code}: {self.said(done)}"
        # A fault that has not come yet still may, to whoever asks next.
        wrong = wrong or self._afterwards(slot, service, done, fault.ever or not hit)
        return f"in the service ({hit.strip() or 'not met'}): {wrong}" if wrong else None

    def _afterwards(self, slot, service, done, disturbed=False):
        """The service answers the next client, and ends when it is asked to."""
        wrong = None if service.alive() else "the service has ended"
        if not wrong and not disturbed:
            wrong = self._next(slot, "the next client")
        code = service.end()
        if not wrong and (code is None or (code != 0 and not disturbed) or code not in faults.CODES):
            wrong = f"the service ends with {code}: {service.said}"
        if not wrong and disturbed:
            service = Service(slot, None)
            wrong = self._next(slot, "with the service begun again the client")
            service.end()
        return wrong

    def _next(self, slot, who):
        again = faults.run(*self._words(slot), None)
        return None if again.code == 0 else f"{who} exits {again.code}: {self.said(again)}"

    def _state(self, slot, fault):
        if not slot.changed():
            return None
        self.matrix.judged += 1
        if fault.weighty:
            wrong = self.matrix._judge(self.command.certain, slot)
            if wrong:
                return f"afterwards {wrong}"
        for words in (("check", "--deep"), ("journal", "verify")):
            wrong = slot.must(*words)
            if wrong:
                return f"afterwards {wrong}"
        return None

    def _met(self, fault, done, hit):
        met = fault.met(hit)
        with self.matrix._lock:
            self.matrix.runs += 1
            self.matrix.missed += not met
            self.matrix.outcomes[fault.error][done.code] += 1
        return met

    @staticmethod
    def said(done):
        return re.sub(r"\n", " | ", done.err.strip() or done.out.strip())[:300]


def main():
    parser = argparse.ArgumentParser()
    for name in ("binary", "library", "explorer"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--side", choices=("client", "server", "both"), default="both")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seconds = options.seconds or (float("inf") if options.long else 7)
    began = time.monotonic()
    work = tempfile.mkdtemp(prefix="callvault-served-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        matrix = Matrix(options, work)
        scene = Scene(options.binary, work, "office")
        with open(scene.run.folder + "/vault/vault.toml", "a", encoding="utf-8") as file:
            file.write(CONFIG.format(os.getuid()))
        trials = [Trial(c, matrix, scene) for c in commands() if c.name in SERVED]
        seen = set()
        jobs = [job for trial in trials for side in ("client", "server") if options.side in (side, "both")
                for job in trial.places(side, seen)]
        total = len(jobs)
        random.Random(options.seed).shuffle(jobs)
        start = time.monotonic()

        def attempt(job):
            if time.monotonic() - start >= seconds:
                return
            trial, side, fault = job
            wrong = trial.run(side, fault)
            if wrong:
                matrix.problems.append(wrong)
                print(f"PROBLEM: {side}: {fault}: {wrong}", flush=True)

        with concurrent.futures.ThreadPoolExecutor(max_workers=WORKERS) as pool:
            collections.deque(pool.map(attempt, jobs), maxlen=0)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for error, codes in sorted(matrix.outcomes.items()):
        print(f"{error:8}", "  ".join(f"exit {c}: {n}" for c, n in sorted(codes.items(), key=str)))
    print(f"{matrix.runs} of {total} faults, {matrix.judged} states looked at, {matrix.missed} not reached, {len(matrix.problems)} problems, "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if matrix.problems else 0)


if __name__ == "__main__":
    main()
