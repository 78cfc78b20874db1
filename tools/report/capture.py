# SPDX-License-Identifier: BSD-2-Clause
"""Reads captures of COM2: what a run sent, checked. A serial log is a rough place: text lies
between the lines, lines are cut, another version sent them, or somebody else. What can't be used is
left out and said, never guessed."""
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import qemu_launch as launch

from .checked import (Odd, count, inner, latency, line_object, number, optional, shorten, spread,
                      text)

# As they are shown, and compared: from the baseline to what never notifies.
MODES = ("msi", "remapped", "posted", "adaptive", "poll")
TABLES = ("disks", "bs", "depth", "loops", "latency", "background", "rate")
JOBS = ("randread", "read", "randwrite", "write", "randrw", "rw", "randtrim", "trim")
LATENCIES = ("slat_ns", "clat_ns", "lat_ns", "urgent_clat_ns")

LARGEST = 1 << 30  # bytes of a capture: more is no capture
SAID = 20  # things left out that are told one by one
PARTS = 4096  # of a histogram


class CaptureError(Exception):
    """The file can't be used; the text says what and why."""


@dataclass
class Capture:
    """One boot's."""

    path: Path
    label: str
    machine: dict = field(default_factory=dict)  # type -> its objects, as far as they are known
    plan: dict = None
    rows: list = field(default_factory=list)  # of the bench, in order
    jobs: list = field(default_factory=list)
    accelerators: list = field(default_factory=list)  # rows of app=dsa, or of the bench's last table
    bins: dict = field(default_factory=dict)  # (what it is of) -> {"clat_ns": [[ns, count], ...]}
    verdicts: dict = field(default_factory=dict)  # of checks, self-tests, warnings and errors, by name
    status: str = None  # of the run; None: the capture ends before it
    left_out: list = field(default_factory=list)

    @property
    def holds_results(self):
        return bool(self.rows or self.jobs or self.accelerators)

    def bins_of(self, thing, of="clat_ns"):
        return self.bins.get(key_of(thing), {}).get(of, [])


def key_of(o):
    """What ties lines of bins to a row of a table, or to a disk's job."""
    return (o["table"], o["row"]) if "table" in o else ("job", o["filename"])


# ---- lines ----

def one_of(o, key, known):
    value = text(o, key)
    if value not in known:
        raise Odd(f"{key} is '{shorten(value)}', which this version doesn't know")
    return value


def take_row(capture, o):
    row = {"table": one_of(o, "table", TABLES), "row": count(o, "row", most=99999),
           "irq": one_of(o, "irq", MODES), "disks": count(o, "disks", 1, 4096),
           "bs": count(o, "bs", 1, 1 << 30), "iodepth": count(o, "iodepth", 1, 1 << 20),
           "loops": optional(o, "loops", count), "rate_iops": optional(o, "rate_iops", count),
           "posted_rate": optional(o, "posted_rate", count),
           "cpus": count(o, "cpus", 1, 1 << 16), "repeats": count(o, "repeats", 1, 1000),
           "runtime": count(o, "runtime", 1), "total_ios": count(o, "total_ios"),
           "errors": count(o, "errors"), "iops": spread(o, "iops"),
           "bw_bytes": optional(o, "bw_bytes", number),
           "msis": count(o, "msis"), "notifications": count(o, "notifications"),
           "notifications_per_msi": optional(o, "notifications_per_msi", number),
           "notifications_per_s": optional(o, "notifications_per_s", number),
           **{key: optional(o, key, spread)
              for key in ("cycles_per_io", "busy", "energy_uj_per_io")},
           **{key: optional(o, key, latency) for key in ("slat_ns", "clat_ns")}}
    if o.get("background") is not None:
        row["counted_per_s"] = spread(inner(o, "background"), "counted_per_s")
    capture.rows = [old for old in capture.rows if key_of(old) != key_of(row)]
    capture.rows.append({key: value for key, value in row.items() if value is not None})


def take_job(capture, o):
    job = {"filename": text(o, "filename"), "irq": one_of(o, "irq", MODES),
           "rw": one_of(o, "rw", JOBS), "bs": count(o, "bs", 1, 1 << 30),
           "iodepth": count(o, "iodepth", 1, 1 << 20),
           "cpus": count(o, "cpus", 1, 1 << 16), "disks": count(o, "disks", 1, 4096),
           "runtime": count(o, "runtime"), "total_ios": count(o, "total_ios"),
           "errors": count(o, "errors"), "iops": number(o, "iops"),
           "bw_bytes": number(o, "bw_bytes"),
           **{key: optional(o, key, count) for key in ("msis", "notifications", "cycles_per_io")},
           "clat_ns": optional(o, "clat_ns", latency), "slat_ns": optional(o, "slat_ns", latency)}
    for way in ("read", "write", "trim", "sync"):
        if isinstance(o.get(way), dict):
            job[way] = take_way(o[way], "lat_ns" if way == "sync" else "clat_ns")
    capture.jobs = [old for old in capture.jobs if old["filename"] != job["filename"]]
    capture.jobs.append({key: value for key, value in job.items() if value is not None})


OPERATIONS = ("memmove", "memfill", "crc")


def take_accelerators(capture, o):
    row = {"irq": one_of(o, "irq", MODES), "loops": count(o, "loops"),
           "op": one_of(o, "op", OPERATIONS), "bs": count(o, "bs", 1, 1 << 30),
           "iodepth": count(o, "iodepth", 1, 1 << 20),
           **{key: count(o, key, 1, 1 << 16) for key in ("devices", "wqs", "cpus")},
           **{key: count(o, key) for key in ("completed", "errors", "verify_errors", "msis",
                                             "notifications")},
           **{key: number(o, key) for key in ("completions_per_s", "bw_bytes",
                                              "notifications_per_completion",
                                              "cycles_per_completion")}}
    capture.accelerators.append(row)


def take_way(o, times):
    return {**{key: count(o, key) for key in ("total_ios", "io_bytes", "errors", "runtime")},
            **{key: number(o, key) for key in ("iops", "bw_bytes")}, times: latency(o, times)}


@dataclass
class Parts:
    """A histogram on its way: it comes in several lines."""

    parts: int
    seen: dict = field(default_factory=dict)  # part -> its bins


def bin_of(ns, n):
    if not (ns.isascii() and ns.isdigit() and len(ns) <= 20):
        raise Odd(f"'{shorten(ns)}' is no time in ns")
    return int(ns), n


def take_bins(unfinished, o):
    if o.get("table") is None:
        key = ("job", text(o, "filename"))
    else:
        key = (one_of(o, "table", TABLES), count(o, "row", most=99999))
    of = one_of(o, "of", LATENCIES)
    parts = count(o, "parts", 1, PARTS)
    part = count(o, "part", 0, parts - 1)
    bins = inner(o, "bins")
    found = dict(bin_of(ns, count(bins, ns)) for ns in bins)
    whole = unfinished.setdefault((key, of), Parts(parts))
    if whole.parts != parts:
        raise Odd(f"part {part} of {parts}, where others are of {whole.parts}")
    whole.seen[part] = found


def finish_bins(capture, unfinished):
    for (key, of), whole in unfinished.items():
        name = f"{key[0]} {key[1]}, {of}"
        if len(whole.seen) != whole.parts:
            capture.left_out.append(f"latencies of {name}: {len(whole.seen)} of {whole.parts} "
                                    "parts are there")
            continue
        sums = {}
        for found in whole.seen.values():
            for ns, n in found.items():
                sums[ns] = sums.get(ns, 0) + n
        bins = [[ns, n] for ns, n in sorted(sums.items()) if n]
        if bins:
            capture.bins.setdefault(key, {})[of] = bins


# What the report tells of the machine: by type, the fields that are texts, and those that count.
MACHINE = {
    "platform": ((("tsc_source", "timer", "hypervisor", "version", "cpu_model", "board"),
                  ("cpus", "memory", "tsc_hz"))),
    "vtd_unit": (("unit", "version", "cap", "ecap"), ("segment", "entries")),
    "nvme": (("filename", "pci", "model", "serial", "firmware"),
             ("size", "block_size", "queues", "queue_depth", "node")),
    "bmc": (("model", "bios", "firmware", "state"), ()),  # which tools/fleet adds
}
FLAGS = ("posting", "coherent")


def take_machine(capture, kind, o):
    texts, counts = MACHINE[kind]
    thing = {key: text(o, key) for key in texts if o.get(key) is not None}
    thing |= {key: count(o, key) for key in counts if o.get(key) is not None}
    thing |= {key: o[key] for key in FLAGS if isinstance(o.get(key), bool)}
    capture.machine.setdefault(kind, []).append(thing)


# What was found right or wrong: by type, what names it, and what was found.
VERDICTS = {"platform_check": ("id", "verdict"), "test": ("name", "status"), "warning": ("what", None),
            "error": ("what", None)}


def take_verdict(capture, kind, o):
    name, found = VERDICTS[kind]
    capture.verdicts[f"{kind} {text(o, name)}"] = text(o, found) if found else "yes"


def take_plan(capture, o):
    capture.plan = {"bench": text(o, "bench"), "rows": count(o, "rows"),
                    "repeats": count(o, "repeats")}


def take(capture, unfinished, o):
    kind = o["type"]
    if kind == "bench":
        take_row(capture, o)
    elif kind == "job":
        take_job(capture, o)
    elif kind == "dsa_job":
        take_accelerators(capture, o)
    elif kind == "bins":
        take_bins(unfinished, o)
    elif kind in MACHINE:
        take_machine(capture, kind, o)
    elif kind in VERDICTS:
        take_verdict(capture, kind, o)
    elif kind == "bench_plan":
        take_plan(capture, o)
    elif kind == "end":
        capture.status = one_of(o, "status", ("ok", "failed"))


# ---- files ----

def name_of(o):
    """What a line is about, for the sentence that leaves it out."""
    parts = [str(o.get(key)) for key in ("type", "table", "row", "filename") if key in o]
    return shorten(" ".join(parts))


def boots_of(path, lines):
    """A log may hold several boots: each begins with its platform."""
    capture, unfinished = Capture(path, path.stem), {}
    for at, line in enumerate(lines, 1):
        o = None
        try:
            o = line_object(line)
            if o is None:
                continue
            if o["type"] == "platform" and (capture.machine or capture.holds_results):
                finish_bins(capture, unfinished)
                yield capture
                capture, unfinished = Capture(path, path.stem), {}
            take(capture, unfinished, o)
        except Odd as e:
            what = f"{name_of(o)}: " if o else ""
            capture.left_out.append(f"line {at}: {what}{e}")
    finish_bins(capture, unfinished)
    yield capture


def check_whole(capture):
    if capture.plan and len(capture.rows) < capture.plan["rows"]:
        capture.left_out.append(f"{len(capture.rows)} of {capture.plan['rows']} rows of the bench "
                                "are there")
    if capture.status is None:
        capture.left_out.append("the capture ends before the run does")


def read(path, label=None):
    """The last boot in a file that has results."""
    boots = read_boots(path)
    if not any(boot.holds_results for boot in boots):
        said = "".join(f"\n  {why}" for why in boots[-1].left_out[:SAID])
        raise CaptureError(f"{path}: holds no row of the bench and no job: capture COM2 of a run "
                           f"with app=bench{said}")
    return last_of(boots, label)


def read_any(path, label=None):
    """The same, but if none has results, the last boot."""
    return last_of(read_boots(path), label)


def last_of(boots, label):
    with_results = [boot for boot in boots if boot.holds_results]
    capture = (with_results or boots)[-1]
    if len(with_results) > 1:
        capture.left_out.append(f"{len(with_results) - 1} earlier boots with results: the last one "
                                "is shown")
    check_whole(capture)
    capture.label = label or capture.label
    return capture


def read_boots(path):
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise CaptureError(f"{path}: {path.stat().st_size:,} bytes are no capture of COM2")
        lines = launch.read_text(path).splitlines()
    except OSError as e:
        raise CaptureError(f"{path}: {e.strerror}: name a capture of COM2") from None
    return list(boots_of(path, lines))


def said(left_out):
    """At most so many sentences of what was left out."""
    more = len(left_out) - SAID
    return left_out[:SAID] + ([f"... and {more} more"] if more > 0 else [])


# ---- where it ran ----

def emulated(capture):
    """Why what it measured is an emulator's; None where nothing says so."""
    hypervisor = next((p["hypervisor"] for p in capture.machine.get("platform", [])
                       if "hypervisor" in p), "none")
    if hypervisor != "none":
        return f"the processor says that a hypervisor runs it: {hypervisor or 'without a name'}"
    disks = [disk["model"] for disk in capture.machine.get("nvme", []) if "model" in disk]
    virtual = next((model for model in disks if model.startswith("QEMU")), None)
    return f"its disks are {virtual}" if virtual else None


def is_bare(capture):
    """Whether the processor says that nobody runs it."""
    return emulated(capture) is None and any(
        p.get("hypervisor") == "none" for p in capture.machine.get("platform", []))
