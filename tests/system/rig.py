"""What the system tests share: a vault of their own, the command, sound, and what every error must look like."""

import array
import hashlib
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import wave

SKIPPED = 77
RATE = 8000
PASSPHRASE = "correct horse battery staple"
SPEECH = "/usr/share/asterisk/sounds/en_US_f_Allison"

CODES = {
    0: None, 1: "unexpected", 2: "usage", 3: "partly_done", 10: "no_vault", 11: "busy", 12: "wrong_passphrase",
    13: "newer_version", 20: "not_found", 21: "gone", 22: "corrupt", 23: "refused", 24: "not_gone", 25: "overdue",
    74: "io", 75: "no_space", 130: "interrupted",
}


class Failed(Exception):
    """What a test found wrong."""


class Skip(Exception):
    """Why a test cannot run here."""


def expect(condition, message):
    if not condition:
        raise Failed(message)


def tone(seconds, hertz, rate=RATE):
    """A tone as s16le: its pitch says later which call was heard."""
    count = int(seconds * rate)
    return array.array("h", (int(9000 * math.sin(2 * math.pi * hertz * i / rate)) for i in range(count))).tobytes()


def pitch(samples, rate):
    """The pitch of a tone, by its zero crossings, the first and last tenth of a second aside."""
    inner = samples[rate // 10: -rate // 10]
    crossings = sum(1 for a, b in zip(inner, inner[1:]) if (a < 0) != (b < 0))
    return crossings * rate / (2 * len(inner)) if len(inner) > 1 else 0.0


def wav(pcm, channels=1, rate=RATE):
    return (b"RIFF" + struct.pack("<I", 36 + len(pcm)) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16) +
            b"data" + struct.pack("<I", len(pcm)) + pcm)


def speech(seconds=3.0, skip=0):
    """Real speech as s16le at 8 kHz where it is installed, else a sound like it."""
    pcm = b""
    names = sorted(os.listdir(SPEECH)) if os.path.isdir(SPEECH) else []
    for name in [n for n in names if n.endswith(".wav")][skip:]:
        with wave.open(os.path.join(SPEECH, name)) as file:
            if file.getframerate() == RATE and file.getsampwidth() == 2 and file.getnchannels() == 1:
                pcm += file.readframes(file.getnframes())
        if len(pcm) >= seconds * RATE * 2:
            return pcm[:int(seconds * RATE) * 2]
    parts = [tone(0.2, 140 + 37 * ((i * 7 + skip) % 11)) + bytes(800) for i in range(int(seconds / 0.25) + 1)]
    return b"".join(parts)[:int(seconds * RATE) * 2]


def tree(*folders, without=()):
    """Every file, folder and link below: what they hold and who may, as one comparable thing."""
    out = {}
    for folder in folders:
        for place, names, files in os.walk(folder):
            for name in names + files:
                path = os.path.join(place, name)
                if any(os.path.relpath(path, folder).startswith(w) for w in without):
                    continue
                info = os.lstat(path)
                what = ""
                if os.path.islink(path):
                    what = os.readlink(path)
                elif os.path.isfile(path):
                    with open(path, "rb") as file:
                        what = hashlib.sha256(file.read()).hexdigest()
                out[path] = (oct(info.st_mode), info.st_uid, info.st_gid, what)
    return out


def changes(before, after):
    return sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))


class Done:
    """A command that ended."""

    def __init__(self, words, code, out, err):
        self.words, self.code, self.raw, self.err = words, code, out, err.decode("utf-8", "backslashreplace")

    @property
    def out(self):
        return self.raw.decode("utf-8", "backslashreplace")

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        words = " ".join(w if len(w) < 100 else w[:100] + "..." for w in map(str, self.words))
        return f"'{words}' exits {self.code}\n  stdout: {self.out[:800]}\n  stderr: {self.err[:800]}"


class Rig:
    """A vault in a temporary folder, and the command. `secrets` may stand in no message."""

    def __init__(self, name, binary, init=(), make=True, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix=f"callvault-{name}-")
        self.binary = os.path.abspath(binary)
        self.vault = os.path.join(self.folder, "vault")
        self.keeper = self.vault + ".keeper"
        self.secrets = [PASSPHRASE]
        self.identity = {}  # user=, group=, extra_groups= of the commands
        passphrase = os.path.join(self.folder, "passphrase")
        with open(passphrase, "w", encoding="utf-8") as file:
            os.chmod(passphrase, 0o600)
            file.write(PASSPHRASE + "\n")
        self.env = {
            "PATH": "/usr/bin:/bin", "HOME": self.folder, "LC_ALL": "C.UTF-8", "CALLVAULT_DIR": self.vault,
            "CALLVAULT_USER": "officer", "CALLVAULT_PASSPHRASE_FILE": passphrase,
        }
        for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"):
            if variable in os.environ:
                self.env[variable] = os.environ[variable]
        if make:
            self.good("init", self.vault, "--organisation", "Example SRL", "--unsafe-keeper",
                      "--unsafe-fast-passphrase", *init)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *words, env=None, under=(), **more):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        # A session of its own: no terminal to prompt on.
        return subprocess.Popen([*under, self.binary, *words], env={**self.env, **(env or {})}, cwd=self.folder,
                                start_new_session=True, **self.identity, **options)

    def run(self, *words, stdin=None, env=None, timeout=60, **more):
        if stdin is not None:
            more["stdin"] = subprocess.PIPE
        process = self.start(*words, env=env, **more)
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Failed(f"'{' '.join(map(str, words))}' hangs") from None
        done = Done(words, process.returncode, out, err)
        for secret in self.secrets:
            if secret in done.err:
                raise Failed(f"a message holds {secret!r}: {done}")
        if done.code not in CODES:
            raise Failed(f"no documented exit code: {done}")
        return done

    def good(self, *words, **more):
        done = self.run(*words, **more)
        expect(done.code == 0, str(done))
        return done

    def json(self, *words, **more):
        return self.good("--json", *words, **more).lines()

    def fails(self, code, *words, says="", **more):
        """The documented code, one clear message, the same in JSON."""
        codes = code if isinstance(code, tuple) else (code,)
        done = self.run(*words, **more)
        expect(done.code in codes, f"expected exit {code}: {done}")
        lines = done.err.splitlines()
        expect(1 <= len(lines) <= 2, f"one message and at most one hint: {done}")
        for line in lines:
            expect(re.fullmatch(r"callvault: [ -~]+", line), f"a message of another form: {line!r}")
        expect(re.search(says, lines[0]), f"expected a message with /{says}/: {done}")
        told = self.run("--json", *words, **more)
        expect(told.code == done.code, f"another exit code with --json: {told}\n{done}")
        # Standard output is for the audio.
        text = told.err if "play" in words and "-o" not in words else told.out
        expect(text.isascii() and text.count("\n") == 1, f"one line of ASCII: {told}")
        error = json.loads(text).get("error", {})
        expect(error.get("code") == CODES[done.code] and re.search(says, error.get("message", "")),
               f"expected code {CODES[done.code]}: {told}")
        expect(not any(secret in text for secret in self.secrets), f"a message holds personal data: {told}")
        return done

    def ingest(self, pcm, *words, raw=True, **more):
        form = ("--format", "s16le", "--rate", str(RATE)) if raw else ()
        return self.json("ingest", "--direction", "in", *form, *words, stdin=pcm, **more)[-1]

    def play(self, call, *words):
        """Samples and rate of what a reviewer hears."""
        done = self.good("play", call, "--purpose", "complaint", *words)
        channels, rate = struct.unpack("<HI", done.raw[22:28])
        expect(done.raw[:4] == b"RIFF" and done.raw[36:40] == b"data", f"no WAV is played: {done.raw[:44]!r}")
        # A piped WAV does not know its length: what there is, is what is counted.
        samples = array.array("h", done.raw[44:44 + (len(done.raw) - 44) // 2 * 2])
        return samples, rate, channels

    def sound(self):
        """check --deep and journal verify find nothing."""
        for words in (("check", "--deep"), ("journal", "verify")):
            report = self.json(*words)[0]
            expect(report["ok"] and not report["problems"], f"{words} reports {report}")


def main(test):
    """Runs `test(binary)` as a ctest: 0 good, 1 failed, 77 skipped."""
    try:
        test(os.path.abspath(sys.argv[1]))
    except Skip as why:
        print(f"SKIPPED: {why}")
        sys.exit(SKIPPED)
    except Failed as why:
        print(f"FAILED: {why}")
        sys.exit(1)
