# SPDX-License-Identifier: BSD-2-Clause
"""Domains whose program (tests/domain/) tries all that it may not: what ends each of its lives is one sentence, and
nobody else's work changes, in what it reads or in what that costs."""
import re
import shutil
import subprocess

import pytest

import qemu_launch as launch
from conftest import ROOT
from test_domain_functions import SERIAL, physical
from test_domains import FULL, KERNELS, OWN, disks, ends, jobs  # noqa: F401, a fixture among them

BREACHES = ("domain-fault", "domain-call", "domain-dma", "domain-stuck")

# Emulated devices that read into the interrupt window don't say who they are, so that a domain is held to account
# for it on hardware alone; here nobody's interrupts are blocked, and the model says that they are data.
NOBODY = "0000:ff:1f.7"
DATA_IN_WINDOW = {"data-in-interrupt-window"}

HONEST = f"domain=b:cpus=2:disks=nvme2n1:mem=8m:app=job:{OWN}"


def build_image(build, apps):
    """The image, with that folder's app as the domains', which may be larger than what people get."""
    shutil.copytree(launch.BUILD, build,
                    ignore=shutil.ignore_patterns("host", "tsan", "fuzz", "disks", "mutants", "qemu"))
    done = subprocess.run(["make", "-s", "-C", ROOT, f"B={build}", f"DOMAIN={apps}", "IMAGE_BYTES_MAX=2097152",
                           f"{build}/onebell.efi"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return build / "onebell.efi"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return build_image(tmp_path_factory.mktemp("hostile") / "build", "tests/domain")


def sentences(run):
    """What was told of the hostile domain's breaches; nothing else was an error."""
    told = [error for error in run.of("error") if error["what"] in BREACHES]
    assert told == run.of("error")
    assert all(error.get("domain") == "h" or "domain h: " in error["message"] for error in told)
    assert run.of("warning", what="console-lost") == [], "a domain's text has taken the place of others'"
    assert not [fault for fault in run.of("warning", what="vtd-fault")
                if any(fault["message"] in error["message"] for error in told)], "told twice"
    assert "panic on CPU" not in run.console
    return told


# How many lives, how many of them do nothing wrong, and of how many that depends. Instructions that QEMU lets ring 3
# have, though SDM vol. 2 says #GP(0): INVD and WBINVD. Entries that change in flight may be good ones when they are read.
KINDS = {"instructions": (47, 2, 0), "memory": (20, 0, 0), "calls": (8, 2, 0), "arguments": (48, 0, 0),
         "queues": (11, 2, 1)}


@pytest.mark.parametrize("kind", KINDS)
def test_hostile(boot, disks, hostile, kind):  # noqa: F811
    """What it may not do ends its life, with one sentence; and nobody else's."""
    lives, harmless, either = KINDS[kind]
    run = boot(f"app=job runtime=1s {KERNELS} allow-write=OB0002 "
               f"domain=h:cpus=1:disks=nvme1n1:mem=8m:lives={lives}:app=hostile:kind={kind}",
               cpus=2, disks=disks, image=hostile)
    assert run.status == launch.EXIT_FAILED
    assert len(jobs(run)) == 1
    told = len(sentences(run))
    assert 0 <= ends(run, "h").count("exit") - harmless <= either
    assert ends(run, "h").count("fault") == told == lives - ends(run, "h").count("exit")


def test_hostile_with_a_virtual_function(boot, tmp_path, hostile):  # noqa: F811
    """Its requests bear an id of its own: what it may not reach isn't what its physical function, the kernel's, may."""
    lives, harmless, either = KINDS["queues"]
    run = boot(f"app=job runtime=1s rw=randread verify=crc32c filename=nvme0n3 nvme.vfs=2 allow-write={SERIAL} "
               f"domain=h:cpus=1:disks=nvme1n1:mem=8m:lives={lives}:app=hostile:kind=queues",
               cpus=2, extra=physical(tmp_path), image=hostile)
    assert len(jobs(run)) == 1
    told = sentences(run)
    assert 0 <= ends(run, "h").count("exit") - harmless <= either
    assert len(told) == lives - ends(run, "h").count("exit")
    assert sum("0000:01:00.1" in error["message"] for error in run.of("error", what="domain-dma")) > 0


STORMS = {"silence": 0, "all at once": 1, "interrupts": 2, "doorbells": 3, "calls": 4, "lines": 5, "lives": 7}
STORMS_BY_DEFAULT = ("silence", "all at once", "lives")


def test_what_a_read_costs_beside_it(boot, tmp_path, hostile):  # noqa: F811
    """The kernel's job, on another CPU, takes the same instructions for a read, whatever the domain has the kernel do
    meanwhile; what it is told of by then is work of the boot CPU's, and no read's."""
    disks = [launch.Disk(size="1g", null=True), launch.Disk(size="16m", writable=tmp_path / "disks")]  # noqa: F811
    launch.make_disks(launch.Machine(disks=disks))
    path, all_of_it = {}, {}
    for name, which in STORMS.items():
        if not FULL and name not in STORMS_BY_DEFAULT:
            continue
        run = boot("app=job rw=randread verify=none filename=nvme0n1 size=64m runtime=0 allow-write=OB0002 "
                   f"domain=h:cpus=1:disks=nvme1n1:mem=8m:time=2s:lives={30 if name == 'lives' else 1}:"
                   f"app=hostile:kind=storms:which={which}", cpus=2, disks=disks, image=hostile,
                   count=launch.BUILD / "kernel.elf")
        assert set(ends(run, "h")) == {"fault" if name == "lives" else "time"}
        reads = run.one("job", filename="all")["total_ios"]
        assert reads == 16384
        regions, = [c["regions"] for c in run.model["cpus"] if c["cpu"] == 0]

        def price(*names, regions=regions, reads=reads):
            return sum(regions[n]["instructions"] for n in names if n in regions) / reads

        path[name] = price("submit", "reap", "callback")
        all_of_it[name] = path[name] + price("harvest", "notification", "timer", "ipi", "fault")
    for name in path:
        assert abs(path[name] - path["silence"]) < 0.1, path
        assert all_of_it[name] < 1.1 * all_of_it["silence"], all_of_it


def test_it_never_comes_round(boot, disks, hostile):  # noqa: F811
    run = boot(f"app=job runtime=1s {KERNELS} domain=h:cpus=1:mem=4m:patience=1s:app=hostile:kind=loops:which=0",
               cpus=2, disks=disks, image=hostile)
    assert run.status == launch.EXIT_FAILED
    assert "has not come round its loop" in run.one("error", what="domain-stuck", domain="h")["message"]
    assert ends(run, "h") == ["fault"]
    assert len(jobs(run)) == 1


@pytest.mark.parametrize("seed", [1, *(range(2, 8) if FULL else [])])
def test_all_of_that_at_random(boot, disks, hostile, seed):  # noqa: F811
    """Lives of every kind, beside the kernel's job and an honest domain, on a disk each."""
    lives, seconds = (600, 60) if FULL else (60, 3)
    run = boot(f"app=job runtime={seconds}s {KERNELS} allow-write=OB0002:OB0003 "
               "domain=h:cpus=1:disks=nvme1n1:mem=8m:time=250ms:"
               f"lives={lives}:app=hostile:kind=any:seed={seed} {HONEST}:runtime={seconds}s",
               cpus=3, disks=disks, image=hostile, breaches=DATA_IN_WINDOW, deadline=600 if FULL else 90)
    assert run.status == launch.EXIT_FAILED
    assert len(jobs(run)) == len(jobs(run, "b")) == 1
    assert ends(run, "b") == ["exit"]
    assert {"fault", "time", "exit"} <= set(ends(run, "h")) <= {"fault", "time", "exit", "failed"}  # EXIT(1), by chance
    assert len(ends(run, "h")) == lives
    assert len(sentences(run)) == ends(run, "h").count("fault")
    kinds = set(re.findall(r"^\[h\] life \d+: (\w+) \d+, ", run.console, re.MULTILINE))
    assert kinds == {*KINDS, "loops", "storms"}
    assert {fault["source"] for fault in run.of("fault") if fault.get("source")} <= {"0000:00:03.0", NOBODY}
