#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a read may cost, in guest instructions: measures it, and writes budget.json anew (make budget).

Two boots of `app=bench bench=cost` on null disks. In the first the CPU looks on before it sleeps, as it
does unless told otherwise; in the second (`asleep`) it sleeps wherever it has to wait. Of each row's runs
the least counts, region by region: what is more came of the host's time (timers, a late disk).
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))
import qemu_launch as launch

FILE = Path(__file__).with_name("budget.json")
KERNEL = launch.BUILD / "kernel.elf"

WORDS = "app=bench bench=cost repeats=3"
BOOTS = {"": (8, ""), "asleep": (1, "idle.spin=0")}  # disks, words

NO_COST = ("idle", "progress", "other")  # waiting, a line each second, and what runs once
TIMED = ("loop", "harvest", "notification", "device", "timer", "lap")  # how often depends on the host, too
SHARE = 0.02
TIMED_SHARE = 0.01  # of all that the read costs
# One read at a time: of several disks, how many of them one harvest finds is up to the host's threads; and a
# CPU that looks by itself either finds its read at once or looks again, as the host's disk is quick or late.
# What a harvest costs is in the rows of one disk that are deep, or that wait for an interrupt.
HOSTS_SHARE = 0.1  # adaptive 1x1 takes 353 awake, and 384 asleep
HOSTS_ROWS = re.compile(r"([2-9]|[0-9]{2,})x1$|(adaptive|poll) 1x1$")
# Where each read waits for a notification, one that comes while a handler still runs is only counted, and costs
# less: how many do is up to the host as well, but none costs more. So does a read that ends before its CPU halts.
LESS_ROWS = re.compile("posted 1x1$|asleep remapped 1x1$")
LEAST = 0.05  # instructions; what is less is noise


def null_disks(count):
    return [launch.Disk(size="1g", null=True) for _ in range(count)]


def rows_of(events):
    return [event for event in events if event["type"] == "bench"]


def laps_of(events, model):
    """For each row its laps, one for each repeat: rows that differ in their mode alone took turns."""
    rows, laps = rows_of(events), model["laps"]
    words = [{key: row[key] for key in ("disks", "iodepth", "clat")} for row in rows]
    found, at = [], 0
    while len(found) < len(rows):
        first = len(found)
        group = sum(1 for other in words[first:] if other == words[first])
        runs = group * rows[first]["repeats"]
        found += [laps[at + i:at + runs:group] for i in range(group)]
        at += runs
    assert at == len(laps), f"{len(laps)} laps of {at} runs"
    return list(zip(rows, found))


def name_of(row):
    batch = "-batch" if row["clat"] == "batch" else ""
    return f"{row['irq']} {row['disks']}x{row['iodepth']}{batch}"


def costs_of(events, model, prefix=""):
    """Instructions for each read, by row and region."""
    costs = {}
    for row, laps in laps_of(events, model):
        reads = row["total_ios"] / row["repeats"]
        regions = {name: min(lap[name]["instructions"] for lap in laps) / reads
                   for name in laps[0] if name not in NO_COST}
        kept = {name: round(cost, 2) for name, cost in regions.items() if cost >= LEAST}
        costs[f"{prefix} {name_of(row)}".strip()] = {"all": round(sum(regions.values()), 2), **kept}
    return costs


def slack_of(row, region, may, rows=HOSTS_ROWS):
    if rows.search(row) and region in (*TIMED, "all"):
        return HOSTS_SHARE * may["all"]
    timed = TIMED_SHARE * may["all"] if region in TIMED else 0
    return max(SHARE * may.get(region, 0), LEAST, timed)


def differences(budget, costs):
    """Sentences: what costs more than it may, and what no longer needs as much."""
    said = []
    for row in sorted(budget.keys() | costs.keys()):
        may, does = budget.get(row), costs.get(row)
        if not may or not does:
            said.append(f"{row}: only {'measured' if does else 'in the budget'}: run make budget")
            continue
        for region in sorted(may.keys() | does.keys()):
            a, b = may.get(region, 0), does.get(region, 0)
            slack = slack_of(row, region, may)
            less = max(slack, slack_of(row, region, may, LESS_ROWS))
            if b > a + slack:
                said.append(f"{row}, {region}: {b} instructions for each read, and {a} are allowed")
            elif b < a - less:
                said.append(f"{row}, {region}: {b} instructions for each read are enough, and {a} are "
                            "allowed: lower the budget with make budget")
    return said


def compiler():
    """Another compiler makes other instructions."""
    said = subprocess.run(["x86_64-linux-gnu-gcc", "-dumpfullversion"], capture_output=True, text=True,
                          check=True).stdout
    return f"gcc {re.match('[0-9]+', said)[0]}"


def measure():
    costs = {}
    for prefix, (disks, words) in BOOTS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            machine = launch.Machine(append=f"{WORDS} {words}", cpus=1, disks=null_disks(disks),
                                     count=KERNEL, com1=folder / "com1", com2=folder / "com2",
                                     model_json=folder / "model")
            launch.prepare(machine)
            status = launch.run(launch.command(machine), 300, stdin=subprocess.DEVNULL)
            if status != launch.EXIT_OK:
                sys.exit(f"budget: the run ended with status {status}:\n{launch.read_text(folder / 'com1')}")
            costs.update(costs_of(launch.read_json(folder / "com2"),
                                  launch.read_json(folder / "model")[0], prefix))
    return costs


def text_of(costs):
    """A line for each row, so that a change can be read."""
    rows = ",\n".join(f"  {json.dumps(row)}: {json.dumps(regions)}"
                      for row, regions in sorted(costs.items()))
    return f'{{\n "compiler": {json.dumps(compiler())},\n "reads": {{\n{rows}\n }}\n}}\n'


def main():
    try:
        costs = measure()
    except launch.LaunchError as e:
        sys.exit(f"budget: {e}")
    before = json.loads(FILE.read_text())["reads"] if FILE.exists() else {}
    for sentence in differences(before, costs):
        print(sentence)
    FILE.write_text(text_of(costs))


if __name__ == "__main__":
    main()
