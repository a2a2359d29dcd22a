"""Figures out of llvm-cov's export, for scripts/coverage.

A condition of a decision of several counts as shown when it was seen to decide alone (MC/DC); the one condition of an if,
a loop or a ?: when it was seen true and false. A branch inside CALLVAULT_TRY hands an error on: these are counted apart.
What no test shows must be argued in tests/coverage/argued.txt, by function and condition, or the run fails."""

import argparse
import collections
import json
import os
import re
import subprocess
import sys

LAYERS = ("vault/sealed/", "vault/keys/", "vault/shred/")
LEAF, MCDC_LEAF = 4, 6  # kinds of regions in the export
Gap = collections.namedtuple("Gap", "file function condition what line")


def demangled(names):
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, text.splitlines()))


def plain_name(name):
    """callvault::keys::Node::parse(...) and every lambda in it: Node::parse"""
    name = name.split(":", 1)[1] if re.match(r"[\w./-]+\.(cc|cxx|h):", name) else name  # of internal linkage
    name = name.replace("(anonymous namespace)::", "").replace("[abi:cxx11]", "")
    depth, out = 0, ""
    for c in name:
        depth += c in "<"
        if depth == 0:
            if c == "(":
                break
            out += c
        depth -= c in ">"
    return re.sub(r"callvault::\w+::", "", out.split("::$")[0].split("::'lambda")[0].split(" ")[-1])


class Source:
    def __init__(self):
        self.files = {}

    def text(self, path, place):
        if path not in self.files:
            with open(path, encoding="utf-8") as file:
                self.files[path] = file.read().encode().split(b"\n")
        begin, column, end, last = place
        lines = self.files[path][begin - 1:end]
        if not lines:
            return ""
        lines[-1] = lines[-1][:last - 1]
        lines[0] = lines[0][column - 1:]
        return " ".join(b" ".join(lines).decode().split())

    def condition(self, path, place):
        """Its words; of a loop over a range, which are none, the loop's."""
        text = self.text(path, place)
        return text if text != ":" else self.text(path, (place[0], 1, place[0], 999)).split(") ")[0].rstrip("{ ")


def inside(place, other):
    return other[:2] <= place[:2] and place[2:] <= other[2:] and place != other


class Conditions:
    """Every condition by (file, place): whether any function or instantiation showed it."""

    def __init__(self):
        self.shown, self.function, self.handed = {}, {}, {}

    def add(self, function):
        name, files = function["name"], function["filenames"]
        here = [os.path.relpath(f) for f in files]
        branches, leaves = {}, collections.defaultdict(list)
        for b in function["branches"]:
            place, file, kind = tuple(b[:4]), here[b[6]], b[8]
            if not file.startswith(LAYERS):
                self.handed_on(here, name, place, b[4:6])
                continue
            if kind == MCDC_LEAF:
                leaves[file].append(place)
            branches[file, place] = (b[4] > 0, b[5] > 0)
        of_decision = {}
        for record in function.get("mcdc_records", []):
            place, file = tuple(record[:4]), here[record[-3] if len(record) > 8 else record[4]]
            conditions = next(part for part in record if isinstance(part, list))
            if not file.startswith(LAYERS):
                continue
            of_decision[file, place] = conditions
        for (file, place), conditions in sorted(of_decision.items(), key=lambda d: len(d[1])):
            inner = [p for f, p in of_decision if f == file and inside(p, place)]
            own = sorted(p for p in leaves[file] if (inside(p, place) or p == place) and not any(inside(p, i) for i in inner))
            if len(own) != len(conditions):
                sys.exit(f"{file}:{place[0]}: {len(conditions)} conditions, and {len(own)} places of some")
            branches.pop((file, place), None)  # of the decision as a whole
            for leaf, shown in zip(own, conditions):
                self.note("mcdc", file, leaf, [bool(shown)], name)
                branches.pop((file, leaf), None)
        for (file, place), taken in branches.items():
            self.note("single", file, place, list(taken), name)

    def note(self, kind, file, place, shown, function):
        known = self.shown.setdefault((kind, file, place), [False] * len(shown))
        for i, one in enumerate(shown):
            known[i] = known[i] or one
        self.function[kind, file, place] = function

    def handed_on(self, files, name, place, taken):
        """An expansion of CALLVAULT_TRY, told apart by its function only: as often as it stands there."""
        file = next((f for f in files if f.startswith(LAYERS)), None)
        if file is not None:
            self.handed.setdefault((file, name), []).extend(count > 0 for count in taken)


def read_argued(path):
    """{(file, function, condition): why}"""
    out, head, condition = {}, None, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line.startswith(" "):
                head, condition = tuple(line.split(" ", 1)), None
            elif line.startswith("  condition "):
                condition = line[len("  condition "):]
            elif line.startswith("  because ") and head and condition:
                out[(*head, condition)] = line[len("  because "):]
            elif line.startswith("    ") and (*head, condition) in out:
                out[(*head, condition)] += " " + line.strip()
            else:
                sys.exit(f"{path}:{number}: neither file and function, nor condition, nor because")
    return out


def percent(reached, all_):
    return f"{100 * reached / all_:5.1f} % ({reached}/{all_})" if all_ else "      - "


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("export")
    parser.add_argument("argued")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--gaps", action="store_true")
    options = parser.parse_args()
    with open(options.export, encoding="utf-8") as text:
        data = json.load(text)["data"][0]
    source, conditions = Source(), Conditions()
    for function in data["functions"]:
        if any(os.path.relpath(f).startswith(LAYERS) for f in function["filenames"]):
            conditions.add(function)
    names = demangled(sorted({n.split(":", 1)[-1] for n in conditions.function.values()}))
    argued = read_argued(options.argued)

    figures, gaps, used = collections.defaultdict(collections.Counter), [], set()
    for (kind, file, place), shown in conditions.shown.items():
        function = plain_name(names[conditions.function[kind, file, place].split(":", 1)[-1]])
        text = source.condition(file, place)
        figures[file][kind, "all"] += len(shown)
        figures[file][kind, "shown"] += sum(shown)
        if all(shown):
            continue
        key = (file, function, text)
        if key in argued:
            used.add(key)
            figures[file][kind, "argued"] += shown.count(False)
            continue
        what = "never decides alone" if kind == "mcdc" else " and ".join(
            word for word, seen in zip(("never true", "never false"), shown) if not seen)
        gaps.append(Gap(*key, what, place[0]))
    for (file, _), taken in conditions.handed.items():
        figures[file]["handed", "all"] += len(taken)
        figures[file]["handed", "shown"] += sum(taken)
    for file in data["files"]:
        path = os.path.relpath(file["filename"])
        if path.startswith(LAYERS):
            figures[path]["lines", "all"] += file["summary"]["lines"]["count"]
            figures[path]["lines", "shown"] += file["summary"]["lines"]["covered"]

    layers = collections.defaultdict(collections.Counter)
    for file, counts in figures.items():
        layers[os.path.dirname(file)].update(counts)
    rows = sorted(figures.items()) if options.verbose else []
    print(f"{'':34}{'lines':>18}{'MC/DC':>20}{'single conditions':>20}{'errors handed on':>20}{'argued':>8}{'owed':>6}")
    for path, counts in rows + sorted(layers.items()):
        told = [percent(counts[kind, "shown"], counts[kind, "all"]) for kind in ("lines", "mcdc", "single", "handed")]
        known = counts["mcdc", "argued"] + counts["single", "argued"]
        owed = sum(counts[k, "all"] - counts[k, "shown"] - counts[k, "argued"] for k in ("mcdc", "single"))
        print(f"{path:34}{told[0]:>18}{told[1]:>20}{told[2]:>20}{told[3]:>20}{known:>8}{owed:>6}")
    if options.gaps:
        for gap in sorted(gaps, key=lambda g: (g.file, g.line)):
            print(f"{gap.file}:{gap.line}: {gap.function}: {gap.what}: {gap.condition}")
    stale = [key for key in argued if key not in used]
    for key in stale:
        print("argued, and shown or gone: " + " ".join(key))
    total = collections.Counter()
    for counts in layers.values():
        total.update(counts)
    everything = total["mcdc", "all"] + total["single", "all"]
    covered = total["mcdc", "shown"] + total["single", "shown"]
    known = total["mcdc", "argued"] + total["single", "argued"]
    owed = everything - covered - known
    print(f"{percent(covered, everything).strip()} of the conditions shown, {known} argued, {owed} owed, {len(stale)} stale")
    sys.exit(1 if owed or stale else 0)


if __name__ == "__main__":
    main()
