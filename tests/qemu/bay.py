# SPDX-License-Identifier: BSD-2-Clause
"""A slot that disks are put into and taken out of while a boot runs, by QEMU's monitor."""
import re
import threading
import time

import qemu_launch as launch  # on the path by conftest.py
from monitor import Monitor

PATIENCE = 60

SLOT = 0x1a  # of the root bus
CAPABILITIES, EXPRESS, SLOT_CONTROL = 0x34, 0x10, 0x18  # PCIe 7.5.1.1.11, 7.5.3
POWER_OFF = 0x0700  # and its indicator off


class Bay:
    """A root port's slot, and a thread that goes through steps once the console says a pattern."""

    def __init__(self, folder):
        self.console = folder / "boot0" / "com1"
        self.monitor = Monitor(folder)
        self.arguments = ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
                          "-device", f"pcie-root-port,id=bay,chassis=9,slot=9,addr={SLOT:#x}",
                          *self.monitor.arguments]
        self.failed = None
        self.devfn = SLOT << 3

    def disk(self, serial, node="slow"):
        """QEMU arguments of a disk that is in the slot from the start."""
        return ["-device", f"nvme,id=ctrl,serial={serial},bus=bay,drive={node}"]

    def say(self, *commands):
        self.monitor.answers.clear()
        self.monitor._give(commands)
        return self.monitor.answers[-1]

    def wait_for(self, pattern, times=1):
        """Until the console has said it so often."""
        end = time.monotonic() + PATIENCE
        while len(re.findall(pattern, launch.read_text(self.console))) < times:
            if time.monotonic() > end:
                raise TimeoutError(f"{pattern}, {times} times")
            time.sleep(0.05)

    def _until(self, command, wanted):
        end = time.monotonic() + PATIENCE
        while wanted not in (answer := self.say(command)):
            if time.monotonic() > end:
                raise TimeoutError(f"{command}: {answer}")
            time.sleep(0.05)

    def take_out(self):
        """Presses the button, and waits until QEMU has taken the disk out."""
        self.say("device_del ctrl")
        self._until("device_del ctrl", "not found")

    def _port(self, register, size, value=None):
        """Reads or writes configuration space of the root port, beside what the image does by ECAM."""
        form = {1: "b", 2: "h", 4: "w"}[size]
        select = f"o /w 0xcf8 {1 << 31 | self.devfn << 8 | register & ~3:#x}"
        if value is None:
            return int(self.say(select, f"i /{form} {0xcfc + register % 4:#x}").split("=")[-1].split()[0], 0)
        return self.say(select, f"o /{form} {0xcfc + register % 4:#x} {value:#x}")

    def _slot_control(self):
        at = self._port(CAPABILITIES, 1)
        while self._port(at, 1) != EXPRESS:
            at = self._port(at + 1, 1)
        return at + SLOT_CONTROL

    def pull(self):
        """The disk is gone at once, unasked: QEMU takes it out when the slot's power goes, whoever turns that off."""
        at = self._slot_control()
        self._port(at, 2, self._port(at, 2) | POWER_OFF)
        if "not found" not in (answer := self.say("device_del ctrl")):
            raise RuntimeError(answer)

    def put_in(self, serial, node="slow"):
        answer = self.say(f"device_add nvme,id=ctrl,serial={serial},bus=bay,drive={node}")
        if "Error" in answer:
            raise RuntimeError(answer)

    def start(self, steps):
        """Runs steps(self) beside the boot."""
        def run():
            try:
                steps(self)
            except Exception as e:  # the test tells
                self.failed = e
        threading.Thread(target=run, daemon=True).start()
        return self
