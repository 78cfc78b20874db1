# SPDX-License-Identifier: BSD-2-Clause
"""Writes: what the host then finds in the images, and that no disk changes which allow-write= doesn't
name."""
import hashlib
import re
import struct
import subprocess
import time

import pytest

import qemu_launch as launch
from conftest import full
from test_nvme_formats import BLOCKS, formatted, protection

CKDISK = launch.BUILD / "ckdisk"
SEED = 4711
NAMED, OTHER = "OB0001", "OB0002"


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


class Disks:
    """Disks that QEMU would let the guest write to, each of them."""

    def __init__(self, folder, lbas=(512, 512), size="4m", **options):
        self.list = [launch.Disk(lbas=[lba], size=size, writable=folder, **options) for lba in lbas]
        self.files = [launch.copy_of(disk, i, 1) for i, disk in enumerate(self.list)]
        launch.make_disks(launch.Machine(disks=self.list))
        self.before = [digest(launch.image_of(disk, i, 1)) for i, disk in enumerate(self.list)]

    def unchanged(self, *indexes):
        for i in indexes:
            assert digest(self.files[i]) == self.before[i], self.files[i]

    def check(self, index, *args, ok=True):
        """ckdisk's counts of the blocks of a disk."""
        command = [CKDISK, "--serial", launch.serial_of(self.list[index], index), "--lba",
                   str(self.list[index].lbas[0]), *map(str, args), self.files[index]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == (0 if ok else 1), done.stdout + done.stderr
        return {name: int(count) for name, count in map(str.split, done.stdout.splitlines())}


@pytest.fixture
def disks(tmp_path):
    return Disks(tmp_path / "disks")


# ---- what is written ----

@pytest.mark.parametrize("rw", ["write", "randwrite"])
@pytest.mark.parametrize("lba, bs", [(512, "4k"), (4096, "64k")])
def test_all_of_a_disk(boot, tmp_path, rw, lba, bs):
    disks = Disks(tmp_path / "disks", lbas=(lba, lba, 512))
    run = boot(f"irq=posted rw={rw} bs={bs} runtime=0 verify=crc32c seed={SEED} filename=nvme0n1:nvme2n1 "
               f"allow-write={NAMED}:OB0003", disks=disks.list).verified()
    assert disks.check(0, "--seed", SEED) == {"good": (4 << 20) // lba}
    assert disks.check(2, "--seed", SEED) == {"good": (4 << 20) // 512}
    disks.unchanged(1)
    size = launch.size_bytes(bs)
    assert run.job["write"]["total_ios"] == run.job["read_back"] == run.job["total_ios"] == (8 << 20) // size
    assert run.job["write"]["io_bytes"] == 8 << 20
    assert run.line("job: ok: ").count(" writes of ") == 1


def test_what_the_host_reads(boot, disks):
    """A few blocks, by the format's description alone."""
    boot(f"rw=randwrite runtime=0 verify=crc32c seed={SEED} filename=nvme0n1 allow-write={NAMED}",
         disks=disks.list).verified()
    data = disks.files[0].read_bytes()
    for lba in (0, 7, 4711, (4 << 20) // 512 - 1):
        block = data[lba * 512:(lba + 1) * 512]
        assert block[:8] == b"ONEBELLW"
        assert struct.unpack_from("<QQII", block, 16) == (lba, SEED, 1, 512)
    assert len({data[at + 48:at + 512] for at in range(0, 4 << 20, 512)}) == (4 << 20) // 512


@pytest.mark.parametrize("mode, rw", [("remapped", "rw"), ("adaptive", "randrw"), ("poll", "rw"),
                                      *full(("remapped", "randrw"), ("adaptive", "rw"), ("poll", "randrw"))])
def test_mixes(boot, tmp_path, mode, rw):
    disks = Disks(tmp_path / "disks", lbas=(512, 4096, 512))
    run = boot(f"irq={mode} rw={rw} rwmixread=60 bs=8k iodepth=16 runtime=500ms verify=crc32c fsync=50 "
               f"seed={SEED} filename=nvme0n1:nvme1n1 allow-write={NAMED}:{OTHER}",
               disks=disks.list).verified()
    job = run.job
    reads, writes = job["read"]["total_ios"], job["write"]["total_ios"]
    assert reads + writes == job["total_ios"]
    assert abs(reads - 0.6 * (reads + writes)) <= 8  # one for each worker, and those in flight
    assert job["sync"]["total_ios"] > 0
    assert job["sync"]["total_ios"] >= writes // 50 - 4
    for index in (0, 1):
        durable = run.of("durable", filename=f"nvme{index}n1")
        disks.check(index, *shares(durable))
    disks.unchanged(2)


@pytest.mark.parametrize("clat", ["exact", "batch"])
def test_plain_writes(boot, disks, clat):
    """Nobody checks them, but each is a whole one, and the report says that nobody did."""
    run = boot(f"rw=randwrite runtime=500ms clat={clat} filename=nvme0n1 allow-write={NAMED}",
               disks=disks.list).ended_well()
    assert run.job["streams"] == (2 if clat == "batch" else 0)
    data = disks.files[0].read_bytes()
    places = [data[at:at + 4096] for at in range(0, 4 << 20, 4096)]
    written = [place for place in places if place.startswith(b"ONEBELLW")]
    assert len(written) > 100
    assert 32 < len(set(written)) <= 2 * 32  # a buffer for each I/O in flight
    assert all(place.startswith(b"ONEBELL1") for place in places if place not in written)
    assert run.job["verify"] == "none"
    assert run.job["read_back"] == 0
    assert "data not verified" in run.line("job: ok: ")
    disks.unchanged(1)


def test_trims(boot, disks):
    run = boot(f"rw=trim bs=64k runtime=0 filename=nvme0n1 allow-write={NAMED}",
               disks=disks.list).ended_well()
    assert run.job["trim"]["total_ios"] == 64
    assert disks.files[0].read_bytes() == bytes(4 << 20)
    disks.unchanged(1)


def test_a_later_job_checks_what_was_written(boot, tmp_path, disks):
    boot(f"rw=randwrite runtime=0 verify=crc32c filename=nvme0n1 allow-write={NAMED}",
         disks=disks.list).verified()
    image = tmp_path / "written"
    data = bytearray(disks.files[0].read_bytes())
    image.write_bytes(data)
    boot("rw=read bs=64k runtime=0 verify=crc32c", disks=[launch.Disk(path=image)]).verified()
    data[9 * 512:10 * 512] = data[10 * 512:11 * 512]
    image.write_bytes(data)
    run = boot("rw=read bs=64k runtime=0 verify=crc32c", disks=[launch.Disk(path=image)])
    run.failed("verify-lba", "nvme0n1: LBA 9 holds the data of LBA 10")
    assert run.job["verify_errors"] == 1


# ---- whatever the disk is like ----

@pytest.mark.parametrize("controller, words", [
    ({"mdts": 1}, "bs=32k"),  # four commands or more for each
    ({}, "bs=1m iodepth=4"),
    ({"max_ioqpairs": 1, "msix_qsize": 2}, "iodepth=64"),  # a queue for all CPUs
    ({"mqes": 7}, "iodepth=64"),
    ({"max_ioqpairs": 12, "msix_qsize": 13}, "nvme.queues=3"),
    ({"cmb_size_mb": 1}, "nvme.cmb=1 bs=32k"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_controllers(boot, tmp_path, controller, words):
    disks = Disks(tmp_path / "disks", size="8m", controller=controller)
    run = boot(f"rw=randrw runtime=500ms verify=crc32c fsync=20 filename=nvme0n1 allow-write={NAMED} {words}",
               cpus=4, disks=disks.list).verified()
    assert run.job["write"]["total_ios"] > 8  # a busy host makes few of 1 MiB
    disks.check(0, *shares(run.of("durable")))
    disks.unchanged(1)


@pytest.mark.parametrize("lba, ms, pi, pil", [(512, 16, 0, 0), (512, 8, 1, 0), (4096, 64, 2, 1), (4096, 8, 3, 0)])
def test_formats(boot, tmp_path, lba, ms, pi, pil):
    """Metadata beside each block: the controller makes the protection information, and it is right."""
    disk = formatted(tmp_path, NAMED, lba, ms, pi, pil)
    disk.writable = tmp_path / "disks"
    boot(f"rw=randwrite bs=64k runtime=0 verify=crc32c seed={SEED} allow-write={NAMED}", disks=[disk]).verified()
    image = launch.copy_of(disk, 0, 1).read_bytes()
    data, metadata = image[:BLOCKS * lba], image[BLOCKS * lba:]
    plain = Disks(tmp_path / "plain", lbas=(lba,))
    plain.files[0].parent.mkdir()
    plain.files[0].write_bytes(data)
    assert plain.check(0, "--seed", SEED) == {"good": BLOCKS}
    for at in range(0, BLOCKS if pi else 0, 97):
        expected = protection(data[at * lba:(at + 1) * lba], ms, at, pi, pil, 0)
        made = metadata[at * ms:(at + 1) * ms]
        assert made[:2] == expected[:2] if pil else made[-8:-6] == expected[-8:-6]


# ---- who may be written to ----

@pytest.mark.parametrize("words, what", [
    ("rw=write", "disk-not-allowed"),
    ("rw=randrw", "disk-not-allowed"),
    ("rw=randtrim", "disk-not-allowed"),
    ("app=burnin", "disk-not-allowed"),
    ("app=burnin filename=nvme1n1", "disk-not-allowed"),
])
def test_not_without_leave(boot, disks, words, what):
    run = boot(words, disks=disks.list)
    serial = OTHER if "nvme1n1" in words else NAMED
    run.failed(what, f'(serial "{serial}") may not be written to', f"allow-write={serial}")
    disks.unchanged(0, 1)


def test_all_disks_must_be_allowed(boot, disks):
    run = boot(f"rw=write allow-write={OTHER}", disks=disks.list)
    run.failed("disk-not-allowed", f'nvme0n1 (serial "{NAMED}")')
    disks.unchanged(0, 1)


def test_serials_that_no_disk_has(boot, disks):
    run = boot(f"size=1m runtime=0 allow-write={NAMED}x:OB000", disks=disks.list)
    assert run.status == launch.EXIT_FAILED
    assert [error["what"] for error in run.of("error")] == ["allow-write", "allow-write"]
    disks.unchanged(0, 1)


def test_a_serial_that_two_disks_have(boot, disks):
    """It names neither. They are two: their controllers have one number, which no subsystem has twice."""
    for disk in disks.list:
        disk.controller = {"serial": "SAME"}
    run = boot("rw=randwrite size=1m runtime=0 allow-write=SAME", disks=disks.list)
    assert run.status == launch.EXIT_FAILED
    assert [error["what"] for error in run.of("error")] == ["allow-write", "disk-not-allowed"]
    assert [disk.get("same_as") for disk in run.of("nvme")] == [None, None]
    disks.unchanged(0, 1)


def test_a_list_that_is_none(boot, disks):
    boot(f"allow-write={NAMED}::{OTHER}", disks=disks.list).failed("allow-write", f'":{OTHER}"')
    disks.unchanged(0, 1)


def test_a_serial_with_blanks(boot, tmp_path):
    disks = Disks(tmp_path / "disks", serial="S 1:x")
    run = boot("rw=write runtime=0 verify=crc32c seed=1 filename=nvme0n1 allow-write=S%201%3ax",
               disks=[disks.list[0]]).verified()
    assert run.line(r'nvme0n1 \(serial "S 1:x"\) may be written to')
    disks.check(0, "--seed", 1)


# ---- errors of the disk ----

def inject(folder, kind, **rule):
    """The blkdebug rule that makes all requests of a kind fail, or those that touch a sector."""
    file = folder / "errors"
    words = {"event": "none", "iotype": kind, "errno": 5, **rule}
    file.write_text("[inject-error]\n" + "".join(f'{name} = "{value}"\n' for name, value in words.items()))
    return file


def test_a_block_that_can_t_be_written(boot, tmp_path):
    """The error is counted, what the block holds isn't checked, and all others are right."""
    disks = Disks(tmp_path / "disks", errors=inject(tmp_path, "write", sector=1000))
    run = boot(f"rw=randwrite runtime=0 verify=crc32c fsync=100 seed={SEED} filename=nvme0n1 "
               f"allow-write={NAMED}", disks=disks.list)
    assert run.status == launch.EXIT_FAILED
    assert {error["what"] for error in run.of("error")} == {"job-io"}
    job = run.job
    assert (job["errors"], job["write"]["errors"], job["verify_errors"]) == (1, 1, 0)
    assert job["read_back"] == job["total_ios"] - 1 == 1023
    counts = disks.check(0, "--seed", SEED, ok=False)
    assert counts == {"good": (4 << 20) // 512 - 8, "unwritten": 8}
    disks.unchanged(1)


def test_flushes_that_fail(boot, tmp_path):
    disks = Disks(tmp_path / "disks", errors=inject(tmp_path, "flush"))
    run = boot(f"rw=write runtime=0 verify=crc32c fsync=100 seed={SEED} filename=nvme0n1 numjobs=1 "
               f"allow-write={NAMED}", disks=disks.list)
    assert run.status == launch.EXIT_FAILED
    assert run.job["sync"]["errors"] == run.job["sync"]["total_ios"] == 10
    assert (run.job["write"]["errors"], run.job["verify_errors"]) == (0, 0)
    assert run.of("durable")[-1]["writes"] == 0
    disks.check(0, "--seed", SEED)


def test_burnin_finds_the_bad_disk(boot, tmp_path):
    disks = Disks(tmp_path / "disks", errors=inject(tmp_path, "read", sector=5000))
    disks.list[1].errors = None
    run = boot(f"app=burnin seed={SEED} bs=64k allow-write={NAMED}:{OTHER}", disks=disks.list)
    assert run.status == launch.EXIT_FAILED
    bad, good = run.one("burnin", filename="nvme0n1"), run.one("burnin", filename="nvme1n1")
    assert (bad["ok"], bad["read"]["errors"], bad["verify_errors"]) == (False, 1, 0)
    assert bad["blocks"]["good"] == (4 << 20) // 512 - 128
    assert (good["ok"], good["errors"], good["blocks"]["good"]) == (True, 0, (4 << 20) // 512)
    assert run.line("burnin: failed: 1 of 2 disks good after ")
    disks.check(0, "--seed", SEED)  # it is there, but can't be read


# ---- power ----

def shares(durable):
    """ckdisk's arguments for what the last line of each share says."""
    last = {line["first"]: line for line in durable}
    args = ["--seed", durable[0]["seed"], "--bs", durable[0]["bs"]]
    args += ["--random"] if durable[0]["random"] else []
    for line in last.values():
        args += ["--share", f"{line['first']}:{line['places']}:{line['writes']}"]
    return args


def durable_lines(com2, count, enough):
    """Those that have come until `count` shares are there, and the writes of each are `enough`."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        lines = [line for line in read_json_so_far(com2) if line["type"] == "durable"]
        last = {(line["filename"], line["first"]): line["writes"] for line in lines}
        if len(last) == count and all(enough(line, last[line["filename"], line["first"]]) for line in lines):
            return lines
        time.sleep(0.1)
    raise AssertionError(f"no progress: {lines[-4:]}")


def read_json_so_far(com2):
    """The last line may not be whole yet."""
    text = launch.read_text(com2)
    return launch.json.loads("[" + ",".join(re.findall(r"^\{.*\}$", text[:text.rfind("\n") + 1],
                                                       re.MULTILINE)) + "]")


@pytest.mark.parametrize("rw", ["randwrite", "randrw", "write"])
def test_killed_in_the_middle(tmp_path, rw):
    """Whatever a flush has covered is there, in its last version or in a later one."""
    disks = Disks(tmp_path / "disks", lbas=(512, 4096, 512), size="2m")
    machine = launch.Machine(append=f"rw={rw} bs=4k runtime=300s verify=crc32c fsync=16 iodepth=16 "
                             f"filename=nvme0n1:nvme1n1 allow-write={NAMED}:{OTHER}",
                             com1=tmp_path / "com1", com2=tmp_path / "com2",
                             model_json=tmp_path / "model", disks=disks.list)
    launch.prepare(machine)
    with open(tmp_path / "qemu", "wb") as said:
        with subprocess.Popen(launch.command(machine), stdin=subprocess.DEVNULL, stdout=said,
                              stderr=said) as qemu:
            try:  # more than a pass, so that there is old data to be found
                lines = durable_lines(machine.com2, 2 * machine.cpus,
                                      lambda line, writes: writes > 1.2 * line["places"])
            finally:
                qemu.kill()
    for index in (0, 1):
        durable = [line for line in lines if line["filename"] == f"nvme{index}n1"]
        assert len({line["first"] for line in durable}) == machine.cpus
        good = disks.check(index, *shares(durable))
        assert good == {"good": (2 << 20) // disks.list[index].lbas[0]}  # all was written once
        lose_a_write(disks.files[index], durable[-1])
        assert disks.check(index, *shares(durable), ok=False)["corrupt"] == 1
    disks.unchanged(2)


def lose_a_write(file, line):
    """One byte of a place that is durable isn't as it was written."""
    with open(file, "r+b") as image:
        image.seek(line["first"] * line["bs"] + 99)
        byte = image.read(1)[0]
        image.seek(-1, 1)
        image.write(bytes([byte ^ 1]))


# ---- burn-in ----

def test_burnin(boot, tmp_path):
    disks = Disks(tmp_path / "disks", lbas=(512, 4096, 512))
    run = boot(f"app=burnin passes=2 seed={SEED} allow-write={NAMED}:{OTHER}", disks=disks.list).ended_well()
    for index, lba in ((0, 512), (1, 4096)):
        result = run.one("burnin", filename=f"nvme{index}n1")
        blocks = (4 << 20) // lba
        assert (result["ok"], result["errors"], result["verify_errors"]) == (True, 0, 0)
        assert result["blocks"].pop("good") == 2 * blocks
        assert not any(result["blocks"].values())
        assert result["write"]["io_bytes"] == result["read"]["io_bytes"] == 8 << 20
        assert result["sync"]["total_ios"] == 2
        # Each place (256 KiB) was written twice, and holds the second write.
        places = (4 << 20) >> 18
        assert disks.check(index, "--seed", SEED, "--bs", "256k",
                           "--share", f"0:{places}:{2 * places}") == {"good": blocks}
    assert len(run.of("burnin")) == 2
    disks.unchanged(2)
    assert run.line("burnin: ok: 2 of 2 disks good after ")


def test_burnin_of_a_part(boot, disks):
    boot(f"app=burnin size=1000k bs=64k seed={SEED} allow-write={NAMED}", disks=disks.list).ended_well()
    before = launch.image_of(disks.list[0], 0, 1).read_bytes()
    after = disks.files[0].read_bytes()
    assert after[1000 << 10:] == before[1000 << 10:]
    assert after[:8] == after[(1000 << 10) - 512:][:8] == b"ONEBELLW"
    disks.unchanged(1)


def test_burnin_shows_how_far_it_is(boot, tmp_path):
    disks = Disks(tmp_path / "disks", size="64m")
    run = boot(f"app=burnin allow-write={NAMED}", disks=disks.list).ended_well()
    lines = re.findall(r"^burnin: ([\d.]+)% after \d+ s, [\d.,]+ MB/s, .*left", run.console, re.MULTILINE)
    assert lines and lines == sorted(lines, key=float)


# ---- pace ----

def test_no_more_than_the_pace(boot, disks):
    """Two workers, two seconds, 100 a second each, and bursts of four at most."""
    run = boot(f"rw=randrw rate_iops=100 iodepth=4 runtime=2s filename=nvme0n1 allow-write={NAMED}",
               disks=disks.list).ended_well()
    assert 0 < run.job["total_ios"] <= 2 * (200 + 4 + 1)
