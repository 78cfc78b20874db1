# SPDX-License-Identifier: BSD-2-Clause
"""Puts a report together: one object, that the page shows and that is its JSON. Pure, but for
reading traces and counted runs."""
from . import capture as captures
from . import data, extras


def size_in_words(size):
    for name, unit in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} B"


# ---- the machine ----

def grouped(things, words):
    """`8 x QEMU NVMe Ctrl`: things that read alike are told once."""
    texts = [words(thing) for thing in things]
    return [f"{texts.count(t)} x {t}" if texts.count(t) > 1 else t for t in dict.fromkeys(texts)]


def disk_in_words(disk):
    words = [disk.get("model", "unknown"), f"firmware {disk['firmware']}" if "firmware" in disk
             else "", size_in_words(disk["size"]) if "size" in disk else "",
             f"{disk['queues']} queues" if "queues" in disk else ""]
    return ", ".join(word for word in words if word)


def unit_in_words(unit):
    posts = {True: "posts", False: "can't post", None: ""}[unit.get("posting")]
    coherent = {True: "coherent", False: "not coherent", None: ""}[unit.get("coherent")]
    words = [f"version {unit['version']}" if "version" in unit else "",
             f"CAP {unit.get('cap', '?')}, ECAP {unit.get('ecap', '?')}", posts, coherent]
    return ", ".join(word for word in words if word)


def facts_of(capture):
    """Pairs of a name and a text."""
    facts = []
    for platform in capture.machine.get("platform", [])[:1]:
        facts += [("CPU", platform["cpu_model"])] if "cpu_model" in platform else []
        facts += [("CPUs", f"{platform['cpus']}")] if "cpus" in platform else []
        facts += [("Memory", size_in_words(platform["memory"]))] if "memory" in platform else []
        if "tsc_hz" in platform:
            facts.append(("TSC", f"{platform['tsc_hz'] / 1e6:,.0f} MHz, by "
                                 f"{platform.get('tsc_source', 'an unknown clock')}"))
        facts += [(name, platform[key]) for name, key in
                  (("Hypervisor", "hypervisor"), ("Version", "version"), ("Board", "board"))
                  if platform.get(key)]
    facts += [("VT-d unit", text)
              for text in grouped(capture.machine.get("vtd_unit", []), unit_in_words)]
    facts += [("Disks", text) for text in grouped(capture.machine.get("nvme", []), disk_in_words)]
    facts.append(("Result", {"ok": "ok", "failed": "failed", None: "the capture ends before"}
                  [capture.status]))
    if capture.rows:
        facts.append(("Bench", f"{len(capture.rows)} rows, "
                               f"{sum(row['total_ios'] for row in capture.rows):,} reads, "
                               f"{sum(row['errors'] for row in capture.rows):,} errors"))
    return facts or [("Machine", "the capture says nothing of it")]


def run_of(capture, more_facts=()):
    why = captures.emulated(capture)
    if why:
        emulated, words = True, "Emulated."
        why = (f"{capture.label}: {why}. Counts of instructions, MSIs and notifications hold; "
               "rates and times are an emulator's and say nothing about hardware. A CPU that polls "
               "even takes time from the thread that plays the disks.")
    elif captures.is_bare(capture):
        emulated, words = False, "Measured on hardware."
        why = f"{capture.label}: the processor says that no hypervisor runs it."
    else:
        emulated, words = None, "Not known whether emulated."
        why = f"{capture.label}: the capture doesn't say whether a hypervisor ran the machine."
    return {"label": capture.label, "file": capture.path.name, "emulated": emulated,
            "verdict": words, "why": why, "facts": [*facts_of(capture), *more_facts],
            "left_out": captures.said(capture.left_out)}


def with_own_labels(found):
    """Runs are told apart by their labels: files of one name get their folder's, then a number."""
    labels = [capture.label for capture in found]
    for i, capture in enumerate(found):
        if labels.count(labels[i]) > 1:
            capture.label = f"{capture.path.resolve().parent.name}/{labels[i]}"
    seen = {}
    for capture in found:
        capture.label = capture.label[:60]
        n = seen[capture.label] = seen.get(capture.label, 0) + 1
        if n > 1:
            capture.label += f" ({n})"
    return found


# ---- the figures at the top ----

def tile(title, values, unit=""):
    return [{"title": title, "unit": unit, "values": values}] if values else []


def at_most_disks(capture, field):
    rows = [row for row in data.rows_of(capture) if row["table"] == "disks" and field in row]
    most = max((row["disks"] for row in rows), default=0)
    return most, [(mode, value if not isinstance(value := own[0][field], dict) else value["median"])
                  for mode, own in data.by_mode([r for r in rows if r["disks"] == most])]


def tiles_of(found, counted):
    tiles = tile("Instructions for each read, by QEMU's count",
                 [(mode, value) for mode, value in extras.busy(counted).items()])
    for capture in found:
        of = f" ({capture.label})" if len(found) > 1 else ""
        most, values = at_most_disks(capture, "notifications_per_msi")
        tiles += tile(f"Notifications for each MSI, {most} disks{of}", values)
        if not captures.emulated(capture):
            most, values = at_most_disks(capture, "iops")
            tiles += tile(f"IOPS, {most} disks{of}", values)
    return tiles


# ---- all of it ----

FOOTER = ("Every figure of this page is in its JSON: report.json beside it, and within it the "
          "element with the id data. Modes: remapped, each MSI is its own interrupt; posted, as "
          "Linux does it; adaptive, a notification only wakes who sleeps; poll, none ever.")


def build(found, counts=(), traces=(), commands=(), facts=()):
    """`found`: captures; `counts`: lists of pairs of the model's counts and a capture, of which the
    first is for the figures at the top; `traces`: files; `facts`: what is known besides."""
    with_own_labels(found)
    groups = [[extras.count_of(model, path) for model, path in group] for group in counts]
    counted = groups[0] if groups else []
    charts = dict(data.charts_of(found))
    charts["Cost"] = [*(extras.stages_chart(group) for group in groups), *charts["Cost"]]
    charts["Delivery"] = [c for c in [extras.timeline_chart(traces), *charts["Delivery"]] if c]
    charts["Beyond this machine"] = list(extras.predicted_charts(extras.busy(counted)))
    names = " and ".join(capture.label for capture in found)
    return {"title": "Onebell: what delivering interrupts costs",
            "subtitle": f"NVMe reads under each delivery mode of MSIs: {names}.",
            "runs": [run_of(capture, facts) for capture in found],
            "tiles": tiles_of(found, counted),
            "sections": [{"title": title, "charts": own} for title, own in charts.items()],
            "commands": list(commands), "footer": FOOTER}
