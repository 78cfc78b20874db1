# SPDX-License-Identifier: BSD-2-Clause
"""The speed floor. Runs by itself (`make test-speed`): it needs the machine's cores."""
import os

import pytest

from conftest import launch

# Twice what Linux 6.12 with fio's io_uring reaches in the same QEMU on two cores.
LEAST = int(os.environ.get("ONEBELL_IOPS", 56_000))


@pytest.mark.speed
def test_null_disks(boot):
    disks = [launch.Disk(size="1g", null=True) for _ in range(8)]
    run = boot("irq=posted rw=randread bs=4k iodepth=32 runtime=4s", cpus=1, disks=disks).ended_well()
    assert run.job["iops"] >= LEAST
