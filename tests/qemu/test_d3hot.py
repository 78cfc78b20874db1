# SPDX-License-Identifier: BSD-2-Clause
"""Disks that firmware left asleep, in power state D3hot: QEMU then decodes none of their BARs."""
import grub
from conftest import launch, stamped

SHORT = "irq=posted size=4m runtime=0 verify=crc32c"


def test_disk_in_d3hot(boot, tmp_path):
    """One of two sleeps (its power management capability is at 60h); both are read."""
    volume = grub.volume(tmp_path, ["setpci -s 00:02.0 64.w=3"], SHORT)
    run = boot(volume=volume, disks=stamped(2)).verified()
    assert len(run.disk_jobs) == 2
    woken = run.one("warning", what="pci-woken")
    assert "0000:00:02.0" in woken["message"] and "D3" in woken["message"]


def test_disk_and_its_port_in_d3hot(boot, tmp_path):
    """A port that sleeps is told of, and woken for what is found behind it."""
    volume = grub.volume(tmp_path, ["setpci -s 01:00.0 64.w=3", "setpci -s 00:02.0 84.w=3"], SHORT)
    run = boot(volume=volume, topology="ports", disks=stamped(1)).verified()
    assert len(run.disk_jobs) == 1
