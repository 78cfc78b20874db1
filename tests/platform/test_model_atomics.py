# SPDX-License-Identifier: BSD-2-Clause
"""A virtual CPU harvests by xchg while devices post to the same word: nothing may get lost."""

import json
import time

import pytest

from conftest import DEVICES, Bench, rom_image
from qtest_machine import EDU_RAISE, Machine
from vtd import Descriptor, posted

DESCRIPTOR, COUNTER = 0x10000, 0x10100
POSTS = 600

# Real mode: count the bits that an endless loop of xchg takes out of the first PIR word.
HARVEST = bytes.fromhex("b80010 8ed8"           # ds = 1000h
                        "6631c0"                # again: eax = 0
                        "6687060000"            # xchg eax, [0]
                        "6685c0 74f3"           # none: again
                        "66f30fb8c0"            # popcnt eax, eax
                        "6601060001 ebe7")      # add [100h], eax; again


def wait_until_harvested(machine):
    deadline = time.monotonic() + 10
    while machine.read(DESCRIPTOR, 4):
        assert time.monotonic() < deadline, "the CPU does not harvest"


@pytest.mark.parametrize("smp, accel", [("1", "tcg"), ("2", "tcg"), ("2", "tcg,thread=single")])
def test_no_post_is_lost_to_a_harvest(tmp_path, smp, accel):
    told = tmp_path / "model.json"
    with Machine(smp=smp, accel=accel, devices=DEVICES, plugin_args=f",json={told}",
                 extra=("-bios", rom_image(tmp_path / "rom", HARVEST))) as machine:
        bench = Bench(machine)
        Descriptor(machine, DESCRIPTOR, sn=1)
        for vector, device in ((3, bench.a), (17, bench.b)):
            bench.unit.entry(vector, posted(vector, descriptor=DESCRIPTOR))
            device.program(0xFEE00010 | vector << 5, 0)
        machine.qmp("cont")
        for _ in range(POSTS // 2):
            machine.write(bench.a.bar + EDU_RAISE, 1, 4)
            machine.write(bench.b.bar + EDU_RAISE, 1, 4)
            wait_until_harvested(machine)
        time.sleep(0.05)  # what was taken last is still to be counted
        harvested = machine.read(COUNTER, 4)
    counts = json.loads(told.read_text())
    assert counts["posted"] == POSTS
    assert harvested == counts["posted"] - counts["repeated"]
