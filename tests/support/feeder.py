"""Many calls at once, spoken in real time: 20 ms of sound each 20 ms into each recorder, which never holds the speaker up.

A frame that its pipe or socket does not take at once is dropped, and counted. Calls are recorders of their own (Pipes) or
connections to one 'ingest --listen' (Connections)."""

import array
import errno
import json
import os
import select
import signal
import socket
import subprocess
import time

GROUPS = 4  # calls speak at four moments within 20 ms
STEP = 0.02 / GROUPS


def doubled(pcm):
    """The same at twice the rate, by the mean of neighbours."""
    samples = array.array("h", pcm)
    out = array.array("h", bytes(4 * len(samples)))
    out[::2] = samples
    out[1::2] = array.array("h", ((a + b) // 2 for a, b in zip(samples, samples[1:] + samples[:1])))
    return out.tobytes()


def usage(pid):
    """What a process and its threads have used: CPU seconds, times a thread went to sleep."""
    ticks, sleeps = 0, 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as file:
                words = file.read().rpartition(")")[2].split()
            with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
                sleeps += next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
        except OSError:
            continue  # a thread that has ended
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK"), sleeps


def private_memory(pid):
    """PSS of what is not a shared library, in MiB. Needs root, as the recorder forbids others to look."""
    total, library = 0, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if not words[0].endswith(":"):
                library = len(words) > 5 and ".so" in os.path.basename(words[5])
            elif words[0] == "Pss:" and not library:
                total += int(words[1])
    return total / 1024


class Call:
    def __init__(self, number):
        self.number, self.group = number, number % GROUPS
        self.at = 0  # bytes into the sound
        self.first = None  # tick of its first frame
        self.frames = self.dropped = 0  # taken by the pipe; not taken
        self.id = self.sealed = self.error = None
        self.safe = []  # (when it was told, frames that are safe)
        self.text = b""
        self.process = self.socket = None
        self.write_fd = self.read_fd = -1
        self.begun = self.told_start = 0.0

    def take(self, text, now):
        *lines, self.text = (self.text + text).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if told.get("type") == "started":
                self.id, self.told_start = told["id"], now
            elif told.get("type") == "safe":
                self.safe.append((now, told["seconds"]))
            elif told.get("type") == "sealed":
                self.sealed = told
            else:
                self.error = told


class Pipes:
    """A recorder of its own for each call."""

    def __init__(self, start, words=()):
        self.start, self.words = start, words

    def open(self, call, facts):
        words = ["--json", "ingest", "--tell-safe"]
        for name, value in facts.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        call.process = self.start(*words, *self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        call.write_fd, call.read_fd = call.process.stdin.fileno(), call.process.stdout.fileno()

    def hang_up(self, call):
        if call.number % 2 == 1:
            call.process.send_signal(signal.SIGTERM)
        else:
            call.process.stdin.close()
        call.write_fd = -1

    def pids(self, calls):
        return [call.process.pid for call in calls if call.process.poll() is None]


class Connections:
    """One process for all."""

    def __init__(self, start, path, most, words=()):
        self.path = path
        self.process = start("ingest", "--listen", path, "--most", str(most), *words, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError("the listener does not come up")
            time.sleep(0.01)

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(self.path)
            except OSError:
                return False
        time.sleep(0.3)  # until it has seen that this was no call
        return True

    def open(self, call, facts):
        call.socket = socket.socket(socket.AF_UNIX)
        call.socket.connect(self.path)
        call.socket.sendall(json.dumps({**facts, "tell_safe": True}).encode() + b"\n")
        call.write_fd = call.read_fd = call.socket.fileno()

    def hang_up(self, call):
        call.socket.shutdown(socket.SHUT_WR)
        call.write_fd = -1

    def pids(self, _calls):
        return [self.process.pid]

    def end(self, how=signal.SIGTERM):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            under = file.read().split()  # it runs under strace
        os.kill(int(under[0]) if under else self.process.pid, how)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Feeder:
    def __init__(self, recorders, sound, rate, facts=lambda number: {}):
        self.recorders, self.sound, self.rate, self.facts = recorders, sound, rate, facts
        self.frame_bytes = rate // 50 * 2
        self.calls, self.opening = [], []
        self.written_at = [[] for _ in range(GROUPS)]
        self.latest = 0.0  # how late this feeder itself was, at worst
        self.poll = select.epoll()
        self.by_fd = {}
        self.begun, self.steps = None, 0

    def open(self, count, a_second=50):
        """So many more calls, a few in each step."""
        self.opening += [Call(len(self.calls) + len(self.opening) + i) for i in range(count)]
        self.each_step = max(1, int(a_second * STEP))
        self.every = max(1, int(1 / (a_second * STEP)))

    def _open_some(self):
        if not self.opening or self.steps % self.every:
            return
        for call in self.opening[:self.each_step]:
            call.at = call.number * 7919 * self.frame_bytes % (len(self.sound) - self.frame_bytes)
            call.begun = time.monotonic()
            self.recorders.open(call, {"direction": "in", "format": "s16le", "rate": self.rate, "consent": "granted",
                                       **self.facts(call.number)})
            os.set_blocking(call.write_fd, False)
            os.set_blocking(call.read_fd, False)
            self.by_fd[call.read_fd] = call
            self.poll.register(call.read_fd, select.EPOLLIN)
            self.calls.append(call)
        del self.opening[:self.each_step]

    def _speak(self, call, tick):
        sound = self.sound[call.at:call.at + self.frame_bytes]
        try:
            os.write(call.write_fd, sound)
        except OSError as why:
            if why.errno != errno.EAGAIN:
                call.error = call.error or str(why)
                call.write_fd = -1
                return
            call.dropped += 1
            return
        if call.first is None:
            call.first = tick
        call.frames += 1
        call.at += self.frame_bytes
        if call.at + self.frame_bytes > len(self.sound):
            call.at = 0

    def run(self, seconds, until=lambda: False):
        """Speaks for so long."""
        if self.begun is None:
            self.begun = time.monotonic()
        end = self.steps + int(seconds / STEP)
        while self.steps < end and not until():
            due = self.begun + self.steps * STEP
            now = time.monotonic()
            if now < due:
                time.sleep(due - now)
            else:
                self.latest = max(self.latest, now - due)
            group = self.steps % GROUPS
            tick = len(self.written_at[group])
            self.written_at[group].append(time.monotonic())
            for call in self.calls[group::GROUPS]:
                if call.write_fd >= 0:
                    self._speak(call, tick)
            self._open_some()
            self.hear(0)
            self.steps += 1

    def hear(self, timeout):
        for fd, _ in self.poll.poll(timeout, 256):
            call = self.by_fd[fd]
            try:
                text = os.read(fd, 65536)
            except BlockingIOError:
                continue
            except OSError:
                text = b""
            if text:
                call.take(text, time.monotonic())
            else:
                self.poll.unregister(fd)
                del self.by_fd[fd]

    def hang_up(self, patience=60):
        for call in self.calls:
            if call.write_fd >= 0:
                self.recorders.hang_up(call)
        self.await_end(patience)

    def await_end(self, patience=60):
        until = time.monotonic() + patience
        while self.by_fd and time.monotonic() < until:
            self.hear(0.1)
        for call in self.calls:
            if call.process:
                call.process.wait(10)
            if call.socket:
                call.socket.close()

    def latencies(self):
        """Of each frame that was told safe: how long after its writing."""
        out = Latencies()
        for call in self.calls:
            done = 0
            for when, seconds in call.safe:
                safe = min(int(seconds * 50 + 1e-6), call.frames)
                for written in self.written_at[call.group][call.first + done:call.first + safe]:
                    out.add(when - written)
                done = max(done, safe)
        return out


class Latencies:
    """How many of them, by 5 ms: an hour of many calls has too many frames to keep."""

    def __init__(self):
        self.counts, self.count = {}, 0

    def add(self, seconds):
        self.counts[int(seconds * 200)] = self.counts.get(int(seconds * 200), 0) + 1
        self.count += 1

    def within(self, share):
        """So many seconds that this share of them is below."""
        seen = 0
        for step in sorted(self.counts):
            seen += self.counts[step]
            if seen >= share * self.count:
                return (step + 1) / 200
        return float("nan")

