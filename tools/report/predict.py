# SPDX-License-Identifier: BSD-2-Clause
"""A small model of 2 to 24 disks in a Sapphire Rapids server, calibrated by the remapped rows that
the Linux patch set published, and by instruction counts. It predicts `adaptive` only if it finds
the published posted rows again. Pure."""
import math
from dataclasses import dataclass

SOURCE = "cover letter of \"Coalesced Interrupt Delivery with posted MSI\", v2, 5 April 2024"

# 4 KiB random reads a second of each disk, by the number of disks (PM174x, PCIe 5.0 x4; libaio).
REMAPPED = {2: 1.991e6, 4: 1.136e6, 8: 0.834e6}
POSTED = {4: 2.023e6, 8: 1.943e6}
# Of four disks in one x16 slot together, by block size.
SIZES_REMAPPED = {4096: 6.475e6, 8192: 5.727e6, 16384: 2.864e6, 32768: 1.546e6, 131072: 397e3}
SIZES_POSTED = {4096: 8.778e6, 8192: 5.896e6, 16384: 2.900e6, 32768: 1.520e6, 131072: 398e3}
POLLED = 13.1e6  # the same four, 4 KiB, by io_uring's polled queues
POSTED_LATER = 8.936e6  # the same four, posted, libaio, measured later with the frequency fixed
REMAPPED_12 = 6.0e6  # 12 disks on another machine, before GSIM's moderation (Linux, proposed 2026)

TOLERANCE = 0.10

# Guest instructions for a read at depth 32 with 8 disks: docs/performance.md has the commands.
INSTRUCTIONS = {"adaptive": 112.0, "poll": 112.0}
LINUX_INSTRUCTIONS = 4628  # fio by io_uring, fixed buffers, batches of 8, in the same emulator
IPC = 1.0  # SPDK's 719 instructions in 250 cycles would be 2.9: this leaves room for cache misses
HZ = 2.7e9  # the patch set's frequency
SLOT = 4  # disks that share 16 lanes

DISKS = (2, 4, 8, 12, 16, 20, 24)
MODES = ("remapped", "posted", "poll", "adaptive")


class PredictError(Exception):
    """The model doesn't find again what is known; the text says which row."""


@dataclass
class Model:
    """What the remapped rows fix."""

    alone: float  # reads a second of a disk where notifications don't stand in its way
    wait: float  # seconds that each doubling of the disks adds to a disk's time for a read
    link: float  # bytes a second of a slot


def slope(points):
    """Least squares through the origin."""
    return sum(x * y for x, y in points) / sum(x * x for x, _ in points)


def calibrate(remapped=None, sizes=None):
    """From remapped rows alone."""
    remapped, sizes = remapped or REMAPPED, sizes or SIZES_REMAPPED
    fewest = min(remapped)
    extra = [(math.log2(n / fewest), 1 / rate - 1 / remapped[fewest])
             for n, rate in remapped.items() if n > fewest]
    largest = max(sizes)
    return Model(remapped[fewest], slope(extra), sizes[largest] * largest)


def of_a_disk(model, mode, disks, bs=4096):
    """Reads a second, and what limits them."""
    link = model.link / SLOT / bs
    if mode in ("poll", "adaptive"):
        return link, "link"
    rate, limit = model.alone, "path"
    if mode == "remapped" and disks > min(REMAPPED):
        rate = 1 / (1 / model.alone + model.wait * math.log2(disks / min(REMAPPED)))
        limit = "notifications"
    return (rate, limit) if rate < link else (link, "link")


# ---- does it find again what is known? ----

def row_of(what, published, rate, is_held):
    error = rate / published - 1
    return {"what": what, "published": published, "model": rate, "error": error, "held": is_held,
            "ok": not is_held or abs(error) <= TOLERANCE}


def check(model):
    """The published rows that it speaks of; `held`: within TOLERANCE, or nothing is predicted."""
    rows = [row_of(f"posted, {n} disks, each", rate, of_a_disk(model, "posted", n)[0], True)
            for n, rate in POSTED.items()]
    rows += [row_of(f"posted, 4 disks, {bs // 1024} KiB", rate,
                    SLOT * of_a_disk(model, "posted", SLOT, bs)[0], True)
             for bs, rate in SIZES_POSTED.items()]
    rows += [row_of("polled, 4 disks", POLLED, SLOT * of_a_disk(model, "poll", SLOT)[0], True)]
    rows += [row_of(f"remapped, {n} disks, each (its fit)", rate,
                    of_a_disk(model, "remapped", n)[0], True) for n, rate in REMAPPED.items()]
    rows += [row_of("posted, 4 disks, another set-up", POSTED_LATER,
                    SLOT * of_a_disk(model, "posted", SLOT)[0], False),
             row_of("remapped, 12 disks, another machine", REMAPPED_12,
                    12 * of_a_disk(model, "remapped", 12)[0], False)]
    return rows


# ---- what nobody has measured ----

def cores_of(mode, rate, instructions):
    each = instructions[mode] if mode in instructions else LINUX_INSTRUCTIONS
    return rate * each / (IPC * HZ)


def predict(instructions=None, model=None):
    """Rows for each mode and number of disks. `instructions`: those of a read, by mode."""
    model = model or calibrate()
    instructions = {**INSTRUCTIONS, **(instructions or {})}
    instructions = {mode: instructions[mode] for mode in INSTRUCTIONS}
    wrong = [row for row in check(model) if not row["ok"]]
    if wrong:
        raise PredictError(f"{wrong[0]['what']}: the model is {wrong[0]['error']:+.0%} off the "
                           "published row, so it predicts nothing")
    rows = []
    for mode in MODES:
        for disks in DISKS:
            rate, limit = of_a_disk(model, mode, disks)
            rows.append({"mode": mode, "disks": disks, "iops": rate * disks, "per_disk": rate,
                         "limit": limit, "cores": cores_of(mode, rate * disks, instructions),
                         "beyond": disks > max(REMAPPED)})
    return rows


def assumptions(model, instructions=None):
    """What it takes for granted, as sentences."""
    counts = {**INSTRUCTIONS, **(instructions or {})}
    return [
        f"Published rows: {SOURCE}. remapped and posted are Linux's (fio, libaio).",
        f"A disk gives Linux {model.alone / 1e6:.3f} million reads a second where notifications "
        "don't stand in its way: the remapped row of 2 disks. Posted stays there.",
        f"Remapped, each doubling of the disks adds {model.wait * 1e9:.0f} ns to a disk's time for "
        "a read: a fit to the rows of 2, 4 and 8 disks, a law of nobody's. Beyond 8 disks it is "
        "drawn on.",
        f"Four disks share a slot of 16 lanes, {model.link / 1e9:.1f} GB/s: the remapped row of "
        "128 KiB. More disks have more slots; 24 of them need the lanes of two sockets.",
        "Adaptive and poll have no notification to wait for under load (0.001 for each MSI, "
        "counted), so the link limits them. Their rate is a bound, and no measurement: memory, "
        "caches and the link between sockets are left out.",
        f"Cores: {counts['adaptive']:.1f} instructions a read adaptive, {counts['poll']:.1f} poll "
        f"(counted in QEMU), {LINUX_INSTRUCTIONS:,} for Linux with fio (io_uring, the same "
        f"emulator), at {IPC:.1f} instruction a cycle and {HZ / 1e9:.1f} GHz.",
        "Not used: the DSA rows (one CPU, no disk) can't be had from their remapped row alone, "
        "since that doesn't tell handler from notification.",
    ]
