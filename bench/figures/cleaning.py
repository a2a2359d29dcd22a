"""The same files forgotten by callvault with some on hold, and by what else deletes."""
import contextlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

from figures.forget import expired
from harness.core import command, median
from harness.results import number
from harness.setup import note

TITLE = "Cleaning, with recordings on hold, against what else deletes"
HOLDS = {"0": [], "0.1 %": ["holds=1000"], "1 %": ["holds=100"], "5 %": ["holds=20"]}
SHREDDED = 1000  # files of 64 KiB, for the peers that need minutes for more


def run(bench):
    o = bench.options
    count = 2_000 if o.quick else 100_000
    rows, curve = [], []
    for share, more in HOLDS.items():
        gone, cleaned, whole = expired(bench, count, 3 if share == "0" and not o.quick else 1, 182, *more)
        rows.append((f"callvault purge, {share} on hold", f"{count:,}", number(gone), number(cleaned), number(cleaned * 1000 / count)))
        if share == "0":
            ours = cleaned
    removed = remove_tree(bench, count)
    rows.append(("`rm -r` of the same empty files, irrecoverable: no", f"{count:,}", "-", number(removed), number(removed * 1000 / count)))
    tombstones = write_tombstones(count, bench.work / "tombstones.db")
    rows.append(("the same, and a tombstone of each recording in one synced SQLite transaction, irrecoverable: no", f"{count:,}", "-",
                 number(removed + tombstones), number((removed + tombstones) * 1000 / count)))
    rows += sqlite(bench, count) + small_peers(bench)
    bench.table("Milliseconds from the begin; the last column is microseconds a recording until cleaned. Warm cache", ("", "recordings", "irrecoverable", "cleaned", "us each"), rows)
    bench.figure(f"cleaning of {count:,} recordings / `rm -r` of their files", ours / removed, "x", 1.2)
    bench.info("what the law wants besides", f"a tombstone of each recording that proves its end: with the least that does, cleaning is {ours / (removed + tombstones):.2f} of it; "
               "ours also are signed entries of a hash tree, rows out of the index, and a rotation of the root")
    bench.info("not compared like with like", "`rm`, restic and borg leave what was said on the disk: only callvault, `shred` and SQLite's secure_delete say that it is gone, "
               "and the last two overwrite in place, which a journalling or copy-on-write file system and an SSD do not promise to do")


def remove_tree(bench, count):
    runs = []
    for _ in range(3):
        vault = bench.work / "removed"
        bench.generate(vault, count, 182, 190, "files")
        runs.append(bench.measure(["rm", "-r", vault / "recordings"], short=False)["wall_ms"])
        bench.remove_vault(vault)
    return median(runs)


# The least that a deletion with a proof costs besides unlinking.
def write_tombstones(count, path):
    tombstones = [(os.urandom(16), "2026-05-23", 180, "period_over", 2) for _ in range(count)]
    runs = []
    for _ in range(3):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("CREATE TABLE tombstone (id BLOB PRIMARY KEY, day TEXT, duration INTEGER, reason TEXT, epoch INTEGER) WITHOUT ROWID")
            began = time.monotonic()
            database.execute("BEGIN")
            database.executemany("INSERT INTO tombstone VALUES (?, ?, ?, ?, ?)", tombstones)
            database.execute("COMMIT")
            runs.append((time.monotonic() - began) * 1e3)
        path.unlink()
    return median(runs)


def sqlite(bench, count):
    program = bench.build / "bench/sqlite_rows"
    if not program.exists():
        return []
    import json
    rows = []
    path = bench.work / "secure.db"
    command(program, path, "make", count, 182)
    done = json.loads(command(program, path, "delete", 0, 182))
    rows.append(("SQLite rows, secure_delete, then VACUUM", f"{done['rows']:,}", number(done["deleted_ms"]), number(done["whole_ms"]),
                 number(done["whole_ms"] * 1000 / done["rows"])))
    path.unlink()
    return rows


def small_files(bench):
    folder = bench.work / "files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for i in range(100 if bench.options.quick else SHREDDED):
        (folder / f"{i:05}").write_bytes(os.urandom(65536))
    return folder, len(list(folder.iterdir()))


def small_peers(bench):
    rows = []

    def add(name, count, gone, cleaned):
        rows.append((name, f"{count:,} of 64 KiB", gone if isinstance(gone, str) else number(gone), number(cleaned), number(cleaned * 1000 / count)))

    folder, count = small_files(bench)
    note("shred, rm, restic, borg")
    if shutil.which("shred"):
        wall = bench.measure(["sh", "-c", f"shred -u {folder}/*"], short=False)["wall_ms"]
        add("`shred -u` (three passes)", count, wall, wall)
    folder, count = small_files(bench)
    add("`rm`, irrecoverable: no", count, "-", bench.measure(["sh", "-c", f"rm {folder}/*"], short=False)["wall_ms"])
    if shutil.which("restic"):
        folder, count = small_files(bench)
        repository = bench.work / "restic"
        secret = {"RESTIC_PASSWORD": "only for measuring", "RESTIC_REPOSITORY": str(repository), "RESTIC_CACHE_DIR": str(bench.work / "restic.cache"), "HOME": str(bench.work)}
        environment = bench.environment | secret
        command("restic", "init", "-q", env=environment)
        command("restic", "backup", "-q", folder, env=environment)
        for path in sorted(folder.iterdir())[:count // 2]:
            path.unlink()
        command("restic", "backup", "-q", folder, env=environment)
        words = ["restic", "forget", "--keep-last", "1", "--prune", "-q"]
        add("restic: half of the files, forget --prune, irrecoverable: no", count // 2, "-", bench.measure(words, short=False, environment=secret)["wall_ms"])
        shutil.rmtree(repository)
    if shutil.which("borg"):
        folder, count = small_files(bench)
        repository = bench.work / "borg"
        secret = {"BORG_PASSPHRASE": "only for measuring", "BORG_BASE_DIR": str(bench.work), "BORG_REPO": str(repository)}
        environment = bench.environment | secret
        command("borg", "init", "-e", "repokey-blake2", env=environment)
        half = sorted(folder.iterdir())[:count // 2]
        command("borg", "create", "::gone", *half, env=environment)
        command("borg", "create", "::kept", *sorted(folder.iterdir())[count // 2:], env=environment)
        words = ["sh", "-c", "borg delete ::gone && borg compact"]
        add("borg: an archive of half of them, delete + compact, irrecoverable: no", count // 2, "-", bench.measure(words, short=False, environment=secret)["wall_ms"])
        shutil.rmtree(repository)
    shutil.rmtree(folder)
    return rows
