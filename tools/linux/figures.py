# SPDX-License-Identifier: BSD-2-Clause
"""From what the guests and the platform model said to rows, and from rows to a table."""
import statistics

KEY = ("system", "job", "irq")


class BadRun(Exception):
    """A guest said something else than it should have."""


def msis(irq, counters):
    """The device interrupts of the platform: posted, or each on its own."""
    return counters["posted"] if irq == "posted" else counters["passed"]


def notifications(irq, counters):
    """The interrupts that the CPU took for them."""
    return counters["notified"] if irq == "posted" else counters["passed"]


def windows(events, snapshots):
    """Each run of fio with the counters before it and after it."""
    runs = [event for event in events if event["type"] == "fio"]
    if [s["byte"] for s in snapshots] != [1, 2] * len(runs):
        raise BadRun(f"{len(runs)} runs of fio, but snapshots {[s['byte'] for s in snapshots]}")
    return list(zip(runs, snapshots[::2], snapshots[1::2]))


def reads(run):
    job, = run["fio"]["jobs"]
    return job["read"]["total_ios"]


def linux_row(few, many, irq):
    """Two runs of a job: what fio does once, at its start and end, is in both, so the difference is
    what its reads cost."""
    run, before, after = many
    job, = run["fio"]["jobs"]
    gained = {name: after[name] - before[name] for name in before if name != "byte"}
    once = few[2]["instructions"] - few[1]["instructions"]
    return {
        "system": "linux", "job": run["job"], "irq": irq,
        "total_ios": reads(run), "errors": sum(job["error"] for r in (few[0], run)
                                               for job in r["fio"]["jobs"]),
        "iops": job["read"]["iops"],
        "instructions_per_io": (gained["instructions"] - once) / (reads(run) - reads(few[0])),
        "msis": msis(irq, gained), "notifications": notifications(irq, gained),
        "repeated": gained["repeated"],
        "handled": run["after"]["nvme"] - run["before"]["nvme"],
        "pmn": run["after"]["pmn"], "model_notified": after["notified"],
    }


def linux_rows(events, snapshots, irq):
    found = windows(events, snapshots)
    bad = [run for run, *_ in found if run["status"] or "jobs" not in run["fio"]]
    if bad or not found or len(found) % 2:
        raise BadRun(f"{len(found)} runs of fio, of which failed: {[run['job'] for run in bad]}")
    return [linux_row(few, many, irq) for few, many in zip(found[::2], found[1::2])]


def onebell_row(job, model, label):
    """Instructions: all regions of the code but what waits, prints each second, and runs once."""
    found = model.get("regions", {})
    if found and found["reap"]["entries"] == 0:
        raise BadRun("no reads were counted: is the ELF file that of the image? run make")
    regions = {name: counts["instructions"] for name, counts in found.items()}
    busy = sum(n for name, n in regions.items() if name not in ("idle", "progress", "other"))
    return {
        "system": "onebell", "job": label, "irq": job["irq"],
        "total_ios": job["total_ios"], "errors": job["errors"], "iops": job["iops"],
        "instructions_per_io": busy / job["total_ios"],
        "with_idle_per_io": (busy + regions.get("idle", 0)) / job["total_ios"],
        "msis": job["msis"], "notifications": job["notifications"],
    }


def problems(row):
    """What a row shows that must not be, as sentences."""
    who = " ".join(row[name] for name in KEY)
    if row["errors"]:
        yield f"{who}: {row['errors']} errors"
    if "pmn" in row and row["pmn"] != row["model_notified"]:
        yield (f"{who}: Linux counted {row['pmn']} notifications (PMN in /proc/interrupts), the "
               f"platform model {row['model_notified']}")


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summaries(rows):
    """One for each contender, over all rounds, in the order of their first appearance."""
    found = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in KEY), []).append(row)
    return [summary(key, group) for key, group in found.items()]


def summary(key, rows):
    """Instructions from the runs on one host CPU, all else from the others: tools/linux/compare."""
    pinned = [row for row in rows if row["setting"] == "pinned"]
    free = [row for row in rows if row["setting"] == "free"]
    sums = {name: sum(row[name] for row in free)
            for name in ("total_ios", "errors", "msis", "notifications")}
    one = {"type": "compare", **dict(zip(KEY, key)), "rounds": len(free), **sums,
           "notifications_per_msi": sums["notifications"] / sums["msis"] if sums["msis"] else None,
           "iops": spread([row["iops"] for row in free])}
    for name in ("instructions_per_io", "with_idle_per_io"):
        if name in pinned[0]:
            one[name] = spread([row[name] for row in pinned])
    if "pmn" in rows[0]:
        one["pmn_equal"] = all(row["pmn"] == row["model_notified"] for row in rows)
    return one


def best(found, system, jobs):
    return min((s for s in found if s["system"] == system and s["job"] in jobs),
               key=lambda s: s["instructions_per_io"]["median"])


def ratio(found, linux_jobs, onebell_jobs):
    """For how many of our reads the instructions of one of Linux's would do, the best of each."""
    linux, onebell = best(found, "linux", linux_jobs), best(found, "onebell", onebell_jobs)
    return {"type": "ratio", "linux": [linux["job"], linux["irq"]],
            "onebell": [onebell["job"], onebell["irq"]],
            "times": (linux["instructions_per_io"]["median"]
                      / onebell["instructions_per_io"]["median"])}


def ratios(found):
    """Where each read is timed, and where it need not be."""
    timed = ratio(found, ("libaio", "io_uring", "polled"), ("job",))
    any_job = [one["job"] for one in found]
    least = ratio(found, any_job, any_job)
    return [{**timed, "each_read_timed": True}, {**least, "each_read_timed": False}]


HEADS = (*KEY, "instr/I/O", "min", "max", "kIOPS", "min", "max", "notif/MSI", "PMN")


def cells(one):
    cost, rate = one["instructions_per_io"], one["iops"]
    share = one["notifications_per_msi"]
    equal = one.get("pmn_equal")
    return [*(one[name] for name in KEY),
            *(f"{cost[name]:.1f}" for name in ("median", "min", "max")),
            *(f"{rate[name] / 1000:.1f}" for name in ("median", "min", "max")),
            "-" if share is None else f"{share:.3f}",
            "-" if equal is None or one["irq"] != "posted" else "equal" if equal else "DIFFERS"]


def table(found):
    lines = [HEADS] + [cells(one) for one in found]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    return "\n".join("  ".join(cell.ljust(width) if i < len(KEY) else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)
