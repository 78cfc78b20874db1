# SPDX-License-Identifier: BSD-2-Clause
"""Captures of COM2 made up for the tests: what the bench sends, of a machine that never was."""
import json

MODES = ("remapped", "posted", "adaptive", "poll")
SPEED = {"remapped": 0.6, "posted": 0.9, "adaptive": 1.0, "poll": 1.02}
PER_MSI = {"remapped": 1.0, "posted": 0.4, "adaptive": 0.002, "poll": 0.0}
PERCENTILES = (50, 90, 95, 99, 99.9, 99.99)


def spread(median, width=0.04):
    return {"median": round(median), "min": round(median * (1 - width)),
            "max": round(median * (1 + width))}


def bins_around(median, ios):
    """Some 40 bins with a tail, all of `ios` in them."""
    shares = [2 ** (-abs(i - 8) / (2 if i < 8 else 5)) for i in range(40)]
    counts = [int(ios * share / sum(shares)) for share in shares]
    counts[8] += ios - sum(counts)
    return {str(round(median * 1.15 ** (i - 8))): n for i, n in enumerate(counts) if n}


def latency(bins):
    total, pairs = sum(bins.values()), sorted((int(ns), n) for ns, n in bins.items())

    def at(percent):
        seen = 0
        for ns, n in pairs:
            seen += n
            if seen >= total * percent / 100:
                return ns
        return pairs[-1][0]

    return {"mean": sum(ns * n for ns, n in pairs) // total,
            "percentile": {f"{p:.6f}": at(p) for p in PERCENTILES}}


def row(table, number, mode, disks=4, bs=4096, iodepth=32, rate_iops=0, speed=1.0, repeats=3,
        **more):
    """A row of the bench and its bins, as objects."""
    iops = min(rate_iops or 1e9, speed * SPEED[mode] * 60000 * disks ** 0.7 *
               (4096 / bs) ** 0.5 * (iodepth / 32) ** 0.3)
    ios = max(1000, round(iops * 1.5))
    bins = bins_around(disks * iodepth * 1e9 / iops, ios)
    msis = ios // 8
    line = {"type": "bench", "table": table, "row": number, "irq": mode, "disks": disks, "bs": bs,
            "iodepth": iodepth, "loops": 3, "rate_iops": rate_iops, "cpus": 2, "repeats": repeats,
            "runtime": 500, "total_ios": ios, "errors": 0, "iops": spread(iops),
            "bw_bytes": round(iops * bs), "cycles_per_io": spread(9000 / SPEED[mode]),
            "busy": spread(700, 0.1), "msis": msis, "notifications": round(msis * PER_MSI[mode]),
            "notifications_per_msi": PER_MSI[mode],
            "notifications_per_s": round(msis * PER_MSI[mode] / 1.5),
            "slat_ns": {"mean": 700, "percentile": {"50.000000": 600, "99.000000": 1500}},
            "clat_ns": latency(bins), **more}
    pairs = list(bins.items())
    half = len(pairs) // 2
    parts = [dict(pairs[:half]), dict(pairs[half:])]
    return [line] + [{"type": "bins", "table": table, "row": number, "of": "clat_ns", "part": part,
                      "parts": 2, "bins": found} for part, found in enumerate(parts)]


def machine(model="QEMU NVMe Ctrl", hypervisor="TCGTCGTCGTCG", disks=8):
    yield {"type": "platform", "cpus": 2, "memory": 1 << 30, "tsc_hz": 2445000000,
           "tsc_source": "HPET", "timer": "local APIC counter", "hypervisor": hypervisor}
    yield {"type": "vtd_unit", "unit": "0xfed90000", "segment": 0, "version": "1.0",
           "cap": "0x08d2008c222f0606", "ecap": "0x0000000000f00f5a", "posting": True,
           "coherent": False, "entries": 65536}
    for i in range(disks):
        yield {"type": "nvme", "filename": f"nvme{i}n1", "pci": f"0000:00:0{i + 2}.0",
               "model": model, "serial": f"OB000{i + 1}", "firmware": "10.0.2", "size": 1 << 30,
               "block_size": 512, "queues": 2, "queue_depth": 255}


def rows(speed=1.0, repeats=3):
    """All tables, in the order in which the bench has them."""
    tables = [("disks", [{"disks": d} for d in (1, 2, 4, 8)]),
              ("bs", [{"bs": kib * 1024} for kib in (4, 8, 16, 32, 128)]),
              ("depth", [{"iodepth": d} for d in (1, 4, 16, 64, 256)]),
              ("loops", [{"loops": n} for n in (1, 2, 3, 4)]),
              ("latency", [{"rate_iops": n} for n in (1000, 10000)]),
              ("rate", [{"rate_iops": n, "posted_rate": b} for n in (1000, 10000)
                        for b in (0, 2000)]),
              ("background", [{"rate_iops": 10000, "background": {"counted_per_s": spread(4e8)}}])]
    for table, choices in tables:
        number = 0
        for choice in choices:
            for mode in MODES:
                yield from row(table, number, mode, speed=speed, repeats=repeats, **choice)
                number += 1


def bench(speed=1.0, repeats=3, **of_machine):
    """A whole run's objects."""
    found = list(rows(speed, repeats))
    return [*machine(**of_machine),
            {"type": "bench_plan", "bench": "full", "tables": [], "repeats": repeats,
             "rows": sum(o["type"] == "bench" for o in found), "runtime_each": 500,
             "estimate_s": 60},
            *found, {"type": "end", "status": "ok"}]


def job(filename="all", mode="posted", **more):
    bins = bins_around(380000, 50000)
    line = {"type": "job", "filename": filename, "irq": mode, "rw": "randread", "bs": 4096,
            "iodepth": 32, "cpus": 1, "disks": 8, "total_ios": 50000, "errors": 0, "runtime": 1000,
            "iops": 50000.5, "bw_bytes": 204802048, "msis": 1600, "notifications": 800,
            "cycles_per_io": 4800, "clat_ns": latency(bins), **more}
    return [line, {"type": "bins", "filename": filename, "of": "clat_ns", "part": 0, "parts": 1,
                   "bins": bins}]


def lines(objects):
    return [json.dumps(o, separators=(",", ":")) for o in objects]


def write(path, objects):
    """Objects, and what else is to stand in the file as it is."""
    path.write_text("".join((o if isinstance(o, str) else json.dumps(o)) + "\n" for o in objects))
    return path
