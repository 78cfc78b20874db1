# SPDX-License-Identifier: BSD-2-Clause
"""Results on the stick: kept in memory over a reset, and put into a file by the next start."""
import json
import subprocess

import pytest

from conftest import DEADLINE, ROOT, launch, stamped
from test_media import cdrom, need_tools

pexpect = pytest.importorskip("pexpect")

WORDS = "menu=1 results=1 irq=remapped runtime=300ms"


def waits_for_a_key(machine):
    """The menu has no clock."""
    machine.expect("what is to run")
    machine.expect("1 to 6, or Enter for 1   ")
    assert "which is taken" not in machine.before


@pytest.fixture
def start(tmp_path):
    """start(medium): a machine that resets where others end, and its console."""
    machines = []

    def run(medium):
        folder = tmp_path / f"start{len(machines)}"
        machine = launch.Machine(medium=medium, cpus=1, model=False, debug_exit=False, disks=stamped(1),
                                 com2=folder / "com2", model_json=folder / "model",
                                 extra=["-action", "reboot=reset"])
        launch.prepare(machine)
        program, *arguments = launch.command(machine)
        qemu = pexpect.spawn(program, list(map(str, arguments)), timeout=DEADLINE, encoding="utf-8",
                             codec_errors="replace")
        qemu.com2 = machine.com2
        machines.append(qemu)
        return qemu

    yield run
    for qemu in machines:
        qemu.close(force=True)


@pytest.fixture
def make(tmp_path):
    def run(kind):
        need_tools()
        medium = tmp_path / f"medium.{kind}"
        subprocess.run([ROOT / "tools/mkmedia", kind, "--efi", launch.BUILD / "onebell.efi", "--words", WORDS,
                        medium], check=True)
        return medium

    return run


def stick(medium):
    return ["-drive", f"if=none,id=stick,format=raw,file={launch.quoted(medium)}",
            "-device", "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=0"]


def files(medium):
    done = subprocess.run(["mdir", "-b", "-i", f"{medium}@@1M", "::/EFI/onebell/results"],
                          capture_output=True, text=True, check=True)
    return sorted(line.rsplit("/", 1)[1] for line in done.stdout.split())


def content(medium, name):
    done = subprocess.run(["mtype", "-i", f"{medium}@@1M", f"::/EFI/onebell/results/{name}"],
                          capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.timeout(6 * DEADLINE)
def test_kept_and_lost(start, make):
    """Two runs in one machine, each ending in a reset; then the power goes in the third."""
    medium = make("image")
    machine = start(stick(medium))
    for name in ("0001.jsonl", "0002.jsonl"):
        machine.expect("run: ok, ended")
        said = launch.read_json(machine.com2)
        machine.expect_exact(f"the results of the run before are in \\EFI\\onebell\\results\\{name}")
        waits_for_a_key(machine)
        kept = content(medium, name)
        assert kept[-1] == {"type": "end", "status": "ok"}
        assert [line["filename"] for line in kept if line["type"] == "job"] == ["nvme0n1", "all"]
        assert kept == said[-len(kept):]
        machine.send("1")
    assert files(medium) == ["0001.jsonl", "0002.jsonl"]
    machine.expect("run: ok, ended")
    machine.close(force=True)
    assert files(medium) == ["0001.jsonl", "0002.jsonl", "pending"]

    machine = start(stick(medium))
    machine.expect("results of the run before are lost, for memory doesn't have them: this machine clears "
                   "memory at a reset, or was switched off; take JSON from a serial port")
    waits_for_a_key(machine)
    assert files(medium) == ["0001.jsonl", "0002.jsonl"]


def test_read_only_volume(start, make):
    """Said once, and the run ends as without results=1: a reset would go on for ever."""
    machine = start(cdrom(make("iso")))
    machine.expect(r"volume that Onebell was started from can't be written to \(EFI_WRITE_PROTECTED\), so results "
                   "aren't kept: take JSON from a serial port")
    machine.expect("run: ok, ended")
    machine.expect(pexpect.EOF)
