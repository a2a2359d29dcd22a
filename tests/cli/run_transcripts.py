#!/usr/bin/env python3
"""Runs a transcript against the built command, in a vault of its own.

  # text             a remark
  @ 2026-11-23 14:00:00   what the clock says from here on (UTC); @ alone: the real clock
  % NAME COMMAND     runs COMMAND, keeps its output in the environment variable NAME; it must exit 0
  $ COMMAND          runs COMMAND with sh; what follows is expected:
  text                 a line of standard output
  ! text               a line of standard error
  ? 2                  the exit code, if not 0

In expected lines <id>, <short>, <time>, <civil>, <n>, <num>, <hex>, <any> stand for what changes, <$NAME> for the
variable's value. A line "..." stands for any number of lines. Line 1 may say "# no vault".
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

AUDIO = [
    "/usr/share/asterisk/sounds/en_US_f_Allison/vm-intro.wav",
    "/usr/share/asterisk/sounds/en_US_f_Allison/added.wav",
]
FAKETIME = [f"/usr/lib/{arch}/faketime/libfaketime.so.1" for arch in
            ("x86_64-linux-gnu", "aarch64-linux-gnu")] + ["/usr/lib/faketime/libfaketime.so.1"]
PLACEHOLDERS = {
    "id": "[a-z2-7]{26}",
    "short": "[a-z2-7]{10}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)",
    "civil": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "n": r"\d+",
    "num": r"\d+(?:\.\d+)?",
    "hex": "[0-9a-f]+",
    "any": ".*",
}
SKIPPED = 77


def pattern(line, env):
    """A regular expression for one expected line."""
    out = ""
    for part in re.split(r"(<\$?[A-Za-z_0-9]+>)", line):
        name = part[1:-1]
        if part.startswith("<$") and name[1:] in env:
            out += re.escape(env[name[1:]])
        elif part.startswith("<") and name in PLACEHOLDERS:
            out += PLACEHOLDERS[name]
        else:
            out += re.escape(part)
    return out


def matches(expected, got, env):
    """Whether the lines agree; "..." swallows as few lines as it must."""
    if not expected:
        return not got
    if expected[0] == "...":
        return any(matches(expected[1:], got[i:], env) for i in range(len(got) + 1))
    return bool(got) and re.fullmatch(pattern(expected[0], env), got[0]) is not None and matches(
        expected[1:], got[1:], env)


def parse(text):
    """The steps of a transcript: (line number, kind, text, expected stdout, stderr, exit)."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] in "$%@":
            steps.append([number, line[0], line[1:].strip(), [], [], 0])
        elif not steps or steps[-1][1] != "$":
            raise SystemExit(f"line {number}: expected output without a command")
        elif line.startswith("! "):
            steps[-1][4].append(line[2:])
        elif re.fullmatch(r"\? \d+", line):
            steps[-1][5] = int(line[2:])
        else:
            steps[-1][3].append(line)
    return steps


class Runner:
    def __init__(self, binary, directory):
        self.directory = directory
        self.env = {
            "PATH": os.path.dirname(binary) + ":/usr/bin:/bin",
            "HOME": directory,
            "LC_ALL": "C.UTF-8",
            "CALLVAULT_DIR": directory + "/vault",
            "CALLVAULT_USER": "officer",
            "CALLVAULT_PASSPHRASE_FILE": directory + "/passphrase",
            "AUDIO": AUDIO[0],
            "AUDIO2": AUDIO[1],
            "SIPREC": os.path.join(os.path.dirname(os.path.abspath(__file__)), "siprec"),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        for name, text in (("passphrase", "correct horse\n"), ("wrong", "battery staple\n")):
            with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
                os.chmod(file.fileno(), 0o600)
                file.write(text)
        self.clock = {}

    def set_clock(self, text):
        self.clock = {}
        if text:
            library = next(path for path in FAKETIME if os.path.exists(path))
            options = self.env.get("ASAN_OPTIONS", "")
            self.clock = {"LD_PRELOAD": library, "FAKETIME": "@" + text, "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC",
                          "ASAN_OPTIONS": (options + ":" if options else "") + "verify_asan_link_order=0"}

    def run(self, command):
        # A session of its own: no terminal to prompt on.
        return subprocess.run(["sh", "-c", command], env={**self.env, **self.clock}, cwd=self.directory, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, check=False)


def forget_faketime():
    """Removes what dead processes under faketime left in shared memory: it stops later ones of the same number."""
    for path in glob.glob("/dev/shm/faketime_shm_*"):
        number = path.rsplit("_", 1)[1]
        if not os.path.exists("/proc/" + number):
            for left in (path, "/dev/shm/sem.faketime_sem_" + number):
                try:
                    os.remove(left)
                except OSError:  # gone meanwhile, or another user's
                    pass


def play(path, binary):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    steps = parse(text)
    if not all(os.path.exists(a) for a in AUDIO):
        print("SKIPPED: asterisk-core-sounds-en-wav is not installed")
        return SKIPPED
    if any(step[1] == "@" for step in steps) and not any(os.path.exists(p) for p in FAKETIME):
        print("SKIPPED: faketime is not installed")
        return SKIPPED
    directory = tempfile.mkdtemp(prefix="callvault-cli-")
    failures = 0
    forget_faketime()
    try:
        runner = Runner(binary, directory)
        if not text.startswith("# no vault"):
            # A transcript that sets the clock has its vault made at that time.
            if steps and steps[0][1] == "@":
                runner.set_clock(steps[0][2])
            made = runner.run('callvault init "$CALLVAULT_DIR" --organisation "Example SRL" --unsafe-keeper '
                              "--unsafe-fast-passphrase --quiet")
            if made.returncode != 0:
                print(f"{path}: init failed with {made.returncode}: {made.stderr.decode()}")
                return 1
        for number, kind, command, stdout, stderr, code in steps:
            if kind == "@":
                runner.set_clock(command)
                continue
            if kind == "%":
                name, command = command.split(None, 1)
            done = runner.run(command)
            out = done.stdout.decode("utf-8", "backslashreplace").splitlines()
            err = done.stderr.decode("utf-8", "backslashreplace").splitlines()
            if kind == "%":
                good = done.returncode == 0
                runner.env[name] = "\n".join(out)
            else:
                good = (done.returncode == code and matches(stdout, out, runner.env) and
                        matches(stderr, err, runner.env))
            if not good:
                failures += 1
                print(f"{os.path.basename(path)}:{number}: $ {command}")
                print(f"  expected exit {code}, got {done.returncode}")
                for title, wanted, got in (("stdout", stdout, out), ("stderr", stderr, err)):
                    print("".join(f"  {title} expected: {line}\n" for line in wanted) +
                          "".join(f"  {title} got:      {line}\n" for line in got), end="")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if failures else 0


def main():
    if len(sys.argv) < 3:
        raise SystemExit("usage: run_transcripts.py CALLVAULT TRANSCRIPT...")
    binary = os.path.abspath(sys.argv[1])
    results = [play(path, binary) for path in sys.argv[2:]]
    sys.exit(1 if 1 in results else SKIPPED if SKIPPED in results else 0)


if __name__ == "__main__":
    main()
