"""Everything of one person: 200 calls of half a year; and whom a breach concerns."""
from harness.core import FREQUENT_CALLER, median
from harness.results import Failed
from harness.setup import note

TITLE = "One person's calls; the scope of a breach"


def run(bench):
    recordings, rounds = bench.options.person, min(3, bench.options.rounds)
    gone, cleaned, whole, scoped = [], [], [], []
    for round_number in range(rounds):
        note(f"a person of 200 calls among {recordings:,}, round {round_number + 1} of {rounds}")
        vault = bench.work / "person"
        bench.generate(vault, recordings, 180, 1, "files", "person")
        bench.measure([bench.program, "--json", "recover"], vault, short=False)
        words = [bench.program, "--json", "breach", "scope", "--from", "2026-01-01", "--to", "2036-01-01", "--exposed", "keeper"]
        result = bench.measure(words, vault, short=False)
        if result["lines"][-1]["details_open"] < recordings:
            raise Failed(f"breach scope saw {result['lines'][-1]['details_open']} of {recordings}")
        scoped.append(result["wall_ms"])
        words = [bench.program, "--json", "erase", "--caller", FREQUENT_CALLER, "--request", "R-1", "--reason", "measuring"]
        result = bench.measure(words, vault, short=False)
        report = result["lines"][-1]
        if report["erased"] < 199 or report["failed"]:
            raise Failed(f"the erasure took {report['erased']} of 200, {report['failed']} failed")
        gone.append(report["irrecoverable_ms"])
        cleaned.append(report["cleaned_ms"])
        whole.append(result["wall_ms"])
        bench.remove_vault(vault)
    label = f"one person's 200 calls of 180 days among {recordings:,}"
    bench.figure(f"{label}: irrecoverable", median(gone), "ms", 3000)
    bench.figure(f"{label}: whole command, index rows clean", median(whole), "ms", 10_000)
    bench.figure(f"breach scope of {recordings:,} recordings: whole command", median(scoped), "ms", 2000)
    bench.info("each, irrecoverable", " ".join(f"{g:.0f}" for g in gone) + " ms")
    bench.info("each, from the rotation's begin to the end of cleaning", " ".join(f"{c:.0f}" for c in cleaned) + " ms")
