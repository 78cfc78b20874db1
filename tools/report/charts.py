# SPDX-License-Identifier: BSD-2-Clause
"""Draws charts from their rows, by matplotlib. No colour stands alone: modes have a dash and a
marker as well, stages a hatch, cells of the heat map their lightness."""
import matplotlib
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.transforms import ScaledTranslation
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from . import capture as captures
from .svg import COLOURS, finished, text_of

matplotlib.use("svg")

WIDTH = 4.7  # inches: narrow, so that a phone shows its text large enough
INK, MUTED, GRID, PAPER = (COLOURS[name] for name in ("ink", "muted", "grid", "paper"))
STYLE = {
    "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK,
    "axes.edgecolor": MUTED, "axes.labelcolor": MUTED, "axes.linewidth": 0.8, "axes.grid": True,
    "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "axes.spines.left": False, "grid.color": GRID, "grid.linewidth": 0.8, "xtick.color": MUTED,
    "ytick.color": MUTED, "xtick.labelcolor": INK, "ytick.labelcolor": INK, "ytick.major.size": 0,
    "hatch.linewidth": 0.9, "legend.frameon": False,
    "lines.linewidth": 1.8, "lines.markersize": 5.5, "path.simplify": False,
    "text.usetex": False, "text.parse_math": False, "svg.image_inline": True,
}
DASHES = {"msi": (0, (1, 1)), "remapped": "-", "posted": (0, (5, 1.6)), "adaptive": (0, (1, 1.3)),
          "poll": (0, (7, 1.5, 1, 1.5))}
MARKERS = {"msi": "v", "remapped": "s", "posted": "^", "adaptive": "o", "poll": "D"}
HATCHES = ("", "///", "", "xx", "..", "")


def short(value):
    """1234567 -> 1.23M."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit * 0.9995:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"


def short_time(ns):
    for limit, suffix in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if ns >= limit * 0.9995:
            return f"{ns / limit:.3g} {suffix}"
    return f"{ns:.3g} ns"


def short_size(size):
    return f"{size / 1024:g}K" if size % 1024 == 0 else f"{size:g}"


def plain(text):
    """A name that the capture gave, on a chart: bounded."""
    return text if len(text) <= 40 else text[:39] + "…"


def in_order(values, order=captures.MODES):
    return sorted(set(values), key=lambda v: (order.index(v) if v in order else len(order), str(v)))


def runs_of(chart):
    return list(dict.fromkeys(row[0] for row in chart["rows"]))


def panels(chart, each, extra=0.75, columns=1):
    """One under the other for each run, each with its name where there are several."""
    runs = runs_of(chart)
    figure, axes = plt.subplots(len(runs), columns, squeeze=False, sharex=True, sharey=True,
                                figsize=(WIDTH, each * len(runs) + extra), layout="constrained")
    for run, row in zip(runs, axes):
        if len(runs) > 1:
            row[0].set_title(plain(run), loc="left", fontsize=10, fontweight="bold", pad=16)
    return figure, dict(zip(runs, axes))


def style_of(mode):
    return {"color": COLOURS.get(mode, MUTED), "linestyle": DASHES.get(mode, "-")}


def legend_above(figure, handles, columns, up=18):
    """Over the uppermost axes, `up` points above them."""
    top = figure.axes[0]
    place = top.transAxes + ScaledTranslation(0, up / 72, figure.dpi_scale_trans)
    top.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), bbox_transform=place,
               ncol=columns, handlelength=2.4, columnspacing=0.9, borderpad=0, handletextpad=0.4,
               borderaxespad=0, fontsize=9)


def legend(figure, modes, up=18):
    handles = [Line2D([], [], label=mode, marker=MARKERS.get(mode), markerfacecolor=PAPER,
                      markeredgewidth=1.5, **style_of(mode)) for mode in modes]
    legend_above(figure, handles, len(modes), up)


def above(chart):
    """Where a legend goes: over the unit, and over a run's name where there is one."""
    return 34 if len(runs_of(chart)) > 1 else 18


def unit_label(axes, text):
    """Above the axis, where it can be read without turning one's head."""
    axes.annotate(text, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points",
                  color=MUTED, fontsize=9)


# ---- lines ----

def position(xs):
    """What the bench varies is doubled as a rule: places beside each other."""
    return {x: i for i, x in enumerate(sorted(set(xs)))}


def whiskers(axes, at, rows, mode):
    """The axes cut off what goes beyond them, the whisker's end with it."""
    colour = COLOURS.get(mode, MUTED)
    lows, highs = [row[4] for row in rows], [row[5] for row in rows]
    axes.vlines(at, lows, highs, color=colour, linewidth=1.2)
    if any(high > low for low, high in zip(lows, highs)):
        axes.plot(at * 2, highs + lows, linestyle="", marker="_", color=colour)


def x_text(chart, x):
    return short_size(x) if chart["x"] == "bs" else short(x)


def lines(chart):
    rows = chart["rows"]
    modes, at = in_order(row[1] for row in rows), position(row[2] for row in rows)
    figure, axes_of = panels(chart, 2.3)
    for run, (axes,) in axes_of.items():
        for i, mode in enumerate(modes):
            own = [row for row in rows if row[0] == run and row[1] == mode]
            beside = (i - (len(modes) - 1) / 2) * 0.07
            xs = [at[row[2]] + beside for row in own]
            whiskers(axes, xs, own, mode)
            axes.plot(xs, [row[3] for row in own], marker=MARKERS.get(mode), markeredgewidth=1.5,
                      markerfacecolor=PAPER, **style_of(mode))
        axes.grid(axis="x", visible=False)
        if chart.get("unit") == "ns":
            log_times(axes, "y", [row[4] for row in rows] + [row[5] for row in rows])
        else:
            axes.set_ylim(0, chart["top"] * 1.06)
            axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))
        unit_label(axes, chart["unit"] if chart["unit"] != "ns" else "")
    axes.set_xticks(list(at.values()), [x_text(chart, x) for x in at])
    axes.set_xlim(-0.4, len(at) - 0.6)
    axes.set_xlabel(chart["columns"][2]["name"])
    legend(figure, modes, above(chart))
    return figure


def log_times(axes, which, times):
    """A logarithmic axis of times, with few and round ticks."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    times = [t for t in times if t > 0] or [1]
    low, high = min(times), max(times)
    ticks = [m * 10 ** e for e in range(0, 14) for m in (1, 2, 5)]
    ticks = [t for t in ticks if low * 0.7 <= t <= high * 1.4]
    if len(ticks) > 7:
        ticks = [10 ** e for e in range(0, 14) if low * 0.3 <= 10 ** e <= high * 3]
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda v, _: short_time(v)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


# ---- latencies ----

def cdf(chart):
    rows = chart["rows"]
    modes = in_order(row[1] for row in rows)
    figure, axes_of = panels(chart, 2.5)
    for run, (axes,) in axes_of.items():
        for mode in modes:
            own = [row for row in rows if row[0] == run and row[1] == mode]
            axes.plot([row[2] for row in own], [row[3] for row in own], drawstyle="steps-post",
                      marker=MARKERS.get(mode), markevery=(3 + 2 * modes.index(mode), 12),
                      markerfacecolor=PAPER, markeredgewidth=1.5, **style_of(mode))
        log_times(axes, "x", [row[2] for row in rows])
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 0.99], ["0", "25%", "50%", "75%", "99%"])
        unit_label(axes, "of all reads")
    axes.set_xlabel("latency")
    legend(figure, modes, above(chart))
    return figure


def heat(chart):
    rows = chart["rows"]
    modes, at = in_order(row[1] for row in rows), position(row[2] for row in rows)
    figure, axes_of = panels(chart, 2.6, 0.3, len(modes))
    most = max(row[5] for row in rows)
    for run, by_mode in axes_of.items():
        for mode, axes in zip(modes, by_mode):
            for row in rows:
                if row[:2] == [run, mode]:
                    axes.add_patch(Rectangle(
                        (at[row[2]] - 0.47, row[3]), 0.94, row[4] - row[3], linewidth=0,
                        facecolor=COLOURS["heat"], alpha=round(0.06 + 0.94 * row[5] / most, 2)))
            axes.set_xlim(-0.6, len(at) - 0.4)
            ends = [min(row[3] for row in rows), max(row[4] for row in rows)]
            log_times(axes, "y", ends)
            axes.set_ylim(*ends)
            axes.grid(axis="x", visible=False)
            axes.set_xticks(list(at.values()), [x_text(chart, x) for x in at], fontsize=8,
                            rotation=90 if len(at) > 4 else 0)
            unit_label(axes, mode)
    figure.supxlabel(chart["columns"][2]["name"], fontsize=10, color=MUTED)
    return figure


# ---- cost ----

def stages(chart):
    rows = chart["rows"]
    modes = in_order(row[0] for row in rows)[::-1]
    names = list(dict.fromkeys(row[1] for row in rows))
    value = {(row[0], row[1]): row[2] for row in rows}
    figure, axes = plt.subplots(figsize=(WIDTH, 0.42 * len(modes) + 1.35), layout="constrained")
    left = [0] * len(modes)
    for i, name in enumerate(names):
        widths = [value.get((mode, name), 0) for mode in modes]
        axes.barh(modes, widths, left=left, height=0.62, hatch=HATCHES[i], linewidth=0.8,
                  facecolor=COLOURS[f"stage-{i + 1}"], edgecolor=PAPER)
        left = [a + b for a, b in zip(left, widths)]
    for y, total in enumerate(left):
        axes.annotate(f"{total:.1f}", (total, y), (4, 0), textcoords="offset points", va="center",
                      fontweight="bold")
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(left) * 1.12)
    axes.set_xlabel("instructions for each read")
    handles = [Patch(facecolor=COLOURS[f"stage-{i + 1}"], edgecolor=PAPER, hatch=HATCHES[i],
                     label=name) for i, name in enumerate(names)]
    legend_above(figure, handles, 3, 6)
    return figure


# ---- side by side ----

FILLS = {"differs": "full", "ranges apart": "left"}


def differences(chart):
    rows = chart["rows"]
    places = list(dict.fromkeys((row[0], row[2]) for row in rows))
    modes = in_order(row[1] for row in rows)
    figure, axes = plt.subplots(figsize=(WIDTH, 0.4 * len(places) + 1.2), layout="constrained")
    for row in rows:
        colour = COLOURS.get(row[1], MUTED)
        y = places.index((row[0], row[2])) + (modes.index(row[1]) - (len(modes) - 1) / 2) * 0.2
        axes.hlines(y, row[6], row[7], color=colour, linewidth=1, alpha=0.6)
        fill = FILLS.get(row[8], "none")
        axes.plot([row[5]], [y], marker=MARKERS.get(row[1]), color=colour, fillstyle=fill,
                  markerfacecoloralt=PAPER, linestyle="", markeredgewidth=1.3, markersize=5,
                  **({"markerfacecolor": PAPER} if fill == "none" else {}))
    axes.axvline(1, color=INK, linewidth=1)
    several = len({run for run, _ in places}) > 1
    axes.set_yticks(range(len(places)), [f"{plain(run)}: {place}" if several else place
                                         for run, place in places], fontsize=8)
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.2f}"))
    axes.set_xlabel(f"I/O rate over {plain(chart['base'])}'s")
    legend(figure, modes, 6)
    return figure


# ---- the timeline ----

LANES = ("MSI seen", "interrupt", "harvest", "handler")


def draw_step(axes, step, most):
    _, lane, what, low, high = step
    y, width = LANES.index(lane), max(high - low, most / 400)
    if lane == "MSI seen":
        axes.plot([low, low], [y - 0.33, y + 0.33], color=INK, linewidth=1.5, linestyle="-")
    elif what == "ON cleared":
        axes.plot([low], [y], marker="o", markersize=5, color=INK, markerfacecolor=PAPER, zorder=4)
    elif lane == "handler":
        axes.add_patch(Rectangle((low, y - 0.33), width, 0.66, facecolor=GRID, edgecolor=INK,
                                 linewidth=0.8))
        name = what.removeprefix("handler ")
        if width > most * 0.021 * len(name):
            axes.text(low + width / 2, y, plain(name), ha="center", va="center", fontsize=8)
    else:
        colour = COLOURS["posted"] if lane == "interrupt" else INK
        axes.add_patch(Rectangle((low, y - 0.28), width, 0.56, facecolor=colour, linewidth=0))


def timeline(chart, narrow=False):
    modes = runs_of(chart)
    most = max(row[4] for row in chart["rows"])
    size = (WIDTH * (1 if narrow else 1.6), 1.3 * len(modes) + 0.4)
    figure, all_axes = plt.subplots(len(modes), 1, squeeze=False, sharex=True, figsize=size,
                                    layout="constrained")
    for (axes,), mode, title in zip(all_axes, modes, chart["titles"]):
        for step in chart["rows"]:
            if step[0] == mode:
                draw_step(axes, step, most)
        axes.set_title(title if len(title) < 60 else plain(mode), loc="left", fontsize=10,
                       fontweight="bold")
        axes.set_yticks(range(len(LANES)), LANES)
        axes.set_ylim(len(LANES) - 0.5, -0.5)
        axes.set_xlim(-most * 0.01, most * 1.01)
        axes.grid(axis="x", visible=False)
    axes.set_xlabel("us")
    return figure


# ---- the prediction ----

def predicted(chart):
    rows, most = chart["rows"], max(row[1] for row in chart["rows"])
    known = max(row[1] for row in rows if not row[6])
    modes = in_order(row[0] for row in rows)
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4), layout="constrained")
    axes.axvspan(known, most, color=GRID, alpha=0.45, linewidth=0)
    axes.annotate("more than was published", (most, 0), (-2, 6), ha="right", color=MUTED,
                  textcoords="offset points", fontsize=8.5)
    for mode in modes:
        own = [row for row in rows if row[0] == mode]
        axes.plot([row[1] for row in own], [row[2] for row in own],
                  linewidth=4 if mode == "poll" else 1.8, alpha=0.35 if mode == "poll" else 1,
                  **style_of(mode))
        if mode != "poll":  # whose line is under adaptive's
            axes.annotate(short(own[-1][2]), (own[-1][1], own[-1][2]), (4, 0), va="center",
                          textcoords="offset points", fontsize=9, fontweight="bold")
    for mode, disks, rate in chart["published"]:
        axes.plot([disks], [rate], marker=MARKERS[mode], color=COLOURS[mode], markersize=8,
                  markerfacecolor="none", markeredgewidth=1.6, linestyle="")
    axes.set_xticks(sorted({row[1] for row in rows}))
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))
    axes.set_xlabel("disks")
    unit_label(axes, "IOPS, predicted: 4 KiB random reads, all disks together")
    legend(figure, modes)
    return figure


DRAWN = {"lines": lines, "cdf": cdf, "heat": heat, "stages": stages, "timeline": timeline,
         "differences": differences, "predicted": predicted}


def has_picture(chart):
    return chart["kind"] in DRAWN


def with_floats(chart):
    """numpy has no integer for what a counter of 64 bits can hold."""
    rows = [[float(value) if type(value) is int else value for value in row]
            for row in chart["rows"]]
    return {**chart, "rows": rows}


def svg_of(chart, alone=False, **how):
    """`how`: what the kind's own function takes besides."""
    id = chart["id"] + ("-narrow" if how.get("narrow") else "")
    with matplotlib.rc_context(STYLE):
        figure = DRAWN[chart["kind"]](with_floats(chart), **how)
        try:
            drawn = text_of(figure, id)
        finally:
            plt.close(figure)
    words = " ".join(filter(None, [chart["text"], chart.get("constants"), chart.get("badge")]))
    shape = " narrow" if how.get("narrow") else " wide" if chart.get("wide") else ""
    return finished(drawn, id, chart["title"], words, "chart" + shape, alone)


def svgs_of(chart):
    """A wide chart has a narrow form as well, for phones: of the two, the page shows one."""
    return svg_of(chart) + (svg_of(chart, narrow=True) if chart.get("wide") else "")
