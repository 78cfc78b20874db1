# SPDX-License-Identifier: BSD-2-Clause
"""Disks of all kinds in domains: what is written there is in the host's images, what can't be given is told, and
those that fail, hang or are taken out are their domain's trouble alone."""
import re
import subprocess

import pytest

import qemu_launch as launch
from bay import Bay
from conftest import ROOT, broken, no_mdts
from test_domains import FULL, KERNELS, OWN, ends, jobs
from test_nvme_formats import formatted, protection, stored, zoned
from test_outside_app import app_in, build  # noqa: F401, build is a fixture

MODES = ["adaptive", *(["posted", "poll", "remapped"] if FULL else [])]
BLOCKS = 512
SEED = 4711


@pytest.fixture(scope="module")
def with_zones(build, tmp_path_factory):  # noqa: F811
    """The image, with the kernel's own app for zones as an app from outside in its program."""
    app = app_in(tmp_path_factory.mktemp("apps") / "zones", ("zones.c", (ROOT / "apps/zones.c").read_text()))
    done = subprocess.run(["make", "-s", "-C", ROOT, f"B={build}", f"DOMAIN={app}", f"{build}/onebell.efi"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return build / "onebell.efi"


def names(disks, first):
    """All namespaces of these controllers, and their serial numbers."""
    numbered = list(enumerate(disks, first))
    return (",".join(f"nvme{i}n{nsid}" for i, disk in numbered for nsid in range(1, len(disk.lbas) + 1)),
            ":".join(launch.serial_of(disk, i) for i, disk in numbered))


def checked(disk, index, nsid):
    """What ckdisk counts in the host's image of a disk of which each block was written once."""
    done = subprocess.run([launch.BUILD / "ckdisk", "--serial", launch.serial_of(disk, index), "--nsid", str(nsid),
                           "--lba", str(disk.lbas[nsid - 1]), "--seed", str(SEED), launch.copy_of(disk, index, nsid)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: int(count) for name, count in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("mode", MODES)
def test_all_kinds(boot, tmp_path, with_zones, mode):
    """Three CPUs that write to both block sizes on one function, to controllers with fewer queues, with small
    transfers, and with metadata; one that has zones appended to; and one that reads far beyond 2^32 blocks."""
    folder = tmp_path / "disks"
    plain = [launch.Disk(size="4m", lbas=[512, 4096], writable=folder),
             launch.Disk(size="4m", controller={"max_ioqpairs": 1, "mdts": 1}, writable=folder),
             launch.Disk(size="4m", controller={"max_ioqpairs": 2, "mdts": no_mdts()}, writable=folder)]
    kinds = [(512, 8, 1), (4096, 8, 2), (4096, 64, 0)]
    tagged = [formatted(tmp_path, f"W{i}", *kind, blocks=BLOCKS) for i, kind in enumerate(kinds)]
    for disk in tagged:
        disk.writable = folder
    marked = formatted(tmp_path, "M1", 4096, 64, 0, blocks=BLOCKS)
    marked.writable = folder
    with open(marked.path, "r+b") as file:  # its metadata are what nobody has written
        file.seek(BLOCKS * 4096)
        file.write(bytes([0xa5]) * BLOCKS * 64)
    zones, far = zoned(tmp_path), launch.Disk(size="8192g", null=True, writable=folder)
    disks = [launch.Disk(size="16m"), *plain, *tagged, marked, zones, far]
    named, serials = names([*plain, *tagged], 1)
    zone, far_name = f"nvme{len(disks) - 2}n1", f"nvme{len(disks) - 1}n1"
    mark = f"nvme{len(disks) - 3}n1"
    serials = f"{serials}:M1:Z1:{launch.serial_of(far, len(disks) - 1)}"
    run = boot(f"irq={mode} app=job runtime=1s {KERNELS} allow-write={serials} "
               f"domain=w:cpus=1-3:disks={named}:mem=64m:app=job:rw=randwrite:bs=16k:iodepth=8:runtime=0:fsync=16:"
               f"verify=crc32c:seed={SEED} "
               f"domain=z:cpus=4:disks={zone}:mem=8m:app=zones:zone=3:blocks=5:do=append%3aappend%3areset%3aappend "
               f"domain=f:cpus=5:disks={far_name}:mem=8m:app=job:runtime=500ms:rw=randread "
               f"domain=m:cpus=6:disks={mark}:mem=8m:app=job:runtime=0:rw=randrw:bs=16k:verify=crc32c",
               cpus=7, disks=disks, image=with_zones).ended_well()
    assert len(jobs(run)) == len(jobs(run, "w")) == 1
    assert [ends(run, name) for name in "wzfm"] == [["exit"]] * 4

    for index, disk in enumerate(plain, 1):
        for nsid in range(1, len(disk.lbas) + 1):
            assert checked(disk, index, nsid) == {"good": (4 << 20) // disk.lbas[nsid - 1]}
    for index, (disk, (lba, ms, kind)) in enumerate(zip(tagged, kinds), 1 + len(plain)):
        before = disk.path.read_bytes()
        changed = 0
        for at, (data, metadata) in enumerate(stored(disk, index, BLOCKS)):
            changed += data != before[at * lba:(at + 1) * lba]
            assert metadata == (protection(data, ms, at, kind, 0) if kind else bytes(ms)), (disk.serial, at)
        assert changed == BLOCKS
    metadata = [metadata for _, metadata in stored(marked, len(disks) - 3, BLOCKS)]
    assert {0, 0xa5} == {byte for block in metadata for byte in block} and metadata.count(bytes(64)) > BLOCKS // 4

    found = [zone["write_pointer"] for zone in run.of("zone", domain="z")]
    assert found == [773, 778, 768, 773]
    job, = [job for job in run.of("job", domain="f") if job["filename"] == "all"]
    assert job["total_ios"] == job["submitted"] > 0 == job["errors"]


def two_ways(folder, serial):
    """QEMU arguments of two controllers of one subsystem that have one namespace."""
    image = folder / f"{serial}.img"
    subprocess.run([launch.BUILD / "mkdisk", "--serial", serial, "--size", "4m", image], check=True)
    return ["-device", f"nvme-subsys,id=of{serial},nqn={serial}",
            *[word for way in "ab" for word in ("-device", f"nvme,id={serial}{way},serial={serial},subsys=of{serial}")],
            "-blockdev", f"raw,node-name={serial},file.driver=file,file.filename={launch.quoted(image)}",
            "-device", f"nvme-ns,bus={serial}a,drive={serial},nsid=1,shared=on"]


def test_what_goes_together(boot, tmp_path):
    """A function goes whole, a disk by all its ways; what doesn't fit is told, by the kernel or the program."""
    folder = tmp_path / "disks"
    disks = [launch.Disk(size="16m"), *[launch.Disk(size="4m", lbas=[512, 512], writable=folder) for _ in range(2)],
             launch.Disk(size="4m", writable=folder)]
    run = boot(f"app=job runtime=1s {KERNELS} allow-write=OB0002:OB0003:OB0004:S1:S2 "
               "domain=half:cpus=1:disks=nvme1n2:mem=8m "
               "domain=way:cpus=2:disks=nvme5n1:mem=8m "
               "domain=short:cpus=3:disks=nvme3n1:mem=2m:app=job:rw=randread:bs=4m:iodepth=4 "
               f"domain=whole:cpus=4:disks=nvme2n2,nvme2n1:mem=16m:app=job:runtime=500ms:{OWN} "
               f"domain=both:cpus=5:disks=nvme7n1,nvme6n1:mem=16m:app=job:runtime=500ms:{OWN}",
               cpus=6, disks=disks, extra=two_ways(tmp_path, "S1") + two_ways(tmp_path, "S2"))
    assert run.status == launch.EXIT_FAILED and len(run.of("error")) == 3
    for what, words in (("domain-namespaces", "domain half: nvme1 .* and nvme1n1 isn't in its disks="),
                        ("domain-ways", "domain way: nvme5n1 is the same disk as nvme4n1: .* add nvme4n1 to its disks="),
                        ("job-memory", "lower one of these")):
        assert re.search(words, run.one("error", what=what)["message"])
    assert ends(run, "short") == ["failed"] and len(jobs(run)) == 1
    for name, disks in (("whole", {"nvme2n1", "nvme2n2"}), ("both", {"nvme7n1"})):  # by its first way
        assert ends(run, name) == ["exit"] and len(jobs(run, name)) == 1
        assert {job["filename"] for job in run.of("job", domain=name)} == {*disks, "all"}


# ---- trouble ----

def stamped_drive(folder, node, serial, top="raw", **more):
    """QEMU's arguments of a drive that can be read as the disk of that serial number."""
    image = folder / f"{serial}.img"
    subprocess.run([launch.BUILD / "mkdisk", "--serial", serial, "--size", "16m", image], check=True)
    return ["-blockdev", launch.options(top, {"node-name": node, "file.driver": "file",
                                              "file.filename": launch.quoted(image), **more})]


def of_disk(run, name, domain):
    return [job for job in run.of("job", filename=name) if job.get("domain") == domain]


def other_is_well(run, name, domain=None):
    job, = of_disk(run, name, domain)
    assert job["total_ios"] == job["submitted"] > 100, job
    assert job["errors"] == job["verify_errors"] == 0, job


@pytest.mark.parametrize("how", [Bay.take_out, Bay.pull])
@pytest.mark.parametrize("mode", MODES)
def test_taken_out(boot, tmp_path, mode, how):
    """In order, or pulled: the domain's reads there end, its other disk and everybody else go on; the slot waits for
    the domain's end."""
    def steps(bay):
        bay.wait_for(r"\[a\] job: 1.0 of")
        how(bay)
        bay.wait_for("nvme2n1: no answer")
        bay.put_in("OTHER", "other")

    bay = Bay(tmp_path).start(steps)
    disks = [launch.Disk(size="16m"), launch.Disk(size="16m", writable=tmp_path / "disks")]
    drives = stamped_drive(tmp_path, "slow", "FIRST") + stamped_drive(tmp_path, "other", "OTHER")
    run = boot(f"irq={mode} app=job runtime=9s {KERNELS} nvme.timeout=1s allow-write=OB0002:FIRST "
               f"domain=a:cpus=1:disks=nvme1n1,nvme2n1:mem=16m:lives=2:app=job:runtime=4s:rate_iops=200:{OWN}",
               cpus=2, disks=disks, extra=[*bay.arguments, *drives, *bay.disk("FIRST")])
    assert bay.failed is None and run.status == launch.EXIT_FAILED
    assert "nvme2 (0000:01:00.0): it leaves its slot: the domain" in run.one("warning", what="nvme-removed")["message"]
    assert len(jobs(run)) == 1
    other_is_well(run, "nvme1n1", domain="a")
    lost, = of_disk(run, "nvme2n1", "a")
    assert lost["submitted"] == lost["total_ios"] > lost["errors"] > 0 == lost["verify_errors"]
    assert run.one("error", what="nvme-timeout")["message"].startswith("nvme2n1: no answer within 1000 ms")
    # The next life can't have it.
    assert ends(run, "a") == ["failed", "start"]
    assert "nvme2 (0000:01:00.0) was taken out of its slot" in run.one("error", what="domain-disk")["message"]
    assert {error["what"] for error in run.of("error")} == {"nvme-timeout", "job-io", "domain-disk"}
    # What was put in meanwhile is the kernel's, once the domain has ended.
    assert run.one("nvme", serial="OTHER")["filename"] == "nvme3n1"
    assert run.console.index("domain a: ended") < run.console.index("nvme3n1 ")
    assert all(irq["count"] < 1 << 32 for irq in run.of("irq"))


# CC.EN is set by firmware, by the kernel, and then for the domain.
AT_THE_DOMAINS = {"arm": 0x14, "armbits": 1, "armcount": 3}
NEVER_OFF = {"offset": 0x1c, "mask": 1, "value": 1, **AT_THE_DOMAINS}


def test_never_silent(boot, tmp_path):
    """A function that doesn't stop keeps the domain's memory for ever; its other one is the kernel's again."""
    folder = tmp_path / "disks"
    disks = [launch.Disk(size="16m"), *[launch.Disk(size="16m", writable=folder) for _ in range(2)]]
    run = boot(f"app=job runtime=1s {KERNELS} allow-write=OB0002:OB0003 "
               f"domain=a:cpus=1:disks=nvme1n1,nvme2n1:mem=16m:time=300ms:lives=3:app=job:{OWN}",
               cpus=2, disks=disks, extra=broken("nvme", "nvme[0]", "nvme1", **NEVER_OFF))
    assert run.status == launch.EXIT_FAILED
    told = run.one("error")
    assert told["what"] == "domain-lost"
    for words in ("domain a: nvme1 can't be silenced", "CSTS.RDY did not become 0", "its 16 MiB of memory serve nobody"):
        assert words in told["message"]
    assert ends(run, "a") == ["time"] and len(jobs(run)) == 1
    assert run.of("recovery", device="nvme2") and not run.of("recovery", device="nvme1")


# The same for bus mastering in the Command register of 00:03.0, in configuration space; at once.
COMMAND = (3 << 15) + 4
MASTER = {"offset": COMMAND, "mask": 4, "value": 4}


@pytest.mark.skipif(not FULL, reason="ONEBELL_FULL=1")
def test_master_for_ever(boot, tmp_path):
    """The fence is what holds, and so the function and the memory serve the next life."""
    disks = [launch.Disk(size="16m"), launch.Disk(size="16m", writable=tmp_path / "disks")]
    run = boot(f"app=job runtime=1s {KERNELS} allow-write=OB0002 "
               f"domain=a:cpus=1:disks=nvme1n1:mem=16m:lives=2:app=job:runtime=300ms:{OWN}",
               cpus=2, disks=disks, extra=broken("q35-pcihost", "pcie-mmcfg-mmio[0]", **MASTER)).ended_well()
    assert ends(run, "a") == ["exit"] * 2 and len(jobs(run, "a")) == 2
    told = [warning["message"] for warning in run.of("warning", what="pci-bus-master")]
    assert sum("what it writes is blocked" in message for message in told) > 4


# Queue 1's doorbell, as it is rung for the first time in the domain.
DEAF = {"offset": 0x1008, "drop": 1, "writes": 1, **AT_THE_DOMAINS}


@pytest.mark.parametrize("mode", MODES)
def test_one_that_hangs(boot, tmp_path, mode):
    """It answers nothing: its domain's other disk goes on, and so does everybody else. In the next life it works."""
    folder = tmp_path / "disks"
    disks = [launch.Disk(size="16m"), *[launch.Disk(size="16m", writable=folder) for _ in range(2)]]
    run = boot(f"irq={mode} app=job runtime=5s {KERNELS} nvme.timeout=1s allow-write=OB0002:OB0003 "
               f"domain=a:cpus=1:disks=nvme1n1,nvme2n1:mem=16m:lives=2:app=job:runtime=3s:{OWN}",
               cpus=2, disks=disks, extra=broken("nvme", "nvme[0]", "nvme1", **DEAF))
    assert run.status == launch.EXIT_FAILED
    told = run.one("error", what="nvme-timeout")
    assert told["domain"] == "a" and told["message"].startswith("nvme1n1: no answer within 1000 ms to 32 commands")
    assert {error["what"] for error in run.of("error")} == {"nvme-timeout", "job-io"}
    assert ends(run, "a") == ["failed", "exit"] and len(jobs(run)) == 1
    first, second = of_disk(run, "nvme1n1", "a")
    assert (first["total_ios"], first["errors"], first["submitted"]) == (32, 32, 32)
    assert second["total_ios"] == second["submitted"] > 100 and second["errors"] == second["verify_errors"] == 0
    for job in of_disk(run, "nvme2n1", "a"):
        assert job["total_ios"] == job["submitted"] > 100 and job["errors"] == job["verify_errors"] == 0
    assert run.one("recovery", device="nvme1")["gone"] is False
