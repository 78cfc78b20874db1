# SPDX-License-Identifier: BSD-2-Clause
"""All counters at moments of the guest's choice (snapshots=PORT)."""
import json

import pytest

from conftest import DEVICES, Bench, rom_image, run_until_halted
from qtest_machine import Machine, command_line
from test_model_refusals import refused
from vtd import Descriptor, posted, remapped

PORT = 0xE9
MOST = 1024

# mov al, 1; out PORT; mov cx, 1000; loop: nop; loop; mov al, 2; out PORT; hlt
CODE = bytes.fromhex("b001 e6e9 b9e803 90 e2fd b002 e6e9 f4 ebfd")
BETWEEN = 1 + 1 + 1000 * 2 + 1  # from the first out to before the second


def write(machine, byte):
    machine._ask(f"outb {PORT:#x} {byte:#x}")


@pytest.fixture
def told(tmp_path):
    """told(work): runs work(machine), and gives back what the model told at exit."""
    def run(work, words="", **options):
        file = tmp_path / "json"
        with Machine(plugin_args=f",json={file},snapshots={PORT:#x}{words}", **options) as machine:
            work(machine)
        return json.loads(file.read_text())
    return run


def test_every_instruction_is_counted(told, tmp_path):
    rom = rom_image(tmp_path / "rom", CODE)
    first, second = told(run_until_halted, words=",instructions=on", smp="1",
                         extra=("-bios", rom))["snapshots"]
    assert (first["byte"], second["byte"]) == (1, 2)
    assert second["instructions"] - first["instructions"] == BETWEEN


def test_no_instruction_is_counted_unless_asked_for(told, tmp_path):
    rom = rom_image(tmp_path / "rom", CODE)
    ended = told(run_until_halted, smp="1", extra=("-bios", rom))
    assert [s["instructions"] for s in ended["snapshots"]] == [0, 0]


def test_instructions_of_no_moment():
    assert "without snapshots=PORT" in refused(command_line(plugin_args=",instructions=on"))


def test_the_counters_of_the_moment(told):
    def work(machine):
        bench = Bench(machine)
        Descriptor(machine)
        bench.unit.entry(5, posted(0x42))
        bench.unit.entry(6, remapped(0x43, apic_id=0))
        write(machine, 10)
        bench.a.fire(5)  # notified
        write(machine, 11)
        bench.a.fire(5)  # ON is set, and so is the bit
        bench.a.fire(6)
        write(machine, 12)

    names = ("byte", "passed", "posted", "notified", "repeated")
    assert [tuple(s[name] for name in names) for s in told(work, devices=DEVICES)["snapshots"]] \
        == [(10, 0, 0, 0, 0), (11, 0, 1, 1, 0), (12, 1, 2, 1, 1)]


def test_what_is_too_much_is_counted(told):
    def work(machine):
        for i in range(MOST + 3):
            write(machine, i & 0xFF)

    ended = told(work)
    assert len(ended["snapshots"]) == MOST
    assert ended["snapshots"][-1]["byte"] == (MOST - 1) & 0xFF
    assert ended["snapshots_lost"] == 3


def test_none_unless_asked_for(tmp_path):
    file = tmp_path / "json"
    with Machine(plugin_args=f",json={file}") as machine:
        write(machine, 1)
    assert "snapshots" not in json.loads(file.read_text())


@pytest.mark.parametrize("port", ["0", "0x10000", "com1", "0xe9x"])
def test_no_such_port(port):
    assert f"snapshots={port}: no I/O port" in refused(command_line(plugin_args=f",snapshots={port}"))
