# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for the tests of the QEMU platform model: a paused machine, the model laid over it."""

import fcntl
import os
import subprocess
import time

import pytest

import vtd
from qtest_machine import BUILD, ROOT, Edu, Machine, bdf

EDU_A, EDU_B = bdf(0, 3), bdf(0, 4, 5)
DEVICES = ("edu,addr=3", "edu,addr=4.5,multifunction=on")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "platform":
            item.add_marker(pytest.mark.timeout(30))


@pytest.fixture(scope="session", autouse=True)
def build_model():
    names = ("onebell-posted.so", "test-logic", "fake-qemu", "fake-qemu-complete")
    build = os.path.relpath(BUILD, ROOT)  # named as by the top-level Makefile: its files list headers so
    targets = [f"{build}/qemu/{name}" for name in names]
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / ".model-lock", "w") as lock:  # pytest-xdist: several sessions at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "-f", "tools/qemu/qemu.mk", f"B={build}", *targets],
                       cwd=ROOT, check=True)


class Bench:
    """A machine with remapping on, two devices, and one descriptor for CPU 1."""

    def __init__(self, machine, **table):
        self.machine = machine
        self.unit = vtd.Unit(machine)
        self.a = Edu(machine, EDU_A, 0xE0000000)
        self.b = Edu(machine, EDU_B, 0xE0100000)
        self.unit.enable(**table)


@pytest.fixture
def bench():
    with Machine(devices=DEVICES) as machine:
        yield Bench(machine)


def rom_image(path, code):
    """Firmware that runs `code` (16-bit, at f000:ff00h) from reset on."""
    rom = bytearray(0x10000)
    rom[0xFF00:0xFF00 + len(code)] = code
    rom[0xFFF0:0xFFF3] = bytes.fromhex("e90dff")  # jmp ff00h
    path.write_bytes(rom)
    return str(path)


# x2APIC mode on (bit 10 of IA32_APIC_BASE, MSR 1Bh), then halt.
X2APIC_ON = bytes.fromhex("66b91b000000 0f32 660d00040000 0f30 f4 ebfd")


def run_until_halted(machine):
    deadline = time.monotonic() + 10
    machine.qmp("cont")
    while "HLT=1" not in machine.qmp("human-monitor-command", **{"command-line": "info registers"}):
        assert time.monotonic() < deadline, "the CPU did not halt"
        time.sleep(0.01)
    machine.qmp("stop")


@pytest.fixture
def high_bench(tmp_path):
    """Two CPUs with APIC ids 0 and 256. The first is in x2APIC mode, and so tells them apart."""
    second = "max-x86_64-cpu,socket-id=1,die-id=0,module-id=0,core-id=0,thread-id=0"
    with Machine(smp="1,sockets=2,cores=160,threads=1,maxcpus=320", devices=(second, *DEVICES),
                 extra=("-bios", rom_image(tmp_path / "rom", X2APIC_ON))) as machine:
        run_until_halted(machine)
        yield Bench(machine)
