# SPDX-License-Identifier: BSD-2-Clause
"""A driver of the Data Streaming Accelerator over qtest, from the specification (341204-006) alone."""

import struct
import time

from qtest_machine import Machine, bdf

VERSION, GENCAP, WQCAP, GRPCAP, ENGCAP, OPCAP, OFFSETS = 0, 0x10, 0x20, 0x30, 0x38, 0x40, 0x60
GENCFG, GENCTRL, GENSTS, INTCAUSE = 0x80, 0x88, 0x90, 0x98
CMD, CMDSTATUS, CMDCAP, SWERROR = 0xA0, 0xA8, 0xB0, 0xC0
ACTIVE = 1 << 31

(ENABLE, DISABLE, DRAIN_ALL, ABORT_ALL, RESET, ENABLE_WQ, DISABLE_WQ, DRAIN_WQ, ABORT_WQ, RESET_WQ,
 DRAIN_PASID, ABORT_PASID, REQUEST_HANDLE, RELEASE_HANDLE) = range(1, 15)
DISABLED, ENABLED, DRAINING, HALTED = range(4)
NOOP, BATCH, DRAIN, MOVE, FILL, COMPARE, COMPARE_PATTERN = range(7)
CRC, COPY_CRC = 0x10, 0x11
FENCE, BLOCK, VALID, RECORD, INTERRUPT, CHECK = 1, 2, 4, 8, 16, 128
ASK = VALID | RECORD

BAR0, BAR2 = 0xE0000000, 0xE1000000  # and 16 MiB on for each further device
RECORDS, DATA, OTHER = 0x600000, 0x700000, 0x780000
PORTAL = 0x4000


def options(**given):
    return "".join(f",{name.replace('_', '-')}={value}" for name, value in given.items())


class Accelerator:
    """The `index`-th device, in slot 8 + index of the bus."""

    def __init__(self, machine, index=0, address=None, master=True):
        self.machine, self.id = machine, f"dsa{index}"
        self.bdf = bdf(0, 8 + index) if address is None else address
        self.bar0, self.bar2 = BAR0 + index * 0x2000000, BAR2 + index * 0x2000000
        for at, bar in ((0x10, self.bar0), (0x18, self.bar2)):
            machine.config_write(self.bdf, at, bar)
            machine.config_write(self.bdf, at + 4, 0)
        machine.config_write(self.bdf, 4, 6 if master else 2, 2)
        tables = self.read(OFFSETS, 8)
        self.groups, self.wqs, self.permissions = ((tables >> shift & 0xFFFF) * 0x100
                                                   for shift in (0, 16, 32))
        self.wqcfg_bytes = 32 << (self.read(WQCAP, 8) >> 24 & 15)

    def read(self, at, size=4):
        return self.machine.read(self.bar0 + at, size)

    def write(self, at, value, size=4):
        self.machine.write(self.bar0 + at, value, size)

    def set(self, name, value):
        self.machine.qmp("qom-set", path=f"/machine/peripheral/{self.id}", property=name, value=value)

    # ---- commands ----

    def start(self, code, operand=0, interrupt=False):
        self.write(CMD, operand | code << 20 | (1 << 31 if interrupt else 0))

    def finish(self):
        self.until(lambda: not self.read(CMDSTATUS) & ACTIVE, "the command did not end")
        return self.read(CMDSTATUS)

    def command(self, code, operand=0, interrupt=False):
        """The error that it ends with; the result is in `result`."""
        self.start(code, operand, interrupt)
        status = self.finish()
        self.result = status >> 8 & 0xFFFF
        return status & 0xFF

    @staticmethod
    def until(condition, text):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, text

    @property
    def state(self):
        return self.read(GENSTS) & 3

    # ---- configuration ----

    def wqcfg(self, wq, at):
        return self.wqs + wq * self.wqcfg_bytes + at

    def configure_wq(self, wq=0, size=16, mode=1, priority=1, transfer=20, batch=5):
        self.write(self.wqcfg(wq, 0), size)
        self.write(self.wqcfg(wq, 8), mode | priority << 4)
        self.write(self.wqcfg(wq, 12), transfer | batch << 5)

    def configure_group(self, group=0, wqs=1, engines=1):
        self.write(self.groups + group * 64, wqs, 8)
        self.write(self.groups + group * 64 + 32, engines, 8)

    def wq_state(self, wq=0):
        return self.read(self.wqcfg(wq, 24)) >> 30

    def occupancy(self, wq=0):
        return self.read(self.wqcfg(wq, 24)) & 0xFFFF

    def bring_up(self, wqs=1, engines=1, **wq):
        """One group with the first queues and engines, all enabled."""
        for i in range(wqs):
            self.configure_wq(i, **wq)
        self.configure_group(0, (1 << wqs) - 1, (1 << engines) - 1)
        assert self.command(ENABLE) == 0
        for i in range(wqs):
            assert self.command(ENABLE_WQ, i) == 0
        return self

    # ---- interrupts ----

    def capability(self, wanted):
        return self.machine.find_capability(self.bdf, wanted)

    def msix_on(self):
        self.machine.config_write(self.bdf, self.capability(0x11) + 2, 1 << 15, 2)

    def program(self, entry, index, masked=False):
        """An MSI-X entry, to an entry of the remapping table."""
        table = 0x4000 + 16 * entry
        self.write(table, 0xFEE00010 | (index & 0x7FFF) << 5)
        self.write(table + 4, 0)
        self.write(table + 8, 0)
        self.write(table + 12, int(masked))

    # ---- descriptors ----

    def descriptor(self, op=NOOP, flags=ASK, record=RECORDS, source=0, destination=0, size=0, handle=0,
                   tail=b"", trusted=0):
        return struct.pack("<IIQQQIHH", trusted, flags | op << 24, record, source, destination, size,
                           handle, 0) + tail.ljust(24, b"\0")

    def submit_raw(self, data, wq=0, page=0, slot=0):
        at = self.bar2 + wq * PORTAL + page * 0x1000 + slot * 64
        for i, word in enumerate(struct.unpack("<8Q", data)):
            self.machine.write(at + 8 * i, word, 8)

    def submit(self, wq=0, page=0, **fields):
        record = fields.get("record", RECORDS)
        self.clear(record)
        self.submit_raw(self.descriptor(**fields), wq, page)
        return record

    def clear(self, record=RECORDS):
        for i in range(0, 32, 8):
            self.machine.write(record + i, 0, 8)

    def record(self, at=RECORDS):
        """Its status, result, Bytes Completed, fault address and value, once there is a status."""
        self.until(lambda: self.machine.read(at, 1), "no completion record")
        first, address, value = (self.machine.read(at + i, 8) for i in (0, 8, 16))
        return first & 0xFF, first >> 8 & 0xFF, first >> 32, address, value

    def run(self, **fields):
        return self.record(self.submit(**fields))

    def status(self, **fields):
        return self.run(**fields)[0]

    def settle(self, wq=0):
        """All that was submitted has been worked on."""
        assert self.command(DRAIN_WQ, 1 << wq) == 0

    def error(self):
        """SWERROR's code, or 0; and clears it."""
        word = self.read(SWERROR, 8)
        self.write(SWERROR, 3, 8)
        return word >> 8 & 0xFF if word & 1 else 0


def machine(count=1, plugin_args="", **given):
    devices = [f"onebell-dsa,id=dsa{i},addr={8 + i:#x}{options(**given)}" for i in range(count)]
    return Machine(devices=devices, plugin_args=plugin_args)


def put(machine, at, data):
    for i in range(0, len(data), 8):
        word = data[i:i + 8].ljust(8, b"\0")
        machine.write(at + i, int.from_bytes(word, "little"), 8)


def get(machine, at, size):
    words = b"".join(machine.read(at + i, 8).to_bytes(8, "little") for i in range(0, size, 8))
    return words[:size]
