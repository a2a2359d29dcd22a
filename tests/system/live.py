#!/usr/bin/env python3
"""A call governed from another process while it runs: pauses, resumptions, refusals, consent.

  live.py CALLVAULT                     the tests
  live.py --seeded BUILD SOURCE         breaks one guarantee at a time and expects them to notice
"""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from rig import RATE, Failed, Rig, expect, main, tone
from users import OWNER, Accounts

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import survivors  # noqa: E402

FRAME = RATE // 50 * 2  # bytes of 20 ms
BEFORE, SECRET, AFTER = 440, 2500, 800  # hertz: what is said, and when
EDGE = 0.06  # s: the codec's own, and half frames
HEARD = 900  # of 9000: what the edges of other tones have of that pitch stays below


class Live:
    """A call that is spoken as a telephone system does: 20 ms of sound each 20 ms. `say` is what."""

    def __init__(self, rig, *words, stall=False):
        self.rig, self.hertz, self.at, self.ended = rig, BEFORE, 0, False
        self.log = []  # (first sample, hertz)
        self.process = rig.start("--json", "ingest", "--direction", "in", "--format", "s16le", "--rate", str(RATE),
                                 *(words or ("--consent", "granted")), stdin=subprocess.PIPE)
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.thread.start()
        self.id = json.loads(self.process.stdout.readline())["id"]

    def _feed(self):
        wave = {}
        while not self.ended:
            hertz = self.hertz
            if hertz not in wave:
                wave[hertz] = tone(1, hertz)
            if not self.log or self.log[-1][1] != hertz:
                self.log.append((self.at, hertz))
            start = self.at * 2 % (RATE * 2)
            try:
                os.write(self.process.stdin.fileno(), wave[hertz][start:start + FRAME])
            except OSError:
                return
            self.at += FRAME // 2
            time.sleep(max(0.0, self.began + self.at / RATE - time.monotonic()))

    def say(self, hertz):
        """From here on. Returns the first sample that may sound so."""
        self.hertz = hertz
        return self.at

    def runs(self):
        return self.process.poll() is None

    def hang_up(self):
        self.ended = True
        self.thread.join()
        out, err = self.process.communicate(timeout=30)
        expect(self.process.returncode == 0, f"the recorder exits {self.process.returncode}: {err!r}")
        return json.loads(out.splitlines()[-1])


def level(samples, hertz, first, last):
    """How loud a tone of that pitch is between two samples: its amplitude."""
    part = samples[first:last]
    if len(part) < RATE // 100:
        return 0.0
    turn = 2 * math.pi * hertz / RATE
    real = sum(s * math.cos(turn * i) for i, s in enumerate(part))
    imaginary = sum(s * math.sin(turn * i) for i, s in enumerate(part))
    return 2 * math.hypot(real, imaginary) / len(part)


def loudest(samples, hertz, first=0, last=None):
    last = len(samples) if last is None else last
    step = RATE // 50
    return max((level(samples, hertz, i, i + step) for i in range(first, max(first, last - step), step)), default=0.0)


def events(rig, call):
    return [(line["event"], line.get("actor")) for line in rig.json("journal", "log")
            if line.get("facts", {}).get("id") == call]


def is_silent_between(rig, call, asked, resumed):
    """Nothing of the secret anywhere; the rest is heard; the length is what was spoken."""
    samples, rate, _ = rig.play(call.id)
    expect(rate == RATE and abs(len(samples) - call.at) <= RATE // 10,
           f"{len(samples)} samples of {call.at} are played")
    edge = int(EDGE * RATE)
    expect(loudest(samples, SECRET) < HEARD, f"the secret is heard: {loudest(samples, SECRET):.0f}")
    quiet = max(map(abs, samples[asked + edge:resumed - edge]), default=0)
    expect(quiet < 60, f"no silence in a pause: {quiet}")
    expect(level(samples, BEFORE, 0, RATE // 2) > 6000, "what was said before the pause is not heard")
    expect(level(samples, AFTER, resumed + RATE, resumed + RATE + RATE // 2) > 6000,
           "what was said after the pause is not heard")


def pauses(rig, owner_first=None):
    call = Live(rig)
    act = owner_first or (lambda: rig)
    owner = act()
    time.sleep(1)
    began = time.monotonic()
    owner.json("pause", call.id)
    took = time.monotonic() - began
    paused = call.say(SECRET) + FRAME  # what is said once `pause` has returned
    time.sleep(1.5)
    again = owner.json("pause", call.id)[0]
    expect(again == {"id": call.id, "paused": True}, f"a second pause says {again}")
    time.sleep(0.5)
    resumed = call.say(AFTER)
    # Said before the resumption: in the silence, too, or not; the secret is over.
    time.sleep(0.1)
    owner.json("resume", call.id)
    resumed = call.at
    owner.fails(23, "resume", call.id, says="not paused")
    time.sleep(1.8)
    length = call.hang_up()["duration_s"]
    expect(abs(length - call.at / RATE) < 0.1, f"{length} s of {call.at / RATE} s")
    owner.fails(23, "pause", call.id, says="the call has ended")  # and settles it
    is_silent_between(owner, call, paused, resumed - RATE // 10)
    told = [event for event, _ in events(owner, call.id) if event in ("paused", "resumed")]
    expect(told == ["paused", "paused", "resumed"], f"the journal tells {told}")
    owner.fails(23, "pause", call.id, says="the call has ended")
    owner.fails(23, "resume", call.id, says="the call has ended")
    left = [name for name in os.listdir(owner.vault + "/incoming") if name.startswith(call.id)]
    expect(left == [], f"left in incoming/: {left}")
    return took


def stalls(rig):
    """The recorder sleeps over a pause and wakes after it: what lies in the pipe was said in the pause."""
    call = Live(rig)
    time.sleep(0.6)
    rig.good("pause", call.id)
    paused = call.say(SECRET) + FRAME
    time.sleep(0.3)
    call.process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    call.say(AFTER)
    resume = rig.start("resume", call.id)
    time.sleep(0.5)
    call.process.send_signal(signal.SIGCONT)
    resume.communicate(timeout=20)
    expect(resume.returncode == 0, f"resume exits {resume.returncode}")
    resumed = call.at
    time.sleep(1.8)
    call.hang_up()
    rig.good("recover")
    is_silent_between(rig, call, paused, resumed - RATE)


def goes_unanswered(rig):
    """A recorder that is stopped: the pause is an error, and stays."""
    call = Live(rig)
    time.sleep(0.6)
    call.process.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    rig.fails(11, "pause", call.id, says="does not answer; the pause was asked for and stays")
    call.say(SECRET)
    call.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    call.say(AFTER)
    time.sleep(0.4)
    # It answered meanwhile. That is no answer to another request.
    call.process.send_signal(signal.SIGSTOP)
    rig.fails(11, "pause", call.id, says="does not answer")
    call.process.send_signal(signal.SIGCONT)
    time.sleep(0.4)
    rig.good("resume", call.id)
    time.sleep(0.5)
    # Paused when it ends.
    rig.good("pause", call.id)
    call.say(SECRET)
    time.sleep(0.4)
    call.hang_up()
    rig.good("recover")
    samples, _, _ = rig.play(call.id)
    # What came before the recorder woke is not promised; nothing was acknowledged.
    expect(loudest(samples, SECRET, int(2 * RATE)) < HEARD, "the secret is heard")
    told = [event for event, _ in events(rig, call.id)]
    expect(told.count("unanswered") == 4, f"the journal tells {told}")
    expect(os.listdir(rig.vault + "/incoming") == [], "control files are left")


def dies(rig):
    call = Live(rig)
    time.sleep(1.5)
    rig.good("pause", call.id)
    call.say(SECRET)
    time.sleep(1.5)
    call.process.send_signal(signal.SIGKILL)
    call.ended = True
    call.process.communicate()
    rig.fails(23, "pause", call.id, says="the call has ended")
    rig.good("recover")
    expect(os.listdir(rig.vault + "/incoming") == [], "control files are left")
    samples, _, _ = rig.play(call.id)
    expect(len(samples) > RATE and loudest(samples, SECRET) < HEARD, "the secret is heard")


def refuses(rig, *words, party="caller", how="refused"):
    """How long a refusal takes to end the call, from the start of the command."""
    call = Live(rig, *(words or ("--consent", "granted")))
    time.sleep(1)
    times = {}

    def watch():
        call.process.wait()
        times["ended"] = time.monotonic()

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    told = rig.json("consent", call.id, "--party", party, "--set", how)[0]
    watcher.join(10)
    expect("ended" in times, "the call goes on after a refusal")
    took = times["ended"] - began
    expect(took < 2, f"the call goes on for {took:.1f} s after a refusal")
    call.hang_up()
    expect(told["ended"] is True, f"consent tells {told}")
    return call, told, took


def refusals(rig):
    call, told, took = refuses(rig)
    expect(told["shredded"] is True, f"consent tells {told}")
    rig.fails(21, "pause", call.id, says="is gone")
    rig.good("prove-gone", call.id)
    expect(os.listdir(rig.vault + "/incoming") == [], f"left: {os.listdir(rig.vault + '/incoming')}")
    call, told, _ = refuses(rig, "--consent", "pending", how="withdrawn")
    expect(told["shredded"] is True, f"consent tells {told}")
    call, told, _ = refuses(rig, "--consent", "granted", "--basis", "contract")
    expect(told["shredded"] is False and told["kept_because"] == "contract", f"consent tells {told}")
    shown = rig.json("show", call.id)[0]
    expect(shown["state"] == "live" and shown["consent"] == "refused" and shown["ended_at"], f"show tells {shown}")
    changed = [line["facts"] for line in rig.json("journal", "log")
               if line["event"] == "consent_changed" and line["facts"]["id"] == call.id]
    expect(changed == [{"id": call.id, "party": "caller", "consent": "refused", "ended": "yes"}], f"told: {changed}")
    # One party's: the call ends, the other's voice stays.
    left, right = tone(2, 440), tone(2, 700)
    both = b"".join(left[i:i + 2] + right[i:i + 2] for i in range(0, len(left), 2))
    process = rig.start("--json", "ingest", "--direction", "in", "--format", "s16le", "--channels", "caller,agent",
                        "--consent", "granted", "--rate", str(RATE), stdin=subprocess.PIPE)
    process.stdin.write(both)
    process.stdin.flush()
    two = json.loads(process.stdout.readline())["id"]
    told = rig.json("consent", two, "--party", "agent", "--set", "refused")[0]
    process.communicate(timeout=20)
    expect(told["ended"] and told["shredded"] and process.returncode == 0, f"consent tells {told}")
    shown = rig.json("show", two)[0]
    expect([track["name"] for track in shown["tracks"]] == ["caller"], f"show tells {shown}")
    return took


def grants(rig):
    """Pending until it is granted while the call runs; what was granted stays."""
    call = Live(rig, "--consent", "pending", "--caller", "0722123456")
    time.sleep(0.5)
    told = rig.json("consent", call.id, "--party", "caller", "--set", "granted")[0]
    expect(told["ended"] is False and call.runs(), f"a grant ends the call: {told}")
    shown = rig.json("show", call.id)[0]
    expect(shown["state"] == "in_progress" and shown["consent"] == "granted", f"show tells {shown}")
    time.sleep(0.5)
    call.hang_up()
    shown = rig.json("show", call.id)[0]
    expect(shown["state"] == "live" and shown["consent"] == "granted", f"show tells {shown}")
    samples, _, _ = rig.play(call.id)
    expect(level(samples, BEFORE, 0, RATE // 2) > 6000, "not played")


def wrong_names(rig):
    for verb in ("pause", "resume"):
        rig.fails(20, verb, "a" * 26, says="no recording")
        rig.fails(2, verb, "abc", says="id")
        rig.fails(2, verb)
        rig.fails(2, verb, "A" * 26)
        rig.fails(12, verb, "a" * 26, env={"CALLVAULT_USER": "nobody"})
    call = Live(rig)
    rig.fails(23, "resume", call.id, says="the call is not paused")
    call.hang_up()
    rig.good("erase", call.id, "--request", "R-1", "--reason", "asked")
    rig.fails(21, "pause", call.id, says="gone")


def across_accounts(binary):
    """Recorder and vault under accounts of their own; another recorder's answer counts for nothing."""
    if os.geteuid() != 0:
        print("SKIPPED: recorder and vault under two accounts: needs root")
        return
    rig = Rig("live-users", binary, make=False)
    try:
        accounts = Accounts(rig)
        os.chmod(rig.folder, 0o755)
        os.chmod(rig.folder + "/passphrase", 0o644)
        rig.env["CALLVAULT_PASSPHRASE_COMMAND"] = "cat " + rig.env.pop("CALLVAULT_PASSPHRASE_FILE")
        shutil.copy(binary, rig.folder + "/callvault")
        os.chmod(rig.folder + "/callvault", 0o755)
        os.mkdir(rig.folder + "/srv")
        os.chown(rig.folder + "/srv", OWNER, OWNER)
        rig.binary, rig.vault = rig.folder + "/callvault", rig.folder + "/srv/vault"
        rig.keeper = rig.vault + ".keeper"
        rig.env["CALLVAULT_DIR"] = rig.vault
        accounts.become(accounts.owner).good("init", rig.vault, "--unsafe-keeper", "--unsafe-fast-passphrase",
                                             "--recorder-group", accounts.group)
        accounts.become(accounts.recorder)
        pauses(rig, lambda: accounts.become(accounts.owner))
        accounts.become(accounts.recorder)
        call = Live(rig)
        accounts.become(accounts.owner)
        time.sleep(0.4)
        call.process.send_signal(signal.SIGSTOP)
        answers = threading.Event()
        answer = f"{rig.vault}/incoming/{call.id}.paused"
        forger = threading.Thread(target=forge, args=(answer, accounts.second, answers))
        forger.start()
        try:
            rig.fails(11, "pause", call.id, says="does not answer")
        finally:
            answers.set()
            forger.join()
            call.process.send_signal(signal.SIGCONT)
        # As the owner of the folder it may take the forged one away.
        rig.good("pause", call.id)
        rig.json("consent", call.id, "--party", "caller", "--set", "refused")
        call.hang_up()
        expect(os.listdir(rig.vault + "/incoming") == [], "control files are left")
        rig.sound()
    finally:
        rig.identity = {}
        rig.remove()


def forge(path, who, over):
    """Another recorder's account answers in place of the one that is asked."""
    while not over.wait(0.02):
        if os.path.lexists(path):
            continue
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(who["extra_groups"])
                os.setgid(who["group"])
                os.setuid(who["user"])
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o660))
            finally:
                os._exit(0)
        os.waitpid(child, 0)


def with_rig(binary, scenario):
    if scenario is across_accounts:
        return across_accounts(binary)
    rig = Rig("live", binary)
    try:
        done = scenario(rig)
        rig.sound()
        return done
    finally:
        rig.remove()


def test(binary):
    took = with_rig(binary, pauses)
    refused = with_rig(binary, refusals)
    for scenario in (stalls, goes_unanswered, dies, grants, wrong_names, across_accounts):
        with_rig(binary, scenario)
    print(f"a pause was answered within {took * 1000:.0f} ms, a refusal ended the call within {refused * 1000:.0f} ms")


def seeds():
    """Name, guarantee, where it shows, and what is changed."""
    recorder, control = "vault/capture/recorder.cc", "vault/capture/control.cc"
    return [
        ("pause_ignored", "what is said in a pause is not encoded", pauses, recorder,
         "if (was_silent || requests_->paused() || silent_frames_ > 0) std::fill", "if (false) std::fill"),
        ("backlog_heard", "what was said in a pause and is read after it is not encoded", stalls, recorder,
         "silent_frames_ = (ms * source_->rate_hz() + 999) / 1000;", "silent_frames_ = ms * 0;"),
        ("pause_not_awaited", "a pause is done when the recorder has answered", goes_unanswered, control,
         "if (asked) return is_answered(layout, id);", "if (asked) return true;"),
        ("old_answer_counts", "an answer is one to this request", goes_unanswered, control,
         "  CALLVAULT_TRY(os::remove_file(paused_path(layout, id)));\n  return put_request", "  return put_request"),
        ("answer_of_anyone", "only the recorder's own answer counts", across_accounts, control,
         "return owner && *owner == *answer;", "return true;"),
        ("refusal_not_heard", "a refusal ends the call", refusals, control,
         "  CALLVAULT_TRY(put_request(layout.incoming() / sealed::stop_file_name(id)));\n", ""),
    ]


def seeded(build, source):
    runs = [(name, guarantee, lambda program, run=scenario: with_rig(program, run), *change)
            for name, guarantee, scenario, *change in seeds()]
    sys.exit(1 if survivors(build, source, runs, Failed) else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        main(lambda _: seeded(*sys.argv[2:]))
    main(test)
