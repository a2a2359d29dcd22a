"""The journal verified whole, and proofs of one entry and of growth."""
from harness.core import median

TITLE = "The journal"


def run(bench):
    o = bench.options
    vault = bench.big_vault()
    entries = vault / "journal" / "entries"
    words = [bench.program, "--json", "journal", "verify"]
    runs = bench.interleave({"ours": lambda: bench.measure(words, vault, short=False), "peer": lambda: bench.measure(["sha256sum", entries], short=False)}, 3)
    size = runs["ours"][0]["lines"][-1]["size"]
    wall, peer = (median(r["wall_ms"] for r in runs[n]) for n in ("ours", "peer"))
    bench.figure(f"journal verify of {size:,} entries: whole command", wall, "ms", 10_000)
    bench.info("limit", f"sha256sum of the {entries.stat().st_size / 1e6:.0f} MB takes {peer:.0f} ms; {wall / peer:.1f} times that")
    since = bench.work / "checkpoint"
    since.write_bytes((vault / "journal" / "checkpoint").read_bytes())
    for what, more in (("an entry", ("--index", str(size // 3))), ("growth", ("--since", str(since)))):
        runs = [bench.measure([bench.program, "--json", "journal", "prove", *more], vault) for _ in range(o.starts)]
        bench.figure(f"journal prove {what} among {size:,}: whole command", median(r["wall_ms"] for r in runs), "ms", 20)
