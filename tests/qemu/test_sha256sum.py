# SPDX-License-Identifier: BSD-2-Clause
"""app=sha256sum against the host's own, on disks full of whatever this machine has."""
import hashlib
import os
from pathlib import Path

from conftest import launch

CHUNK = 128 << 10  # what the app reads at once


def host_bytes(count, skip):
    """Arbitrary data: programs and libraries of this machine, with random bytes between them."""
    files = sorted(file for file in Path("/usr/lib/x86_64-linux-gnu").glob("*.so*") if file.is_file())
    data = b""
    for file in files[skip:]:
        data += os.urandom(100) + file.read_bytes()
        if len(data) >= count:
            return data[:count]
    return data + os.urandom(count - len(data))


def disk_of(file, count, lba, skip=0, **controller):
    file.write_bytes(host_bytes(count, skip))
    return launch.Disk(lbas=[lba], path=file, controller=controller)


def digests(run):
    return {d["filename"]: d["sha256"] for d in run.of("digest")}


def test_both_formats_and_odd_sizes(boot, tmp_path):
    disks = [
        disk_of(tmp_path / "a", (5 << 20) + 7 * 512, 512),
        disk_of(tmp_path / "b", (3 << 20) + 5 * 4096, 4096, skip=20),
        disk_of(tmp_path / "c", 512, 512, skip=40),
        disk_of(tmp_path / "d", CHUNK - 4096, 4096, skip=50, mdts=1),
        disk_of(tmp_path / "e", CHUNK + 512, 512, skip=60, mqes=3),
    ]
    run = boot("irq=posted app=sha256sum", disks=disks).ended_well()
    expected = {f"nvme{i}n1": hashlib.sha256(disk.path.read_bytes()).hexdigest()
                for i, disk in enumerate(disks)}
    assert digests(run) == expected
    for name, digest in expected.items():  # as coreutils prints it
        assert f"\n{digest}  {name}\n" in run.console


def test_one_disk_of_several(boot, tmp_path):
    disks = [disk_of(tmp_path / name, 1 << 20, 512, skip=skip) for name, skip in (("a", 0), ("b", 30))]
    run = boot("irq=remapped app=sha256sum filename=nvme1n1", disks=disks).ended_well()
    assert digests(run) == {"nvme1n1": hashlib.sha256(disks[1].path.read_bytes()).hexdigest()}
