#!/usr/bin/env python3
"""A live call that is paused, resumed, and refused from another process."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time

from rig import RATE, Failed, Rig, expect, main, tone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import Build  # noqa: E402

BLOCK = 0.02


class Call:
    """A recorder that is fed in real time with a tone whose pitch can be changed."""

    def __init__(self, rig, *words):
        self.process = rig.start("--json", "ingest", "--direction", "in", "--consent", "granted", "--format", "s16le",
                                 *words, stdin=subprocess.PIPE)
        self.hertz, self.said, self.ended = 300, [], False
        self.feeder = threading.Thread(target=self._feed, daemon=True)  # a test that fails leaves it talking
        self.feeder.start()
        self.id = json.loads(self.process.stdout.readline())["id"]

    def _feed(self):
        began = time.monotonic()
        while not self.ended:
            sound = tone(1, self.hertz)[:int(RATE * BLOCK) * 2]
            try:
                self.process.stdin.write(sound)
                self.process.stdin.flush()
            except (BrokenPipeError, ValueError):
                return
            self.said.append(self.hertz)
            time.sleep(max(0.0, began + len(self.said) * BLOCK - time.monotonic()))

    def hang_up(self):
        self.ended = True
        self.feeder.join()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdin = None
        out, err = self.process.communicate(timeout=30)
        expect(self.process.returncode == 0, f"the recorder exits {self.process.returncode}: {out} {err}")


def loudness(samples, rate):
    """For each 20 ms: the loudest sample."""
    step = int(rate * BLOCK)
    return [max(abs(s) for s in samples[i:i + step]) for i in range(0, len(samples) - step, step)]


def paused(rig):
    """Of what was said between the answer to pause and the call of resume, nothing is heard."""
    call = Call(rig)
    time.sleep(0.7)
    rig.good("pause", call.id)
    first = len(call.said)
    call.hertz = 1100  # a card's number
    time.sleep(1.0)
    call.hertz = 500
    last = len(call.said)
    began = time.monotonic()
    told = rig.json("resume", call.id)[0]
    expect(told == {"id": call.id, "paused": False}, f"told {told}")
    resumed_after = time.monotonic() - began
    time.sleep(0.7)
    call.hang_up()
    rig.fails(23, "pause", call.id, says="has ended")
    samples, rate, _ = rig.play(call.id)
    loud = loudness(samples, rate)
    expect(abs(len(loud) - len(call.said)) <= 3, f"{len(loud)} blocks are heard of {len(call.said)}")
    expect(min(loud[5:20]) > 2000, f"the beginning is not heard: {loud[:25]}")
    # The codec rings for a few blocks at either edge.
    expect(max(loud[first + 3:last - 1]) < 300, f"what was said in the pause is heard: {loud[first:last]}")
    expect(min(loud[-15:-3]) > 2000, f"the end is not heard: {loud[-25:]}")
    events = [line["event"] for line in rig.json("journal", "log") if line["facts"].get("id") == call.id]
    expect(events.count("paused") == 1 and events.count("resumed") == 1, f"journalled: {events}")
    expect([n for n in os.listdir(rig.vault + "/incoming") if n.startswith(call.id)] == [], "control files are left")
    return resumed_after


def refused(rig, basis, gone):
    """A refusal ends the recording, and shreds it when it rests on consent."""
    call = Call(rig, "--basis", basis)
    time.sleep(0.5)
    began = time.monotonic()
    told = rig.run("--json", "consent", call.id, "--party", "caller", "--set", "refused")
    while call.process.poll() is None and time.monotonic() - began < 10:
        time.sleep(0.02)
    took = time.monotonic() - began
    expect(took < 3, f"the recording went on for {took:.1f} s")
    call.hang_up()
    expect(told.code in (0, 3), str(told))
    rig.good("purge")
    expect(rig.run("show", call.id).code == (21 if gone else 0), f"shown: {rig.run('show', call.id)}")
    return took


def bad_forms(rig):
    call = Call(rig)
    rig.fails(23, "resume", call.id, says="is not paused")
    rig.fails(20, "pause", "a" * 26, says="no recording")
    rig.fails((2, 20), "pause", "", says="")
    # Twice is once.
    rig.good("pause", call.id)
    rig.good("pause", call.id)
    call.hang_up()
    rig.good("recover")
    expect([n for n in os.listdir(rig.vault + "/incoming") if n.startswith(call.id)] == [], "control files are left")
    rig.fails(23, "resume", call.id, says="has ended")
    rig.good("erase", call.id, "--request", "R-1", "--reason", "asked")
    rig.fails(21, "pause", call.id, says="gone")


def test(binary, short=False):
    rig = Rig("live", binary)
    try:
        after = paused(rig)
        if short:
            return
        ended = refused(rig, "consent", True)
        refused(rig, "contract", False)
        bad_forms(rig)
        rig.sound()
        print(f"resumed within {after:.2f} s; a refusal ends the call within {ended:.2f} s")
    finally:
        rig.remove()


SEEDED = [("pause_ignored", "if (silent_) std::fill", "if (false) std::fill"),
          ("acknowledged_early", "  silent_ = true;\n", "")]


def seeded(build, source):
    maker, bad = Build(build, source), 0
    for name, old, new in SEEDED:
        with tempfile.TemporaryDirectory(prefix="callvault-seeded-") as folder:
            maker.link("cli/callvault", [maker.compile("vault/capture/recorder.cc", [(old, new)], folder)],
                       folder + "/callvault")
            try:
                test(folder + "/callvault", short=True)
                verdict = "SURVIVED"
            except Failed as why:
                verdict = "caught: " + str(why)[:100].replace("\n", " ")
        bad += verdict == "SURVIVED"
        print(f"{name}: {verdict}", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        seeded(*sys.argv[2:])
    main(test)
