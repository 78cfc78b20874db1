# SPDX-License-Identifier: BSD-2-Clause
"""Errors that a disk's root port logs (AER), as QEMU's monitor injects them: each told in a sentence,
cleared, and no disk is the worse for it; those of a domain's disk as the domain's."""
import pytest

from bay import Bay
from conftest import full, stamped
from monitor import Monitor
from test_domain_disks import stamped_drive
from test_domains import KERNELS, OWN, ends, jobs

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


def test_of_a_domains_disk(boot, tmp_path):
    """Told once, in whatever life of the domain's; the kernel, whose disk it is before and after, hears nothing."""
    def steps(bay):
        bay.wait_for("domain a: begins")
        bay.say("pcie_aer_inject_error -c bay 0x40", f"pcie_aer_inject_error bay 0x100000 {MEMORY_READ}")
        bay.wait_for("domain a: begins", 2)
        bay.say("pcie_aer_inject_error -c bay 0x40", "pcie_aer_inject_error bay 0x100000")

    bay = Bay(tmp_path).start(steps)
    run = boot(f"app=job runtime=6s {KERNELS} allow-write=BAY "
               f"domain=a:cpus=1:disks=nvme1n1:mem=16m:lives=2:app=job:runtime=2s:{OWN}", cpus=2, disks=stamped(1),
               extra=[*bay.arguments, *stamped_drive(tmp_path, "slow", "BAY"), *bay.disk("BAY")]).ended_well()
    assert bay.failed is None
    told = sorted(warning["message"] for warning in run.of("warning", what="domain-pcie"))
    assert len(told) == 2 and all(message.startswith("domain a: 0000:00:1a.0 (root port)") for message in told)
    assert "Bad TLP" in told[0] and "memory read by 01:00.0" in told[1]
    assert not [warning for warning in run.of("warning") if warning["what"].startswith("pcie-")]
    assert ends(run, "a") == ["exit"] * 2 and len(jobs(run, "a")) == 2 and len(jobs(run)) == 1
