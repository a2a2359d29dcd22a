"""One erasure, a day, a million: until nobody can open them any more, and until everything is cleaned."""
import shutil

from harness.core import median
from harness.results import Failed
from harness.setup import note

TITLE = "Forgetting: until irrecoverable, until cleaned"


def run(bench):
    one(bench)
    points = [(1, bench.one_erasure)]
    cleaned = []
    for count, rounds, days in ((bench.options.day, 3, 1), (bench.options.million, 1, 182)):
        gone, done, whole = expired(bench, count, rounds, days)
        points.append((count, gone))
        cleaned.append((count, done))
        bench.figure(f"purge of {count:,} on {days} day{'s' * (days > 1)}: irrecoverable", gone, "ms", 1000 if days > 1 else 500)
        bench.info(f"the same: files, index rows and tombstones", f"{done:.0f} ms after the begin; whole command, planning included, {whole:.0f} ms")
    bench.plot("forget", "Forgetting", "recordings", "ms", {"irrecoverable": points, "cleaned": cleaned})


def one(bench):
    made = bench.vault_of(bench.options.recordings)
    walls = []
    for ident in made["newest"][:max(3, bench.options.rounds)]:
        words = [bench.program, "--json", "erase", ident, "--request", "R-1", "--reason", "measuring"]
        done = bench.measure(words, made["vault"])
        walls.append((done["wall_ms"], done["lines"][-1]["irrecoverable_ms"]))
    bench.one_erasure = median(w[1] for w in walls)
    bench.figure(f"one erasure in a day of {made['day']:,} among {bench.options.recordings:,}: whole command", median(w[0] for w in walls), "ms", 500)
    bench.info("of it until irrecoverable", f"{bench.one_erasure:.0f} ms; each whole: " + " ".join(f"{w[0]:.0f}" for w in walls) + " ms")


# A vault of its own in which `count` recordings, with their files, have expired.
def expired(bench, count, rounds, days, *more):
    gone, cleaned, whole = [], [], []
    for round_number in range(rounds):
        note(f"{count:,} expire, round {round_number + 1} of {rounds}")
        vault = bench.work / "expired"
        bench.generate(vault, count, days, 190, "files", *more)
        result = bench.measure([bench.program, "--json", "purge"], vault, short=False)
        report = result["lines"][-1]
        if not more and report["shredded"] != count:
            raise Failed(f"the purge shredded {report['shredded']} of {count}")
        gone.append(report["irrecoverable_ms"])
        cleaned.append(report["cleaned_ms"])
        whole.append(result["wall_ms"])
        bench.remove_vault(vault)
    return median(gone), median(cleaned), median(whole)
