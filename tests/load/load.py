#!/usr/bin/env python3
"""Many live calls beside everything else: no frame is dropped, and what is said is durable in time.

  load.py CALLVAULT [--recorders N] [--rate HZ] [--complexity N] [--seconds S | --minutes M] [--listen | --pipes]
                    [--alone] [--ahead] [--seeded BUILD SOURCE]

Calls speak in real time (tests/support/feeder.py) while others purge, erase, rebuild the index, find and play. Then every
frame that was spoken must be in the recordings. A frame counts as dropped when its pipe or socket does not take it at
once. It counts as durable when its recorder says so (--tell-safe), which it does when the sync has returned.

Without options: 10 recorders of their own and 10 connections, 4 s each. --alone: nothing else at work.
--ahead: all of it runs ahead of what else the machine does, as on one of its own: calls and
speakers first, as CPUWeight of the unit has it, then the rest (real-time scheduling; needs root)."""

import argparse
import os
import random
import resource
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "system")]
from feeder import Connections, Feeder, Pipes, doubled, private_memory, usage  # noqa: E402
from mutation import survivors  # noqa: E402
from rig import Failed, Rig, expect, main, speech  # noqa: E402

MOST_LATENCY = 1.5  # s, of 999 in 1000 frames
FINE = {0, 3, 11, 20, 21, 25}  # of what others do: busy, gone meanwhile, overdue


def run_ahead(priority):
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))


class Others:
    """A purge, a rebuilt index, erasures, and two reviewers, over and over."""

    def __init__(self, rig, seconds, ahead):
        self.ahead, self.rig, self.over, self.counts, self.problems = ahead, rig, threading.Event(), {}, []
        sound = speech(20)
        self.old = [rig.ingest(sound, "--consent", "granted", "--complexity", "0")["id"] for _ in range(12)]
        self.spare = [rig.ingest(speech(2), "--consent", "granted", "--complexity", "0")["id"] for _ in range(min(60, 4 + int(seconds) // 2))]
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.keep, self.review, self.review)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def do(self, *words):
        done = self.rig.run(*words, timeout=120)
        self.counts[words[0]] = self.counts.get(words[0], 0) + 1
        if done.code not in FINE:
            self.problems.append(str(done))
        self.over.wait(0.2)

    def keep(self):
        if self.ahead:
            run_ahead(5)
        while not self.over.is_set():
            self.do("purge")
            if self.spare:
                self.do("erase", self.spare.pop(), "--request", "R-1", "--reason", "asked")
            self.do("reindex")

    def review(self):
        if self.ahead:
            run_ahead(5)
        chance = random.Random(threading.get_ident())
        while not self.over.is_set():
            self.do("find", "--caller", "0722000001")
            self.do("play", chance.choice(self.old), "--purpose", "complaint")


def is_crowded():
    return os.getloadavg()[0] > 2 * (os.cpu_count() or 1)


class Nobody:
    counts, problems = {}, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def sound_of(rate):
    pcm = speech(240)
    return doubled(pcm) if rate == 16000 else pcm


def run(binary, kind, options):
    """One load: what was measured."""
    rig = Rig("load", binary)
    recorders = None
    try:
        others = Nobody() if options.alone else Others(rig, options.seconds, options.ahead)
        # It has no terminal, and its messages are not of interest.
        start = rig.start
        words = ("--complexity", str(options.complexity))
        if kind == "listen":
            recorders = Connections(start, rig.folder + "/calls.sock", options.recorders + 8, words)
        else:
            recorders = Pipes(lambda *w, **m: start(*w, **{"stderr": None, **m}), words)
        feeder = Feeder(recorders, sound_of(options.rate), options.rate, lambda n: {"caller": f"07220{n % 50:05}"})
        with others:
            feeder.open(options.recorders)
            # Until all of them speak, and then the time that was asked for.
            feeder.run(options.recorders / 50 + 0.5)
            pids = recorders.pids(feeder.calls)
            used, began = [usage(p) for p in pids], time.monotonic()
            feeder.run(options.seconds)
            elapsed = time.monotonic() - began
            now = [usage(p) for p in pids]
            memory = measure_memory(pids[:20])
            load = os.getloadavg()[0]
            feeder.run(0.3)  # in the middle of it, not after a rest
            feeder.hang_up(15 if options.seeded else 60)
            if kind == "listen":
                expect(recorders.end() == 0, "the listener does not end well")
                recorders = None
        judge(rig, feeder, others)
        late = feeder.latencies()
        calls = len(feeder.calls)
        cpu = sum(b[0] - a[0] for a, b in zip(used, now)) / elapsed
        sleeps = sum(b[1] - a[1] for a, b in zip(used, now)) / elapsed / calls
        starts = sorted(c.told_start - c.begun for c in feeder.calls)
        print(f"{kind}: {calls} calls at {options.rate} Hz, complexity {options.complexity}, {options.seconds:g} s: "
              f"{sum(c.frames for c in feeder.calls)} frames, 0 dropped, all in the recordings\n"
              f"  durable after: median {late.within(0.5):.2f} s, p99 {late.within(0.99):.2f} s, "
              f"p99.9 {late.within(0.999):.2f} s, worst {late.within(1):.2f} s\n"
              f"  recorders: {cpu:.2f} cores, {sleeps:.1f} wake-ups a second and call{memory_text(kind, memory, calls)}\n"
              f"  started after: median {starts[len(starts) // 2] * 1e3:.0f} ms, worst {max(starts) * 1e3:.0f} ms; "
              f"feeder late by {feeder.latest * 1e3:.0f} ms at worst; load {load:.1f}\n"
              f"  beside: " + (", ".join(f"{n} {w}" for w, n in sorted(others.counts.items())) or "nothing"), flush=True)
        return late.within(0.999)
    finally:
        if recorders is not None and kind == "listen":
            recorders.process.kill()
            recorders.process.wait()
        rig.remove()


def measure_memory(pids):
    try:
        return [private_memory(p) for p in pids]
    except OSError:
        return []


def memory_text(kind, memory, calls):
    if not memory:
        return ""
    each = sum(memory) / (calls if kind == "listen" else len(memory))
    return f", {each:.2f} MiB a call (PSS without shared libraries)"


def judge(rig, feeder, others):
    """Every frame that was spoken is there, in length for all and in sound for some."""
    expect(not others.problems, "beside the calls: " + " | ".join(others.problems[:3]))
    dropped = sum(c.dropped for c in feeder.calls)
    expect(dropped == 0, f"{dropped} frames of {sum(c.dropped > 0 for c in feeder.calls)} calls were not taken in time")
    for call in feeder.calls:
        expect(call.sealed is not None and call.error is None, f"call {call.number}: {call.error or 'not sealed'}")
        missing = call.frames * 0.02 - call.sealed["duration_s"]
        expect(abs(missing) < 0.001, f"call {call.number}: {missing:.3f} s of {call.frames * 0.02:.2f} are missing")
    for call in feeder.calls[::max(1, len(feeder.calls) // 5)]:
        samples, _, _ = rig.play(call.id)
        expect(abs(len(samples) - call.frames * feeder.rate // 50) <= 2, f"call {call.number} plays {len(samples)} samples")
    rig.sound()


def test(options):
    for kind in options.kinds:
        slowest = run(options.binary, kind, options)
        crowded = options.crowded or is_crowded()
        expect(slowest <= (2 * MOST_LATENCY if options.seeded else MOST_LATENCY) or (crowded and not options.seeded), f"{kind}: p99.9 of what was said is durable after {slowest:.2f} s")


def seeds():
    """Name, guarantee, kind, and what is changed."""
    live, recorder = "vault/capture/live_calls.cc", "vault/capture/recorder.cc"
    track, byte = "vault/capture/track_recorder.cc", "vault/codec/byte_input.cc"
    return [
        ("hang_up_cuts", "what had arrived at a hang-up is sealed", "pipes", recorder,
         "if (poll() && !call_->live) return false;", "if (poll()) return false;"),
        ("rest_left", "what had arrived at a hang-up is sealed", "listen", live,
         "while (more && *more && (is_last || recording.has_frame()))", "while (more && *more && recording.has_frame())"),
        ("slow_reader", "a frame waits in no pipe until it is full", "pipes", byte,
         "os::let_gather(fd_, gathering_);", "os::let_gather(fd_, gathering_ * 60);"),
        ("lazy_sync", "what is said is durable in time", "listen", track,
         "return is_old || now - held_since_ >= kSyncInterval;", "return now - held_since_ >= 5 * kSyncInterval;"),
    ]


def seeded(build, source, options):
    options.alone, options.recorders, options.seconds = True, 6, 6

    def scenario(kind):
        def run_one(program):
            options.binary, options.kinds = program, [kind]
            test(options)
        return run_one
    runs = [(name, guarantee, scenario(kind), *change) for name, guarantee, kind, *change in seeds()]
    sys.exit(1 if survivors(build, source, runs, Failed) else 0)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", type=os.path.abspath)
    parser.add_argument("--recorders", type=int, default=10)
    parser.add_argument("--rate", type=int, default=8000, choices=(8000, 16000))
    parser.add_argument("--complexity", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--listen", action="store_true")
    parser.add_argument("--pipes", action="store_true")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--ahead", action="store_true")
    parser.add_argument("--seeded", nargs=2)
    options = parser.parse_args()
    if options.ahead:
        run_ahead(6)
    if options.minutes:
        options.seconds = options.minutes * 60
    options.kinds = [k for k in ("pipes", "listen") if getattr(options, k)] or ["pipes", "listen"]
    # How long a sync takes says little where others are at work.
    options.crowded = is_crowded()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return options


if __name__ == "__main__":
    chosen = parse()
    if chosen.seeded:
        main(lambda _: seeded(*chosen.seeded, chosen))
    main(lambda _: test(chosen))
