#!/usr/bin/env python3
"""Faults that once found a defect, each by the name of what holds now.

  found.py CALLVAULT LIBRARY CRASH_EXPLORER"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leaves nothing in the sources
from matrix import Fault, Matrix, MemoryFault  # noqa: E402
from scenes import Slot  # noqa: E402

# What holds, command, call, end of its path, error, for good
FOUND = [
    ("a time zone's file that cannot be read is no unknown zone", "status", "fopen", "UTC", "EMFILE", False),
    ("a time zone's file that breaks off is no unknown zone", "status", "fread", "UTC", "EIO", False),
    ("an interrupted opening of the passphrase file is done again", "hold", "open", "passphrase", "EINTR", False),
    ("an interrupted opening of an output file is done again", "export", "open+", "heard.wav", "EINTR", False),
    ("an interrupted sync of an output file is done again", "export", "fsync", "heard.wav", "EINTR", False),
    ("an interrupted opening of a copy is done again", "copy", "open+", ".part", "EINTR", False),
    ("an interrupted opening of a text is done again", "duty-set", "open", "duty", "EINTR", False),
    ("an interrupted opening of the keeper is done again", "status", "open", "keeper/root", "EINTR", False),
    ("a keeper that cannot be read is no damaged one", "hold", "pread", "keeper/root", "EIO", True),
    ("an identity that cannot be read is no wrong passphrase", "find", "pread", "people/officer", "EIO", False),
    ("a catalogue that cannot be written while settling is no damage", "find", "fdatasync", "catalog/data.mdb", "EIO", False),
    ("a full disk under the catalogue while settling is met by a new one", "find", "writev", "catalog/data.mdb", "ENOSPC", False),
    ("a finished call whose folder cannot be synced is whole", "ingest", "fsync", "/incoming", "EIO", False),
    ("a full disk while an erasure settles leaves no stale catalogue", "erase", "rename", "keys/directory", "EDQUOT", False),
    ("a register that cannot be read is no damaged one", "status", "fstat", "registers/aliases", "EIO", False),
    ("a call that the disk does not tell of keeps its intake key", "keeper-rotate", "lstat", ".mixed", "EIO", False),
    ("a first backup without room is tried again in the same folder", "backup", "rename", "backup.json", "ENOSPC", False),
]
# What holds, command, from which to which part of all its allocations, every so many-th, and whether all later ones fail too.
MEMORY = [("memory that gives out in a destructor is told", "find", 0.86, 1.0, 23, True),
          ("a lack of memory is no damage", "ingest", 0.945, 0.96, 1, False),
          ("a lack of memory is no malformed proof", "disclose", 0.912, 0.92, 1, False)]


def cases(prepared):
    """(what holds, fault)"""
    by_name = {p.command.name: p for p in prepared}
    for name, command, call, path, error, ever in FOUND:
        calls = [c for c in by_name[command].calls if c.name == call and re.search(re.escape(path) + r"[^/]*$", c.path)]
        if not calls:
            yield name, None
        for one in calls[:3]:
            yield name, Fault(by_name[command], one, error, ever)
    for name, command, first, last, step, ever in MEMORY:
        count = by_name[command].allocations[-1][0]
        for nth in range(int(first * count), int(last * count), step):
            yield name, MemoryFault(by_name[command], nth, ever)


def unseen(prepared, work):
    """Calls that change something and reach the kernel past the library: what it does not see it cannot let fail."""
    if shutil.which("strace") is None:
        return None
    one = next(p for p in prepared if p.command.name == "hold")
    slot = Slot(one.scene, work + "/seen")
    slot.ready()
    names = {"fsync": "fsync", "fdatasync": "fdatasync", "pwrite64": "pwrite", "writev": "writev", "rename": "rename",
             "renameat2": "renameat2", "unlink": "unlink", "ftruncate": "ftruncate", "fallocate": "fallocate", "mkdir": "mkdir"}
    done = subprocess.run(["strace", "-f", "-qq", "-o", work + "/trace", "-e", "trace=" + ",".join(names), *slot.words(one.command)],
                          env=slot.environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        return None  # it cannot trace here
    with open(work + "/trace", encoding="utf-8", errors="replace") as file:
        kernel = collections.Counter(names[m.group(1)] for m in map(re.compile(r"\d+ +(\w+)\(").match, file) if m)
    seen = collections.Counter(c.name for c in one.calls)
    missing = {n: (kernel[n], seen[n]) for n in kernel if kernel[n] != seen[n]}
    return f"calls of the kernel, and those seen: {missing}" if missing else None


def main():
    parser = argparse.ArgumentParser()
    for name in ("binary", "library", "explorer"):
        parser.add_argument(name, type=os.path.abspath)
    options = parser.parse_args()
    began, count = time.monotonic(), 0
    work = tempfile.mkdtemp(prefix="callvault-found-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        matrix = Matrix(options, work)
        prepared = matrix.prepare({c[1] for c in FOUND + MEMORY})
        wrong = unseen(prepared, work)
        if wrong:
            matrix.problems.append(wrong)
            print(f"FAILED: every change of the disk is seen: {wrong}")
        for name, fault in cases(prepared):
            count, before = count + 1, len(matrix.problems)
            if fault is None:
                matrix.problems.append("there is no such call any more")
            else:
                matrix.one(fault)
            if len(matrix.problems) > before:
                print(f"FAILED: {name}: {matrix.problems[-1]}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{count} faults, {len(matrix.problems)} problems, {time.monotonic() - began:.0f} s")
    sys.exit(1 if matrix.problems else 0)


if __name__ == "__main__":
    main()
