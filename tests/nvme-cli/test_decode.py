# SPDX-License-Identifier: BSD-2-Clause
"""The decoders of app=nvme against Debian's nvme-cli: the same bytes, drawn at random, to both."""
import random
import re

import pytest
from nvme_cli import (GET_FEATURES, GET_LOG_PAGE, IDENTIFY, NVME, Pages, TELLS_MORE, decode, fields, registers,
                      registers_agree, same_number, theirs)

pytestmark = pytest.mark.skipif(not NVME, reason="there is no nvme-cli")

SEEDS = range(6)
FEATURES = [0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0f, 0x10]


@pytest.fixture
def pages(tmp_path):
    return Pages(tmp_path / "pages")


def noise(seed, count):
    """Half of the seeds give small numbers, as disks do."""
    draw = random.Random(seed)
    data = bytearray(draw.randbytes(count))
    if seed % 2:
        for i in range(count):
            data[i] &= draw.choice((0, 0, 0, 0xff))
    return data


def text(data, offset, words, length):
    data[offset:offset + length] = words.encode().ljust(length)


def mask(data, offset, bits):
    data[offset] &= bits


def controller(seed):
    data = noise(seed, 4096)
    text(data, 4, "OB 0001", 20)
    text(data, 24, "A model, of some length", 40)
    text(data, 64, "1.0", 8)
    data[263] = seed * 6  # NPSS
    data[768:1024] = b"nqn.2014-08.org.example:x".ljust(256, b"\0")
    for at in range(2048, 3072, 32):  # reserved bits are none of a disk's
        for relative in range(12, 16):
            mask(data, at + relative, 0x1f)
    return data


def namespace(seed):
    data = noise(seed, 4096)
    data[25], data[82] = (15, 0) if seed % 2 else (seed * 5, seed * 3)  # NLBAF, NULBAF
    data[26] &= 0x2f if data[25] + data[82] >= 16 else 0x0f  # one that may be in use
    for at in range(128, 384, 4):
        mask(data, at + 3, 0x03)
    return data


def agree(lines, said):
    """Each line of ours is one of nvme-cli's behind its title, in its order."""
    ours = fields(lines)
    assert ours == theirs(said.splitlines()[1:], ours)


def members_agree(ours, his):
    for key, value in ours.items():
        if key == "type" or (key == "flags" and TELLS_MORE):  # each bit has a name there
            continue
        other = his[key]
        if isinstance(value, list):
            assert len(value) == len(other)
            for one, another in zip(value, other):
                members_agree(one, another)
        elif isinstance(value, str):
            assert value == str(other).rstrip(" "), key
        else:
            assert same_number(value, other), (key, value, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_id_ctrl(pages, seed):
    path = pages.put(IDENTIFY, 1, controller(seed))
    lines, members = decode("id-ctrl", path)
    agree(lines, pages.nvme("id-ctrl", "/dev/nvme0"))
    members_agree(members, pages.nvme_json("id-ctrl", "/dev/nvme0"))
    assert len(members["psds"]) == min(seed * 6 + 1, 32)


@pytest.mark.parametrize("seed", SEEDS)
def test_id_ns(pages, seed):
    path = pages.put(IDENTIFY, 0, namespace(seed))
    lines, members = decode("id-ns", path)
    agree(lines, pages.nvme("id-ns", "/dev/nvme0n1"))
    his = pages.nvme_json("id-ns", "/dev/nvme0n1")
    del members["lbafs"][len(his["lbafs"]):]  # nvme-cli's has none of those that NULBAF counts
    members_agree(members, his)


@pytest.mark.parametrize("seed", SEEDS)
def test_smart_log(pages, seed):
    data = noise(seed, 512)
    for at in (32, 48):  # nvme-cli makes data units of more than 64 bits inexact
        data[at + 8:at + 16] = bytes(8)
    path = pages.put(GET_LOG_PAGE, 2, data)
    lines, members = decode("smart-log", path)
    agree(lines, pages.nvme("smart-log", "/dev/nvme0"))
    members_agree(members, pages.nvme_json("smart-log", "/dev/nvme0"))


@pytest.mark.parametrize("seed", SEEDS)
def test_error_log(pages, seed):
    data = noise(seed, 4096)
    for at in range(0, 4096, 64):
        if at // 64 % (seed + 2):
            data[at:at + 8] = bytes(8)
    pages.put(IDENTIFY, 1, bytes(262) + b"\x3f" + bytes(4096 - 263))  # ELPE
    path = pages.put(GET_LOG_PAGE, 1, data)
    lines, members = decode("error-log", path)
    entries = [entry for entry in pages.nvme_json("error-log", "/dev/nvme0")["errors"]
              if entry["error_count"]]
    members_agree(members, {"errors": entries})
    assert len(entries) > 4
    # Words for status and transport are each one's own.
    shown = pages.nvme("error-log", "/dev/nvme0").split("Entry[")
    for entry in "\n".join(lines).split("Entry[")[1:]:
        number = int(entry.split("]")[0])
        mine, his = dict(fields(entry.splitlines())), dict(fields(shown[number + 1].splitlines()))
        assert mine.keys() <= his.keys() if TELLS_MORE else mine.keys() == his.keys()
        for name in mine.keys() - {"trtype"}:
            assert mine[name].split("(")[0] == his[name].split("(")[0].rstrip(), name


@pytest.mark.parametrize("seed", SEEDS)
def test_fw_log(pages, seed):
    data = noise(seed, 512)
    for slot in range(7):
        text(data, 8 + 8 * slot, "10.0.2" if slot == 0 else f"{seed:x}b{slot}-{slot:03}"[:8 - slot % 3], 8)
    data[56:64] = bytes(8)
    path = pages.put(GET_LOG_PAGE, 3, data)
    lines, members = decode("fw-log", path)
    said = pages.nvme("fw-log", "/dev/nvme0")
    without_text = re.compile(r" \(.*")
    agree([without_text.sub("", line) for line in lines], without_text.sub("", said))
    assert (members["frs1"], "frs7" in members) == ("10.0.2", False)


@pytest.mark.parametrize("seed", SEEDS)
def test_self_test_log(pages, seed):
    data = noise(seed, 564)
    data[4 + 28 * 3] |= 0x0f  # no entry
    path = pages.put(GET_LOG_PAGE, 6, data)
    lines, members = decode("self-test-log", path)
    said = pages.nvme("self-test-log", "/dev/nvme0")
    without_empty = re.sub(r"Self Test Result\[\d+\]:\n *Operation Result *: 0xf\n", "", said)
    agree(lines, without_empty)
    his = pages.nvme_json("self-test-log", "/dev/nvme0")
    key = "List of Valid Reports"
    his[key] = [result for result in his[key] if result["Self test result"] != 15]
    members_agree(members, his)


@pytest.mark.parametrize("fid", FEATURES)
def test_get_feature(pages, fid):
    for seed in range(12):
        value = int.from_bytes(noise(seed * 256 + fid, 4), "little")
        pages.put(GET_FEATURES, fid, b"", dw0=value)
        sel = seed % 3
        lines, members = decode("get-feature", fid, sel, value)
        said = pages.nvme("get-feature", "/dev/nvme0", f"--feature-id={fid}", f"--sel={sel}",
                          "--human-readable").splitlines()
        assert lines[0].replace("0x00000000", "00000000") == said[0]
        ours = fields(lines[1:])
        assert ours
        # Some events are fabrics' alone.
        assert ours == [field for field in theirs(said[1:], ours) if fid != 0x0b or field in ours]
        assert (members["fid"], members["sel"], members["value"]) == (fid, sel, value)


def test_feature_capabilities(pages):
    for value in range(8):
        pages.put(GET_FEATURES, 4, b"", dw0=value)
        lines, _ = decode("get-feature", 4, 3, value)
        said = pages.nvme("get-feature", "/dev/nvme0", "--feature-id=4", "--sel=3")
        assert lines[1:] == said.rstrip("\n").split("\n")[1:]


def bar(seed):
    """Registers; what is reserved in addresses is zeros."""
    data = noise(seed, 4096)
    for at in (0x28, 0x30, 0x48):
        data[at] = 0
        mask(data, at + 1, 0xf0)
    mask(data, 0xe01, 0xfd)  # PMRTU
    if seed == 2:
        data[0x3c:0x40] = bytes(4)  # no controller memory buffer
    return bytes(data)


@pytest.mark.parametrize("seed", range(24))
def test_show_regs(pages, seed):
    pages.put_class({"serial": "1", "model": "model", "firmware_rev": "1"})
    path = pages.put_registers(bar(seed))
    lines, members = decode("show-regs", path)
    registers_agree("\n".join(lines), pages.nvme("show-regs", "/dev/nvme0", "--human-readable"))
    plainly = registers(pages.nvme("show-regs", "/dev/nvme0"))
    added = {"cmbebs", "cmbswtp", "nssd"} if TELLS_MORE else set()
    assert plainly.keys() - registers("\n".join(lines)) == {"intms", "intmc", "pmrmscl", "pmrmscu"} | added
    his = pages.nvme_json("show-regs", "/dev/nvme0")
    for key, value in members.items():
        assert key == "type" or same_number(value, his[key]), key
