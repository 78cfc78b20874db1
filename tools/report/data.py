# SPDX-License-Identifier: BSD-2-Clause
"""From captures to charts as data: each has columns and rows, and whatever is drawn or shown as a
table comes from those rows alone. Pure."""
from dataclasses import dataclass

from . import capture as captures
from . import stats

SPREAD = ("median", "min", "max")
X_OF = {"disks": "disks", "bs": "bs", "depth": "iodepth", "loops": "loops",
        "latency": "rate_iops", "background": "rate_iops", "rate": "rate_iops"}
X_NAMES = {"disks": "disks", "bs": "block size", "iodepth": "I/Os in flight for each disk and CPU",
           "loops": "harvests for each notification (posted.loops)",
           "rate_iops": "reads a second asked for (0: any)"}
EMULATED_RATE = "an emulator's rate"  # which says nothing about hardware

CDF_POINTS = 48  # of a line: more can't be seen
PER_DECADE = 8  # cells of the heat map


@dataclass
class Lines:
    """A chart of lines: one for each mode, over what a table of the bench varies."""

    id: str
    table: str
    field: str  # of a row: a spread, a number, or clat_ns
    title: str
    unit: str
    text: str
    is_rate: bool = True  # how fast it went, not how it went
    scale: float = 1  # from the capture's unit to the chart's


LINES = (
    Lines("iops", "disks", "iops", "I/O rate by disks and mode", "IOPS",
          "Median of the repeats, with the least and the most."),
    Lines("per-msi", "disks", "notifications_per_msi", "Notifications for each MSI", "per MSI",
          "1: each MSI interrupts a CPU. 0: none does.", is_rate=False),
    Lines("notifications", "disks", "notifications_per_s", "Notifications a second", "a second",
          "Of the whole machine. Platforms choke at one to three million."),
    Lines("cycles", "disks", "cycles_per_io", "TSC cycles for each I/O", "cycles",
          "Of the CPUs' time that was neither idle nor spent looking in vain."),
    Lines("busy", "disks", "busy", "How busy the CPUs were", "%",
          "Of the CPUs' time, what was neither halted nor spent looking in vain.", scale=0.1),
    Lines("depth", "depth", "iops", "I/O rate by depth", "IOPS",
          "Median of the repeats, with the least and the most."),
    Lines("bandwidth", "bs", "bw_bytes", "Bandwidth by block size", "bytes a second",
          "Of the median repeat."),
    Lines("loops", "loops", "notifications_per_msi", "Notifications for each MSI, by harvests",
          "per MSI",
          "How often the handler of a notification looks again before it allows the next one.",
          is_rate=False),
    Lines("fixed-rate", "latency", "clat_ns", "Latency at a fixed rate", "ns",
          "Median, up to the 99th percentile: what a mode does to who asks for little."),
    Lines("budget", "rate", "p95_ns", "Latency with a budget of notifications, and without", "ns",
          "The 95th percentile at a fixed rate of reads: what posted.rate= does to who stays below it."),
    Lines("background", "background", "counted_per_s", "What a counting app gets done beside it",
          "counts a second", "CPU time left over at a fixed rate of reads."),
    Lines("energy", "disks", "energy_uj_per_io", "Energy for each I/O", "uJ",
          "Of the CPU packages, by RAPL."),
)


def column(name, unit="", key=None):
    return {"name": name, "unit": unit, "key": key or name}


def chart(id, kind, title, text, columns, rows, notes=(), **more):
    return {"id": id, "kind": kind, "title": title, "text": text, "notes": list(notes),
            "columns": columns, "rows": rows, **more}


# ---- rows ----

def row_of_job(job):
    """A plain job is a row of one repeat."""
    row = {**job, "table": "disks", "row": 0, "repeats": 1,
           "iops": dict.fromkeys(SPREAD, job["iops"])}
    if "cycles_per_io" in job:
        row["cycles_per_io"] = dict.fromkeys(SPREAD, job["cycles_per_io"])
    return row


def rows_of(capture):
    """The bench's rows; else those of the job over all disks."""
    rows = capture.rows or [row_of_job(job) for job in capture.jobs if job["filename"] == "all"]
    return [with_derived(row) for row in rows]


def with_derived(row):
    row = dict(row)
    p95 = row.get("clat_ns", {}).get("percentile", {}).get("95.000000")
    if p95 is not None:
        row["p95_ns"] = p95
    if "notifications_per_msi" not in row and row.get("msis"):
        row["notifications_per_msi"] = row["notifications"] / row["msis"]
    return row


def bins_of(capture, row):
    key = captures.key_of(row)
    return capture.bins.get(key if capture.rows else ("job", row.get("filename")), {}) \
        .get("clat_ns", [])


def by_mode(rows):
    """Modes in their order, and in each the rows by what the table varies."""
    return [(mode, sorted((row for row in rows if row["irq"] == mode),
                          key=lambda row: row.get(X_OF[row["table"]], 0)))
            for mode in captures.MODES if any(row["irq"] == mode for row in rows)]


def plural(n, word):
    return f"{n} {word}{'' if n == 1 else 's'}"


def kib(size):
    return f"{size // 1024} KiB" if size % 1024 == 0 else f"{size} B"


def constants_of(rows):
    """What all rows have in common, in words."""
    def one(key):
        values = {row.get(key) for row in rows}
        return values.pop() if len(values) == 1 else None

    words = [plural(one("disks"), "disk") if one("disks") else "",
             kib(one("bs")) if one("bs") else "",
             f"depth {one('iodepth')}" if one("iodepth") else "",
             plural(one("cpus"), "CPU") if one("cpus") else "",
             plural(one("repeats"), "repeat") if one("repeats") else ""]
    return ", ".join(word for word in words if word)


# ---- lines ----

def values_of(row, spec):
    """What is drawn: a value, and the ends of its whisker."""
    value = row.get(spec.field)
    if value is None:
        return None
    if spec.field == "clat_ns":
        times = value["percentile"]
        if not {"50.000000", "99.000000"} <= set(times):
            return None
        return times["50.000000"], times["50.000000"], times["99.000000"]
    if isinstance(value, dict):
        return tuple(value[key] * spec.scale for key in SPREAD)
    return (value * spec.scale,) * 3


def columns_of(spec, rows):
    columns = [column("run"), column("mode"), column(X_NAMES[X_OF[spec.table]], key="x")]
    if spec.field == "clat_ns":
        return columns + [column("median", "ns", "y"), column("median", "ns", "low"),
                          column("p99", "ns", "high")]
    names = SPREAD if any(row[4] != row[5] for row in rows) else ("value", "min", "max")
    keys = ("y", "low", "high")
    return columns + [column(name, spec.unit, key) for name, key in zip(names, keys)]


def top_of(rows):
    """Where a chart ends: one repeat that went wrong is not to press all others to the ground."""
    return min(max(row[5] for row in rows), 2.5 * max(row[3] for row in rows)) or 1


def by_budget(spec, runs):
    """Rows that a budget of notifications alone tells apart are shown as runs of their own."""
    if spec.table != "rate":
        return runs
    budgets = {row.get("posted_rate") or 0 for _, found in runs for row in found
               if row["table"] == "rate"}
    return [(f"{label}, {budget:,}/s" if budget else label,
             [row for row in found if (row.get("posted_rate") or 0) == budget])
            for label, found in runs for budget in sorted(budgets)]


def lines_chart(spec, runs):
    rows, used = [], []
    for label, found in by_budget(spec, runs):
        for mode, of_mode in by_mode([row for row in found if row["table"] == spec.table]):
            for row in of_mode:
                values, x = values_of(row, spec), row.get(X_OF[spec.table])
                if values and x is not None:
                    rows.append([label, mode, x, *values])
                    used.append(row)
    if not rows:
        return None
    top = top_of(rows)
    cut = " A whisker without an end goes on above." if any(row[5] > top for row in rows) else ""
    return chart(spec.id, "lines", spec.title, spec.text + cut, columns_of(spec, rows), rows,
                 unit=spec.unit, is_rate=spec.is_rate, constants=constants_of(used),
                 x=X_OF[spec.table], top=top)


# ---- latencies ----

def thinned(points):
    """So few that each can be seen, the first and the last among them."""
    if len(points) <= CDF_POINTS:
        return points
    step = (len(points) - 1) / (CDF_POINTS - 1)
    return [points[round(i * step)] for i in range(CDF_POINTS)]


def cumulative(bins):
    total, seen, points = sum(n for _, n in bins), 0, []
    for ns, n in bins:
        seen += n
        points.append((ns, seen / total))
    return thinned(points)


def with_bins(captures_and_rows, table):
    for capture, rows in captures_and_rows:
        for row in rows:
            bins = bins_of(capture, row) if row["table"] == table else []
            if bins:
                yield capture, row, bins


def cdf_chart(pairs):
    found = list(with_bins(pairs, "disks"))
    if not found:
        return None
    most = max(row["disks"] for _, row, _ in found)
    found = [(capture, row, bins) for capture, row, bins in found if row["disks"] == most]
    found = in_order_of(pairs, found, "disks")
    rows = [[capture.label, row["irq"], ns, share] for capture, row, bins in found
            for ns, share in cumulative(bins)]
    return chart("cdf", "cdf", "How long a read takes",
                 "The share of all reads that took no longer.",
                 [column("run"), column("mode"), column("latency", "ns", "x"),
                  column("share of reads", key="y")], rows,
                 is_rate=True, constants=constants_of([row for _, row, _ in found]))


def cell_of(ns):
    """The cell of the heat map that a time lies in: which, and its ends. All by whole numbers, so
    that each time lies within."""
    cell = 0
    while edge(cell + 1) <= ns:
        cell += 1
    return cell, edge(cell), edge(cell + 1)


def edge(cell):
    return round(10 ** (cell / PER_DECADE))


def heat_rows(found, x):
    for capture, row, bins in found:
        total, cells = sum(n for _, n in bins), {}
        for ns, n in bins:
            cell = cell_of(ns)
            cells[cell] = cells.get(cell, 0) + n
        for (_, low, high), n in sorted(cells.items()):
            yield [capture.label, row["irq"], row[x], low, high, n / total]


def in_order_of(pairs, found, x):
    runs = [capture.label for capture, _ in pairs]
    return sorted(found, key=lambda f: (runs.index(f[0].label), captures.MODES.index(f[1]["irq"]),
                                        f[1].get(x, 0)))


def heat_source(pairs):
    """The table that has several columns to show; depths are what moves latencies most."""
    for table in ("depth", "latency", "disks", "bs"):
        x = X_OF[table]
        found = [f for f in with_bins(pairs, table) if f[1].get(x) is not None]
        if len({f[1][x] for f in found}) > 1:
            return x, in_order_of(pairs, found, x)
    return None, []


def heat_chart(pairs):
    x, found = heat_source(pairs)
    if not found:
        return None
    rows = list(heat_rows(found, x))
    strongest = max(row[5] for row in rows)
    return chart("heat", "heat", "Where the latencies lie",
                 "Each column is a row of the bench; the stronger a cell, the more of its reads "
                 "took as long.",
                 [column("run"), column("mode"), column(X_NAMES[x], key="x"),
                  column("from", "ns", "low"), column("to", "ns", "high"),
                  column("share of reads", key="share")], rows, is_rate=True, x=x,
                 constants=f"{constants_of([row for _, row, _ in found])}; the strongest cell has "
                           f"{strongest:.0%} of its column's reads")


# ---- runs side by side ----

def places_of(rows):
    """Rows that runs have in common are those of the same place in a table."""
    return {tuple(row.get(key) for key in
                  ("table", "irq", "disks", "bs", "iodepth", "loops", "rate_iops", "posted_rate")): row
            for row in rows}


def place_in_words(row):
    x = X_OF[row["table"]]
    value = kib(row[x]) if x == "bs" else f"{row.get(x):,}" if row.get(x) is not None else "-"
    return f"{row['table']} {value}"


def difference_rows(label, first, second):
    mine, theirs = places_of(first), places_of(second)
    for place, a in mine.items():
        b = theirs.get(place)
        if b is None or not a["iops"]["median"]:
            continue
        words, p, why = stats.verdict(a["iops"], a["repeats"], b["iops"], b["repeats"])
        low = b["iops"]["min"] / a["iops"]["max"] if a["iops"]["max"] else 0
        high = b["iops"]["max"] / a["iops"]["min"] if a["iops"]["min"] else 0
        yield [label, a["irq"], place_in_words(a), a["iops"]["median"], b["iops"]["median"],
               b["iops"]["median"] / a["iops"]["median"], low, high, words, p, why]


def summary_of(label, rows):
    ratios = [row[5] for row in rows]
    p, ups, downs = stats.sign_test_p(ratios)
    return (f"{label}: faster in {ups} of {ups + downs} rows, slower in {downs} (sign test over "
            f"the rows: p = {p:.3g}; rows of one boot drift together, so it is a hint).")


def difference_chart(runs):
    """IOPS of each run after the first, over the first's."""
    if len(runs) < 2:
        return None
    base, first = runs[0]
    rows, notes = [], []
    for label, found in runs[1:]:
        own = list(difference_rows(label, first, found))
        rows += own
        notes.append(summary_of(label, own) if own else
                     f"{label}: has no row in common with {base}.")
    if not rows:
        return None
    notes.append("p: exact Mann-Whitney test of the repeats' IOPS, two-sided. Three repeats "
                 "against three never get below 0.10, so they can't show a difference alone.")
    return chart("differences", "differences", f"I/O rates over {base}'s",
                 "The medians' ratio, and how far the repeats let it go either way. Filled: "
                 "differs (p at most 0.05); half: the ranges don't touch; hollow: no difference "
                 "shown.",
                 [column("run"), column("mode"), column("row"), column(base, "IOPS", "base"),
                  column("this run", "IOPS", "own"), column("ratio", key="y"),
                  column("least ratio", key="low"), column("most ratio", key="high"),
                  column("verdict"), column("p"), column("rests on", key="why")],
                 rows, notes=notes, is_rate=True, base=base)


def accelerator_rows(label, rows):
    for row in rows:
        mode = f"{row['irq']}, {row['loops']} loops" if row["irq"] == "posted" else row["irq"]
        yield [label, mode, f"{row['op']} of {row['bs']}, depth {row['iodepth']}, {row['wqs']} queues of "
               f"{row['devices']}, {plural(row['cpus'], 'CPU')}",
               row["completions_per_s"] / 1e6, row["bw_bytes"] * 8 / 1e9,
               row["notifications_per_completion"], row["cycles_per_completion"]]


def accelerators_chart(found):
    rows = [row for capture in found for row in accelerator_rows(capture.label, capture.accelerators)]
    return chart("accelerators", "check", "Completions of accelerators",
                 "Intel DSA: of the same operation over and over, by how interrupts are delivered. Each "
                 "completion has one MSI.",
                 [column("run"), column("mode"), column("what"), column("completions", "million/s"),
                  column("bandwidth", "Gbit/s"), column("notifications", "per completion"),
                  column("cycles", "a completion")], rows, is_rate=True) if rows else None


def charts_of(found):
    """All that captures give, as sections: a title, and charts."""
    pairs = [(capture, rows_of(capture)) for capture in found]
    runs = [(capture.label, rows) for capture, rows in pairs]
    lines = {spec.id: lines_chart(spec, runs) for spec in LINES}
    sections = [
        ("Side by side", [difference_chart(runs)]),
        ("Delivery", [lines[id] for id in ("per-msi", "notifications", "loops")]),
        ("Cost", [lines[id] for id in ("cycles", "busy", "background", "energy")]),
        ("Rates", [lines[id] for id in ("iops", "depth", "bandwidth")]),
        ("Latency", [cdf_chart(pairs), heat_chart(pairs), lines["fixed-rate"], lines["budget"]]),
        ("Accelerators", [accelerators_chart(found)]),
    ]
    is_emulated = any(captures.emulated(capture) for capture in found)
    for _, charts in sections:
        for each in filter(None, charts):
            if is_emulated and each.get("is_rate"):
                each["badge"] = EMULATED_RATE
    return [(title, [each for each in charts if each]) for title, charts in sections]
