# SPDX-License-Identifier: BSD-2-Clause
"""An NVMe controller's MSI-X through the model: 32-bit message data, and the write before it."""

import time

import pytest

import vtd
from qtest_machine import Machine, bdf
from vtd import Descriptor, posted

NVME = bdf(0, 6)
BAR = 0xE0400000
CC, CSTS, AQA, ASQ, ACQ, SQ_TAIL = 0x14, 0x1C, 0x24, 0x28, 0x30, 0x1000
SQ, CQ, DATA = 0x400000, 0x401000, 0x402000
IDENTIFY = 6
MSIX_ENABLE = 1 << 31


class Nvme:
    """The admin queue of a controller, with MSI-X vector 0."""

    def __init__(self, machine, address, data):
        self.machine = machine
        machine.config_write(NVME, 0x10, BAR)
        machine.config_write(NVME, 0x14, 0)
        machine.config_write(NVME, 0x04, 0x6, 2)
        self._program_msix(address, data)
        machine.write(BAR + AQA, 7 << 16 | 7, 4)
        machine.write(BAR + ASQ, SQ, 8)
        machine.write(BAR + ACQ, CQ, 8)
        machine.write(BAR + CC, 4 << 20 | 6 << 16 | 1, 4)
        assert machine.read(BAR + CSTS, 4) & 1, "the controller is not ready"

    def _program_msix(self, address, data):
        at = self.machine.config_read(NVME, 0x34) & 0xFC
        while self.machine.config_read(NVME, at) & 0xFF != 0x11:
            at = self.machine.config_read(NVME, at) >> 8 & 0xFC
        table = self.machine.config_read(NVME, at + 4)
        assert table & 7 == 0, "the table is not in BAR 0"
        for offset, value in ((0, address), (4, 0), (8, data), (12, 0)):
            self.machine.write(BAR + table + offset, value, 4)
        self.machine.config_write(NVME, at, self.machine.config_read(NVME, at) | MSIX_ENABLE)

    def identify(self):
        for offset, value in ((0, IDENTIFY), (24, DATA), (40, 1)):
            self.machine.write(SQ + offset, value, 8)
        self.machine.write(BAR + SQ_TAIL, 1, 4)

    def completed(self):
        return self.machine.read(CQ + 12, 4) >> 16 & 1


@pytest.fixture
def machine():
    with Machine(devices=("nvme,serial=model,addr=6",)) as machine:
        unit = vtd.Unit(machine)
        unit.enable()
        unit.entry(5, posted(0x42, svt=vtd.SVT_SID, sid=NVME))
        yield machine


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.005)


def test_a_posted_completion(machine):
    descriptor = Descriptor(machine, vector=0xE7, apic_id=1)
    nvme = Nvme(machine, 0xFEE00010 | 5 << 5, 0)
    nvme.identify()
    wait_for(descriptor.pir)
    assert nvme.completed()
    assert descriptor.pir() == {0x42} and machine.irr(1) == {0xE7}


def test_a_subhandle_of_the_message(machine):
    descriptor = Descriptor(machine)
    Nvme(machine, 0xFEE00018 | 2 << 5, 3).identify()
    wait_for(descriptor.pir)
    assert descriptor.pir() == {0x42}


@pytest.mark.parametrize("bit", [16, 31])
def test_reserved_data_bits_with_a_subhandle(machine, bit):
    descriptor = Descriptor(machine)
    nvme = Nvme(machine, 0xFEE00018 | 5 << 5, 1 << bit)
    nvme.identify()
    wait_for(nvme.completed)
    wait_for(vtd.Unit(machine).fault)
    reason, source, _ = vtd.Unit(machine).fault()  # the index is undefined for 20h
    assert (reason, source) == (0x20, NVME)
    assert descriptor.pir() == set()
