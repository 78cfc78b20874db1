# SPDX-License-Identifier: BSD-2-Clause
"""1, 2, 4 CPUs x 1, 2, 8 disks x both formats x controllers with a limit, each verified.

A boot has several disks, each of another kind (format and limit), so that 39 boots make up the whole
product. Of these the suite runs the 15 in which any two of CPUs, disks and kind meet; all of them
run where ONEBELL_FULL is set.
"""
import os
from itertools import product

import pytest

from conftest import launch

CPUS = (1, 2, 4)
LIMITS = ("max_ioqpairs", "msix_qsize", "mqes", "mdts")
KINDS = list(product((512, 4096), LIMITS))
MODES = ("posted", "remapped", "poll")


def limit_value(limit, cpus):
    return {"max_ioqpairs": max(1, cpus - 1), "msix_qsize": 2, "mqes": 3, "mdts": 1}[limit]


def boots():
    """(cpus, kinds of the disks, whether it runs always)"""
    for cpus in CPUS:
        yield cpus, KINDS, True
    for turn, cpus in enumerate(CPUS):
        for first in range(0, len(KINDS), 2):
            yield cpus, KINDS[first:first + 2], first // 2 % len(CPUS) == turn
        for index, kind in enumerate(KINDS):
            yield cpus, [kind], index % len(CPUS) == turn


def name(value):
    cpus, kinds, _ = value
    disks = "all" if len(kinds) == len(KINDS) else "+".join(f"{lba}-{limit}" for lba, limit in kinds)
    return f"{cpus}cpus-{disks}"


ALL = list(boots())
CHOSEN = [b for b in ALL if b[2] or os.environ.get("ONEBELL_FULL")]


def test_the_matrix_is_whole():
    combinations = {(cpus, len(kinds), kind) for cpus, kinds, _ in ALL for kind in kinds}
    assert combinations == set(product(CPUS, (1, 2, 8), KINDS))
    usual = {(cpus, len(kinds), kind) for cpus, kinds, always in ALL if always for kind in kinds}
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert {(c[a], c[b]) for c in usual} == {(c[a], c[b]) for c in combinations}


@pytest.mark.parametrize("chosen", CHOSEN, ids=name)
def test_matrix(boot, chosen):
    cpus, kinds, _ = chosen
    mode = MODES[ALL.index(chosen) % len(MODES)]
    disks = [launch.Disk(lbas=[lba], size="16m", controller={limit: limit_value(limit, cpus)})
             for lba, limit in kinds]
    # 16 KiB reads need PRP lists, or where MDTS is 1 (8 KiB) two commands each.
    run = boot(f"irq={mode} bs=16k iodepth=8 size=4m runtime=0 verify=crc32c", cpus=cpus, disks=disks)
    run.verified()
    assert len(run.disk_jobs) == len(kinds)
    assert len(run.of("cpu")) == cpus
    for disk, (lba, limit) in zip(run.of("nvme"), kinds):
        assert disk["block_size"] == lba
        # One queue for each CPU, or as many as the controller or its vectors allow.
        most = limit_value(limit, cpus) if limit in ("max_ioqpairs", "msix_qsize") else cpus
        assert disk["queues"] == min(most, cpus)
        if limit == "mqes":
            assert disk["queue_depth"] == 3
        if limit == "mdts":
            assert disk["max_transfer"] == 8192
