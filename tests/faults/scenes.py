"""Vaults in use, every command upon them, and what must hold whatever becomes of it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "crash"))
from runs import CALLER, LEAD, OTHER, PERIOD_MS, Run, stereo  # noqa: E402

RECIPIENT = "age1t0wffutnsk50cefv0gzjenygchska74n7ukjyjvkkef6aqrvaepqekt4kv"
AGAIN, FREE = "0744000111", "0744000222"
NOT_STATE = {"lock", "lock.mdb"}


class Scene:
    """A vault to start from. `places` are what {NAME} stands for in a command's words; {} is the folder it is used in."""

    def __init__(self, binary, work, name):
        self.run = Run(binary, work, name)
        self.places, self.kept = {}, []
        self.work, self.name, self.binary = work, name, binary
        os.makedirs(self.run.folder + "/out")
        getattr(self, "_make_" + name)()
        if self.run.recording is None:
            self.run.begin()
        self.run.end()
        with open(self.run.recording.path, encoding="utf-8") as file:
            self._lines = file.read()

    def _must(self, *words):
        return self.run.vault.must(*words)

    def _calls(self):
        run = self.run.init()
        self.places.update(ONE=run.call(CALLER), TWO=run.call(OTHER))
        self._must("find")

    def _file(self, name, text):
        path = f"{self.run.folder}/out/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _make_office(self):
        """Everything an office has; one call is not settled."""
        self._calls()
        run, must = self.run, self._must
        must("person", "add", "ana", "--role", "reviewer", "--new-passphrase-file", run.passphrase)
        must("opt-out", "add", AGAIN)
        must("alias", "add", "0722000001", "0722000002")
        must("hold", self.places["TWO"], "--matter", "case 2")
        must("notice", "add", "v1", "--text", self._file("notice", "We record calls.\n"), "--from", "2026-01-01")
        must("breach", "open", "--summary", "a laptop was lost")
        both = self.places["BOTH"] = run.call(CALLER, "--agent", "ana")
        gone = self.places["GONE"] = run.call(OTHER)
        run.made.remove(gone)
        must("erase", gone, "--request", "R-1", "--reason", "asked")
        for kind, name in (("access", "REQUEST"), ("copy", "COPY")):
            self.places[name] = json.loads(must(
                "request", "open", "--kind", kind, "--channel", "post", "--number", CALLER, "--requester", "caller",
                "--document-hash", hashlib.sha256(b"letter").hexdigest(), "--json"))["id"]
        must("request", "decide", self.places["COPY"], "--decision", "granted")
        must("request", "party", self.places["COPY"], "--party", "agent", "--recording", both, "--answer", "yes")
        must("review", "split", "--of", "3", "--need", "2", "-o", run.folder + "/out/shares")
        run.call(OTHER)
        self.places["SEALED"] = next(os.path.relpath(os.path.join(place, f), run.folder) for place, _, files in
                                     os.walk(run.folder + "/vault/recordings") for f in files)
        self.kept = [("person", "ana"), ("optout", AGAIN), ("held", self.places["TWO"]), ("free", both),
                     ("passphrase", f"ana@{run.passphrase}"), ("request", self.places["REQUEST"] + "=open")]

    def _make_empty(self):
        self.run.name = "init"  # no vault is promised

    def _make_marked(self):
        """One call is held, another restricted."""
        self._calls()
        self._must("hold", self.places["ONE"], "--matter", "case 1")
        self._must("restrict", self.places["TWO"], "--reason", "disputed")
        self.kept = [("held", self.places["ONE"]), ("restricted", self.places["TWO"])]

    def _make_duty(self):
        """A text that nobody has accepted: nobody hears anything, and the judge neither."""
        self._calls()
        self._file("duty", "What is heard here stays here.\n")
        self._must("person", "assess", "officer", "--date", "2026-01-01")
        self._must("duty", "set", self.run.folder + "/out/duty")

    def _make_expired(self):
        """Two calls whose time has come, in two buckets with survivors."""
        run = self.run.init()
        due = time.time() + LEAD
        past = ("--started-at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due - PERIOD_MS / 1000)))
        self.victims = [run.call(CALLER, *past), run.call(OTHER, *past)]
        held = run.call(CALLER, *past)
        run.call(OTHER)
        self._must("hold", held, "--matter", "case 88", "--quiet")
        time.sleep(max(0.0, due + 1 - time.time()))
        run.begin()
        run.recording.fact("expiring", *self.victims)
        self.kept = [("held", held)]

    def _make_begun(self):
        """An erasure that died in the middle."""
        self._calls()
        run = self.run
        run.vault.run("erase", *self.places.values(), "--request", "R-1", "--reason", "asked",
                      under=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e",
                             "inject=pwrite64:signal=SIGKILL:when=12"])
        run.call(OTHER)
        self.victims = list(self.places.values())

    def _make_lost(self):
        """A backup, and a vault whose sealed files and people are gone."""
        self._calls()
        self.run.call(OTHER)
        self._must("backup", self.run.folder + "/out/backup")
        self.run.begin()  # judged by what the backup brings back
        self.run.end()
        for name in ("recordings", "people"):
            shutil.rmtree(f"{self.run.folder}/vault/{name}")

    def recording(self, label, facts):
        """A file for crash_explorer: what there was, and these facts."""
        path = f"{self.work}/{self.name}-{label}.recording"
        with open(path, "w", encoding="utf-8") as file:
            file.write(self._lines + "".join("fact " + " ".join(f) + "\n" for f in facts))
        with open(path + ".bytes", "wb"):
            pass
        return path


def as_of_now(recording, path):
    """The same with the time of now, for who must not stand before the last purge."""
    now = int(time.time() * 1000)
    with open(recording, encoding="utf-8") as file, open(path, "w", encoding="utf-8") as out:
        out.write(file.read() + f"fact clock {now} {now + 60000}\n")
    with open(path + ".bytes", "wb"):
        pass
    return path


class Command:
    """words, in which {ONE} and the like are places of the scene and {} the folder; what is in doubt while it runs and
    certain when it was told done; or what it shreds."""

    def __init__(self, name, scene, words, change=None, done=(), shreds=(), sound=None, undoes=False):
        self.name, self.scene, self.words, self.change, self.done = name, scene, words, change, done
        self.shreds, self.sound = shreds, sound
        self.undoes = undoes  # a shred that was begun, maybe

    def bind(self, scene):
        def fill(word):
            for name, value in scene.places.items():
                word = word.replace("{" + name + "}", value)
            return word.replace("{work}", scene.work).replace("{pass}", scene.run.passphrase)

        self.words = [fill(w) for w in self.words]
        change = fill(self.change) if self.change else None
        shreds = [fill(w) for w in self.shreds] or (scene.victims if self.shreds == "*" else [])
        if self.shreds == "*":
            shreds = scene.victims
        kept = [("kept", *f) for f in scene.kept]
        doubt = [("change", change)] if change else []
        dying = [("shred", *shreds)] if shreds else []
        done = [("kept", *map(fill, f)) for f in self.done] + ([("shredded",)] if shreds and not self.undoes else [])
        self.doubtful = scene.recording(self.name + "-doubt", kept + doubt + dying)
        self.certain = scene.recording(self.name + "-done", kept + doubt + dying + done)


def commands():
    out = []

    def add(name, *words, scene="office", **more):
        out.append(Command(name, scene, list(words), **more))

    add("init", "init", "{}/vault", "--organisation", "Example SRL", "--unsafe-keeper", "--unsafe-fast-passphrase",
        "--time-zone", "UTC", scene="empty")
    add("ingest", "ingest", "{work}/short.wav", "--direction", "in", "--caller", OTHER, "--consent", "granted", "--json")
    add("live", "ingest", "--direction", "in", "--caller", OTHER, "--consent", "granted", "--json", "--format", "s16le",
        "--channels", "caller,agent", sound=stereo(3))
    add("find", "find")
    add("show", "show", "{ONE}")
    add("play", "play", "{ONE}", "--purpose", "complaint", "--reason", "asked")
    add("export", "play", "{ONE}", "--purpose", "complaint", "--reason", "asked", "-o", "{}/out/heard.wav", "--quiet")
    add("pause", "pause", "{ONE}")
    add("consent", "consent", "{ONE}", "--party", "caller", "--set", "granted")
    add("withdraw", "consent", "{ONE}", "--party", "caller", "--set", "withdrawn", shreds=["{ONE}"])
    add("hold", "hold", "{ONE}", "--matter", "case 1", change="{ONE}", done=[("held", "{ONE}")])
    add("unhold", "unhold", "{ONE}", "--matter", "case 1", scene="marked", change="{ONE}", done=[("free", "{ONE}")])
    add("erase", "erase", "--caller", CALLER, "--request", "R-1", "--reason", "asked by letter", change="{BOTH}",
        shreds=["{ONE}", "{BOTH}"])
    add("purge", "purge", scene="expired", shreds="*")
    add("prove-gone", "prove-gone", "{GONE}")
    add("inspect", "inspect", "{}/{SEALED}")
    add("check", "check", "--deep")
    add("recover", "recover", scene="begun", shreds="*", undoes=True)
    add("reindex", "reindex")
    add("status", "status")
    add("doctor", "doctor")
    add("backup", "backup", "{}/out/backup", "--verify")
    add("restore", "restore", "{}/out/backup", scene="lost")
    add("may-record", "may-record", FREE)
    add("opt-out-add", "opt-out", "add", FREE, done=[("optout", FREE)])
    add("opt-out-remove", "opt-out", "remove", AGAIN, change=AGAIN, done=[("optin", AGAIN)])
    add("alias-add", "alias", "add", "0722000001", "0722000003")
    add("alias-remove", "alias", "remove", "0722000002")
    add("alias-show", "alias", "show", "0722000001")
    add("rectify", "rectify", "{ONE}", "--set", "agent=ana", "--request", "R-1")
    add("restrict", "restrict", "{ONE}", "--reason", "disputed", done=[("restricted", "{ONE}")])
    add("unrestrict", "unrestrict", "{TWO}", "--reason", "over", scene="marked", change="{TWO}", done=[("free", "{TWO}")])
    add("request-open", "request", "open", "--kind", "erase", "--channel", "post", "--name", "Ana")
    add("request-assign", "request", "assign", "{REQUEST}", "--to", "officer")
    add("request-decide", "request", "decide", "{REQUEST}", "--decision", "granted", change="{REQUEST}",
        done=[("request", "{REQUEST}=decided")])
    add("request-extend", "request", "extend", "{REQUEST}", "--reason", "complex")
    add("request-party", "request", "party", "{REQUEST}", "--recording", "{ONE}", "--party", "caller", "--answer", "yes")
    add("request-close", "request", "close", "{COPY}")
    add("request-show", "request", "show", "{REQUEST}")
    add("request-list", "request", "list")
    add("request-answer", "request", "answer", "{REQUEST}", "-o", "{}/out/answer")
    add("breach-open", "breach", "open", "--summary", "a lost key")
    add("breach-assess", "breach", "assess", "B-2026-0001", "--risk", "some", "--reason", "unencrypted")
    add("breach-notify", "breach", "notify", "B-2026-0001", "--whom", "authority", "--reference", "A-1")
    add("breach-note", "breach", "note", "B-2026-0001", "--text", "told the office")
    add("breach-show", "breach", "show", "B-2026-0001")
    add("breach-list", "breach", "list")
    add("breach-scope", "breach", "scope", "--from", "2026-01-01", "--to", "2027-01-01", "--exposed", "disk")
    add("notice-add", "notice", "add", "v2", "--text", "{}/out/notice", "--from", "2026-11-01")
    add("notice-list", "notice", "list")
    add("notice-show", "notice", "show", "v1")
    add("report-processing", "report", "processing")
    add("report-data-map", "report", "data-map")
    add("report-retention", "report", "retention")
    add("report-accesses", "report", "accesses")
    add("report-requests", "report", "requests")
    add("report-notice", "report", "notice", "{ONE}")
    add("copy", "copy", "{BOTH}", "--request", "{COPY}", "--purpose", "complaint", "--recipient", RECIPIENT, "-o",
        "{}/out/copy.age")
    add("disclose", "disclose", "{ONE}", "{TWO}", "--authority", "Parchetul", "--reference", "123/P/2026", "--basis",
        "Art. 170 CPP", "--recipient", RECIPIENT, "-o", "{}/out/bundle.age")
    add("keeper-rotate", "keeper", "rotate")
    add("keeper-status", "keeper", "status")
    add("review-split", "review", "split", "--of", "3", "--need", "2", "-o", "{}/out/shares-2")
    add("review-join", "review", "join", "{}/out/shares/share-1-of-3", "{}/out/shares/share-3-of-3", "--name", "joined",
        "--new-passphrase-file", "{pass}")
    add("person-add", "person", "add", "mara", "--role", "auditor", "--new-passphrase-file", "{work}/passphrase.new",
        done=[("person", "mara"), ("passphrase", "mara@{work}/passphrase.new")])
    add("person-assess", "person", "assess", "ana", "--date", "2026-01-01")
    add("person-accept", "person", "accept", scene="duty")
    add("person-renew", "person", "renew", "ana", "--until", "2099-01-01")
    add("person-list", "person", "list")
    add("person-show", "person", "show", "ana")
    add("person-passwd", "person", "passwd", "ana", "--new-passphrase-file", "{work}/passphrase.new", change="ana@",
        done=[("passphrase", "ana@{work}/passphrase.new")])
    add("person-disable", "person", "disable", "ana", change="ana", done=[("disabled", "ana")])
    add("duty-set", "duty", "set", "{}/out/duty", scene="duty")
    add("duty-show", "duty", "show", scene="duty")
    add("approvals-list", "approvals", "list")
    add("journal-log", "journal", "log")
    add("journal-verify", "journal", "verify")
    add("journal-checkpoint", "journal", "checkpoint")
    add("journal-prove", "journal", "prove", "--index", "1")
    return out


class Slot:
    """A copy of a scene in which a command runs; made anew only when something in it has changed."""

    def __init__(self, scene, folder):
        self.scene, self.folder = scene, folder
        self.log = folder + ".log"
        self._state = None

    def environment(self):
        env = self.scene.run.vault.environment()
        env["CALLVAULT_DIR"] = self.folder + "/vault"
        return env

    def words(self, command):
        return [self.scene.binary, *(w.replace("{}", self.folder) for w in command.words)]

    def _look(self):
        out = {}
        stack = [self.folder]
        while stack:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.name in NOT_STATE:
                        continue
                    info = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                        out[entry.path] = info.st_mode
                    else:
                        out[entry.path] = (info.st_ino, info.st_mtime_ns, info.st_ctime_ns, info.st_size)
        return out

    def ready(self):
        if self._state is not None:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.scene.run.folder, self.folder)
        self._state = self._look()

    def changed(self):
        """Since `ready`. What has changed is not used again."""
        if self._state is not None and self._look() == self._state:
            return False
        self._state = None
        return True

    def drop(self):
        self._state = None

    def must(self, *words):
        done = subprocess.run([self.scene.binary, *words], env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, start_new_session=True, check=False)
        return None if done.returncode == 0 else f"{' '.join(words)} exits {done.returncode}: {(done.stdout + done.stderr)[:300]}"
