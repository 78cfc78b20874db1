# SPDX-License-Identifier: BSD-2-Clause
"""Virtual functions (SR-IOV): turned on, driven by the kernel, and given to domains."""
import os
import subprocess

import pytest

import qemu_launch as launch
from conftest import broken
from test_domains import OWN, ends, jobs, wait_until_off
from test_monitor import session  # noqa: F401, a fixture

FULL = "ONEBELL_FULL" in os.environ
SERIAL = "PHYSICAL"
READS = "rw=randread verify=crc32c"


def physical(tmp_path, vfs=2, spare=2, flexible=6):
    """A controller with a disk of its own, one that can have virtual functions, and with disks that nobody has."""
    extra = ["-device", "nvme-subsys,id=sub", "-device", "pcie-root-port,id=vfs,chassis=40",
             "-device", f"nvme,id=physical,serial={SERIAL},subsys=sub,bus=vfs,sriov_max_vfs={vfs},"
             f"sriov_vq_flexible={flexible},sriov_vi_flexible={flexible},max_ioqpairs=12,msix_qsize=14"]
    for nsid in range(1, 2 + spare):
        image = tmp_path / f"namespace{nsid}"
        subprocess.run([launch.BUILD / "mkdisk", "--serial", SERIAL, "--nsid", str(nsid), "--size", "16m", image],
                       check=True)
        extra += ["-drive", f"if=none,id=blocks{nsid},format=raw,file={image}",
                  "-device", f"nvme-ns,drive=blocks{nsid},bus=physical,nsid={nsid},"
                  + ("shared=off" if nsid > spare else "shared=on,detached=on")]
    return extra


def test_given_as_a_whole(boot, tmp_path):
    """A physical function whose virtual ones nobody turned on is a function like any other."""
    run = boot(f"app=domains allow-write={SERIAL} "
               f"domain=a:cpus=1:disks=nvme0n1:mem=16m:app=job:runtime=1s:{OWN}",
               cpus=2, extra=physical(tmp_path, spare=0)).ended_well()
    assert len(jobs(run, "a")) == 1


@pytest.mark.parametrize("mode", ["posted", "adaptive"] if FULL else ["posted"])
def test_driven_by_the_kernel(boot, tmp_path, mode):
    """All three at once, with queues for both CPUs."""
    run = boot(f"irq={mode} app=job runtime=1s {READS} nvme.vfs=2 allow-write={SERIAL}",
               cpus=2, extra=physical(tmp_path)).verified()
    assert [job["filename"] for job in run.disk_jobs] == ["nvme0n3", "nvme1n1", "nvme2n2"]
    assert [disk["queues"] for disk in run.of("nvme")] == [2, 2, 2]


def test_two_given_to_two_domains(boot, tmp_path):
    """The kernel keeps the physical one, and its disk. One lives twice."""
    run = boot(f"irq=posted app=job runtime=3s {READS} filename=nvme0n3 nvme.vfs=2 allow-write={SERIAL} "
               f"domain=a:cpus=1:disks=nvme1n1:mem=16m:lives=2:app=job:runtime=1s:{OWN} "
               f"domain=b:cpus=2:disks=nvme2n2:mem=16m:app=job:runtime=1s:{OWN}",
               cpus=3, extra=physical(tmp_path)).ended_well()
    assert [len(jobs(run, domain)) for domain in (None, "a", "b")] == [1, 2, 1]


def test_killed_in_the_middle_of_reads(session, tmp_path):  # noqa: F811
    """The function works for the next life, and for the kernel after that."""
    s = session(f"app=monitor nvme.vfs=2 allow-write={SERIAL} "
                f"domain=a:cpus=1:disks=nvme1n1:mem=16m:app=job:runtime=1h:{OWN}", cpus=2, extra=physical(tmp_path))
    s.until("domains\r", r"a +running")
    for _ in range(2):
        s.until("kill a\r", "domain a: ended after .* as it was told to")
        wait_until_off(s)
        s.until("start a\r", "domain a: begins")
    s.until("kill a\r", "domain a: ended after .* as it was told to")
    wait_until_off(s)
    s.until(f"job filename=nvme1n1:nvme2n2 runtime=1s {READS}\r", "all data verified")
    status, events = s.end()
    assert status == launch.EXIT_OK
    assert [event["end"] for event in events if event["type"] == "domain"] == ["killed", "killed", "killed"]


def test_reset_of_the_physical_function(boot, tmp_path):
    """It takes those of the virtual ones along: the kernel's come back, and no read is lost; a domain ends, and begins
    again."""
    failing = broken("nvme", "nvme[0]", "physical", offset=0x1c, arm=0x1008, armbits=0xff, armcount=100,
                     reads=4, mask=2, value=2)
    run = boot(f"irq=posted app=job runtime=4s nvme.timeout=1s {READS} filename=nvme0n3:nvme1n1 nvme.vfs=2 "
               f"allow-write={SERIAL} domain=a:cpus=1:disks=nvme2n2:mem=16m:lives=2:app=job:runtime=3s:{OWN}",
               cpus=2, extra=failing + physical(tmp_path)).failed("domain-lost", "0000:01:00.2", "0000:01:00.0")
    assert ends(run, "a") == ["fault", "exit"]
    assert len(jobs(run)) == len(jobs(run, "a")) == 1
    assert {(recovery["device"], recovery["gone"]) for recovery in run.of("recovery")} >= {("nvme0", False), ("nvme1", False)}
