#!/usr/bin/env python3
"""Many calls in one process: what is told on a connection, who may connect, and that no call suffers for another.

  listen.py CALLVAULT                   the tests
  listen.py --seeded BUILD SOURCE       breaks one guarantee at a time and expects them to notice
"""

import json
import os
import shutil
import signal
import socket
import sys
import time

from rig import RATE, Failed, Rig, expect, main, speech

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from feeder import Connections, Feeder  # noqa: E402
from mutation import survivors  # noqa: E402

CALLS = 20
MOST_LOST = 2.0  # s: what is promised


class Listener:
    def __init__(self, rig, *words, calls=CALLS, most=64, under=()):
        self.rig = rig
        self.path = rig.folder + "/calls.sock"
        self.recorders = Connections(lambda *w, **m: rig.start(*w, under=under, **m), self.path, most,
                                     ("--complexity", "0", *words))
        self.feeder = Feeder(self.recorders, speech(60), RATE)
        self.feeder.open(calls, a_second=200)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for call in self.feeder.calls:
            if call.socket:
                call.socket.close()
        if self.recorders.process.poll() is None:
            self.recorders.process.kill()
        self.recorders.process.wait()

    def calls(self, seconds):
        self.feeder.run(seconds)
        return self.feeder.calls

    def connect(self, line, pcm=b""):
        one = socket.socket(socket.AF_UNIX)
        one.settimeout(20)
        one.connect(self.path)
        one.sendall(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        if pcm:
            one.sendall(pcm)
        return one

    def answer(self, one):
        """All lines until the other side ends."""
        text = b""
        while part := one.recv(65536):
            text += part
        one.close()
        return [json.loads(line) for line in text.splitlines()]


def whole(calls, but=()):
    for call in calls:
        if call.number in but:
            continue
        expect(call.error is None and call.dropped == 0, f"call {call.number}: {call.error}, {call.dropped} frames dropped")
        expect(call.sealed and abs(call.sealed["duration_s"] - call.frames * 0.02) < 0.001,
               f"call {call.number} of {call.frames * 0.02:.2f} s: {call.sealed}")


def governs(rig):
    """A pause, a refusal and an erasure reach the one call among many; SIGTERM seals the others."""
    with Listener(rig) as at:
        calls = at.calls(1)
        while not all(c.id for c in calls):
            at.feeder.run(0.1)
        rig_calls = [rig.start("--json", *words) for words in (
            ("pause", calls[3].id), ("consent", calls[5].id, "--party", "caller", "--set", "refused"))]
        at.feeder.run(2, until=lambda: all(p.poll() is not None for p in rig_calls))
        told = [(p.wait(20), p.communicate()[0]) for p in rig_calls]
        expect([code for code, _ in told] == [0, 0], f"a pause and a refusal of one among {CALLS}: {told}")
        expect(json.loads(told[1][1])["shredded"] is True, f"consent tells {told[1]}")
        paused_at = calls[3].frames
        at.feeder.run(1.5)
        expect(at.recorders.end() == 0, "SIGTERM does not end it well")
        at.feeder.await_end()
        expect(not os.path.exists(at.path), "its socket is left")
        whole(calls, but=(5,))
        samples, _, _ = rig.play(calls[3].id)
        quiet = max(map(abs, samples[(paused_at + 5) * RATE // 50:]), default=0)
        expect(quiet < 60, f"no silence in a pause: {quiet}")
        samples, _, _ = rig.play(calls[4].id)
        expect(max(map(abs, samples[(paused_at + 5) * RATE // 50:])) > 500, "a pause of one silences another")
        expect(rig.run("show", calls[5].id).code == 21, "the refused call is still there")


def dies(rig):
    """SIGKILL with 20 live calls: each is recovered, and loses two seconds at most."""
    with Listener(rig) as at:
        calls = at.calls(3)
        expect(all(c.id for c in calls), "not every call has begun after 3 s")
        at.recorders.end(signal.SIGKILL)
        rig.good("recover")
        lost = []
        for call in calls:
            samples, _, _ = rig.play(call.id)
            lost.append(call.frames * 0.02 - len(samples) / RATE)
        expect(len(lost) == CALLS and max(lost) <= MOST_LOST, f"lost: {sorted(lost)[-3:]} s of {len(lost)} calls")
        again = Listener(rig, calls=1)  # the name of a dead one's socket is free
        with again:
            again.calls(0.5)
            again.feeder.hang_up()
            whole(again.feeder.calls)
        return max(lost)


def suffers_alone(rig):
    """What clients do wrong, and a disk that fails for one: the others do not notice."""
    if not shutil.which("strace"):
        print("SKIPPED: a failed sync among many calls: needs strace")
    under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
             "inject=fdatasync:error=EIO:when=7"] if shutil.which("strace") else []
    with Listener(rig, "--idle", "2", calls=6, most=16, under=under) as at:
        at.calls(0.5)
        begun = time.monotonic()
        mute = at.connect({"direction": "in"})  # says nothing
        slow = at.connect(b'{"direction":')
        stops = at.connect({"direction": "in", "consent": "granted"}, bytes(8000))
        bad = [at.connect(b"x" * 70000), at.connect({"direction": "in", "format": "wav"}),
               at.connect({"direction": "in", "number": "0722000001"}), at.connect({"consent": "granted"})]
        odd = at.connect({"direction": "in", "consent": "granted"}, bytes(16001))  # half a sample too much
        odd.shutdown(socket.SHUT_WR)
        rude = at.connect({"direction": "in", "consent": "granted"}, bytes(16000))
        rude.close()
        at.feeder.run(4.5)
        for one in bad:
            told = at.answer(one)
            expect(len(told) == 1 and told[0]["error"]["code"] == "usage", f"a bad line is answered {told}")
            expect("0722000001" not in json.dumps(told), "the answer quotes a value")
        told = at.answer(odd)
        expect([t["type"] for t in told] == ["started", "sealed"] and told[1]["duration_s"] == 1, f"odd: {told}")
        told = at.answer(stops)
        expect([t["type"] for t in told] == ["started", "sealed"] and told[1]["duration_s"] == 0.5,
               f"a call without audio for --idle: {told}")
        at.feeder.run(max(0.0, begun + 6 - time.monotonic()))
        told = at.answer(slow)
        expect(told[0]["error"]["code"] == "usage", f"half a line: {told}")
        mute.close()
        at.feeder.hang_up()
        whole(at.feeder.calls)
        expect(at.recorders.end() == 0, "SIGTERM does not end it well")
    found = [line["duration_s"] for line in rig.json("find")]
    expect(found.count(1.0) == 2, f"the call of who closed at once is not kept: {sorted(found)[:5]}")


def is_full(rig):
    with Listener(rig, calls=2, most=2) as at:
        at.calls(0.5)
        told = at.answer(at.connect({"direction": "in"}))
        expect(told[0]["error"]["code"] == "busy", f"one call too many: {told}")
        at.feeder.hang_up()
        whole(at.feeder.calls)


def knows_who(rig):
    if os.geteuid() != 0:
        print("SKIPPED: a connection of another account: needs root")
        return
    with Listener(rig, calls=1) as at:
        expect(os.stat(at.path).st_mode & 0o7777 == 0o600, f"the socket has mode {os.stat(at.path).st_mode:o}")
        at.calls(0.3)
        os.chmod(rig.folder, 0o755)
        os.chmod(at.path, 0o666)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(61003)
                os.setuid(61003)
                os.write(write, json.dumps(at.answer(at.connect(b""))).encode())
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        told = os.read(read, 65536)
        os.close(read)
        expect(b'"refused"' in told, f"another account is answered {told!r}")
        at.feeder.hang_up()
        whole(at.feeder.calls)


SCENARIOS = (governs, dies, suffers_alone, is_full, knows_who)


def with_rig(binary, scenario):
    rig = Rig("listen", binary)
    try:
        done = scenario(rig)
        rig.sound()
        return done
    finally:
        rig.remove()


def test(binary):
    lost = [with_rig(binary, scenario) for scenario in SCENARIOS][1]
    print(f"of {CALLS} calls whose listener was killed, each lost {lost:.2f} s at most")


def seeds():
    """Name, guarantee, where it shows, and what is changed."""
    live, listener = "vault/capture/live_calls.cc", "vault/capture/listener.cc"
    return [
        ("rare_turns", "a call loses two seconds at most", dies, live,
         "if (std::exchange(line->rests, false)) due_.push_back(line.get());",
         "static int looks = 0; if (++looks % 401 == 0 && std::exchange(line->rests, false)) due_.push_back(line.get());"),
        ("anyone", "only the vault's own may connect", knows_who, listener,
         'return fail(Errc::refused, "this account may not record here");', "return {};"),
        ("no_limit", "no more calls than allowed", is_full, listener,
         "calls_.count() + newcomers_.size() >= options_.most", "calls_.count() > 4096"),
        ("waits_for_the_silent", "a call without audio ends", suffers_alone, live,
         "if (now - line.heard > options_.idle) recording.end();", ""),
        ("error_ends_all", "a failed sync of one call is that call's", suffers_alone, "vault/capture/track_recorder.cc",
         "  if (had_worked) last_try_ = SteadyTime{};", "  std::terminate();"),
        ("term_cuts", "SIGTERM seals what was said", governs, listener,
         "    while (calls_.count() > 0) {", "    while (false) {"),
    ]


def seeded(build, source):
    runs = [(name, guarantee, lambda program, run=scenario: with_rig(program, run), *change)
            for name, guarantee, scenario, *change in seeds()]
    sys.exit(1 if survivors(build, source, runs, (Failed, OSError)) else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        main(lambda _: seeded(*sys.argv[2:]))
    main(test)
