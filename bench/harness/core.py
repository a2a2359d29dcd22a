"""What every figure needs: vaults, recorded speech, and commands that are measured."""
import glob
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
import wave
from pathlib import Path

from harness.machine import ROOT
from harness.results import Failed, Section
from harness.setup import note

USER = "bench"
CONSENT = ("--consent", "implied", "--notice", "2026-01", "--notice-played", "yes")
MONTHLY_CALLER = "+40722000001"  # of generate_vault
FREQUENT_CALLER = "+40722000002"  # of generate_vault, with "person"
median = statistics.median


def command(*words, **options):
    done = subprocess.run([str(w) for w in words], text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(str(w) for w in words)}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


class Bench:
    failed = Failed

    def __init__(self, options):
        self.options = options
        self.build = Path(options.build).resolve() if options.build else ROOT / "build/bench"
        self.program = self.build / "cli/callvault"
        self.work = Path(tempfile.mkdtemp(prefix="callvault-bench-", dir=options.work or self.build))
        self.passphrase = self.work / "passphrase"
        self.passphrase.touch(mode=0o600)
        self.passphrase.write_text("only for measuring\n")
        self.section = Section("none", "")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("CALLVAULT_")}
        self.environment |= {"CALLVAULT_PASSPHRASE_FILE": str(self.passphrase), "CALLVAULT_USER": USER}
        self.ahead = ["chrt", "-f", "10"] if options.realtime else []
        self.vaults, self.origin = {}, ""

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)

    # The figure that runs: Section's methods under the names that figures use.
    def figure(self, what, value, unit, target, at_least=False, limit=None):
        self.section.goal(what, value, unit, target, at_least, limit)

    def info(self, what, text=""):
        self.section.remark(what.strip(), text)

    def table(self, *words):
        self.section.table(*words)

    def plot(self, *words, **options):
        self.section.plot(*words, **options)

    # One command by bench/measure: {exit, wall_ms, until_ms, cpu_ms, maxrss_kib, bytes}, and the JSON lines it printed.
    # CPU time is that of the command and of all it waited for. `short`: may run ahead of every other process.
    def measure(self, words, vault=None, until=1, stdin=None, expected=(0,), short=True, cwd=None, environment=None):
        out = self.work / "out"
        environment = self.environment | (environment or {})
        if vault:
            environment["CALLVAULT_DIR"] = str(vault)
        text = command(*(self.ahead if short else []), self.build / "bench/measure", "--out", out, "--until", until, "--", *words,
                       env=environment, stdin=stdin or subprocess.DEVNULL, cwd=cwd)
        result = json.loads(text)
        if result["exit"] not in expected:
            raise Failed(f"{' '.join(str(w) for w in words)}: exit {result['exit']}")
        if "--json" in words:
            result["lines"] = [json.loads(line) for line in out.read_text().splitlines()]
        return result

    # `steps`: {name: function without arguments}. Each is called once a round, in an order that changes from round to
    # round, so that what slows the machine for a while meets all of them. {name: [result of each round]}
    def interleave(self, steps, rounds=None):
        results = {name: [] for name in steps}
        names = list(steps)
        for _ in range(rounds or self.options.rounds):
            random.shuffle(names)
            for name in names:
                results[name].append(steps[name]())
        return results

    def generate(self, vault, recordings, days, age, *more):
        return command(self.build / "bench/generate_vault", vault, self.passphrase, recordings, days, age, *more).split()

    def new_vault(self, name, fast=True):
        vault = self.work / name
        words = [self.program, "init", vault, "--organisation", "Bench", "--unsafe-keeper", "--user", USER]
        command(*words, *(["--unsafe-fast-passphrase"] if fast else []), env=self.environment)
        return vault

    def remove_vault(self, vault):
        for path in (Path(vault), Path(f"{vault}.keeper")):
            shutil.rmtree(path, ignore_errors=True)

    def ingest(self, vault, file, *more):
        words = [self.program, "--json", "ingest", file, "--direction", "in", "--caller", "0722123456", *CONSENT, *more]
        return self.measure(words, vault, short=False)

    # A track as it is stored, opened: an Ogg Opus file.
    def opened(self, vault, ident, out, *more):
        out.unlink(missing_ok=True)
        self.measure([self.program, "play", ident, "--purpose", "service_quality", "--format", "opus", "-o", out, *more], vault)
        return out

    # A vault of settled recordings over half a year, made once and shared by the figures that only look. A part, a
    # twentieth, lies on its newest day: {"vault", "newest": ids of that day}.
    def vault_of(self, recordings):
        if recordings not in self.vaults:
            note(f"a vault of {recordings:,} recordings")
            began = time.monotonic()
            vault = self.work / f"of-{recordings}"
            day = recordings // 20
            self.generate(vault, recordings - day, self.options.days, 2)
            self.vaults[recordings] = {"vault": vault, "newest": self.generate(vault, day, 1, 1), "day": day}
            self.measure([self.program, "--json", "recover"], vault, short=False)
            note(f"made in {time.monotonic() - began:.0f} s")
        return self.vaults[recordings]

    # The largest of them: what `--recordings` says.
    def big_vault(self):
        made = self.vault_of(self.options.recordings)
        self.yesterday = made["newest"]
        return made["vault"]

    def _recorded(self):
        audio = bytearray()
        for name in sorted(glob.glob("/usr/share/asterisk/sounds/*/**/*.wav", recursive=True)):
            with wave.open(name) as w:
                if (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (8000, 1, 2) and "silence" not in name:
                    audio += w.readframes(w.getnframes())
        if not audio:
            raise Failed("no recorded speech: install asterisk-core-sounds-en-wav")
        self.origin = f"asterisk-core-sounds-en-wav, {len(audio) / 16000 / 60:.0f} min of it"
        return audio

    # 16 bit samples of recorded speech, as long as asked for, mono, 8 kHz.
    def speech(self, minutes):
        path = self.work / f"speech-{minutes:g}.wav"
        if path.exists():
            return path
        wanted = int(minutes * 60 * 8000) * 2
        audio = self._recorded()
        while len(audio) < wanted:
            audio *= 2
        with wave.open(str(path), "wb") as w:
            w.setparams((1, 2, 8000, 0, "NONE", ""))
            w.writeframes(bytes(audio[:wanted]))
        return path
