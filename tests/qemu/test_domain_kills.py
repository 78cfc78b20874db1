# SPDX-License-Identifier: BSD-2-Clause
"""Domains that are ended in the middle of their I/O, again and again: what is left of them, and for whom."""
import os
import time

import pytest
import qemu_launch as launch
from test_domain_hostile import build_image
from test_domains import KERNELS, OWN, disks, ends, jobs  # noqa: F401, a fixture
from test_monitor import session  # noqa: F401, a fixture

LIVES = 10000 if "ONEBELL_FULL" in os.environ else 200
TARGETS = ["remapping table", "queue", "root table", "registers", "interrupts", "memory", "domain memory"]


@pytest.fixture
def canaries(tmp_path):
    return build_image(tmp_path / "build", "tests/domain/canaries")


def told(run):
    """Faults that the guest has told of, one by one or by number."""
    faults = run.of("fault")
    return len([f for f in faults if "reason" in f]) + sum(f.get("suppressed", 0) for f in faults)


def await_state(s, state):
    end = time.monotonic() + 60
    s.qemu.send("domains\r")
    while s.qemu.expect([rf"\na +{state} ", r"\na +(being|running|off)[^\n]*"]):
        assert time.monotonic() < end
        s.qemu.send("domains\r")


def test_killed_in_the_middle(boot, disks, canaries):  # noqa: F811
    """Each life is ended while its reads are in flight on a slow disk. From then on that is an attacker, too, that
    writes wherever it can; the next life has the same memory, CPU and disk, and looks whether anything comes late. Its
    neighbour's memory, and the kernel's job, stay as they are."""
    disks[1].rate = 300
    run = boot(f"app=job runtime=3s {KERNELS} allow-write=OB0002 "
               f"domain=a:cpus=1:disks=nvme1n1:mem=4m:time=20ms:lives={LIVES}:app=canaries "
               "domain=b:cpus=2:mem=4m:app=canaries:runtime=5s",
               cpus=3, disks=disks, image=canaries, attack=["nvme1"], attack_revoked=True,
               deadline=90 + LIVES * 0.3).ended_well()
    assert ends(run, "a") == ["time"] * LIVES
    assert ends(run, "b") == ["exit"]
    assert len(jobs(run)) == 1
    checked = {test["life"] for test in run.of("test", name="canaries", domain="a")}
    assert len(checked) > LIVES / 2  # others had no time to

    # Nothing that the disk tried while it was nobody's got through, and each attempt was told of.
    attack = run.model["attack"]
    for target in TARGETS:
        assert attack[target]["tried"] > LIVES / 5, target
    assert [target for target in attack if target != "granted_pages" and attack[target]["through"]] == []
    blocked = sum(attack[target]["blocked"] for target in attack if target != "granted_pages")
    assert blocked - 1 <= told(run) <= blocked
    assert {fault["source"] for fault in run.of("fault") if "source" in fault} == {"0000:00:03.0"}

    # Some memory is the kernel's job's, which begins with the first lives and ends before the last ones.
    free = [life["memory_free"] for life in run.of("domain", name="a")]
    assert len(set(free)) < 6 and len(set(free[-LIVES // 5:])) == 1


def test_its_disk_serves_the_next_owner(session, disks):  # noqa: F811
    """The kernel and the domain, in turns, each after lives that ended in the middle of their I/O."""
    s = session(f"app=monitor allow-write=OB0002 domain=a:cpus=1:disks=nvme1n1:mem=4m:time=20ms:lives=9:app=job:{OWN}",
                cpus=2, disks=disks)
    turns = 3
    for turn in range(turns):
        if turn:
            s.until("start a\r", "domain a: begins|onebell>")
        await_state(s, "off")
        s.until("job filename=nvme1n1 rw=randread runtime=200ms verify=crc32c\r", "job: ok: .* data verified")
    status, events = s.end()
    assert status == launch.EXIT_OK
    assert [event["end"] for event in events if event["type"] == "domain"] == ["time"] * (9 + turns - 1)
    assert [event for event in events if event["type"] in ("error", "fault")] == []
    done = [event for event in events if event["type"] == "job" and event["filename"] == "nvme1n1"]
    assert [(job["errors"], job["verify_errors"]) for job in done] == [(0, 0)] * turns
    assert all(job["total_ios"] == job["submitted"] > 0 for job in done)
    free = [event["memory_free"] for event in events if event["type"] == "domain"]
    assert len(set(free[:9])) == 1
