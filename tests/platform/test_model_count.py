# SPDX-License-Identifier: BSD-2-Clause
"""Instructions counted by region (count=ELF), on firmware of which every instruction is known."""

import json
import re
import struct
import subprocess

import pytest

from conftest import run_until_halted
from qtest_machine import ROOT, Machine, command_line
from test_model_refusals import refused

BASE, ROM_BYTES = 0xF0000, 0x10000


def elf(marks, code=(BASE, ROM_BYTES), machine=62, bits=2, section=b".marks"):
    """An ELF file that loads nothing, but says where its code would be and where its marks are."""
    names = b"\0" + section + b"\0.shstrtab\0"
    at = 64 + 56
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF" + bytes([bits, 1, 1]), 2, machine, 1, 0,
                         64, at + len(marks) + len(names), 0, 64, 56, 1, 64, 3, 2)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, code[0], code[0], 0, code[1], 1)
    sections = bytes(64)
    sections += struct.pack("<IIQQQQIIQQ", 1, 1, 0, 0, at, len(marks), 0, 0, 32, 0)
    sections += struct.pack("<IIQQQQIIQQ", len(section) + 2, 3, 0, 0, at + len(marks), len(names),
                            0, 0, 1, 0)
    return header + segment + marks + names + sections


def record(name=b"region", kind=1, address=BASE):
    return struct.pack("<QI20s", address, kind, name)


class Counted:
    def __init__(self, folder, cpus, accel="tcg", **options):
        flat = folder / "flat"
        subprocess.run(["nasm", "-f", "bin", f"-DCPUS={cpus}", "-o", flat,
                        ROOT / "tests" / "platform" / "count.asm"], check=True)
        image = flat.read_bytes()
        (folder / "rom").write_bytes(image[:ROM_BYTES])
        (folder / "elf").write_bytes(elf(image[ROM_BYTES:], **options))
        with Machine(smp=str(cpus), accel=accel, extra=("-bios", str(folder / "rom")),
                     plugin_args=f",json={folder / 'json'},count={folder / 'elf'}") as machine:
            run_until_halted(machine)
        self.table = machine.stderr
        self.told = json.loads((folder / "json").read_text())


@pytest.fixture(scope="module")
def one_cpu(tmp_path_factory):
    return Counted(tmp_path_factory.mktemp("one"), cpus=1)


@pytest.fixture(scope="module")
def two_cpus(tmp_path_factory):
    return Counted(tmp_path_factory.mktemp("two"), cpus=2)


# Not counted: the first jump, in the last bytes below 4 GiB, where the ELF file has no code.
# By region: entries, instructions. The sums are set-up + times around the loop * its length.
EXPECTED = {
    "outer": (2, 1 + 1000 * 2),
    "inner": (1001, 1000 * 3 + 2),
    "faulting": (1, 1 + 100 * 5),
    "trap": (100, 100 * 5),
    "device": (1, 1 + 50 * 6),
    "interrupted": (1, 1 + 100 * 8),
    "handler": (100, 100 * 11),
    "lap": (2, 0),
}
# In each lap; all else is zero.
LAPS = [{"outer": (1, 1 + 1000 * 2), "inner": (1000, 1000 * 3)},
        {"faulting": (1, 1 + 100 * 5), "trap": (100, 100 * 5)}]
# Up to the last hlt, without waiting.
OTHER = 4 + 2 * 2 + 4 + 4 + 5 + 2 + 1 + (1 + 7 * 2) + 1 + 2 + 2


def regions(told):
    return {name: (counts["entries"], counts["instructions"])
            for name, counts in told["regions"].items()}


def test_every_instruction_has_its_region(one_cpu):
    assert regions(one_cpu.told) == {**EXPECTED, "other": (0, OTHER), "other-cpu": (0, 0)}


def test_laps(one_cpu, two_cpus):
    for told in (one_cpu.told, two_cpus.told):
        laps = [{name: (counts["entries"], counts["instructions"]) for name, counts in lap.items()}
                for lap in told["laps"]]
        assert [{name: counts for name, counts in lap.items() if any(counts) and name != "other-cpu"}
                for lap in laps] == LAPS


def test_without_threads_too(tmp_path):
    told = Counted(tmp_path, cpus=1, accel="tcg,thread=single,one-insn-per-tb=on").told
    assert regions(told) == {**EXPECTED, "other": (0, OTHER), "other-cpu": (0, 0)}


def test_ends_that_do_not_fit_are_counted_apart(one_cpu):
    assert one_cpu.told["unbalanced"] == 7 + 1


def test_each_cpu_has_its_own(two_cpus):
    first, second = (regions(cpu) for cpu in two_cpus.told["cpus"])
    assert [cpu["cpu"] for cpu in two_cpus.told["cpus"]] == [0, 1]
    assert {name: first[name] for name in EXPECTED} == EXPECTED
    assert first["other-cpu"] == (0, 0)
    assert second["other-cpu"] == (1, 1 + 500 * 3)
    assert second["other"] == (0, 5)
    assert all(second[name] == (0, 0) for name in EXPECTED)
    both = regions(two_cpus.told)
    assert all(both[name] == (first[name][0] + second[name][0], first[name][1] + second[name][1])
               for name in both)


def test_the_table_agrees(two_cpus):
    text = two_cpus.table[two_cpus.table.index("onebell-posted: instructions of"):]
    title, heads, *lines, last = text.splitlines()
    assert title.endswith("/elf") and heads.split() == ["CPU", "region", "entries", "instructions",
                                                         "per", "entry"]
    rows = [line.split() for line in lines]
    assert len({len(line) for line in lines if len(line.split()) == 5}) == 1, "not aligned"
    for who, told in [("0", two_cpus.told["cpus"][0]), ("1", two_cpus.told["cpus"][1]),
                      ("all", two_cpus.told)]:
        seen = {row[1]: (int(row[2]), int(row[3])) for row in rows if row[0] == who}
        assert seen == {name: counts for name, counts in regions(told).items() if any(counts)}
    assert ["all", "inner", "1001", "3002", "3.0"] in rows
    assert re.fullmatch(r" +unbalanced marks +8", last)


def test_a_reset_leaves_every_region(tmp_path):
    """One that is still open would swallow all that follows."""
    rom = tmp_path / "rom"
    code = bytes.fromhex("90 f4 ebfd")  # nop; hlt; again
    image = bytearray(ROM_BYTES)
    image[0xE000:0xE000 + len(code)] = code
    image[0xFFF0:0xFFF5] = bytes.fromhex("ea00e000f0")
    rom.write_bytes(image)
    (tmp_path / "elf").write_bytes(elf(record(address=BASE + 0xE001)))
    with Machine(smp="1", extra=("-bios", str(rom)),
                 plugin_args=f",json={tmp_path / 'json'},count={tmp_path / 'elf'}") as machine:
        for _ in range(2):
            run_until_halted(machine)
            machine.qmp("system_reset")
    told = json.loads((tmp_path / "json").read_text())
    assert regions(told) == {"other": (0, 2), "region": (2, 2)}


# ---- refusals ----

GOOD = elf(record())


@pytest.mark.parametrize("content, words", [
    (b"", "no ELF file"),
    (b"garbage", "not an ELF64 file"),
    (b"garbage" * 100, "not an ELF64 file"),
    (GOOD[:100], "cut off"),
    (GOOD[:-1], "cut off"),
    (elf(record(), bits=1), "not an ELF64 file"),
    (elf(record(), machine=183), "not an ELF64 file"),
    (elf(record(), code=(BASE, 0)), "loads no code"),
    (elf(record(), section=b".marked"), "no section .marks"),
    (elf(b""), "empty"),
    (elf(record()[:-1]), "malformed"),
    (elf(record() + record(kind=0)), "record 1"),
    (elf(record(kind=4)), "record 0"),
    (elf(record(name=b"")), "record 0"),
    (elf(record(name=b"x" * 20)), "record 0"),
    (elf(record(name=b'a"b')), "record 0"),
    (elf(record(address=BASE - 1)), "record 0"),
    (elf(b"".join(record(name=b"r%d" % i) for i in range(64))), "more than 63 regions")])
def test_a_file_without_good_marks(tmp_path, content, words):
    file = tmp_path / "elf"
    file.write_bytes(content)
    line = refused(command_line(plugin_args=f",count={file}"))
    assert words in line and str(file) in line


def test_a_file_that_is_not_there():
    assert "count=/nonexistent: No such file" in refused(
        command_line(plugin_args=",count=/nonexistent"))


def test_a_folder(tmp_path):
    assert f"count={tmp_path}" in refused(command_line(plugin_args=f",count={tmp_path}"))
