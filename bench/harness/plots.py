"""SVG plots of growth, by Debian's python3-matplotlib. The text stays text, and the same numbers give the same file."""


def draw(plot, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "callvault", "font.size": 9, "axes.spines.top": False,
                                "axes.spines.right": False})
    figure, axes = pyplot.subplots(figsize=(7.6, 3.6), layout="constrained")
    for (name, points), mark in zip(plot["series"].items(), "osD^vPX*ph<>" * 3):
        points = sorted(points)
        axes.plot([p[0] for p in points], [p[1] for p in points], marker=mark, markersize=4, linewidth=1.3, label=name)
    if "x" in plot["log"]:
        axes.set_xscale("log")
    if "y" in plot["log"]:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    plain = ticker.FuncFormatter(lambda value, _: f"{value:,.10g}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(plain)
    axes.set(title=plot["title"], xlabel=plot["x"], ylabel=plot["y"])
    axes.grid(True, which="major", linewidth=0.4, alpha=0.6)
    if len(plot["series"]) > 1:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    # Its generator leaves blanks at the ends of lines.
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
