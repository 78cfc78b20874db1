# SPDX-License-Identifier: BSD-2-Clause
"""The image itself: its size, and what its interrupt handlers call. What it depends on: test_dist.py."""
import re
import subprocess

from conftest import launch

IMAGE = launch.BUILD / "onebell.efi"


def test_size():
    assert IMAGE.stat().st_size <= 1 << 20


def calls_of_the_kernel():
    """{function: functions that it calls or jumps to}, without calls through pointers."""
    said = subprocess.run(["objdump", "-d", "--no-show-raw-insn", launch.BUILD / "kernel.elf"],
                          capture_output=True, text=True, check=True).stdout
    calls = {}
    for name, body in re.findall(r"^[0-9a-f]+ <([\w.]+)>:\n(.*?)(?=\n\n|\Z)", said,
                                 re.MULTILINE | re.DOTALL):
        function = name.split(".")[0]
        targets = re.findall(r"\s(?:call|jmp|j\w+)\s+[0-9a-f]+ <(\w+)", body)
        calls.setdefault(function, set()).update(targets)
    return calls


def reached_from(calls, function):
    seen, rest = set(), [function]
    while rest:
        name = rest.pop()
        if name not in seen:
            seen.add(name)
            rest.extend(calls.get(name, ()))
    return seen


def test_interrupt_handlers_print_nothing():
    """A line printed where one is being printed waits for itself for ever. Exceptions take the
    console over first."""
    calls = calls_of_the_kernel()
    handlers = {name for name in calls if name.startswith("irq_take_")} - {"irq_take_vector"}
    assert {"irq_take_device", "irq_take_notification", "irq_take_timer", "irq_take_ipi",
            "irq_take_fault", "irq_take_error", "irq_take_spurious"} == handlers
    assert "console_put" in reached_from(calls, "vtd_report_faults")  # it can be found
    for handler in handlers:
        reached = reached_from(calls, handler)
        assert not reached & {"info", "warn", "error", "fail", "print", "report_json", "console_put",
                              "mem_alloc", "panic"}, handler
