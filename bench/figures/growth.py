"""Ingest, play and erase of one call in vaults of growing size: none may grow with the vault."""
from harness.core import median
from harness.results import number
from harness.setup import note

TITLE = "Growth: one call in vaults of growing size"


def run(bench):
    o = bench.options
    sizes = [*o.smaller, o.recordings]
    audio = bench.speech(0.25)
    walls, cpus, rows = {}, {}, []
    for size in sizes:
        note(f"one call among {size:,}")
        vault = bench.vault_of(size)["vault"]
        taken = {"ingest": [], "status": [], "play": [], "erase": []}
        for _ in range(o.rounds):
            done = bench.ingest(vault, audio)
            taken["ingest"].append(done)
            ident = done["lines"][0]["id"]
            bench.measure([bench.program, "--json", "status"], vault, expected=(0, 25))  # settles it
            taken["status"].append(bench.measure([bench.program, "--json", "status"], vault, expected=(0, 25)))
            taken["play"].append(bench.measure([bench.program, "play", ident, "--purpose", "complaint", "-o", "-"], vault))
            taken["erase"].append(bench.measure([bench.program, "--json", "erase", ident, "--request", "R-1", "--reason", "measuring"], vault))
        for verb, runs in taken.items():
            wall, cpu = median(r["wall_ms"] for r in runs), median(r["cpu_ms"] for r in runs)
            walls.setdefault(verb, []).append((size, wall))
            cpus.setdefault(verb, []).append((size, cpu))
            rows.append((f"{size:,}", verb, number(wall), number(cpu), f"{max(r['maxrss_kib'] for r in runs) / 1024:.1f}"))
    bench.table("15 s of speech; whole commands, cheap passphrase step", ("recordings in the vault", "", "wall, ms", "CPU, ms", "MiB"),
                sorted(rows, key=lambda r: r[1]))
    bench.plot("growth", "One call in a vault that grows: CPU of whole commands", "recordings in the vault", "ms", cpus)
    for verb, limit in (("ingest", 1.2), ("play", 2), ("erase", 3)):
        first, last = cpus[verb][0][1], cpus[verb][-1][1]
        bench.figure(f"CPU of {verb}, one call: among {sizes[-1]:,} / among {sizes[0]:,}", last / first, "x", limit)
