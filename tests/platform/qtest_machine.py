# SPDX-License-Identifier: BSD-2-Clause
"""A paused QEMU machine, driven through the qtest protocol in place of a guest.

`-S` keeps the virtual CPUs still; memory, ports and devices are worked from here, and the local
APICs are looked at through the monitor.
"""

import json
import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ONEBELL_BUILD", ROOT / "build"))
PLUGIN = BUILD / "qemu" / "onebell-posted.so"
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
IOMMU = "intel-iommu,intremap=on,eim=on"

EDU_RAISE = 0x60  # a write raises the device's interrupt


def command_line(plugin_args="", plugin=True, iommu=IOMMU, devices=(), smp="2",
                 accel="tcg", extra=()):
    args = [QEMU, "-accel", accel, "-S", "-qtest", "stdio", "-qtest-log", "none"]
    args += ["-machine", "q35,kernel-irqchip=split", "-cpu", "max", "-smp", smp, "-m", "64M"]
    args += ["-nodefaults", "-no-user-config", "-display", "none"]
    if plugin:
        args += ["-plugin", f"{PLUGIN}{plugin_args}"]
    if iommu:
        args += ["-device", iommu]
    for device in devices:
        args += ["-device", device]
    return args + list(extra)


class Machine:
    """Use as a context manager: leaving it ends QEMU; `stderr` then holds what it said, and
    `status` its exit status."""

    def __init__(self, **options):
        ours, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile("w+")
        monitor = ["-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
                   "-mon", "chardev=qmp,mode=control"]
        self._process = subprocess.Popen(
            command_line(**options) + monitor, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, text=True, bufsize=1, pass_fds=[theirs.fileno()])
        theirs.close()
        self._qmp = ours.makefile("rw")
        self.stderr, self.status = "", None
        try:
            self._qmp_reply("QMP")
            self.qmp("qmp_capabilities")
        except Exception:
            self._process.kill()
            self._finish()
            raise AssertionError(f"QEMU did not start: {self.stderr}") from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self.qmp("quit")
            self._process.wait(timeout=10)
        finally:
            self._process.kill()
            self._finish()

    def _finish(self):
        self.status = self._process.wait()
        self._errors.seek(0)
        self.stderr = self._errors.read()

    # ---- the monitor ----

    def _qmp_reply(self, key):
        while True:
            line = self._qmp.readline()
            if not line:
                raise EOFError("the monitor went away")
            reply = json.loads(line)
            if "error" in reply:
                raise AssertionError(reply["error"])
            if key in reply:
                return reply[key]

    def qmp(self, command, **arguments):
        self._qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qmp.flush()
        return self._qmp_reply("return")

    def irr(self, apic_id):
        """The vectors that wait in a local APIC."""
        text = self.qmp("human-monitor-command", **{"command-line": f"info lapic {apic_id}"})
        found = re.search(r"^IRR\s+(.*)$", text, re.MULTILINE)
        assert found, f"no IRR in: {text}"
        return {int(word.split("(")[0]) for word in found[1].split() if word[0].isdigit()}

    # ---- the qtest protocol ----

    def _ask(self, line):
        self._process.stdin.write(line + "\n")
        reply = self._process.stdout.readline().split()
        assert reply and reply[0] == "OK", f"qtest: {line!r} gave {reply}"
        return reply[1:]

    def read(self, address, size):
        letter = {1: "b", 2: "w", 4: "l", 8: "q"}[size]
        return int(self._ask(f"read{letter} {address:#x}")[0], 16)

    def write(self, address, value, size):
        letter = {1: "b", 2: "w", 4: "l", 8: "q"}[size]
        self._ask(f"write{letter} {address:#x} {value:#x}")

    def _select(self, bdf, offset):
        self._ask(f"outl 0xcf8 {1 << 31 | bdf << 8 | offset & ~3:#x}")

    def config_read(self, bdf, offset):
        self._select(bdf, offset)
        return int(self._ask("inl 0xcfc")[0], 16)

    def config_write(self, bdf, offset, value, size=4):
        self._select(bdf, offset)
        letter = {1: "b", 2: "w", 4: "l"}[size]
        self._ask(f"out{letter} {0xcfc + offset % 4:#x} {value:#x}")

    def find_capability(self, bdf, wanted):
        at = self.config_read(bdf, 0x34) & 0xFC
        while at:
            header = self.config_read(bdf, at)
            if header & 0xFF == wanted:
                return at
            at = header >> 8 & 0xFC
        raise AssertionError(f"no capability {wanted:#x}")


def bdf(bus, device, function=0):
    return bus << 8 | device << 3 | function


class Edu:
    """QEMU's `edu` device: one MSI, raised by a register write."""

    def __init__(self, machine, bdf, bar):
        self.machine, self.bdf, self.bar = machine, bdf, bar
        assert machine.config_read(bdf, 0) == 0x11E81234, "not an edu device"
        machine.config_write(bdf, 0x10, bar)
        machine.config_write(bdf, 0x04, 0x6, 2)  # memory space, bus master
        self._msi = machine.find_capability(bdf, 0x05)

    def program(self, address, data):
        self.machine.config_write(self.bdf, self._msi + 2, 0, 2)
        self.machine.config_write(self.bdf, self._msi + 4, address)
        self.machine.config_write(self.bdf, self._msi + 8, 0)
        self.machine.config_write(self.bdf, self._msi + 12, data, 2)
        self.machine.config_write(self.bdf, self._msi + 2, 1, 2)

    def fire(self, index=None, subhandle=None, address=None, data=0):
        """One MSI: to the remapping entry `index` (plus `subhandle`), or as given."""
        if address is None:
            address = 0xFEE00010 | (index & 0x7FFF) << 5 | (index >> 15) << 2
            if subhandle is not None:
                address |= 1 << 3
                data |= subhandle
        self.program(address, data)
        self.machine.write(self.bar + EDU_RAISE, 1, 4)
