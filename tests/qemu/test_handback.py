# SPDX-License-Identifier: BSD-2-Clause
"""What the next kernel finds of the remapping unit, once a run has ended."""
import re

import pytest

UNIT = 0xfed90000
GSTS, FECTL, IRTA = 0x1c, 0x38, 0xb8
REMAPS, QUEUES, TRANSLATES, MASKED = 1 << 25, 1 << 26, 1 << 31, 1 << 31


@pytest.mark.parametrize("mode", ["adaptive", "remapped"])
def test_the_unit_is_as_firmware_left_it(boot_and_say, mode):
    registers = [GSTS, FECTL, IRTA]
    run = boot_and_say(f"irq={mode} size=4m runtime=0 exit=halt", '"type":"end"',
                       *[f"xp /1wx {UNIT + at:#x}" for at in registers], "quit",
                       port="com2", debug_exit=False)
    assert run.events[-1] == {"type": "end", "status": "ok"}
    read = [int(re.search(r"^[0-9a-f]{16}: 0x([0-9a-f]{8})", answer, re.MULTILINE)[1], 16)
            for answer in run.monitor[:len(registers)]]
    values = dict(zip(registers, read, strict=True))
    assert not values[GSTS] & (REMAPS | QUEUES | TRANSLATES)
    assert values[FECTL] & MASKED
    assert values[IRTA] == 0
