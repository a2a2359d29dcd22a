#!/usr/bin/env python3
"""A process that holds a lock is stopped (SIGSTOP): the others wait a bounded time and say who is busy; recorders go on
without loss; and all goes on when it does.

  stopped.py CALLVAULT LIBRARY CRASH_EXPLORER

The wait is 30 s; the clock by which it is measured runs 20 times as fast here."""

import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
import faults  # noqa: E402
from scenes import OTHER, Scene, Slot, commands, stereo  # noqa: E402

HASTE = 20
PATIENCE = 30  # seconds, of the product
# What the holder is about to do, in an erasure, when it stops: the call, and the end of the path.
STOPS = (("fsync", "vault/keys"), ("pwrite", "journal/entries"), ("pwrite", "catalog/data.mdb"), ("pwrite", "vault.keeper/root"),
         ("unlink", ".mixed"))


class Wrong(Exception):
    """What must not be."""


def must(condition, text):
    if not condition:
        raise Wrong(text)


def stopped_at(process):
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "T"


def one(options, scene, stop, folder):
    """The holder stops at `stop`; what the others do meanwhile, and everybody afterwards."""
    binary, library, explorer = options
    command = next(c for c in commands() if c.name == "erase")
    command.bind(scene)
    slot = Slot(scene, folder)
    slot.ready()
    env = slot.environment()
    _, calls = faults.calls_of(slot.words(command), env, library, slot.log)
    at = next((c for c in calls if c.name == stop[0] and c.path.endswith(stop[1])), None)
    must(at, f"an erasure does no {stop[0]} on {stop[1]}")
    slot.drop()
    slot.ready()
    holder = subprocess.Popen(slot.words(command), env={**env, "LD_PRELOAD": library,
                              "CALLVAULT_FAULT": f"io {at.nth} stop once", "CALLVAULT_FAULT_LOG": slot.log},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        for _ in range(400):
            if holder.poll() is not None or stopped_at(holder):
                break
            time.sleep(0.05)
        must(holder.poll() is None, f"the holder ended before it stopped: exit {holder.poll()}")
        record = [binary, "ingest", "--direction", "in", "--caller", OTHER, "--consent", "granted", "--json", "--format", "s16le",
                  "--channels", "caller,agent"]
        done = faults.run(record, env, library, None, stdin=stereo(5))
        must(done.code == 0 and '"sealed"' in done.out, f"a recorder exits {done.code}: {done.err}")
        fresh = done.out.split('"id":"')[1][:26]
        hasty = {**env, "LD_PRELOAD": library, "CALLVAULT_FAULT": f"clock {HASTE} 0 once"}
        for words in (("hold", scene.places["TWO"], "--matter", "case 3"), ("purge",), ("recover",), ("status",),
                      ("show", scene.places["TWO"])):
            began = time.monotonic()
            done = faults.run([binary, *words], hasty, library, None)
            took = (time.monotonic() - began) * HASTE
            # Who need not wait may answer; who waits says for whom.
            must(done.code in ((11,) if words[0] in ("hold", "purge", "recover") else (0, 11, 25)),
                 f"{words[0]} exits {done.code}: {done.err}")
            must(took < 4 * PATIENCE + 20 * HASTE, f"{words[0]} waits {took:.0f} s")
            must(done.code != 11 or "busy" in done.err and "has held" in done.err, f"{words[0]} says {done.err}")
            must(done.code != 11 or took > PATIENCE - 2, f"{words[0]} waits only {took:.0f} s")
        os.kill(holder.pid, signal.SIGCONT)
        out, err = holder.communicate(timeout=60)
        must(holder.returncode == 0, f"the holder exits {holder.returncode}: {err.decode()}{out.decode()}")
    finally:
        if holder.poll() is None:
            holder.kill()
            holder.wait()
    shown = faults.run([binary, "play", fresh, "--purpose", "complaint", "--track", "agent", "-o", folder + "/heard.wav",
                        "--quiet"], env, library, None)
    must(shown.code == 0, f"what was recorded meanwhile is not played: {shown.err}")
    must(abs(os.path.getsize(folder + "/heard.wav") - 44 - 5 * 16000) < 2000, "what was recorded meanwhile is not whole")
    os.remove(folder + "/heard.wav")
    for words in (("hold", scene.places["TWO"], "--matter", "case 3"), ("purge",)):
        wrong = slot.must(*words)
        must(not wrong, f"afterwards {wrong}")
    judged = subprocess.run([explorer, command.certain, folder + "-work", "--judge", folder], capture_output=True, text=True,
                            timeout=120, check=False)
    shutil.rmtree(folder + "-work", ignore_errors=True)
    must(judged.returncode == 0, f"afterwards: {judged.stdout}{judged.stderr}")


def main():
    options = [os.path.abspath(a) for a in sys.argv[1:4]]
    began, bad = time.monotonic(), 0
    work = tempfile.mkdtemp(prefix="callvault-stopped-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        scene = Scene(options[0], work, "office")
        with concurrent.futures.ThreadPoolExecutor(max_workers=len(STOPS)) as pool:
            jobs = [pool.submit(one, options, scene, stop, f"{work}/{i}") for i, stop in enumerate(STOPS)]
            for stop, job in zip(STOPS, jobs):
                try:
                    job.result()
                except Wrong as why:
                    bad += 1
                    print(f"PROBLEM: stopped before {stop[0]} of {stop[1]}: {why}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{len(STOPS)} holders stopped, {bad} problems, {time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
