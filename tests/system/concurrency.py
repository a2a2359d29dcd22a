#!/usr/bin/env python3
"""Fifty calls at once, while purges, listings and one erasure run: nothing that was sealed is lost."""

import datetime
import json
import os
import selectors
import signal
import threading
import time

from rig import RATE, Failed, Rig, expect, main, pitch, tone

CALLS = 50
SECONDS = 3.0
PURGES = 6
FINDERS = 3


class Call:
    def __init__(self, rig, number):
        self.number = number
        self.caller = f"+407{number:08d}"
        # Lengths and pitches differ, so that no recording can stand for another.
        self.seconds = SECONDS + 0.1 * (number % 10)
        self.hertz = 300 + 20 * number
        self.pcm = tone(self.seconds, self.hertz)
        self.fed = 0
        self.killed = None
        self.out = b""
        self.process = rig.start("--json", "ingest", "--direction", "in", "--caller", self.caller, "--consent",
                                 "granted", "--format", "s16le", "--rate", str(RATE), stdin=-1)
        os.set_blocking(self.process.stdin.fileno(), False)

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def id(self):
        return self.lines()[0]["id"] if b"\n" in self.out else None

    def feed(self, elapsed):
        """As a telephone system does: 20 ms of sound each 20 ms."""
        due = min(len(self.pcm), int(elapsed * RATE) * 2)
        if self.process.stdin.closed:
            return
        try:
            while self.fed < due:
                self.fed += os.write(self.process.stdin.fileno(), self.pcm[self.fed:due])
            if self.fed == len(self.pcm):
                self.process.stdin.close()
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.process.stdin.close()


def background(rig, problems, stop):
    """Purges and listings until `stop`; what they end with is documented, and never that something is broken."""

    def repeat(words, codes, least):
        rounds = 0
        while not stop.is_set() or rounds < least:
            done = rig.run(*words)
            if done.code not in codes:
                problems.append(str(done))
                return
            rounds += 1

    jobs = [threading.Thread(target=repeat, args=(("purge",), (0, 3, 11), PURGES))]
    for words in (("find",), ("--json", "find", "--caller", "+40700000007"), ("status",))[:FINDERS]:
        jobs.append(threading.Thread(target=repeat, args=(words, (0, 11, 25), 3)))
    for job in jobs:
        job.start()
    return jobs


def feed_all(rig, calls, erased):
    """Feeds until every recorder has ended. Returns what the erasure of a live call ended with."""
    begun, erasure = time.monotonic(), None
    watch = selectors.DefaultSelector()
    for call in calls:
        os.set_blocking(call.process.stdout.fileno(), False)
        watch.register(call.process.stdout, selectors.EVENT_READ, call)
    while watch.get_map():
        elapsed = time.monotonic() - begun
        if elapsed > 45:
            raise Failed("recorders do not end")
        for call in calls:
            call.feed(elapsed)
        for key, _ in watch.select(0.02):
            data = os.read(key.fd, 65536)
            key.data.out += data
            if not data:
                watch.unregister(key.fileobj)
        if erasure is None and elapsed > 1 and erased.id():
            erasure = rig.start("--json", "erase", erased.id(), "--request", "R-1", "--reason", "asked by letter")
        for call in calls:
            if call.killed and elapsed > 2 and call.id() and call.process.poll() is None:
                call.process.send_signal(call.killed)
                call.cut = elapsed
    for call in calls:
        call.process.wait()
    expect(erasure is not None, "the erasure never began")
    erasure.communicate(timeout=60)
    return erasure.returncode


def test(binary):
    rig = Rig("concurrent", binary, init=("--retention", "1d", "--time-zone", "UTC"))
    problems, stop, jobs, calls = [], threading.Event(), [], []
    try:
        # Three calls whose day is over in the middle of it all: so the purges have something to shred.
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1) + datetime.timedelta(seconds=3)
        dying = [rig.ingest(tone(1, 440), "--started-at", start.isoformat(timespec="milliseconds"))["id"]
                 for _ in range(3)]
        jobs = background(rig, problems, stop)
        calls = [Call(rig, number) for number in range(CALLS)]
        erased, ended, killed = calls[3], calls[10], calls[20]
        ended.killed, killed.killed = signal.SIGTERM, signal.SIGKILL
        code = feed_all(rig, calls, erased)
        expect(code == 0, f"the erasure of a live call exits {code}")
        stop.set()
        for job in jobs:
            job.join()
        expect(not problems, "; ".join(problems))

        rig.good("recover")
        found = {record["id"]: record for record in rig.json("find")}
        lost = []
        for call in calls:
            stderr = call.process.stderr.read().decode()
            name = f"call {call.number} (exit {call.process.returncode}, {stderr.strip()})"
            if call is killed:
                expect(call.process.returncode == -signal.SIGKILL, name)
            else:
                expect(call.process.returncode == 0, f"{name} is not 0")
            if call is erased:
                expect(call.id() not in found, f"{name}: the erased call is found")
                rig.good("prove-gone", call.id())
                continue
            record = found.pop(call.id(), None)
            if record is None:
                lost.append(name)
                continue
            expect(record["caller"] == call.caller, f"{name}: found under {record['caller']}")
            wanted = call.seconds
            if call is killed:
                expect("interrupted" in record["flags"], f"{name}: not flagged")
                expect(record["duration_s"] <= call.cut + 2, f"{name}: {record['duration_s']} s of {call.cut} s")
            elif call is ended:
                wanted = call.lines()[1]["duration_s"]
                expect(call.cut - 0.5 <= wanted <= call.cut + 0.5, f"{name}: {wanted} s of {call.cut} s")
            else:
                expect(call.lines()[1]["type"] == "sealed", name)
                expect(record["duration_s"] is not None and abs(record["duration_s"] - wanted) < 0.001,
                       f"{name}: {record} should be of {wanted} s")
            samples, rate, channels = rig.play(call.id())
            expect((rate, channels) == (RATE, 1), f"{name}: plays at {rate} Hz in {channels} channels")
            played = len(samples) / rate
            if call is killed:  # at most 2 s are lost
                said = call.fed / 2 / RATE
                expect(said - 2 <= played <= said, f"{name}: plays {played} s of {said} s")
            else:
                expect(abs(played - wanted) < 0.03, f"{name}: plays {played} s of {wanted} s")
            heard = pitch(samples, rate)
            expect(abs(heard - call.hertz) < 8, f"{name}: {heard:.0f} Hz is heard, {call.hertz} Hz was said")
        expect(not lost, "lost: " + "; ".join(lost))
        expect(not found, f"found, but never recorded: {list(found)}")
        rig.good("purge")
        for call in dying:
            rig.good("prove-gone", call)
        rig.sound()
        expect(not os.listdir(rig.vault + "/incoming"), f"left in incoming: {os.listdir(rig.vault + '/incoming')}")
    finally:
        stop.set()
        for call in calls:
            if call.process.poll() is None:
                call.process.kill()
        for job in jobs:
            job.join()
        rig.remove()


if __name__ == "__main__":
    main(test)
