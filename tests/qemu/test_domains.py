# SPDX-License-Identifier: BSD-2-Clause
"""Domains: ring-3 programs with CPUs, memory and disks of their own; what they do, and what they can't."""
import os
import time

import pytest

import qemu_launch as launch
from test_monitor import session  # noqa: F401, a fixture

FULL = "ONEBELL_FULL" in os.environ
DISKS = 3
KERNELS = "filename=nvme0n1 rw=randread verify=crc32c"
OWN = "rw=randread:verify=crc32c"


@pytest.fixture
def disks(tmp_path):
    """The kernel's, and two that domains may write to."""
    found = [launch.Disk(size="16m", writable=tmp_path / "disks") for _ in range(DISKS)]
    launch.make_disks(launch.Machine(disks=found))
    return found


def jobs(run, domain=None):
    """What the kernel's job told, or a domain's."""
    found = [job for job in run.of("job") if job.get("domain") == domain and job["filename"] == "all"]
    for job in found:
        assert job["total_ios"] == job["submitted"] > 0, job
        assert (job["errors"], job["verify_errors"], job["verify"]) == (0, 0, "crc32c"), job
    return found


def ends(run, name):
    return [life["end"] for life in run.of("domain", name=name)]


@pytest.mark.parametrize("mode", ["posted", "adaptive", "poll", "remapped"])
def test_two_beside_the_kernels_job(boot, disks, mode):
    """One of two CPUs, one of one; each has a disk."""
    run = boot(f"irq={mode} app=job runtime=1s {KERNELS} allow-write=OB0002:OB0003 "
               f"domain=a:cpus=1-2:disks=nvme1n1:mem=64m:app=job:runtime=1s:iodepth=1000:bs=16k:{OWN} "
               f"domain=b:cpus=3:disks=nvme2n1:mem=8m:app=job:runtime=1s:iodepth=4:{OWN}",
               cpus=4, disks=disks).ended_well()
    assert run.one("platform")["cpus"] == 1 and run.one("platform")["domain_cpus"] == 3
    for domain, words in ((None, (32, 4096)), ("a", (1000, 16384)), ("b", (4, 4096))):
        job, = jobs(run, domain)
        assert job["irq"] == mode and (job["iodepth"], job["bs"]) == words, domain
    assert (ends(run, "a"), ends(run, "b")) == (["exit"], ["exit"])
    assert {row["filename"] for row in run.of("job", domain="a")} == {"nvme1n1", "all"}


def test_sha256sum_both_ways(boot, disks):
    """The same sums inside and behind the wall."""
    run = boot("app=sha256sum", cpus=1, disks=disks).ended_well()
    inside = {row["filename"]: row["sha256"] for row in run.of("digest")}
    run = boot("app=domains allow-write=OB0002 domain=s:cpus=1:disks=nvme1n1:mem=16m:app=sha256sum", cpus=2,
               disks=disks).ended_well()
    behind = {row["filename"]: row["sha256"] for row in run.of("digest", domain="s")}
    assert behind == {"nvme1n1": inside["nvme1n1"]}


@pytest.mark.parametrize("words, what, said", [
    ("domain=a:cpus=1:disks=nvme1n1", "domain-write", "allow-write="),
    ("domain=a:cpus=7", "domain-cpu", "CPU 7"),
    ("domain=a:cpus=1:disks=nvme9n1", "domain-disk", "nvme9n1"),
    ("domain=a:cpus=1:prog=other", "domain-program", "other"),
    ("domain=a:cpus=1:mem=64g", "domain-memory", "mem="),
])
def test_what_cannot_be(boot, disks, words, what, said):
    """One error that names it; the kernel's own work goes on."""
    run = boot(f"app=job runtime=1s {KERNELS} {words}", cpus=2, disks=disks)
    assert run.status == launch.EXIT_FAILED
    assert said in run.one("error", what=what)["message"]
    assert len(jobs(run)) == 1


def wait_until_off(s):
    """The domain a; its own lines come in between, and the prompt with each."""
    end = time.monotonic() + 60
    s.qemu.send("domains\r")
    while s.qemu.expect([r"a +off ", r"a +being ended "]):
        assert time.monotonic() < end
        s.qemu.send("domains\r")


def test_started_and_killed_by_the_monitor(session, disks):  # noqa: F811
    s = session(f"app=monitor allow-write=OB0002 domain=a:cpus=1:disks=nvme1n1:mem=16m:app=job:runtime=1h:{OWN}",
                cpus=2, disks=disks)

    s.until("domains\r", r"a +running")
    s.until("start a\r", "a runs already")
    s.until("kill b\r", "b: no such domain")
    s.until("kill a\r", "domain a: ended after .* as it was told to")
    wait_until_off(s)
    s.until("nvme list\r", "nvme1n1")  # the kernel's again
    s.until("start a\r", "domain a: begins")
    status, events = s.end()
    assert status == launch.EXIT_OK
    assert [event["end"] for event in events if event["type"] == "domain"] == ["killed", "killed"]
