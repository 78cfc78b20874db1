# SPDX-License-Identifier: BSD-2-Clause
"""fio's JSON of a capture: json+, where the capture has bins. What fio tells and a capture doesn't
is 0 there, as it is in fio where it wasn't measured, and named in the job's "onebell" object."""
import math

from .capture import Capture

# The version whose layout this is.
LAYOUT = "fio-3.33"

DEPTHS = ("1", "2", "4", "8", "16", "32", ">=64")
SHARES = ("2", "4", "10", "20", "50", "100", "250", "500", "750", "1000")
SHARES_MS = SHARES + ("2000", ">=2000")
WAYS = ("read", "write", "trim")
ZEROES = ("short_ios", "drop_ios", "bw_min", "bw_max", "bw_agg", "bw_mean", "bw_dev", "bw_samples",
          "iops_min", "iops_max", "iops_mean", "iops_stddev", "iops_samples")


def size_word(size):
    """4096 -> 4k, as job files have it."""
    for suffix, unit in (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)):
        if size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


# ---- latencies ----

def deviation(bins, mean):
    total = sum(n for _, n in bins)
    return math.sqrt(sum(n * (ns - mean) ** 2 for ns, n in bins) / total)


def times_of(latency, bins, ios):
    """A latency in fio's object. Bins are fio's own: 64 to each power of two, by their middles."""
    if latency is None:
        return {"min": 0, "max": 0, "mean": 0.0, "stddev": 0.0, "N": 0}
    percentiles = {key: int(ns) for key, ns in latency["percentile"].items()}
    most = latency.get("max", bins[-1][0] if bins else max(percentiles.values(), default=0))
    times = {"min": bins[0][0] if bins else 0, "max": int(most), "mean": float(latency["mean"]),
             "stddev": deviation(bins, latency["mean"]) if bins else 0.0,
             "N": sum(n for _, n in bins) or latency.get("N", ios), "percentile": percentiles}
    if bins:
        times["bins"] = {str(ns): n for ns, n in bins}
    return times


def whole_time(slat, clat):
    """lat is from call to completion: how slat and clat of an I/O go together isn't kept."""
    times = {key: clat[key] for key in ("min", "max", "mean", "stddev", "N")}
    times["mean"] += slat["mean"]
    return times


def shares_of(bins):
    """How much of all is below 2 ns, 4 ns, ... 1000 us, and so on: latency_ns, _us and _ms."""
    total = sum(n for _, n in bins)
    shares = {"latency_ns": dict.fromkeys(SHARES, 0.0), "latency_us": dict.fromkeys(SHARES, 0.0),
              "latency_ms": dict.fromkeys(SHARES_MS, 0.0)}
    for ns, n in bins:
        name, unit = next(((name, unit) for name, unit in (("latency_ns", 1), ("latency_us", 1000))
                           if ns <= 1000 * unit), ("latency_ms", 1000000))
        limit = next((key for key in shares[name] if key == ">=2000" or ns <= int(key) * unit))
        shares[name][limit] += 100 * n / total
    return shares


# ---- jobs ----

def idle_way():
    nothing = {"io_bytes": 0, "io_kbytes": 0, "bw_bytes": 0, "bw": 0, "iops": 0.0, "runtime": 0,
               "total_ios": 0}
    return {**nothing, **dict.fromkeys(ZEROES, 0),
            **{name: times_of(None, [], 0) for name in ("slat_ns", "clat_ns", "lat_ns")}}


def way_of(done, bs, bins):
    """fio's read, write or trim object of what has been done."""
    ios = done["total_ios"] - done["errors"]
    clat = times_of(done.get("clat_ns"), bins.get("clat_ns", []), ios)
    slat = times_of(done.get("slat_ns"), bins.get("slat_ns", []), ios)
    io_bytes = done.get("io_bytes", ios * bs)
    way = {"io_bytes": io_bytes, "io_kbytes": io_bytes // 1024,
           "bw_bytes": int(done["bw_bytes"]), "bw": int(done["bw_bytes"]) // 1024,
           "iops": float(done["iops"]), "runtime": done["runtime"], "total_ios": done["total_ios"],
           "slat_ns": slat, "clat_ns": clat, "lat_ns": whole_time(slat, clat)}
    return {**way, **dict.fromkeys(ZEROES, 0)}


def depth_share(iodepth):
    """fio keeps shares of time at each depth; here the queue is full but for the end."""
    shares = dict.fromkeys(DEPTHS, 0.0)
    shares[next((d for d in DEPTHS[:-1] if iodepth < 2 * int(d)), ">=64")] = 100.0
    return shares


def job_of(name, options, ways, bins, own):
    unknown = ["usr_cpu", "sys_cpu", "ctx", "majf", "minf", "iodepth_submit", "iodepth_complete"]
    unknown += [] if bins else ["stddev and min of latencies", "latency_ns", "latency_us",
                                "latency_ms"]
    done = {way: ways.get(way) or idle_way() for way in WAYS}
    busy = next((done[way] for way in WAYS if done[way]["total_ios"]), done["read"])
    nowhere = {"0": 0.0, **dict.fromkeys(("4", "8", "16", "32", "64", ">=64"), 0.0)}
    return {"jobname": name, "groupid": 0, "error": 0, "eta": 0,
            "elapsed": max(1, busy["runtime"] // 1000), "job options": {"name": name, **options},
            **done, "sync": {"total_ios": 0, "lat_ns": times_of(None, [], 0)},
            "job_runtime": busy["runtime"], "usr_cpu": 0.0, "sys_cpu": 0.0, "ctx": 0, "majf": 0,
            "minf": 0, "iodepth_level": depth_share(int(options["iodepth"])),
            "iodepth_submit": nowhere, "iodepth_complete": nowhere,
            **shares_of(bins), "latency_depth": int(options["iodepth"]), "latency_target": 0,
            "latency_percentile": 100.0, "latency_window": 0,
            "onebell": {**own, "not_measured": unknown}}


def name_of_row(row):
    rate = f" {row['rate_iops']} IOPS" if row.get("rate_iops") else ""
    return (f"{row['irq']} {row['table']} row {row['row']}: {row['disks']} disks "
            f"bs={size_word(row['bs'])} iodepth={row['iodepth']}{rate}")


def options_of(thing, rw):
    """A job file's, as texts. Each disk has as many workers as there are CPUs."""
    return {"rw": rw, "bs": size_word(thing["bs"]), "iodepth": str(thing["iodepth"]),
            "numjobs": str(thing["cpus"])}


# rate_iops is of all disks together here: fio's is of each job.
OWN = ("irq", "table", "row", "disks", "cpus", "loops", "rate_iops", "msis", "notifications",
       "notifications_per_msi", "notifications_per_s", "cycles_per_io", "busy", "energy_uj_per_io",
       "repeats")


def job_of_row(capture, row):
    """The bench reads only, with `runtime` for each repeat."""
    found = capture.bins.get((row["table"], row["row"]), {})
    done = {**row, "iops": row["iops"]["median"], "runtime": row["runtime"] * row["repeats"],
            "bw_bytes": row.get("bw_bytes", row["iops"]["median"] * row["bs"])}
    way = way_of(done, row["bs"], found)
    way |= {"iops_min": int(row["iops"]["min"]), "iops_max": int(row["iops"]["max"]),
            "iops_mean": row["iops"]["median"], "iops_samples": row["repeats"]}
    own = {key: row[key] for key in OWN if key in row}
    return job_of(name_of_row(row), options_of(row, "randread"), {"read": way},
                  found.get("clat_ns", []), own)


def way_of_rw(rw):
    return "trim" if "trim" in rw else "write" if "write" in rw else "read"


def job_of_job(capture, job):
    found = capture.bins.get(("job", job["filename"]), {})
    ways = {way: way_of(job[way], job["bs"], {}) for way in WAYS if way in job}
    if not ways:
        ways = {way_of_rw(job["rw"]): way_of(job, job["bs"], found)}
    elif len(ways) == 1:
        ways = {way: way_of(job[way], job["bs"], found) for way in ways}
    own = {key: job[key] for key in OWN if key in job}
    options = {**options_of(job, job["rw"]), "filename": job["filename"]}
    return job_of(f"{job['irq']} {job['filename']}", options, ways, found.get("clat_ns", []), own)


def jobs_of(capture: Capture):
    rows = sorted(capture.rows, key=lambda row: (row["table"], row["row"]))
    return [job_of_row(capture, row) for row in rows] + \
        [job_of_job(capture, job) for job in capture.jobs]


def document(jobs, label):
    """fio's whole file. There is no clock in a capture: the time is its epoch."""
    return {"fio version": LAYOUT, "timestamp": 0, "timestamp_ms": 0,
            "time": "Thu Jan  1 00:00:00 1970",
            "global options": {"ioengine": "onebell", "direct": "1"},
            "jobs": jobs, "onebell": {"capture": label}}
