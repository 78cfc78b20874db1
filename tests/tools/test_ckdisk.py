# SPDX-License-Identifier: BSD-2-Clause
"""build/ckdisk, on images that are made here by the format's description alone (lib/pattern.h)."""
import re
import struct
import subprocess
from pathlib import Path

import pytest

CKDISK = Path(__file__).resolve().parents[2] / "build" / "ckdisk"
SERIAL, SEED = "S 1", 0x1234567890abcdef


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return ~crc & 0xffffffff


def tag(serial, nsid=1):
    value = 0xcbf29ce484222325  # FNV-1a
    for byte in serial.encode() + struct.pack("<I", nsid):
        value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return value


def block(lba, sequence, size=512, serial=SERIAL, seed=SEED):
    pieces = b""
    for piece in range(size // 512):
        header = b"ONEBELLW" + struct.pack("<QQQIII", tag(serial), lba, seed, sequence, size, piece)
        rest = bytes((lba + sequence + n) % 251 for n in range(512 - 48))
        pieces += header + struct.pack("<I", crc32c(header + rest)) + rest
    return pieces


@pytest.fixture
def check(tmp_path):
    def run(blocks, *args, lba=512):
        image = tmp_path / "image"
        image.write_bytes(b"".join(blocks))
        done = subprocess.run([CKDISK, "--serial", SERIAL, "--lba", str(lba), *args, image],
                              capture_output=True, text=True, timeout=20)
        counts = {name: int(count) for name, count in map(str.split, done.stdout.splitlines())}
        assert done.returncode == (0 if set(counts) <= {"good"} else 1), done.stderr
        return counts, done.stderr
    return run


def test_whole_images(check):
    assert check([block(lba, 1 + lba % 3) for lba in range(16)]) == ({"good": 16}, "")
    assert check([block(lba, 5, 4096) for lba in range(3)], lba=4096) == ({"good": 3}, "")


def test_each_kind_of_damage(check):
    flipped = bytearray(block(5, 1))
    flipped[300] ^= 4
    counts, said = check([block(0, 1), block(2, 1), block(2, 1, serial="S2"), bytes(512),
                          block(4, 1, 1024)[:512], bytes(flipped)])
    assert counts == {"good": 1, "misplaced": 1, "other-disk": 1, "unwritten": 1, "block-size": 1,
                      "corrupt": 1}
    assert "LBA 1 holds the data of LBA 2, of its write 1\n" in said
    new, old = block(0, 2, 4096), block(0, 1, 4096)
    counts, said = check([new[:1024] + old[1024:]], lba=4096)
    assert counts == {"torn": 1}
    assert "is torn at byte 1024: write 2 of LBA 0" in said


def test_seeds(check):
    blocks = [block(0, 1), block(1, 1, seed=7)]
    assert check(blocks)[0] == {"good": 2}
    assert check(blocks, "--seed", "7")[0] == {"good": 1, "other-run": 1}


def sequential(*args):
    return ["--seed", str(SEED), "--bs", "1k", *[word for arg in args for word in ("--share", arg)]]


def test_shares(check):
    """Five places of two blocks; the second share's first two places were written once more."""
    blocks = [block(lba, 1) for lba in range(4)] + [block(lba, 2) for lba in range(4, 8)]
    blocks += [block(8, 1), block(9, 1)]
    assert check(blocks, *sequential("0:2:2", "2:3:5"))[0] == {"good": 10}
    assert check(blocks, *sequential("0:2:1", "2:3:0"))[0] == {"good": 2}  # no more was durable
    assert check(blocks, *sequential("0:2:3", "2:3:5"))[0] == {"good": 8, "stale": 2}
    counts, said = check(blocks, *sequential("0:2:2", "2:3:6"))
    assert counts == {"good": 8, "stale": 2}
    assert "LBA 8 is stale: it holds write 1 where write 2 is acknowledged\n" in said


def test_random_shares(check):
    """The order follows from the seed; each place comes once in a pass."""
    blocks = [block(lba, 1) for lba in range(20)]
    args = ["--seed", str(SEED), "--bs", "512", "--random", "--share"]
    assert check(blocks, *args, "0:20:20")[0] == {"good": 20}
    assert check(blocks, *args, "0:20:3")[0] == {"good": 3}
    order = []
    for writes in range(21, 25):
        counts, said = check(blocks, *args, f"0:20:{writes}")
        stale = {int(lba) for lba in re.findall(r"LBA (\d+) is stale", said)}
        assert counts == {"good": 40 - writes, "stale": writes - 20}
        assert len(stale - set(order)) == 1 and set(order) <= stale
        order += stale - set(order)
    assert order != [0, 1, 2, 3]


@pytest.mark.parametrize("args, said", [
    (["--share", "0:1:1"], "--share needs --seed, and --bs"),
    (["--seed", "1", "--bs", "700", "--share", "0:1:1"], "--share needs --seed, and --bs"),
    (["--seed", "1", "--bs", "512", "--share", "0:1"], '"0:1" is not FIRST:PLACES:WRITES'),
    (["--seed", "1", "--bs", "512", "--share", "0:0:1"], '"0:0:1" has no places'),
    (["--seed", "1", "--bs", "512", "--share", "1:1:1"], "the file ends before place 1"),
    (["--lba", "100"], "--lba: 100 is no block size"),
    (["--seed", "x"], '--seed: "x" is not a number'),
])
def test_bad_arguments(tmp_path, args, said):
    image = tmp_path / "image"
    image.write_bytes(block(0, 1))
    done = subprocess.run([CKDISK, "--serial", SERIAL, *args, image], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 2
    assert said in done.stderr


def test_no_serial_or_file(tmp_path):
    for args, said in ([], "--serial: give"), (["--serial", "S"], "no file is named"), \
                      (["--serial", "S", tmp_path / "none"], "No such file"):
        done = subprocess.run([CKDISK, *args], capture_output=True, text=True, timeout=20)
        assert (done.returncode, said in done.stderr) == (2, True)
