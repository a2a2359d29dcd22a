"""A small vault in use, a command that shreds in it, and the judgement of what a crash left behind."""

import hashlib
import json
import math
import os
import shutil
import struct
import subprocess
import time
import wave

SOUNDS = "/usr/share/asterisk/sounds/en_US_f_Allison/"
CALLER, OTHER = "0722123456", "0733555777"
PERIOD = 24 * 3600
LEAD = 6  # seconds until what shall expire has expired


def make_wav(path, seconds):
    """A stand-in for speech."""
    with wave.open(path, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"".join(struct.pack("<h", int(7000 * math.sin(i * i / 9e4) * math.sin(i / 700)))
                                 for i in range(int(8000 * seconds))))


class Vault:
    """One vault on disk and the command."""

    def __init__(self, binary, folder, passphrase):
        self.binary, self.folder, self.passphrase = binary, folder, passphrase

    def environment(self):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/", "TZ": "UTC",
               "CALLVAULT_DIR": self.folder + "/vault", "CALLVAULT_USER": "officer",
               "CALLVAULT_PASSPHRASE_FILE": self.passphrase, "ASAN_OPTIONS": "detect_leaks=0"}
        return env

    def run(self, *words, under=()):
        return subprocess.run([*under, self.binary, *words], env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=120, start_new_session=True, check=False)

    def must(self, *words, codes=(0,)):
        done = self.run(*words)
        if done.returncode not in codes:
            raise Wrong(f"'callvault {' '.join(words)}' exits {done.returncode}: "
                        f"{(done.stderr or done.stdout).decode(errors='replace').strip()[:300]}")
        return done.stdout.decode(errors="replace")

    def copy_to(self, folder):
        shutil.copytree(self.folder, folder)
        return Vault(self.binary, folder, self.passphrase)

    def is_gone(self, recording):
        done = self.run("prove-gone", recording)
        if done.returncode not in (0, 24):
            raise Wrong(f"prove-gone exits {done.returncode}: {done.stderr.decode(errors='replace').strip()[:300]}")
        return done.returncode == 0

    def sound_of(self, recording, who="officer"):
        path = self.folder + "/heard.wav"
        self.must("play", recording, "--as", who, "--purpose", "legal_claims", "--reason", "crash test", "-o", path, "--quiet")
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        os.remove(path)
        return digest


class Wrong(Exception):
    """What must not be."""


class Scenario:
    """kind: "erase" (two calls of one caller; a third is held) or "purge" (two calls expired in two buckets, one held).
    Beside them: a call that is settled and one that still lies in incoming/."""

    def __init__(self, binary, work, kind):
        self.kind, self.work = kind, work
        self.passphrase = work + "/passphrase"
        with open(self.passphrase, "w", encoding="utf-8") as file:
            os.chmod(self.passphrase, 0o600)
            file.write("correct horse\n")
        os.makedirs(work + "/base")
        self.base = Vault(binary, work + "/base", self.passphrase)
        self._build()

    def _build(self):
        vault, sounds = self.base, []
        for name, seconds in (("vm-intro", 5), ("agent-loginok", 2), ("added", 1)):
            path = SOUNDS + name + ".wav"
            if not os.path.exists(path):
                path = f"{self.work}/{name}.wav"
                make_wav(path, seconds)
            sounds.append(path)
        vault.must("init", vault.folder + "/vault", "--organisation", "Example SRL", "--unsafe-keeper",
                   "--unsafe-fast-passphrase", "--time-zone", "UTC", "--retention", "1d", "--quiet")
        config = vault.folder + "/vault/vault.toml"
        with open(config, encoding="utf-8") as file:
            text = file.read()
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.replace("[retention]\n", "[retention]\nother = '1d'\n"))
        due = time.time() + LEAD

        def call(sound, caller, *more):
            return vault.must("ingest", sounds[sound], "--direction", "in", "--caller", caller, "--consent", "granted",
                              "--quiet", *more).strip()

        past = ()
        if self.kind == "purge":
            past = ("--started-at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due - PERIOD)))
        first = call(0, CALLER, *past)
        second = call(1, CALLER, "--class", "other", *past)
        self.victims = [first, second]
        held = call(2, CALLER, *past)
        stays = call(1, OTHER)
        vault.must("hold", held, "--matter", "case 88", "--quiet")
        waiting = call(2, OTHER)
        self.survivors = [held, stays, waiting]
        if self.kind == "purge":
            time.sleep(max(0.0, due + 1 - time.time()))
        self.command = ("purge",) if self.kind == "purge" else (
            "erase", "--caller", CALLER, "--request", "R-1", "--reason", "asked by letter")
        self.codes = (0,) if self.kind == "purge" else (3,)  # the held one is refused
        heard = self.base.copy_to(self.work + "/heard")
        self.sounds = {r: heard.sound_of(r) for r in self.survivors}
        shutil.rmtree(heard.folder)

    def finished(self, output):
        """Whether the command has said that it is done."""
        return b"erased" in output or b"shredded 2" in output

    def judge(self, vault, acknowledged):
        """Raises Wrong unless nothing is lost, nothing is half done, nothing is undone, and life goes on."""
        vault.must("status", codes=(0, 25))
        gone = self._verdict(vault)
        if acknowledged and not gone:
            raise Wrong("a shred that was reported done is undone")
        self._whole(vault, gone)
        if self._verdict(vault) != gone:
            raise Wrong("recovery changed its mind")
        # What was asked is asked again, and what is outstanding is taken up.
        vault.must(*self.command, codes=(0, 3, 20, 23) if self.kind == "erase" else (0,))
        vault.must("purge")
        if not self._verdict(vault):
            raise Wrong("the next attempt does not shred")
        self._whole(vault, True)
        # The vault is still of use.
        sound = SOUNDS + "added.wav"
        fresh = vault.must("ingest", sound if os.path.exists(sound) else self.work + "/added.wav", "--direction", "in",
                           "--caller", OTHER, "--consent", "granted", "--quiet").strip()
        vault.must("erase", fresh, "--request", "R-2", "--reason", "asked")
        if not vault.is_gone(fresh) or not self._verdict(vault):
            raise Wrong("a later erasure does not hold")
        self._whole(vault, True)

    def _verdict(self, vault):
        gone = {vault.is_gone(victim) for victim in self.victims}
        if len(gone) != 1:
            raise Wrong("a half shred: one victim is gone, the other is not")
        return gone.pop()

    def _whole(self, vault, gone):
        report = json.loads(vault.must("check", "--deep", "--json"))
        expected = len(self.survivors) + (0 if gone else len(self.victims))
        if report["recordings"] != expected:
            raise Wrong(f"{report['recordings']} recordings instead of {expected}")
        for survivor, digest in self.sounds.items():
            if vault.sound_of(survivor) != digest:
                raise Wrong("a survivor sounds different")
            if vault.is_gone(survivor):
                raise Wrong("a survivor is called gone")
        vault.must("journal", "verify")
        if os.path.exists(vault.folder + "/vault/keys/pending"):
            raise Wrong("keys/pending stays")


class Leaving:
    """A reviewer is disabled, and a new review key drawn: whatever dies in between, everybody else hears every call."""

    kind = "disable"
    command, codes = ("person", "disable", "maria"), (0,)

    def __init__(self, binary, work):
        passphrase = work + "/passphrase"
        with open(passphrase, "w", encoding="utf-8") as file:
            os.chmod(passphrase, 0o600)
            file.write("correct horse\n")
        os.makedirs(work + "/base")
        self.sound = work + "/sound.wav"
        make_wav(self.sound, 1)
        self.base = vault = Vault(binary, work + "/base", passphrase)
        vault.must("init", vault.folder + "/vault", "--organisation", "Example SRL", "--unsafe-keeper",
                   "--unsafe-fast-passphrase", "--quiet")
        for name in ("maria", "dan"):
            self._add(vault, name)
        self.before = self._call(vault)
        vault.must("recover", "--quiet")

    def _add(self, vault, name):
        vault.must("person", "add", name, "--role", "reviewer", "--new-passphrase-file", vault.passphrase, "--quiet")

    def _call(self, vault):
        return vault.must("ingest", self.sound, "--direction", "in", "--consent", "granted", "--quiet").strip()

    def finished(self, output):
        return b"disabled maria" in output

    def _may_act(self, vault):
        state = json.loads(vault.must("person", "show", "maria", "--json"))["state"]
        done = vault.run("play", self.before, "--as", "maria", "--purpose", "complaint", "-o", "-", "--quiet")
        if (done.returncode == 0) != (state == "active") or done.returncode not in (0, 23):
            raise Wrong(f"maria is {state}, and play exits {done.returncode}")
        return state == "active"

    def judge(self, vault, acknowledged):
        vault.must("status")
        if self._may_act(vault) and acknowledged:
            raise Wrong("who was reported disabled may act")
        calls = [self.before, self._call(vault)]
        for recording in calls:
            for who in ("officer", "dan"):
                vault.sound_of(recording, who)
        vault.must(*self.command)
        if self._may_act(vault):
            raise Wrong("disabling once more does not disable")
        with open(vault.folder + "/vault/people/maria", encoding="utf-8") as file:
            if json.load(file)["review_ring"]:
                raise Wrong("the review keys stay in her identity")
        self._add(vault, "nora")
        calls.append(self._call(vault))
        for recording in calls:
            for who in ("officer", "dan", "nora"):
                vault.sound_of(recording, who)
        vault.must("check", "--deep")
        vault.must("journal", "verify")
