# SPDX-License-Identifier: BSD-2-Clause
"""Errors that a disk's root port logs (AER), as QEMU's monitor injects them: each told in a sentence,
cleared, and no disk is the worse for it."""
import pytest

from conftest import full, stamped
from monitor import Monitor

# Words of a header are logged with their bytes in the order of the wire, which QEMU takes as they are.
MEMORY_READ = "0x01000000 0x0f000001 0x0010bffe 0"


@pytest.mark.parametrize("mode", ["posted", "remapped", *full("adaptive", "poll")])
def test_injected_errors(boot, tmp_path, mode):
    monitor = Monitor(tmp_path)
    monitor.when(tmp_path / "boot0" / "com1", "job: 1.0 of ",
                 "pcie_aer_inject_error -c bay 0x40",
                 f"pcie_aer_inject_error bay 0x100000 {MEMORY_READ}")
    later = Monitor(tmp_path)
    later.path = monitor.path
    later.when(tmp_path / "boot0" / "com1", "job: 4.0 of ",
               "pcie_aer_inject_error bay 0x40000", "pcie_aer_inject_error -c bay 0x40")
    run = boot(f"irq={mode} rate_iops=1000 runtime=6s", disks=stamped(1),
               extra=["-device", "pcie-root-port,id=bay,chassis=9,slot=9", *monitor.arguments,
                      "-blockdev", "driver=null-co,node-name=null,size=16777216,read-zeroes=on",
                      "-device", "nvme,serial=EXTRA,bus=bay,drive=null"])
    run.ended_well()
    assert "Bad TLP" in run.one("warning", what="pcie-correctable")["message"]
    assert "Unsupported Request Error" in run.one("warning", what="pcie-nonfatal")["message"]
    assert "memory read by 01:00.0 at 0xfebf1000" in run.one("warning", what="pcie-nonfatal")["message"]
    assert "Malformed TLP" in run.one("warning", what="pcie-fatal")["message"]
