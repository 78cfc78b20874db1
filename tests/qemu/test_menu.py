# SPDX-License-Identifier: BSD-2-Clause
"""The loader's menu: by a serial console, where firmware has one there. Time-out: test_media.py."""
import pytest

from conftest import DEADLINE, launch, stamped

pexpect = pytest.importorskip("pexpect")

# The words of another app, which the choice leaves behind.
WORDS = "menu=60 app=bench bench=quick irq=posted"


def test_choice_by_serial_line(tmp_path):
    machine = launch.Machine(append=WORDS, disks=stamped(1), com2=tmp_path / "com2", model_json=tmp_path / "model")
    launch.prepare(machine)
    program, *arguments = launch.command(machine)
    qemu = pexpect.spawn(program, list(map(str, arguments)), timeout=DEADLINE, encoding="utf-8", codec_errors="replace")
    try:
        qemu.expect("what is to run")
        qemu.expect("1  default ")
        qemu.expect("6  monitor ")
        qemu.expect("default: menu=60 app=bench")
        qemu.expect("which is taken in 60 s")
        qemu.expect("which is taken in 5[0-9] s")  # counts down
        qemu.send("x")
        qemu.expect("or Enter for 1   ")  # the clock has stopped
        qemu.send("4")
        qemu.expect("of 1 units post interrupts")
        qemu.expect(pexpect.EOF)
    finally:
        qemu.close(force=True)
    assert qemu.exitstatus == launch.EXIT_OK
    said = launch.read_json(machine.com2)
    assert [line["posting"] for line in said if line["type"] == "platform_summary"] == [1]
