# SPDX-License-Identifier: BSD-2-Clause
"""Crashes on purpose: what a panic shows, and how it ends."""
import re

import pytest

from conftest import stamped


@pytest.mark.parametrize("crash, said, function", [
    ("page", "page fault at address 0x0*dead0000000", "crash_write"),
    ("double", "double fault", "crash_double_fault"),
    ("ud", "invalid opcode", "crash_invalid_opcode"),
])
def test_crash(boot, crash, said, function):
    run = boot(f"app=crash crash={crash} irq=posted", 40, disks=stamped(1))
    run.failed("panic")
    assert re.search(said, run.one("error")["message"])
    for register in ("rax", "rsp", "r15", "rip", "cr2", "cr3"):
        assert re.search(rf"\b{register} +[0-9a-f]{{16}}\b", run.console), register
    backtrace = run.console.split("backtrace:\n")[1]
    names = re.findall(r"^  (?:at|from) +[0-9a-f]{16} (\w+)\+0x[0-9a-f]+$", backtrace, re.MULTILINE)
    assert names[0] == function
    if crash != "double":  # which has lost its stack
        assert "crash_by" in names
    assert "kernel_main" in names
