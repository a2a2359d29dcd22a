"""The recorded runs: each kind of command that changes something, with what it promises."""

import json
import math
import os
import struct
import time

from recording import Recording
from scenario import Vault, make_wav

CALLER, OTHER = "0722123456", "0733555777"
PERIOD_MS = 24 * 3600 * 1000
LEAD = 4  # seconds until what shall expire has expired


def stereo(seconds):
    """Two parties."""
    return b"".join(struct.pack("<hh", int(7000 * math.sin(i * i / 9e4) * math.sin(i / 700)), int(5000 * math.sin(i / 13)))
                    for i in range(int(8000 * seconds)))


class Run:
    """A vault in a folder, the command, and the recording of what follows `begin`."""

    def __init__(self, binary, work, name):
        self.work, self.name = work, name
        self.folder = f"{work}/{name}"
        os.makedirs(self.folder)
        self.passphrase, self.sound = f"{work}/passphrase", f"{work}/short.wav"
        if not os.path.exists(self.passphrase):
            with open(os.open(self.passphrase, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write("correct horse\n")
            with open(os.open(work + "/passphrase.new", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write("battery staple\n")
            make_wav(self.sound, 0.4)
        self.vault = Vault(binary, self.folder, self.passphrase)
        self.recording = None
        self.made = []

    def init_words(self):
        return ("init", self.folder + "/vault", "--organisation", "Example SRL", "--unsafe-keeper",
                "--unsafe-fast-passphrase", "--time-zone", "UTC", "--retention", "1d", "--quiet")

    def init(self):
        self.vault.must(*self.init_words())
        return self

    def call(self, caller, *more):
        self.made.append(self.vault.must("ingest", self.sound, "--direction", "in", "--caller", caller, "--consent",
                                         "granted", "--quiet", *more).strip())
        return self.made[-1]

    def begin(self, life_in=0.0):
        """What has been made so far must last. `life_in`: seconds until what shall expire has expired."""
        self.recording = Recording(self.folder, f"{self.work}/{self.name}.recording")
        now = int(time.time() * 1000)
        self.recording.fact("clock", str(now), str(now + int(life_in * 1000) + 60000))
        self.recording.fact("files", self.passphrase, self.sound)
        if self.name != "init":
            self.recording.fact("vault")
        for one in self.made:
            self.recording.fact("started", one)
            self.recording.fact("made", one)

    def do(self, *words, **more):
        return self.recording.run([self.vault.binary, *words], self.vault.environment(), **more)

    def record(self, *words, **more):
        """A call, as part of the recording."""
        out = self.do("ingest", *words, "--direction", "in", "--caller", OTHER, "--consent", "granted", "--json",
                      tells_of_calls=True, **more)
        return json.loads(out.splitlines()[0])["id"]

    def change(self, subject, kept, *words):
        """A command after which `kept` holds; while it runs nobody knows what holds of `subject`."""
        self.recording.fact("change", subject)
        out = self.do(*words)
        for one in kept:
            self.recording.fact("kept", *one)
        return out

    def shred(self, ids, *words, codes=(0,), **more):
        self.recording.fact("shred", *ids)
        self.do(*words, codes=codes, **more)
        if more.get("inject") is None:
            self.recording.fact("shredded")

    def end(self):
        self.recording.close()
        return self.recording.path


def init(binary, work):
    run = Run(binary, work, "init")
    run.begin()
    run.do(*run.init_words())
    run.recording.fact("vault")
    return run.end()


def live(binary, work):
    run = Run(binary, work, "live").init()
    run.call(CALLER)
    run.begin()
    run.record("--format", "s16le", "--channels", "caller,agent", sound=stereo(7))
    # The disk fails once: the call goes on in a new segment.
    run.record("--format", "s16le", "--channels", "caller,agent", sound=stereo(6), inject="fdatasync:error=EIO:when=3")
    run.record(run.sound)
    run.do("find")
    return run.end()


def settle(binary, work):
    run = Run(binary, work, "settle").init()
    first, second = run.call(CALLER), run.call(OTHER)
    run.begin()
    third = run.record(run.sound)
    run.do("find")
    run.recording.fact("done")
    run.change(first, [("held", first)], "hold", first, "--matter", "case 88")
    run.change(second, [("restricted", second)], "restrict", second, "--reason", "disputed")
    run.record(run.sound)
    run.change(first, [("free", first)], "unhold", first, "--matter", "case 88")
    run.change(third, [("held", third)], "hold", third, "--matter", "case 89")
    run.change(second, [("free", second)], "unrestrict", second, "--reason", "settled")
    return run.end()


def office(binary, work):
    run = Run(binary, work, "office").init()
    run.call(CALLER)
    run.begin()
    fresh = work + "/passphrase.new"
    run.change("ana", [("person", "ana"), ("passphrase", f"ana@{run.passphrase}")],
               "person", "add", "ana", "--role", "reviewer", "--new-passphrase-file", run.passphrase)
    run.change(OTHER, [("optout", OTHER)], "opt-out", "add", OTHER, "--request", "R-1")
    out = run.do("request", "open", "--kind", "access", "--channel", "email", "--name", "Ion", "--json")
    request = json.loads(out)["id"]
    run.recording.fact("kept", "request", f"{request}=open")
    run.change("ana@", [("passphrase", f"ana@{fresh}")], "person", "passwd", "ana", "--new-passphrase-file", fresh)
    run.change(request, [("request", f"{request}=decided")], "request", "decide", request, "--decision", "granted")
    run.change(request, [("request", f"{request}=closed")], "request", "close", request)
    run.change("person ana", [("disabled", "ana")], "person", "disable", "ana")
    run.change(OTHER, [("optin", OTHER)], "opt-out", "remove", OTHER)
    return run.end()


def _prepared_for_erasure(binary, work, name):
    """Three calls of one caller, of which one still waits; and others that stay."""
    run = Run(binary, work, name).init()
    victims = [run.call(CALLER), run.call(CALLER, "--channels", "mixed")]
    run.call(OTHER)
    run.vault.must("find")
    victims.append(run.call(CALLER))
    run.call(OTHER)
    run.begin()
    return run, victims


ERASE = ("erase", "--caller", CALLER, "--request", "R-1", "--reason", "asked by letter")


def erase(binary, work):
    run, victims = _prepared_for_erasure(binary, work, "erase")
    run.shred(victims, *ERASE)
    last = run.record(run.sound)
    run.shred([last], "erase", last, "--request", "R-2", "--reason", "asked again")
    return run.end()


def withdraw(binary, work):
    run = Run(binary, work, "withdraw").init()
    one, two = run.call(CALLER), run.call(CALLER)
    run.vault.must("find")
    run.begin()
    run.shred([one], "consent", one, "--party", "caller", "--set", "withdrawn")
    run.change(two, [("held", two)], "hold", two, "--matter", "case 90")
    return run.end()


def mirror(binary, work):
    """A shred with both keepers there, one while the mirror is away, and the mirror's return."""
    run = Run(binary, work, "mirror").init()
    one, two, _ = run.call(CALLER), run.call(CALLER), run.call(OTHER)
    run.vault.must("find")
    run.begin()
    run.do("keeper", "mirror", run.folder + "/vault.mirror", "--unsafe-keeper")
    run.recording.fact("done")
    run.shred([one], "erase", one, "--request", "R-1", "--reason", "asked")
    run.recording.renamed("vault.mirror", "vault.mirror.away")
    run.recording.fact("shred", two)
    run.do("erase", two, "--request", "R-2", "--reason", "asked", codes=(3,))
    run.recording.fact("done")
    run.recording.renamed("vault.mirror.away", "vault.mirror")
    run.do("recover")
    run.recording.fact("shredded")
    return run.end()


def purge(binary, work):
    run = Run(binary, work, "purge").init()
    due = time.time() + LEAD
    past = ("--started-at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due - PERIOD_MS / 1000)))
    victims = [run.call(CALLER, *past), run.call(OTHER, *past)]
    held = run.call(CALLER, *past)
    run.call(OTHER)
    run.vault.must("hold", held, "--matter", "case 88", "--quiet")
    run.begin(life_in=LEAD)
    run.recording.fact("kept", "held", held)
    run.recording.fact("expiring", *victims)
    run.record(run.sound)
    time.sleep(max(0.0, due + 1 - time.time()))
    run.shred(victims, "purge")
    return run.end()


def reindex(binary, work):
    run = Run(binary, work, "reindex").init()
    one, _, _ = run.call(CALLER), run.call(OTHER), run.vault.must("find")
    run.vault.must("erase", one, "--request", "R-1", "--reason", "asked")
    run.made.remove(one)
    run.call(OTHER)
    run.begin()
    run.do("reindex")
    run.recording.fact("done")
    run.record(run.sound)
    run.do("find")
    return run.end()


def _commit_of(path):
    """Which fsync of a recorded erasure makes the rotation's directory durable."""
    syncs, rotating, renamed = 0, False, False
    with open(path, encoding="utf-8") as file:
        for line in file:
            rotating = rotating or (line.startswith("write") and "vault.keeper/root" in line)
            renamed = renamed or (rotating and line.startswith("move") and line.rstrip().endswith("vault/keys/directory"))
            if line.startswith("sync") and line.rstrip().endswith(" fsync"):
                syncs += 1
                if renamed:
                    return syncs
    raise RuntimeError("the commit of a rotation is not found in a recording")


def _killed_and_recovered(binary, work, name, back):
    run, victims = _prepared_for_erasure(binary, work, name)
    nth = _commit_of(work + "/erase.recording") - back
    run.shred(victims, *ERASE, codes=(-9, 137), inject=f"fsync:error=EIO:signal=SIGKILL:when={nth}")
    run.do("recover")
    run.recording.fact("done")
    run.do("recover")
    run.shred(victims, *ERASE, codes=(0, 20))
    return run.end()


def recover_finishes(binary, work):
    return _killed_and_recovered(binary, work, "recover-finishes", 0)


def recover_undoes(binary, work):
    return _killed_and_recovered(binary, work, "recover-undoes", 1)


def recover_live(binary, work):
    """The recorder dies in the middle of a call; the next command makes it whole."""
    run = Run(binary, work, "recover-live").init()
    run.call(CALLER)
    run.begin()
    run.do("ingest", "--direction", "in", "--caller", OTHER, "--consent", "granted", "--json", "--format", "s16le",
           "--channels", "caller,agent", sound=stereo(5), tells_of_calls=True, codes=(-9, 137),
           inject="fdatasync:error=EIO:signal=SIGKILL:when=6")
    run.recording.fact("ended")
    run.do("recover")
    run.recording.fact("done")
    run.record(run.sound)
    return run.end()


# In this order: two of recovery look at the recording of `erase`.
RUNS = (init, live, settle, office, erase, withdraw, mirror, purge, reindex, recover_finishes, recover_undoes, recover_live)

