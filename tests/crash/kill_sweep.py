#!/usr/bin/env python3
"""A shred that is killed, or loses power, at any of its steps: all or nothing, and never undone.

  kill_sweep.py CALLVAULT [--all] [--only kill|power] [--kind erase|purge|disable]
  kill_sweep.py --seeded BUILD SOURCE       seeded bugs, each of which must be noticed

kill: SIGKILL at the entry of each system call that changes something; what was written stays.
power: the run is recorded, and each prefix of it replayed without (some of) what was not synced.
Without --all: every second kill, and the coarse kinds of loss."""

import argparse
import collections
import concurrent.futures
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
import power_cut  # noqa: E402
from scenario import Leaving, Scenario, Vault, Wrong  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import Build, Stale  # noqa: E402

CHANGING = ("openat,write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,"
            "unlinkat,mkdir,mkdirat,rmdir,chmod,fchmod,link,symlink")
SKIPPED = 77
WORKERS = min(4, max(2, os.cpu_count() or 2))

SHRED, STATE, FILE = "vault/shred/shred.cc", "vault/keys/key_state.cc", "vault/os/file.cc"
INTENT = ("    CALLVAULT_TRY(write_intent(context_, doomed_, context_.state.directory().epoch + 1));\n")
# name, what must notice it, the guarantee it breaks, edits
SEEDED = [
    ("intent_after_commit", "kill", "the intent is durable before anything is taken away",
     [(SHRED, INTENT, ""),
      (SHRED, "    CALLVAULT_TRY(context_.state.forget_old());\n",
       "    CALLVAULT_TRY(write_intent(context_, doomed_, context_.state.directory().epoch));\n"
       "    CALLVAULT_TRY(context_.state.forget_old());\n")]),
    ("wiped_too_early", "kill", "the old root is wiped only when the new directory is durable",
     [("vault/keys/keepers.cc", "    CALLVAULT_TRY_ASSIGN(auto slot, first_->stage(epoch, directory.epoch));\n",
       "    CALLVAULT_TRY_ASSIGN(auto slot, first_->stage(epoch, directory.epoch));\n    CALLVAULT_TRY(first_->wipe_all_but(epoch));\n")]),
    ("finish_is_undo", "kill", "a shred past its commit is finished, not undone",
     [(SHRED, "  if (pending->next_epoch != 0 && context.state.directory().epoch >= pending->next_epoch) {", "  if (false) {")]),
    ("pending_cleared_early", "kill", "keys/pending stays until the tombstones are journalled",
     [("vault/shred/cleaning.cc", "  CALLVAULT_TRY(remove_recordings(context, doomed, progress));\n",
       "  CALLVAULT_TRY(clear_pending(context.layout));\n  CALLVAULT_TRY(remove_recordings(context, doomed, progress));\n")]),
    ("folder_not_synced", "power", "the new directory's name is durable before the old root is wiped",
     [(FILE, "    return renamed;\n  }\n  return sync_folder(path.parent_path());", "    return renamed;\n  }\n  return {};")]),
    ("node_not_synced", "power", "the survivors' node is durable before the old one cannot be opened",
     [(FILE, "  CALLVAULT_TRY(file.write_at(data, 0));\n  return file.sync_all();", "  return file.write_at(data, 0);")]),
    ("resumed_unsynced", "power", "what a dead process renamed is durable before the next one wipes the old root",
     [(STATE, "  CALLVAULT_TRY(os::sync_folder(layout.keys()));\n  CALLVAULT_TRY(state.wipe_old());\n",
       "  CALLVAULT_TRY(state.wipe_old());\n")]),
]


class Skip(Exception):
    """This host cannot run the test."""


def traced(vault, words, options, output):
    done = vault.run(*words, under=["strace", "-f", "-qq", "-o", output, *options])
    return done


def require_strace(work):
    if shutil.which("strace") is None:
        raise Skip("strace is not installed")
    probe = subprocess.run(["strace", "-f", "-qq", "-o", work + "/probe", "-e", "trace=openat", "-e",
                            "inject=openat:signal=SIGKILL:when=1", "true"], capture_output=True, text=True, check=False)
    if probe.returncode not in (-9, 137):
        raise Skip("strace cannot trace here: " + (probe.stderr.strip().splitlines() or ["no reason given"])[0])


def kill_points(scenario, work):
    """(call, how many-th) of every call that changes something, in order; the index of the first to the keeper."""
    vault = scenario.base.copy_to(work + "/count")
    done = traced(vault, scenario.command, ["-y", "-e", "trace=" + CHANGING], work + "/count.trace")
    if done.returncode not in scenario.codes:
        raise Wrong(f"'{scenario.command[0]}' exits {done.returncode} undisturbed: {done.stderr.decode()[:300]}")
    scenario.judge(vault, True)
    shutil.rmtree(vault.folder)
    seen, points, keeper = collections.Counter(), [], 0
    with open(work + "/count.trace", encoding="utf-8", errors="replace") as file:
        for line in file:
            match = re.match(r"\d+\s+(\w+)\((.*)", line)
            if not match:
                continue
            call, rest = match.groups()
            seen[call] += 1
            if call == "openat" and "O_CREAT" not in rest:
                continue
            if " = -1 " in rest:  # changes nothing
                continue
            if call == "pwrite64" and "vault.keeper/" in rest and keeper == 0:
                keeper = len(points)
            points.append((call, seen[call]))
    return points, keeper


def around(points, keeper):
    """What lies about the rotation."""
    return points[max(0, keeper - 10):keeper + 45]


def kill_cases(scenario, work, reach):
    points, keeper = kill_points(scenario, work)
    chosen = {"all": points, "short": points[::2], "near": around(points, keeper)}[reach]

    def case(number, point):
        call, nth = point
        folder = f"{work}/kill-{number}"
        vault = scenario.base.copy_to(folder)
        try:
            done = traced(vault, scenario.command,
                          ["-e", "trace=" + call, "-e", f"inject={call}:signal=SIGKILL:when={nth}"], folder + ".trace")
            if done.returncode not in (-9, 137):
                raise Wrong(f"was not killed, exits {done.returncode}")
            scenario.judge(vault, scenario.finished(done.stdout))
        finally:
            shutil.rmtree(folder)
            os.path.exists(folder + ".trace") and os.remove(folder + ".trace")

    for number, point in enumerate(chosen):
        yield f"killed at {point[0]} number {point[1]}", lambda n=number, p=point: case(n, p)


def check_model(recording, vault):
    final = power_cut.read_tree(vault.folder)
    replayed = recording.state(set(range(len(recording.events))))
    if power_cut.fingerprint(flatten(final)) != power_cut.fingerprint(replayed):
        raise Wrong("the replay of the whole run is not what the run left: the model lacks a call")


def record_run(scenario, work):
    """The command, undisturbed; and where its rotation is."""
    vault = scenario.base.copy_to(work + "/recorded")
    before = power_cut.read_tree(vault.folder)
    done = vault.run(*scenario.command, under=[*power_cut.STRACE, "-o", work + "/power.trace"])
    if done.returncode not in scenario.codes:
        raise Wrong(f"'{scenario.command[0]}' exits {done.returncode} while it is recorded")
    recording = power_cut.Recording(work + "/power.trace", vault.folder, before, scenario.finished)
    check_model(recording, vault)
    return recording, recording.keeper_at


def record_resumed(scenario, work):
    """The command dies after the new directory has its name and before that is durable; then somebody recovers."""
    probe = scenario.base.copy_to(work + "/search")
    traced(probe, scenario.command, ["-y", "-e", "trace=fsync,rename,pwrite64"], work + "/search.trace")
    syncs, in_rotation, nth = 0, False, 0
    with open(work + "/search.trace", encoding="utf-8", errors="replace") as file:
        for line in file:
            syncs += " fsync(" in line
            in_rotation = in_rotation or "vault.keeper/root" in line
            if in_rotation and " rename(" in line and line.split(", ")[1].startswith(f'"{probe.folder}/vault/keys/directory"'):
                nth = syncs + 1
                break
    shutil.rmtree(probe.folder)
    if nth == 0:
        raise Wrong("the commit of a rotation is not found in its trace")
    vault = scenario.base.copy_to(work + "/resumed")
    before = power_cut.read_tree(vault.folder)
    killed = vault.run(*scenario.command, under=[
        *power_cut.STRACE, "-e", f"inject=fsync:error=EIO:signal=SIGKILL:when={nth}", "-o", work + "/first.trace"])
    if killed.returncode not in (-9, 137):
        raise Wrong(f"was not killed at its commit, exits {killed.returncode}")
    first = power_cut.Recording(work + "/first.trace", vault.folder, before, scenario.finished)
    if vault.run("recover", under=[*power_cut.STRACE, "-o", work + "/second.trace"]).returncode != 0:
        raise Wrong("recover fails after a kill at the commit")
    with open(work + "/both.trace", "wb") as both:
        for part in ("first", "second"):
            with open(f"{work}/{part}.trace", "rb") as file:
                both.write(file.read())
    recording = power_cut.Recording(work + "/both.trace", vault.folder, power_cut.read_tree(scenario.base.folder),
                                    scenario.finished)
    check_model(recording, vault)
    return recording, len(first.events)


def power_cases(scenario, work, reach):
    yield from replayed_cases(scenario, work, reach, "", *record_run(scenario, work))
    if scenario.kind == "erase":
        yield from replayed_cases(scenario, work, "near" if reach == "short" else reach, "killed at its commit, then ",
                                  *record_resumed(scenario, work))


def replayed_cases(scenario, work, reach, what, recording, rotation):
    def case(number, kept, acknowledged):
        folder = f"{work}/power-{number}-{len(what)}"
        try:
            power_cut.write_tree(recording.state(kept), folder)
            scenario.judge(Vault(scenario.base.binary, folder, scenario.passphrase), acknowledged)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    seen, number = set(), itertools.count()
    points = recording.points()
    for point in around(points, rotation) if reach == "near" else points:
        acknowledged = recording.acknowledged(point)
        for loss, kept in recording.choices(point, 6 if reach == "all" else 0):
            if reach != "all" and loss == "nothing lost":
                continue  # what a kill leaves
            key = (acknowledged, power_cut.fingerprint(recording.state(kept)))
            if key in seen:
                continue
            seen.add(key)
            last = recording.events[point - 1].kind if point else "the beginning"
            yield (f"{what}power cut after event {point} ({last}), {loss}",
                   lambda n=next(number), k=kept, a=acknowledged: case(n, k, a))


def flatten(node, path=""):
    out = {}
    for name, child in node.names.items():
        out[path + name] = child.content
        if child.content is None:
            out.update(flatten(child, path + name + "/"))
    return out


def sweep(binary, kinds, modes, reach, stop_at_first=False):
    """(cases, problems). reach: "all", "short", or "near" the rotation."""
    problems, total = [], 0
    for kind in kinds:
        # In memory: a power cut is modelled, not waited for.
        work = tempfile.mkdtemp(prefix="callvault-crash-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        try:
            require_strace(work)
            scenario = Leaving(binary, work) if kind == "disable" else Scenario(binary, work, kind)
            for mode in modes:
                start, count = time.monotonic(), 0
                cases = (kill_cases if mode == "kill" else power_cases)(scenario, work, reach)

                def attempt(case):
                    if stop_at_first and problems:
                        return None
                    try:
                        case[1]()
                    except Wrong as wrong:
                        problems.append(f"{kind}, {case[0]}: {wrong}")
                    except subprocess.TimeoutExpired:
                        problems.append(f"{kind}, {case[0]}: a command hangs")
                    return case

                with concurrent.futures.ThreadPoolExecutor(max_workers=WORKERS) as pool:
                    count = sum(1 for done in pool.map(attempt, cases) if done)
                total += count
                if not stop_at_first:
                    print(f"{kind:6} {mode:6} {count:4} states, {len(problems)} problems, "
                          f"{time.monotonic() - start:.0f} s", flush=True)
        except Wrong as wrong:
            problems.append(f"{kind}: {wrong}")
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return total, problems


def seeded(build, source):
    maker, bad = Build(build, source), 0
    for name, mode, guarantee, edits in SEEDED:
        start = time.monotonic()
        folder = tempfile.mkdtemp(prefix="callvault-seeded-")
        try:
            files = {}
            for path, old, new in edits:
                files.setdefault(path, []).append((old, new))
            objects = [maker.compile(path, changes, folder) for path, changes in files.items()]
            maker.link("cli/callvault", objects, folder + "/callvault")
            count, problems = sweep(folder + "/callvault", ["erase"], [mode], "near", stop_at_first=True)
            verdict = "caught" if problems else "SURVIVED"
            detail = problems[0][:150] if problems else f"{count} states"
        except Stale as error:
            verdict, detail = "ERROR", str(error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        bad += verdict != "caught"
        print(f"{verdict:9}{name:24}{time.monotonic() - start:5.1f} s  {guarantee}: {detail}", flush=True)
    print(f"{len(SEEDED)} seeded bugs, {bad} problems")
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", choices=["kill", "power"])
    parser.add_argument("--kind", choices=["erase", "purge", "disable"])
    parser.add_argument("--seeded", nargs=2, metavar=("BUILD", "SOURCE"))
    options = parser.parse_args()
    began = time.monotonic()
    try:
        if options.seeded:
            sys.exit(seeded(*options.seeded))
        if not options.binary:
            parser.error("which callvault?")
        modes, reach = [options.only] if options.only else ["kill", "power"], "all" if options.all else "short"
        binary = os.path.abspath(options.binary)
        total, problems = 0, []
        for kind in [options.kind] if options.kind else ["erase", "purge", "disable"]:
            # Disabling somebody replaces files, each durable before the next: a power cut leaves what some kill leaves.
            of_kind = [mode for mode in modes if mode == "kill" or kind != "disable"]
            count, found = sweep(binary, [kind], of_kind, reach)
            total, problems = total + count, problems + found
    except Skip as reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    for problem in problems[:20]:
        print("PROBLEM: " + problem)
    print(f"{total} states, {len(problems)} problems, {time.monotonic() - began:.0f} s")
    sys.exit(1 if problems or not total else 0)


if __name__ == "__main__":
    main()
