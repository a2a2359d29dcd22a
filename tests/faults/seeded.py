#!/usr/bin/env python3
"""Deliberate defects in how the product meets faults: each must be found.

  seeded.py CALLVAULT LIBRARY CRASH_EXPLORER BUILD SOURCE"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True  # leaves nothing in the sources
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from matrix import Matrix, MemoryFault  # noqa: E402
from mutation import Build  # noqa: E402
from scenario import Wrong  # noqa: E402

FILE = "vault/os/file.cc"
# name, the guarantee it breaks, file, old, new; commands and errors by which it is found, or a script
SEEDED = [
    ("sync_ignored", "a sync that failed is told", FILE,
     '  if (retrying([&] { return ::fsync(fd_); }) < 0) return system_error(errno, "cannot sync", path_);',
     "  (void)retrying([&] { return ::fsync(fd_); });", "hold", {"EIO"}),
    ("interruption_not_repeated", "an interrupted call is done again", FILE,
     "  while (result < 0 && errno == EINTR) result = call();", "", "hold", {"EINTR"}),
    ("short_write_taken_as_whole", "a short write is completed", FILE,
     '''    if (n == 0) return system_error(EIO, "cannot write", path_);
    done += static_cast<std::size_t>(n);''', "    done = data.size();", "hold", {"short"}),
    ("short_read_taken_as_whole", "a short read is completed", FILE,
     "    if (n == 0) break;\n    done += static_cast<std::size_t>(n);",
     "    done += static_cast<std::size_t>(n);\n    break;", "hold", {"short"}),
    ("error_is_absence", "what cannot be read is not called missing", FILE,
     "  if (number == ENOENT) code = Errc::not_found;", "  if (number == ENOENT || number == EIO) code = Errc::not_found;",
     "show", {"EIO"}),
    ("full_disk_is_error", "a full disk is told as such", FILE,
     "  if (number == ENOSPC || number == EDQUOT) code = Errc::no_space;", "  if (number == ENOSPC) code = Errc::no_space;",
     "hold", {"EDQUOT"}),
    ("lack_of_memory_is_damage", "a lack of memory is no damage", "vault/keys/recorder_view.cc",
     "  in.exceptions(std::ios_base::badbit);  // a lack of memory is no damage\n", "", "ingest", {"memory"}),
    ("backup_in_the_way", "a backup that could not begin is tried again", "vault/backups/target.cc",
     "    // Before anything else: from here on", "    CALLVAULT_TRY(os::make_folder(folder / \"keys\"));\n    // from here on", "backup",
     {"ENOSPC"}),
    ("waits_for_ever", "a stopped holder is waited for 30 s only", "vault/os/lock.cc",
     "    if (Steady::now() - start >= patience) {", "    if (Steady::now() - start >= patience * 1000) {", "stopped.py", ()),
]


def found(options, work, binary, names, errors):
    """The first problem, or nothing."""
    matrix = Matrix(argparse.Namespace(binary=binary, library=options.library, explorer=options.explorer), work)
    for prepared in matrix.prepare(set(names.split(","))):
        if errors == {"memory"}:
            count = prepared.allocations[-1][0]
            jobs = [MemoryFault(prepared, nth, False) for nth in range(int(0.94 * count), count)]  # behind the command line
        else:
            jobs = [f for f in prepared.places(set()) if f.error in errors]
        if errors != {"memory"}:
            random.Random(1).shuffle(jobs)
        for job in jobs:
            matrix.one(job)
            if matrix.problems:
                return matrix.problems[0]
    return None


def main():
    parser = argparse.ArgumentParser()
    for name in ("binary", "library", "explorer", "build", "source"):
        parser.add_argument(name, type=os.path.abspath)
    options = parser.parse_args()
    maker, bad = Build(options.build, options.source), 0
    for name, guarantee, path, old, new, how, errors in SEEDED:
        work = tempfile.mkdtemp(prefix="callvault-seeded-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        try:
            binary = work + "/callvault"
            maker.link("cli/callvault", [maker.compile(path, [(old, new)], work)], binary)
            if how.endswith(".py"):
                done = subprocess.run([sys.executable, "-B", f"{HERE}/{how}", binary, options.library, options.explorer],
                                      capture_output=True, text=True, check=False)
                problem = done.stdout.strip() if done.returncode == 1 else None
            else:
                try:
                    problem = found(options, work, binary, how, errors)
                except Wrong as why:
                    problem = str(why)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        bad += problem is None
        print(f"{name}: {guarantee}: {'SURVIVED' if problem is None else 'caught: ' + problem[:150]}", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
