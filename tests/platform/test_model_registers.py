# SPDX-License-Identifier: BSD-2-Clause
"""The register block: QEMU's own but for the posting capability; and the counters told at exit."""

import json
import re

import pytest

import vtd
from conftest import DEVICES, Bench
from qtest_machine import Machine
from vtd import Descriptor, posted, remapped

PI = 1 << 59


def all_registers(machine, size):
    unit = vtd.Unit(machine)
    return {at: unit.read(at, size) for at in range(0, unit.frcd + 16 * unit.records, size)}


@pytest.mark.parametrize("size", [4, 8])
def test_only_the_posting_capability_differs_from_qemu(size):
    with Machine() as machine:
        ours = all_registers(machine, size)
    with Machine(plugin=False) as machine:
        stock = all_registers(machine, size)
    capability = {8: vtd.CAP, 4: vtd.CAP + 4}[size]
    assert not stock[capability] & PI >> (32 if size == 4 else 0)
    stock[capability] |= PI >> (32 if size == 4 else 0)
    assert ours == stock


@pytest.mark.parametrize("machine", [{}, {"plugin_args": ",stock=on", "iommu": ""}], ids=["posting", "stock"])
def test_no_tpm_answers(machine):
    """Firmware that reads something else waits for one."""
    with Machine(**machine) as machine:
        assert [machine.read(at, 1) for at in (0xFED40000, 0xFED44FFF)] == [0xFF, 0xFF]
        assert machine.read(0xFED40F00, 4) == 0xFFFFFFFF
        machine.write(0xFED40000, 2, 1)
        assert machine.read(0xFED3FFFF, 1) == machine.read(0xFED45000, 1) == 0


def test_stock_is_qemus_own():
    with Machine(plugin_args=",stock=on") as machine:
        assert not vtd.Unit(machine).read(vtd.CAP, 8) & PI
    assert machine.stderr == ""


def test_the_invalidation_queue_still_works(bench):
    unit, machine = bench.unit, bench.machine
    unit.write(vtd.IQA, 0x280000, 8)
    unit.write(vtd.GCMD, unit.read(vtd.GSTS) & 0x96FFFFFF | vtd.QIE)
    machine.write(0x280000, 4, 8)                      # interrupt entry cache, global
    machine.write(0x280008, 0, 8)
    machine.write(0x280010, 5 | 1 << 5 | 0x600D << 32, 8)  # wait: status write
    machine.write(0x280018, 0x281000, 8)
    unit.write(vtd.IQT, 0x20, 8)
    assert machine.read(0x281000, 4) == 0x600D


def run_every_outcome(bench):
    machine, unit = bench.machine, bench.unit
    first = Descriptor(machine)
    Descriptor(machine, vtd.DESCRIPTOR + 64, sn=1)
    unit.entry(1, posted(0x41))
    unit.entry(2, posted(0x42))
    unit.entry(3, posted(0x43, descriptor=vtd.DESCRIPTOR + 64))
    unit.entry(4, posted(0x44, descriptor=vtd.DESCRIPTOR + 64, urgent=1))
    unit.entry(5, remapped(0x55, apic_id=0))
    for index in (1, 2, 2, 3, 4, 5, 5, 5):
        bench.a.fire(index)
    first.control |= 4
    unit.entry(6, posted(0x46, present=0))
    unit.entry(7, (posted(0x47)[0] | 4, 0))
    unit.entry(8, posted(0x48, svt=3))
    unit.entry(9, posted(0x49, descriptor=0xE8000000))
    unit.entry(10, posted(0x4A, svt=3, fpd=1))
    for index in (6, 7, 8, 8, 9, 1, 10, 10):
        bench.a.fire(index)
    bench.a.fire(address=0xFEE01000, data=0x55)


EXPECTED = {
    "type": "posted_model", "passed": 4, "posted": 5, "notified": 2, "overrode": 1, "coalesced": 2,
    "suppressed": 1, "repeated": 1, "hidden_faults": 2,
    "faults": {"20h": 0, "22h": 1, "24h": 1, "25h": 1, "26h": 2, "27h": 1, "28h": 1},
}


def test_the_counters_agree_with_what_happened(tmp_path):
    path = tmp_path / "model.json"
    with Machine(devices=DEVICES, plugin_args=f",json={path}") as machine:
        version = machine.qmp("query-version")["qemu"]
        run_every_outcome(Bench(machine))
    lines = path.read_text().splitlines()
    assert len(lines) == 1
    told = json.loads(lines[0])
    assert told.pop("qemu") == "{major}.{minor}.{micro}".format(**version)
    assert told == EXPECTED


def test_the_table_agrees_with_what_happened():
    with Machine(devices=DEVICES) as machine:
        run_every_outcome(Bench(machine))
    table = machine.stderr[machine.stderr.index("onebell-posted: interrupt posting"):].splitlines()
    rows = [re.fullmatch(r"  ( *\S.*?) +(\d+)", line) for line in table[1:]]
    counts = [int(row[2]) for row in rows if row]
    assert counts == [4, 5, 2, 1, 2, 1, 1, 0, 1, 1, 1, 2, 1, 1, 2]
    assert len({len(row[0]) for row in rows if row}) == 1, "not aligned"
    assert table[8] == "  faults"


def test_a_fault_is_told_once_for_each_reason():
    with Machine(devices=DEVICES) as machine:
        run_every_outcome(Bench(machine))
    assert [line for line in machine.stderr.splitlines() if "fault 26h" in line] == [
        "onebell-posted: fault 26h, source id mismatch: index 8, from 00:03.0 (told once)"]
