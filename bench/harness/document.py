"""docs/PERFORMANCE.md: what stands between its markers is written from docs/performance/results.json."""
import json

from harness import plots
from harness.machine import ROOT
from harness.results import Section, beyond, number, target_of

PAGE = ROOT / "docs/PERFORMANCE.md"
FOLDER = ROOT / "docs/performance"
BEGIN, END = "<!-- begin: written by bench/run -->", "<!-- end: written by bench/run -->"


def cell(text):
    return str(text).replace("|", "&#124;").replace("\n", " ")


def table(columns, rows):
    lines = ["| " + " | ".join(cell(c) for c in columns) + " |", "|" + "---|" * len(columns)]
    return lines + ["| " + " | ".join(cell(c) for c in row) + " |" for row in rows]


def taken(section):
    t = section.taken
    load = "-".join(f"{x:g}" for x in sorted(set(t["load"])))
    return f"{t['date']}, load {load}, {t['seconds']} s" + (", QUICK: sizes too small to judge" if t.get("quick") else "")


def body(results, order):
    machine = results["machine"]
    sections = [Section.load(results["sections"][name]) for name in order if name in results["sections"]]
    lines = ["## Goals", ""]
    judged = [g for s in sections for g in s.goals]
    lines += table(("figure", "measured", "goal", "ratio", "limit", ""),
                   [(g["what"], f"{number(g['value'])} {g['unit']}", target_of(g), f"{g['ratio']:.2f}", number(g["limit"]) if "limit" in g else "",
                     "met" if g["good"] else "**missed**: beyond the limit" if beyond(g) else "**missed**") for g in judged])
    missed = [g for g in judged if not g["good"]]
    lines += ["", f"{len(judged) - len(missed)} met, {len(missed)} missed. `ratio` is measured / goal. `limit`: what a program would reach that costs nothing beside "
              f"libopus itself, at callvault's settings; it forbids {sum(map(beyond, missed))} of those missed.", ""]
    for section in sections:
        lines += [f"## {section.title}", "", f"`bench/run {section.name}`: {taken(section)}.", ""]
        if section.failure:
            lines += [f"**Did not run to its end:** {cell(section.failure)}", ""]
        for t in section.tables:
            lines += [f"**{t['title']}**", ""] + table(t["columns"], t["rows"]) + [""]
        for plot in section.plots:
            lines += [f"![{plot['title']}](performance/{plot['name']}.svg)", ""]
        lines += [f"* {what}{': ' + text if text else ''}" for what, text in section.remarks]
        lines += [""] if section.remarks else []
    lines += ["## Machine and versions", "", f"{machine['cpu']}, {machine['memory']}; {machine['disk']}; {machine['system']}. "
              f"callvault {machine['commit']}, built as {machine['build']}. " + ", ".join(f"{k} {v}" for k, v in machine["versions"].items()) + "."]
    return "\n".join(lines)


# Sections that were not measured this time stay as they were.
def write(sections, machine, order):
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / "results.json"
    results = json.loads(kept.read_text()) if kept.exists() else {"sections": {}}
    results["machine"] = machine
    results["sections"] |= {s.name: s.save() for s in sections}
    results["sections"] = {name: results["sections"][name] for name in order if name in results["sections"]}
    kept.write_text(json.dumps(results, indent=1) + "\n")
    render(results, order)


def render(results, order):
    text = PAGE.read_text()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"bench/run: {PAGE} has no lines '{BEGIN}' and '{END}'")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    PAGE.write_text(before + BEGIN + "\n" + body(results, order) + "\n" + END + after)
    wanted = set()
    for section in results["sections"].values():
        for plot in section["plots"]:
            plots.draw(plot, FOLDER / f"{plot['name']}.svg")
            wanted.add(f"{plot['name']}.svg")
    for old in FOLDER.glob("*.svg"):
        if old.name not in wanted:
            old.unlink()


# After a change of the words, without measuring again.
def redraw(order):
    render(json.loads((FOLDER / "results.json").read_text()), order)
