# SPDX-License-Identifier: BSD-2-Clause
"""Each CPU's counters of the run: they agree with each other, with the job's sums, and with the
table that people read."""

from conftest import stamped

JOB = "rw=randread bs=4k iodepth=32 size=4m runtime=0 verify=crc32c"

# Of the table's rows: what a harvest found, and how many harvests found something.
VECTORS = ["1 vector", "2 vectors", *(f"{2 ** n + 1}-{2 ** (n + 1)} vectors" for n in range(1, 8))]
HARVESTS = ["0 harvests", "1 harvest", *(f"{n} harvests" for n in range(2, 7)), "7+ harvests"]


def check_sums(run):
    """The parts add up to the whole, whoever counted it."""
    cpus = run.of("delivery")
    assert [cpu["cpu"] for cpu in cpus] == list(range(run.one("platform")["cpus"]))
    assert sum(cpu["msis"] for cpu in cpus) == run.job["msis"] > 0
    assert sum(cpu["notifications"] for cpu in cpus) == run.one("irq", name="PMN")["count"]
    busy = sum(cpu["busy_cycles"] for cpu in cpus)
    assert busy // run.job["total_ios"] == run.job["cycles_per_io"]
    for cpu in cpus:
        assert 0 < cpu["busy_cycles"] <= cpu["cycles"]
        assert cpu["wakes"] <= cpu["sleeps"]
    return cpus


def check_harvests(cpu):
    """MSIs are within what the histogram's buckets allow for: (0, 1], (1, 2], (2, 4], (4, 8] ..."""
    buckets = cpu["vectors_per_harvest"]
    assert len(buckets) == len(VECTORS)
    least = sum(count * (2 ** (i - 1) + 1 if i else 1) for i, count in enumerate(buckets))
    most = sum(count * 2 ** i for i, count in enumerate(buckets))
    assert 0 < least <= cpu["msis"] <= most


def check_table(run):
    """It has the numbers of the JSON lines, and no row without one."""
    cpus = run.of("delivery")
    expected = {"busy": [f"{cpu['busy_cycles'] * 1000 // cpu['cycles'] / 10:.1f}%" for cpu in cpus]}
    names = {"msis": "MSIs", "notifications": "notifications", "spins": "spins", "sleeps": "sleeps",
             "wakes": "wake-ups", "windows": "window harvests", "moderated": "moderated harvests"}
    for key, name in names.items():
        expected[name] = [str(cpu[key]) for cpu in cpus]
    for i, vectors in enumerate(VECTORS):
        expected[f"harvests of {vectors}"] = [str(cpu["vectors_per_harvest"][i]) for cpu in cpus]
    for i, harvests in enumerate(HARVESTS):
        expected[f"notifications, {harvests}"] = [str(cpu["harvests_per_notification"][i])
                                                  for cpu in cpus]
    head, *rows = run.console.split("\ndelivery ")[1].split("\n\n")[0].splitlines()
    assert head.split() == [f"CPU{cpu['cpu']}" for cpu in cpus]
    shown = {name: numbers.split() for name, numbers in (row.split(":") for row in rows)}
    assert shown == {name: cells for name, cells in expected.items() if set(cells) != {"0"}}
    assert len({len(row) for row in rows}) == 1, "not aligned"


def test_one_at_a_time_it_sleeps(boot):
    run = boot("irq=adaptive iodepth=1 runtime=500ms verify=crc32c", cpus=1, disks=stamped(1)).verified()
    cpu, = check_sums(run)
    check_harvests(cpu)
    check_table(run)
    assert cpu["sleeps"] > 0 and cpu["busy_cycles"] < cpu["cycles"]
    # A notification that ends a halt harvests nothing itself.
    assert sum(cpu["harvests_per_notification"]) <= cpu["notifications"]


def test_posted(boot):
    run = boot(f"irq=posted {JOB}", disks=stamped(4)).verified()
    for cpu in check_sums(run):
        check_harvests(cpu)
        assert sum(cpu["harvests_per_notification"]) == cpu["notifications"] > 0
        assert cpu["spins"] == cpu["windows"] == 0
    check_table(run)


def test_remapped_harvests_nothing(boot):
    run = boot(f"irq=remapped {JOB}", disks=stamped(2)).verified()
    for cpu in check_sums(run):
        assert not any(cpu["vectors_per_harvest"] + cpu["harvests_per_notification"])
        assert cpu["notifications"] == cpu["spins"] == cpu["windows"] == 0
    check_table(run)


def test_poll_never_sleeps(boot):
    run = boot(f"irq=poll {JOB}", disks=stamped(2)).verified()
    for cpu in check_sums(run):
        check_harvests(cpu)
        assert cpu["notifications"] == cpu["sleeps"] == cpu["wakes"] == 0
    check_table(run)


def test_the_window(boot):
    run = boot(f"irq=adaptive posted.window=100 {JOB}", cpus=1, disks=stamped(2)).verified()
    cpu, = check_sums(run)
    check_harvests(cpu)
    check_table(run)
    assert 0 < cpu["windows"] <= run.one("irq", name="LOC")["count"]
