"""Commands that need no passphrase, from their start to their end."""
import shutil

from harness.core import median
from harness.results import number

TITLE = "Start-up"


def run(bench):
    vault = bench.new_vault("start")
    ours = {"callvault --version": [bench.program, "--version"], "callvault find --help": [bench.program, "find", "--help"],
            "callvault status": [bench.program, "--json", "status"], "callvault may-record": [bench.program, "--json", "may-record", "+40722000001"]}
    others = {"age --version": ["age", "--version"], "ffprobe -version": ["ffprobe", "-version"], "git --version": ["git", "--version"],
              "sqlite3 --version": ["sqlite3", "--version"], "gpg --version": ["gpg", "--version"], "true": ["true"]}
    words = ours | {n: w for n, w in others.items() if shutil.which(w[0])}
    runs = bench.interleave({n: lambda w=w: bench.measure(w, vault, expected=(0, 25)) for n, w in words.items()}, bench.options.starts)
    rows = [(f"`{n}`", number(median(r["wall_ms"] for r in found)), number(min(r["wall_ms"] for r in found)), number(median(r["cpu_ms"] for r in found)),
             f"{max(r['maxrss_kib'] for r in found) / 1024:.1f}") for n, found in runs.items()]
    bench.table(f"Median of {bench.options.starts}", ("command", "ms", "fastest, ms", "CPU, ms", "MiB"), rows)
    for name in ours:
        bench.figure(f"`{name}`", median(r["wall_ms"] for r in runs[name]), "ms", 5)
