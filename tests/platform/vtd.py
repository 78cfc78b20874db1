# SPDX-License-Identifier: BSD-2-Clause
"""What the tests need of VT-d: registers, remapping entries, posted-interrupt descriptors."""

BASE = 0xFED90000
CAP, ECAP, GCMD, GSTS = 0x08, 0x10, 0x18, 0x1C
FSTS, FECTL, FEDATA, FEADDR, FEUADDR = 0x34, 0x38, 0x3C, 0x40, 0x44
IQT, IQA, IRTA = 0x88, 0x90, 0xB8
QIE, IRE, SIRTP = 1 << 26, 1 << 25, 1 << 24
PFO, PPF, IQE = 1, 2, 1 << 4
IM, IP = 1 << 31, 1 << 30
F = 1 << 63

TABLE = 0x200000
DESCRIPTOR = 0x300000
SVT_SID, SVT_BUS = 1, 2
EIME = 1 << 11


def posted(vector, descriptor=DESCRIPTOR, urgent=0, fpd=0, present=1, sid=0, sq=0, svt=0):
    low = present | fpd << 1 | urgent << 14 | 1 << 15 | vector << 16
    low |= (descriptor >> 6 & 0x3FFFFFF) << 38
    high = sid | sq << 16 | svt << 18 | descriptor >> 32 << 32
    return low, high


def remapped(vector, apic_id, present=1, sid=0, sq=0, svt=0):
    return present | vector << 16 | apic_id << 32, sid | sq << 16 | svt << 18


class Unit:
    def __init__(self, machine):
        self.machine = machine
        cap = self.read(CAP, 8)
        self.frcd = (cap >> 24 & 0x3FF) * 16
        self.records = (cap >> 40 & 0xFF) + 1

    def read(self, offset, size=4):
        return self.machine.read(BASE + offset, size)

    def write(self, offset, value, size=4):
        self.machine.write(BASE + offset, value, size)

    def set_table(self, address=TABLE, size_field=15, eime=True):
        self.write(IRTA, address | (EIME if eime else 0) | size_field, 8)
        self.write(GCMD, self.read(GSTS) & 0x96FFFFFF | SIRTP)

    def enable(self, **table):
        self.set_table(**table)
        self.write(GCMD, self.read(GSTS) & 0x96FFFFFF | IRE)
        assert self.read(GSTS) & IRE

    def entry(self, index, low_high, table=TABLE):
        self.machine.write(table + 16 * index, low_high[0], 8)
        self.machine.write(table + 16 * index + 8, low_high[1], 8)

    # ---- faults ----

    def fault(self):
        """The pending fault as (reason, source, index), or None."""
        status = self.read(FSTS)
        if not status & PPF:
            return None
        at = self.frcd + 16 * (status >> 8 & 0xFF)
        low, high = self.read(at, 8), self.read(at + 8, 8)
        assert high & F and not low & 0xFFFFFFFFFFFF, f"{high:#x} {low:#x}"
        return high >> 32 & 0xFF, high & 0xFFFF, low >> 48

    def clear_faults(self):
        for record in range(self.records):
            self.write(self.frcd + 16 * record + 12, 1 << 31)
        self.write(FSTS, PFO)


class Descriptor:
    def __init__(self, machine, address=DESCRIPTOR, vector=0xF0, apic_id=0, on=0, sn=0,
                 xapic=False):
        self.machine, self.address = machine, address
        for offset in range(0, 64, 8):
            machine.write(address + offset, 0, 8)
        self.control = on | sn << 1 | vector << 16 | (apic_id << 8 if xapic else apic_id) << 32

    @property
    def control(self):
        return self.machine.read(self.address + 32, 8)

    @control.setter
    def control(self, value):
        self.machine.write(self.address + 32, value, 8)

    @property
    def on(self):
        return self.control & 1

    def pir(self):
        """The vectors posted."""
        words = [self.machine.read(self.address + 8 * i, 8) for i in range(4)]
        return {64 * i + bit for i in range(4) for bit in range(64) if words[i] >> bit & 1}
