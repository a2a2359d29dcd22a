"""What a figure found: goals that are judged, tables, remarks and curves. The document is made from nothing else."""
import time


class Failed(Exception):
    pass


class Section:
    """The result of one figure. `save` and `load` make it a part of docs/performance/results.json."""

    def __init__(self, name, title):
        self.name, self.title = name, title
        self.goals, self.tables, self.remarks, self.plots = [], [], [], []
        self.failure = None
        self.taken = {}

    # `value` against `target`, the ratio of the two, and whether that is on the right side. `limit`: the most that can be
    # had at all.
    def goal(self, what, value, unit, target, at_least=False, limit=None):
        good = value >= target if at_least else value <= target
        self.goals.append({"what": what, "value": value, "unit": unit, "target": target, "at_least": at_least,
                           "ratio": value / target if target else 0, "good": good} | ({} if limit is None else {"limit": limit}))

    def remark(self, what, text=""):
        self.remarks.append([what, text])

    def table(self, title, columns, rows):
        self.tables.append({"title": title, "columns": list(columns), "rows": [[str(c) for c in row] for row in rows]})

    # `series`: {name: [(x, y), ...]}; `log`: which axes are logarithmic.
    def plot(self, name, title, x, y, series, log="xy"):
        self.plots.append({"name": name, "title": title, "x": x, "y": y, "log": log,
                           "series": {k: [list(p) for p in v] for k, v in series.items() if v}})

    def stamp(self, began, load, quick):
        self.taken = {"date": time.strftime("%Y-%m-%d"), "seconds": round(time.monotonic() - began),
                      "load": [round(load, 1)], "quick": quick}

    def save(self):
        return {k: v for k, v in vars(self).items() if v is not None}

    @classmethod
    def load(cls, kept):
        section = cls(kept["name"], kept["title"])
        vars(section).update(kept)
        return section


def number(value):
    """Three digits that mean something, without an exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def beyond(goal):
    """Does the limit forbid the goal?"""
    return "limit" in goal and (goal["limit"] < goal["target"] if goal["at_least"] else goal["limit"] > goal["target"])


def target_of(goal):
    return f"{'>=' if goal['at_least'] else '<='} {number(goal['target'])} {goal['unit']}".strip()


def text_table(sections):
    rows = []
    for section in sections:
        for g in section.goals:
            rows.append((f"{section.name}: {g['what']}", f"{number(g['value'])} {g['unit']}", target_of(g),
                         f"{g['ratio']:.2f}", "ok" if g["good"] else f"MISSED: the limit is {number(g['limit'])}" if beyond(g) else "MISSED"))
        for what, text in section.remarks:
            rows.append((f"{section.name}:   {what}", text, "", "", ""))
    if not rows:
        return ""
    width = max(len(r[0]) for r in rows)
    value = max((len(r[1]) for r in rows if r[2]), default=10)
    lines = [f"{'figure':{width}}  {'measured':{value}}  {'goal':14}  {'ratio':5}"]
    lines += [f"{what:{width}}  {got:{value}}  {goal:14}  {ratio:5}  {verdict}".rstrip() for what, got, goal, ratio, verdict in rows]
    return "\n".join(lines)
