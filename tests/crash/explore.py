#!/usr/bin/env python3
"""Power cuts at every system call of real runs: what the disk may show then, asked whether the promises hold.

  explore.py CALLVAULT CRASH_EXPLORER [--long] [--run NAME] [--keep FOLDER]
  explore.py CALLVAULT CRASH_EXPLORER --seeded [--only NAME] [--share N]    seeded bugs (mutations.py), or each N-th; all must be found

Short: at least 5,000 states. --long: at least 100,000."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
import mutations  # noqa: E402
import runs  # noqa: E402
from kill_sweep import Skip, require_strace  # noqa: E402

SKIPPED = 77
# Samples of each kind of loss at each cut.
SHORT, SEEDED, LONG = ["--effort", "1"], ["--effort", "4"], ["--effort", "40"]
HARMLESS = ["--effort", "2", "--every", "12"]
FIGURES = re.compile(r"events (\d+) unique \d+ states (\d+) ordered (\d+) ext4 (\d+) worst (\d+) attacks (\d+) findings (\d+)")


def memory_folder():
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def explore(explorer, recording, work, *options):
    done = subprocess.run([explorer, recording, work, "--jobs", str(min(8, os.cpu_count() or 2)), *options],
                          capture_output=True, text=True, check=False)
    figures = FIGURES.search(done.stdout)
    if figures is None:
        raise RuntimeError(f"crash_explorer exits {done.returncode}: {done.stderr or done.stdout}")
    return [int(n) for n in figures.groups()], done.stdout


def sweep(options, work):
    """(states, findings)"""
    total = findings = 0
    for record in runs.RUNS:
        name = record.__name__
        if options.run and name not in (options.run, "erase"):
            continue
        start = time.monotonic()
        recording = record(options.binary, work)
        recorded = time.monotonic() - start
        if options.run and name != options.run:
            continue
        (events, states, ordered, ext4, worst, attacks, found), out = explore(
            options.explorer, recording, work, *(LONG if options.long else SHORT), "--every", str(options.every))
        total, findings = total + states, findings + found
        print(f"{name:16} {events:4} events {states:6} states (in order {ordered}, ext4 {ext4}, worst {worst}), "
              f"{attacks} attacks, {found} findings, {recorded:.0f} + {time.monotonic() - start - recorded:.0f} s",
              flush=True)
        if found:
            print(out, flush=True)
    return total, findings


def mutate(recording, change, work):
    """The changed recording, and its first event that may matter."""
    with open(recording, encoding="utf-8") as file:
        lines = file.read().splitlines()
    changed, first = change(lines)
    path = f"{work}/mutation"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(changed) + "\n")
    os.path.lexists(path + ".bytes") and os.remove(path + ".bytes")
    os.symlink(recording + ".bytes", path + ".bytes")
    return path, sum(1 for line in changed[:first] if not line.startswith(("node", "content", "entry")))


def seed(options, work):
    """(bugs, problems)"""
    wanted = [m for m in mutations.MUTATIONS + mutations.HARMLESS if options.only in (None, m[0])][::options.share]
    needed = {run for _, run, _, _ in wanted} | {"erase"}
    recordings = {r.__name__: r(options.binary, work) for r in runs.RUNS if r.__name__ in needed}
    problems, states = 0, 0
    for name, run, guarantee, change in wanted:
        start = time.monotonic()
        harmless = any(name == m[0] for m in mutations.HARMLESS)
        try:
            path, first = mutate(recordings[run], change, work)
            figures, out = explore(options.explorer, path, work, "--from", str(first), "--stop", "--only", "worst", *(HARMLESS if harmless else SEEDED))
            states += figures[1]
            found = re.search(r"first: (.*)", out)
            verdict = "harmless" if harmless and not found else "caught" if found and not harmless else "SURVIVED"
            detail = found.group(1)[:120] if found else f"{figures[1]} states"
        except (mutations.Stale, RuntimeError) as error:
            verdict, detail = "ERROR", str(error)
        problems += verdict in ("ERROR", "SURVIVED")
        print(f"{verdict:9}{name:32}{time.monotonic() - start:5.1f} s  {guarantee}: {detail}", flush=True)
    harmless = sum(m in mutations.HARMLESS for m in wanted)
    print(f"{len(wanted) - harmless} seeded bugs, {harmless} harmless ones, {states} states")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("explorer", type=os.path.abspath)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--every", type=int, help="judge one in N states; in the short form 3 unless it is given")
    parser.add_argument("--run")
    parser.add_argument("--keep")
    parser.add_argument("--seeded", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--share", type=int, default=1)
    options = parser.parse_args()
    options.every = options.every or (1 if options.long or options.run else 3)
    work = options.keep or tempfile.mkdtemp(prefix="callvault-explore-", dir=memory_folder())
    os.makedirs(work, exist_ok=True)
    began = time.monotonic()
    try:
        require_strace(work)
        if options.seeded:
            problems = seed(options, work)
            print(f"{problems} problems, {time.monotonic() - began:.0f} s")
            sys.exit(1 if problems else 0)
        total, findings = sweep(options, work)
    except Skip as reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    print(f"{total} states, {findings} findings, {time.monotonic() - began:.0f} s")
    least = 0 if options.run else 100000 if options.long else 5000
    if total < least:
        print(f"PROBLEM: fewer than {least} states")
    sys.exit(1 if findings or total < least else 0)


if __name__ == "__main__":
    main()
