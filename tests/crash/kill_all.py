#!/usr/bin/env python3
"""Every command that changes something, killed at each of its system calls that do; then judged by crash_explorer.

  kill_all.py CALLVAULT CRASH_EXPLORER [--all] [--only NAME]

Without --all every third call. Erasure and purge are swept by kill_sweep.py."""

import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
from kill_sweep import CHANGING, SKIPPED, WORKERS, Skip, require_strace  # noqa: E402
from runs import CALLER, OTHER, Run, stereo  # noqa: E402
from scenario import Vault  # noqa: E402

KILLED = (-9, 137)


class Case:
    """A vault, a command, and what holds of the vault while it runs."""

    def __init__(self, run, subject, words, sound=None):
        self.run, self.subject, self.words, self.sound = run, subject, words, sound


def prepared(binary, work, name):
    run = Run(binary, work, name).init()
    one, two = run.call(CALLER), run.call(OTHER)
    run.vault.must("find")
    run.call(OTHER)
    return run, one, two


def commands(binary, work):
    """name -> how to make its case."""
    fresh = work + "/passphrase.new"

    def office(run):
        run.vault.must("person", "add", "ana", "--role", "reviewer", "--new-passphrase-file", run.passphrase)
        run.vault.must("opt-out", "add", "0744000111")
        request = run.vault.must("request", "open", "--kind", "access", "--channel", "email", "--name", "Ion", "--json")
        return [("person", "ana"), ("optout", "0744000111")], json.loads(request)["id"]

    def simple(words, before=(), kept=()):
        def make(name):
            run, one, two = prepared(binary, work, name)
            facts, request = office(run)
            place = {"ONE": one, "TWO": two, "REQUEST": request}
            for command in before:
                run.vault.must(*[place.get(w, w) for w in command])
                if command[0] == "erase":
                    run.made.remove(place[command[1]])
            run.begin()
            for fact in [*facts, *kept]:
                run.recording.fact("kept", *[place.get(w, w) for w in fact])
            words_now = [place.get(w, w) for w in words]
            run.recording.fact("change", words_now[-1] if words[0] in ("opt-out",) else "ana" if "ana" in words else one)
            return Case(run, one, words_now)
        return make

    def withdraw(name):
        run, one, _ = prepared(binary, work, name)
        run.begin()
        run.recording.fact("shred", one)
        return Case(run, one, ["consent", one, "--party", "caller", "--set", "withdrawn"])

    def recover(name):
        run, one, two = prepared(binary, work, name)
        run.vault.run("erase", one, two, "--request", "R-1", "--reason", "asked",
                      under=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e",
                             "inject=pwrite64:signal=SIGKILL:when=12"])
        run.begin()
        run.recording.fact("shred", one, two)
        return Case(run, one, ["recover"])

    def live(name):
        run, one, _ = prepared(binary, work, name)
        run.begin()
        return Case(run, one, ["ingest", "--direction", "in", "--caller", OTHER, "--consent", "granted", "--json",
                               "--format", "s16le", "--channels", "caller,agent"], sound=stereo(5))

    return {
        "ingest": simple(["ingest", f"{work}/short.wav", "--direction", "in", "--caller", OTHER, "--consent", "granted"]),
        "live": live,
        "settle": simple(["find"]),
        "hold": simple(["hold", "ONE", "--matter", "case 1"]),
        "unhold": simple(["unhold", "ONE", "--matter", "case 1"], [("hold", "ONE", "--matter", "case 1")]),
        "restrict": simple(["restrict", "ONE", "--reason", "disputed"]),
        "unrestrict": simple(["unrestrict", "ONE", "--reason", "over"], [("restrict", "ONE", "--reason", "disputed")]),
        "opt-out-add": simple(["opt-out", "add", "0744000222"]),
        "opt-out-remove": simple(["opt-out", "remove", "0744000111"]),
        "person-add": simple(["person", "add", "mara", "--role", "auditor", "--new-passphrase-file", fresh]),
        "person-passwd": simple(["person", "passwd", "ana", "--new-passphrase-file", fresh]),
        "person-disable": simple(["person", "disable", "ana"]),
        "request-open": simple(["request", "open", "--kind", "erase", "--channel", "post", "--name", "Ana"]),
        "request-assign": simple(["request", "assign", "REQUEST", "--to", "officer"]),
        "request-decide": simple(["request", "decide", "REQUEST", "--decision", "granted"]),
        "breach-open": simple(["breach", "open", "--summary", "a lost key"]),
        "withdraw": withdraw,
        "recover": recover,
        "reindex": simple(["reindex"], [("erase", "TWO", "--request", "R-1", "--reason", "asked")]),
        "play": simple(["play", "ONE", "--purpose", "complaint", "--reason", "asked"]),
        "check": simple(["check", "--deep"]),
    }


def run_under(vault, case, options, output):
    return subprocess.run(["strace", "-f", "-qq", "-o", output, *options, vault.binary, *case.words],
                          env=vault.environment(), input=case.sound, stdin=None if case.sound else subprocess.DEVNULL,
                          capture_output=True, timeout=120, start_new_session=True, check=False)


def points_of(case, work):
    """(call, how many-th) of every call that changes something."""
    vault = case.run.vault.copy_to(work + "/count")
    done = run_under(vault, case, ["-y", "-e", "trace=" + CHANGING], work + "/count.trace")
    shutil.rmtree(vault.folder)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{case.words[:2]} exits {done.returncode}: {done.stderr.decode()[:300]}")
    seen, points = collections.Counter(), []
    with open(work + "/count.trace", encoding="utf-8", errors="replace") as file:
        for line in file:
            match = re.match(r"\d+\s+(\w+)\((.*)", line)
            if not match:
                continue
            call, rest = match.groups()
            seen[call] += 1
            if (call == "openat" and "O_CREAT" not in rest) or " = -1 " in rest:
                continue
            points.append((call, seen[call]))
    return points


def kill(case, explorer, folder, point):
    """What is wrong, or nothing."""
    call, nth = point
    vault = case.run.vault.copy_to(folder)
    try:
        done = run_under(vault, case, ["-e", "trace=" + call, "-e", f"inject={call}:signal=SIGKILL:when={nth}"],
                         folder + ".trace")
        if done.returncode not in KILLED:
            return None if case.sound else f"was not killed, exits {done.returncode}"
        judged = subprocess.run([explorer, case.run.recording.path, folder + "-work", "--judge", folder],
                                capture_output=True, text=True, timeout=120, check=False)
        return None if judged.returncode == 0 else (judged.stdout + judged.stderr).strip() or "the judge died"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder + "-work", ignore_errors=True)


def sweep(name, make, explorer, work, step):
    case = make(name)
    case.run.end()
    points = points_of(case, work)[::step]
    problems = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=WORKERS) as pool:
        jobs = [pool.submit(kill, case, explorer, f"{work}/{name}-{i}", point) for i, point in enumerate(points)]
        for point, job in zip(points, jobs):
            wrong = job.result()
            if wrong:
                problems.append(f"{name} killed at {point[0]} number {point[1]}: {wrong}")
    return len(points), problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("explorer", type=os.path.abspath)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only")
    options = parser.parse_args()
    began, total, problems = time.monotonic(), 0, []
    work = tempfile.mkdtemp(prefix="callvault-kill-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        require_strace(work)
        for name, make in commands(options.binary, work).items():
            if options.only not in (None, name):
                continue
            start = time.monotonic()
            count, found = sweep(name, make, options.explorer, work, 1 if options.all else 3)
            total, problems = total + count, problems + found
            print(f"{name:16} {count:4} kills, {len(found)} problems, {time.monotonic() - start:.0f} s", flush=True)
    except Skip as reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for problem in problems[:20]:
        print("PROBLEM: " + problem)
    print(f"{total} kills, {len(problems)} problems, {time.monotonic() - began:.0f} s")
    sys.exit(1 if problems or not total else 0)


if __name__ == "__main__":
    main()
