"""By caller, by date and by consent, over vaults of growing size, against SQLite with the same columns unsealed."""
import json
import os
import shutil
from pathlib import Path

from harness.core import MONTHLY_CALLER, USER, command, median
from harness.results import Failed, number
from harness.setup import note

TITLE = "Finding: every row sealed, every index blinded, against plain SQLite"
PAGE = 50


def run(bench):
    o = bench.options
    sizes = [*o.smaller, o.recordings]
    library, whole, cold, memory = {}, {}, {}, {}
    rows = []
    for size in sizes:
        note(f"find among {size:,}")
        made = bench.vault_of(size)
        peer = sqlite_of(bench, size)
        inner = bench.interleave(library_steps(bench, made, peer))
        same_answers(inner)
        outer = bench.interleave(command_steps(bench, made, peer), max(o.rounds, o.starts // 2))
        chilled = bench.interleave({name: lambda step=step: chill(made, peer) or step() for name, step in command_steps(bench, made, peer).items()})
        for kind in ("caller", "page", "consent"):
            ours, theirs, unlogged = (inner.get((who, kind)) for who in ("callvault", "SQLite", "SQLite, no log"))
            ours_us = median(r["median_us"] for r in ours)
            library.setdefault(f"{kind}, callvault", []).append((size, ours_us / 1e3))
            cells = [f"{size:,}", label(kind), f"{ours_us / 1e3:.3f}", f"{median(r['cpu_us'] for r in ours) / 1e3:.3f}"]
            if theirs:
                theirs_us, unlogged_us = median(r["median_us"] for r in theirs), median(r["median_us"] for r in unlogged)
                library.setdefault(f"{kind}, SQLite", []).append((size, theirs_us / 1e3))
                cells += [f"{theirs_us / 1e3:.3f}", f"{unlogged_us / 1e3:.3f}", f"{ours_us / theirs_us:.2f}"]
            else:
                cells += ["-"] * 3
            for runs in (outer, chilled):
                cells += [f"{median(r['wall_ms'] for r in runs[('callvault', kind)]):.1f}",
                          f"{median(r['wall_ms'] for r in runs[('SQLite', kind)]):.1f}" if peer else "-"]
            most = max(r["maxrss_kib"] for r in outer[("callvault", kind)]) / 1024
            memory[(size, kind)] = most
            rows.append(cells + [f"{most:.1f}"])
            whole.setdefault(kind, []).append((size, median(r["wall_ms"] for r in outer[("callvault", kind)])))
            cold.setdefault(kind + ", cold", []).append((size, median(r["wall_ms"] for r in chilled[("callvault", kind)])))
            if peer:
                whole.setdefault(kind + ", sqlite3", []).append((size, median(r["wall_ms"] for r in outer[("SQLite", kind)])))
    bench.table("Milliseconds. Library: one search in an open process, with its entry in a journal or log synced. Command: a new process, warm and cold page cache "
                "(posix_fadvise on every file of both)",
                ("recordings", "search", "callvault, library", "its CPU", "SQLite, library", "SQLite without log", "ratio", "`callvault find`, warm", "`sqlite3`, warm",
                 "`callvault find`, cold", "`sqlite3`, cold", "MiB"), rows)
    bench.plot("find-library", "One search in an open process", "recordings", "ms", library)
    bench.plot("find-command", "The command find, from start to end", "recordings", "ms", whole | cold)
    judge(bench, sizes, library, whole, memory)
    bench.info("syncs of one search", "callvault two (the journal's entry, and the checkpoint that signs it), SQLite one (its write-ahead log, synchronous=FULL)")
    passphrase(bench)


# Both answer each search with as many rows, and make its log entry durable before they do.
def same_answers(inner):
    for who, kind in inner:
        ours, theirs = ({r["rows"] for r in inner[(one, kind)]} for one in ("callvault", who))
        if ours != theirs or ours == {0}:
            raise Failed(f"find by {kind}: callvault {ours}, {who} {theirs} rows")


def judge(bench, sizes, library, whole, memory):
    biggest = sizes[-1]
    at = {name: dict(points)[biggest] for name, points in (library | whole).items()}
    if "caller, SQLite" in at:
        bench.figure(f"find by caller among {biggest:,}, library / SQLite (both logged)", at["caller, callvault"] / at["caller, SQLite"], "x", 5)
    bench.figure(f"find by caller among {biggest:,}: whole command, cheap passphrase step", at["caller"], "ms", 10)
    for size in (n for n in sizes if n == biggest or n >= 100_000):
        bench.figure(f"first page ({PAGE}) of a date range among {size:,}: whole command", dict(whole["page"])[size], "ms", 10)
    bench.figure(f"memory of find among {biggest:,}", max(memory[(biggest, k)] for k in ("caller", "page")), "MiB", 64)
    least = memory[(sizes[0], "caller")]
    bench.figure(f"memory of find by caller, {biggest:,} / {sizes[0]:,}", memory[(biggest, "caller")] / least, "x", 1.5)


def label(kind):
    return {"caller": "by caller (7 found)", "page": f"newest {PAGE} of a day", "consent": f"newest {PAGE} by consent"}[kind]


def sqlite_of(bench, size):
    program = bench.build / "bench/sqlite_rows"
    if not program.exists():
        return None
    path = bench.work / f"rows-{size}.db"
    if not path.exists():
        command(program, path, "make", size, bench.options.days)
    return path


def newest_day():
    import datetime
    today = datetime.date.today()
    return str(today - datetime.timedelta(days=1)), str(today)


def library_steps(bench, made, peer):
    rounds = 5 if bench.options.quick else 40
    days = newest_day()
    ours = [*bench.ahead, bench.build / "bench/find_rows", made["vault"], bench.passphrase, USER, rounds]
    words = {"caller": [*ours, "caller", MONTHLY_CALLER], "page": [*ours, "page", *days, PAGE], "consent": [*ours, "consent", "implied", PAGE]}
    steps = {("callvault", kind): lambda w=w: json.loads(command(*w)) for kind, w in words.items()}
    if peer:
        for name, more in (("SQLite", []), ("SQLite, no log", ["unlogged"])):
            theirs = [*bench.ahead, bench.build / "bench/sqlite_rows", peer, rounds]
            words = {"caller": [*theirs, "caller", MONTHLY_CALLER, "-1"], "page": [*theirs, "page", PAGE, "-1"], "consent": [*theirs, "consent", "implied", PAGE]}
            steps |= {(name, kind): lambda w=w, m=more: json.loads(command(*w, *m)) for kind, w in words.items()}
    return steps


def command_steps(bench, made, peer):
    day, until = newest_day()
    find = [bench.program, "--json", "find"]
    words = {"caller": [*find, "--caller", MONTHLY_CALLER], "page": [*find, "--from", day, "--to", until, "--limit", PAGE],
             "consent": [*find, "--consent", "implied", "--limit", PAGE]}

    def ours(kind):
        done = bench.measure(words[kind], made["vault"])
        if not done["lines"]:
            raise Failed(f"find by {kind} found nothing")
        return done

    steps = {("callvault", kind): lambda k=kind: ours(k) for kind in words}
    if peer and shutil.which("sqlite3"):
        columns = "SELECT * FROM recording"
        queries = {"caller": f"{columns} WHERE caller='{MONTHLY_CALLER}' ORDER BY started DESC",
                   "page": f"{columns} WHERE started>={(bench.options.days - 1) * 86_400_000} ORDER BY started DESC LIMIT {PAGE}",
                   "consent": f"{columns} WHERE consent='implied' ORDER BY started DESC LIMIT {PAGE}"}
        steps |= {("SQLite", kind): lambda q=q: bench.measure(["sqlite3", peer, q]) for kind, q in queries.items()}
    return steps


# Callvault's files and SQLite's leave the page cache.
def chill(made, peer):
    for path in [*Path(made["vault"]).rglob("*"), *([peer] if peer else [])]:
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def passphrase(bench):
    costly, cheap = bench.new_vault("costly", fast=False), bench.new_vault("cheap")
    runs = bench.interleave({v: lambda v=v: bench.measure([bench.program, "--json", "find"], v) for v in (costly, cheap)}, 3)
    least = {v: min(r["wall_ms"] for r in runs[v]) for v in runs}
    bench.info("the real passphrase step (Argon2id: 3 passes over 64 MiB) on top",
               f"{least[costly] - least[cheap]:.0f} ms, {max(r['maxrss_kib'] for r in runs[costly]) / 1024:.0f} MiB in all")
