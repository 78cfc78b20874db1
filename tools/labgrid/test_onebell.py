# SPDX-License-Identifier: BSD-2-Clause
"""The run of a labgrid target: pytest --lg-env tools/labgrid/qemu.yaml tools/labgrid"""
import re

import pytest
from pexpect import EOF

# What the kernel's console says once firmware is left, and of each app and the whole run at its end.
START = "leaving firmware"
RESULT = re.compile(r"^(job|bench|burnin|selftest \w+): (ok|failed)\b.*$", re.MULTILINE)
END = r"run: (ok|failed), ended"


@pytest.fixture(scope="module")
def run(target):
    """What the console said, and how the run ended."""
    option = target.env.config.get_option
    console, power = (target.get_driver(name) for name in ("ConsoleProtocol", "PowerProtocol"))
    power.cycle()
    try:
        console.expect(START, timeout=float(option("boot_timeout", 600)))
        _, said, ended, _ = console.expect([END, EOF], timeout=float(option("run_timeout", 3600)))
    finally:
        power.off()
    said = said.decode(errors="replace").replace("\r", "")
    assert ended is not EOF, f"the machine ended before its run: {said[-200:]}"
    return said, ended[1].decode()


def test_no_app_failed(run):
    failed = [found[0] for found in RESULT.finditer(run[0]) if found[2] == "failed"]
    assert not failed


def test_the_run_ended_well(run):
    said, status = run
    assert status == "ok", "\n".join(re.findall("^error: .*$", said, re.MULTILINE))
