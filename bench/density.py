"""How many calls in real time one core holds, for bench/run. docs/PERFORMANCE.md, "Live density", explains."""

import fcntl
import os
import struct
import subprocess
import sys
import termios
import time
import wave
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))
from feeder import Connections, Feeder, Pipes, private_memory, usage  # noqa: E402

COMPLEXITY = 5
LATE = 25  # frames that wait, 0.5 s: what waits longer is not durable 1.5 s after it was spoken
STEP_SECONDS = 2.0
CONSENT = {"consent": "implied", "notice": "2026-01", "notice_played": "yes"}


def waits(call, per_frame):
    """Frames that were spoken and are not taken yet."""
    request = termios.TIOCOUTQ if call.socket else termios.FIONREAD
    taken = struct.unpack("i", fcntl.ioctl(call.write_fd, request, b"\0" * 4))[0]
    return taken / per_frame


def cost_of_a_frame(frame_bytes, sockets):
    """What one frame counts for in the queue of a socket; in a pipe, its bytes."""
    if not sockets:
        return frame_bytes
    import socket
    one, other = socket.socketpair()
    one.send(bytes(frame_bytes))
    cost = struct.unpack("i", fcntl.ioctl(one.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
    one.close()
    other.close()
    return max(1, cost)


class Ramp:
    """Adds calls until frames are late."""

    def __init__(self, bench, kind, sound, rate, limit):
        self.bench, self.kind, self.limit, self.rate = bench, kind, limit, rate
        vault = bench.new_vault("density-" + kind)
        self.processes = []
        words = ["--complexity", str(COMPLEXITY)]
        self.recorders = (Connections(self.start_in(vault), str(bench.work / "calls.sock"), 4000, words)
                          if kind == "listen" else Pipes(self.start_in(vault), words))
        self.feeder = Feeder(self.recorders, sound, rate,
                             lambda n: {**CONSENT, "notice_played": True} if kind == "listen" else CONSENT)
        self.per_frame = cost_of_a_frame(rate // 50 * 2, kind == "listen")

    def start_in(self, vault):
        environment = self.bench.environment | {"CALLVAULT_DIR": str(vault)}

        def start(*words, **options):
            options.setdefault("stderr", subprocess.DEVNULL)
            ahead = ["taskset", "-c", "0", *self.bench.ahead]
            return subprocess.Popen([*ahead, str(self.bench.program), *words], env=environment, **options)
        return start

    def step(self, seconds):
        """The share of looks that found a call late."""
        looks = late = 0
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.feeder.run(0.1)
            for call in self.feeder.calls:
                if call.write_fd >= 0 and call.id:
                    looks += 1
                    late += waits(call, self.per_frame) > LATE
        return late / max(1, looks)

    def run(self):
        count = int(self.limit * (0.7 if self.kind == "listen" else 0.5))
        step = max(2, int(self.limit * 0.025))
        self.feeder.open(count)
        self.step(count / 50 + 2)
        self.resting = self.at_rest()
        held = 0
        while count < self.limit * 1.2:
            self.feeder.open(step if held else 0)
            count += step if held else 0
            if held:
                self.step(STEP_SECONDS / 2)  # to begin a call costs more than to go on with it
            late = self.step(STEP_SECONDS)
            if late > 0.01:
                break
            held = count
        self.count = count
        return held

    def at_rest(self):
        """Calls, cores, wake-ups a second and call, MiB a call."""
        pids = self.recorders.pids(self.feeder.calls)
        before, began = [usage(p) for p in pids], time.monotonic()
        self.feeder.run(3)
        after, elapsed = [usage(p) for p in pids], time.monotonic() - began
        calls = len(self.feeder.calls)
        cores = sum(b[0] - a[0] for a, b in zip(before, after)) / elapsed
        sleeps = sum(b[1] - a[1] for a, b in zip(before, after)) / elapsed / calls
        try:
            some = pids[:10]
            memory = sum(private_memory(p) for p in some) / (calls if self.kind == "listen" else len(some))
        except OSError:
            memory = None
        return calls, cores, sleeps, memory

    def end(self):
        self.feeder.hang_up()
        if self.kind == "listen":
            self.recorders.end()


def run(bench):
    rate = 8000
    audio = bench.speech(1 if bench.options.quick else 8)
    with wave.open(str(audio)) as file:
        sound, seconds = file.readframes(file.getnframes()), file.getnframes() / rate
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # Ahead of all others a process still leaves them a twentieth of its core: the same for both sides.
    time_of = "wall_ms" if bench.options.realtime else "cpu_ms"
    if bench.options.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(11))
    try:
        bare = min(bench.measure(["taskset", "-c", "0", bench.build / "bench/bare_opus", audio, COMPLEXITY])[time_of]
                   for _ in range(3)) / 1000 / seconds
        limit = 1 / bare
        bench.info("one core: libopus' own limit", f"{limit:.0f} calls at 8 kHz, complexity {COMPLEXITY}")
        for kind, what in (("listen", "ingest --listen"), ("pipes", "a process a call")):
            ramp = Ramp(bench, kind, sound, rate, limit if not bench.options.quick else 40)
            try:
                held = ramp.run()
            finally:
                ramp.end()
            calls, cores, sleeps, memory = ramp.resting
            told = f"one core, {what}: calls before a frame is late / libopus' own limit"
            if kind == "listen":
                bench.figure(told, held / limit, "x", 0.9, at_least=True)
            else:
                bench.info(told, f"{held / limit:.4g} x")
            bench.info("  calls; feeder late at worst", f"{held}; {ramp.feeder.latest * 1e3:.0f} ms")
            if memory is None:
                bench.info(f"{what}: memory a call", "not measured: the process forbids others to look (run as root)")
            else:
                bench.figure(f"{what}: memory a call (PSS without shared libraries, {calls} calls)", memory, "MiB", 2)
            bench.info("  CPU / libopus; wake-ups a second and call", f"{cores / (calls * bare):.3f} x; {sleeps:.1f}")
    finally:
        os.sched_setaffinity(0, range(os.cpu_count()))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
