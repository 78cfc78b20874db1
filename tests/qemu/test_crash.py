# SPDX-License-Identifier: BSD-2-Clause
"""Crashes on purpose: what a panic shows, and how it ends; and what a refused interrupt does."""
import re

import pytest

from conftest import launch, stamped

GUARD = r": a stack ran over into its guard page$"


def check_registers(run):
    for register in ("rax", "rsp", "r15", "rip", "cr2", "cr3"):
        assert re.search(rf"\b{register} +[0-9a-f]{{16}}\b", run.console), register


@pytest.mark.parametrize("crash, said, functions", [
    ("page", "page fault at address 0x0*dead0000000, error code 0x2: writing$",
     "crash_write crash_page_fault crash_by"),
    ("double", "double fault", "crash_double_fault"),  # which has lost its stack
    ("ud", "invalid opcode", "crash_invalid_opcode crash_by"),
    ("stack", f"double fault .*{GUARD}", "crash_recurse crash_recurse crash_recurse"),
    ("other", f"panic on CPU 1: double fault .*{GUARD}", "crash_recurse crash_recurse crash_recurse"),
    ("text", "page fault at address 0xffffffff8.*, error code 0x3: writing$",
     "crash_write crash_write_code crash_by"),
    ("nx", "page fault at address 0xffffffff8.*, error code 0x11: executing memory that isn't code$",
     "? crash_execute_data crash_by"),
    ("canary", "wrote past its local variables", "__stack_chk_fail crash_overrun crash_by"),
    ("panic", "app=crash asked for a panic$", "panic crash_panic crash_by"),
])
def test_crash(boot, crash, said, functions):
    run = boot(f"app=crash crash={crash} irq=posted", 40, disks=stamped(1)).failed("panic")
    assert re.search(said, run.one("error")["message"])
    check_registers(run)
    backtrace = run.console.split("backtrace:\n")[1]
    names = re.findall(r"^  (?:at|from) +[0-9a-f]{16} (\?|\w+(?=\+0x))", backtrace, re.MULTILINE)
    assert " ".join(names).startswith(functions)
    assert names[-1] == ("secondary_entry" if crash == "other" else "kernel_entry")


def test_an_msr_that_is_not_there(boot):
    """Reading it faults, and the run goes on."""
    run = boot("app=crash crash=msr", 40, cpus=1).ended_well()
    assert run.one("test", name="msr")["ok"]


def test_a_panic_while_another_cpu_prints(boot):
    """It holds the console's lock, and is in the middle of a line."""
    run = boot("app=crash crash=locked irq=posted", 40, cpus=2, disks=stamped(1)).failed("panic")
    assert "while another CPU prints" in run.one("error")["message"]
    assert re.search(r"^error: panic on CPU 0: app=crash asked", run.console, re.MULTILINE)
    check_registers(run)
    assert "CPU 1 goes on printing" not in run.console.split("error: panic")[1]


REFUSED = ("blocked an interrupt of 0000:00:", "(nvme0q1)", "(reason 28h)",
           "reserved bits of the posted-interrupt descriptor are set")


@pytest.mark.parametrize("mode", ["posted", "adaptive", "poll"])
def test_a_refused_interrupt(boot, mode):
    """The fault is told, its reads are served nonetheless, and interrupts go on afterwards."""
    run = boot(f"app=crash crash=fault irq={mode} nvme.timeout=2s", 40, disks=stamped(1),
               breaches={"posted-descriptor-reserved": 2})
    assert run.status == launch.EXIT_FAILED
    assert run.events[-1] == {"type": "end", "status": "failed"}
    assert run.one("test", name="fault", ok=False, faults=2, reads=3)
    assert [e["what"] for e in run.of("error")] == ["vtd-fault", "nvme-lost-interrupt", "vtd-fault"]
    assert run.one("recovery")["lost_interrupts"] == 2  # of which one is told
    disk, = run.of("nvme")
    told = run.of("error", what="vtd-fault")
    for fault, error in zip(run.of("fault"), told, strict=True):
        assert fault["message"] == error["message"]
        assert (fault["reason"], fault["what"]) == (0x28, "descriptor-reserved")
        assert fault["source"] == disk["pci"]
        for word in (*REFUSED, disk["pci"], f"through entry {fault['index']} "):
            assert word in fault["message"]
    lost = run.one("error", what="nvme-lost-interrupt")
    assert int(re.search(r"lay unseen for (\d+) ms", lost["message"])[1]) < 2000


def test_no_descriptor_to_refuse(boot):
    boot("app=crash crash=fault irq=remapped", 40, disks=stamped(1)).failed("crash-fault", "irq=remapped")
