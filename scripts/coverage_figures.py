"""Figures out of llvm-cov's export, for scripts/coverage. A branch inside CALLVAULT_TRY is an error handed on; such branches
are counted apart, since each needs a fault of its own (docs/RELIABILITY.md, Coverage)."""

import collections
import json
import os
import sys

KINDS = ("lines", "branches", "handed-on", "mcdc")


def uncovered_lines(segments):
    """First lines of regions that never ran."""
    out = []
    for line, _, count, has_count, is_entry, is_gap in (s[:6] for s in segments):
        if has_count and is_entry and not is_gap and count == 0 and (not out or out[-1] != line):
            out.append(line)
    return out


def is_handed_on(source, line):
    return "CALLVAULT_TRY" in source[line - 1]


def measure(file, gaps):
    summary, counts = file["summary"], collections.Counter()
    with open(file["filename"], encoding="utf-8") as text:
        source = text.read().splitlines()
    counts["lines", True] = summary["lines"]["covered"]
    counts["lines", False] = summary["lines"]["count"] - summary["lines"]["covered"]
    found = [(line, "never run") for line in uncovered_lines(file["segments"])]
    own = {(b[0], b[1], b[2], b[3]): (b[4], b[5]) for b in file["branches"]}
    for (line, *_), outcomes in own.items():
        kind = "handed-on" if is_handed_on(source, line) else "branches"
        for word, taken in zip(("true", "false"), outcomes):
            counts[kind, taken > 0] += 1
            if not taken and kind == "branches":
                found.append((line, "never " + word))
    for expansion in file.get("expansions", []):
        for b in expansion.get("branches", []):
            for taken in b[4:6]:
                counts["handed-on", taken > 0] += 1
    for record in file.get("mcdc_records", []):
        conditions = next(part for part in record if isinstance(part, list))
        for number, shown in enumerate(conditions, 1):
            counts["mcdc", bool(shown)] += 1
            if not shown:
                found.append((record[0], f"condition {number} of {len(conditions)} never decides alone"))
    if gaps:
        missing = collections.defaultdict(set)
        for line, what in found:
            missing[line].add(what)
        for line, what in sorted(missing.items()):
            told = "never run" if "never run" in what and {"never true", "never false"} <= what else ", ".join(sorted(what))
            print(f"{os.path.relpath(file['filename'])}:{line}: {told}: {source[line - 1].strip()[:90]}")
    return counts


def percent(counts, kind):
    reached, missed = counts[kind, True], counts[kind, False]
    return f"{100 * reached / (reached + missed):5.1f} % ({reached}/{reached + missed})" if reached + missed else "      - "


def main():
    with open(sys.argv[1], encoding="utf-8") as text:
        files = json.load(text)["data"][0]["files"]
    gaps = sys.argv[2] == "yes"
    layers, rows = collections.defaultdict(collections.Counter), []
    for file in sorted(files, key=lambda f: f["filename"]):
        path = os.path.relpath(file["filename"])
        if not path.startswith(("vault/sealed/", "vault/keys/", "vault/shred/")):
            continue
        counts = measure(file, gaps)
        rows.append((path, counts))
        layers[path.split("/")[1]].update(counts)
    print(f"{'':32}{'lines':>20}{'branches':>22}{'errors handed on':>22}{'MC/DC':>20}")
    for path, counts in rows + sorted(layers.items()):
        print(f"{path:32}" + "".join(f"{percent(counts, kind):>{22 if kind in KINDS[1:3] else 20}}" for kind in KINDS))


if __name__ == "__main__":
    main()
