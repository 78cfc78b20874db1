# SPDX-License-Identifier: BSD-2-Clause
"""The screen, whose display controller masters the bus no longer: its panel while a job runs, and the
result at the end, as people and phones read them."""
import contextlib
import hashlib
import os
import re
import socket
import subprocess
import time

import pytest

from conftest import DEADLINE, launch, stamped
from picture import Picture

GREEN, RED = bytes.fromhex("1f8a43"), bytes.fromhex("c9302c")  # behind the large letters
FULL = pytest.mark.skipif("ONEBELL_FULL" not in os.environ, reason="ONEBELL_FULL=1")


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end, f"no {what} within {DEADLINE} s"
        time.sleep(0.2)
    return found


class Screen:
    """A machine that runs, and what it shows."""

    def __init__(self, folder, machine, font_height, scale):
        self.folder, self.machine = folder, machine
        self.font_height, self.scale = font_height, scale

    def ask(self, command):
        """What QEMU's monitor answers."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.folder / "monitor"))
            s.settimeout(DEADLINE)
            answer = b""
            while answer.count(b"(qemu) ") < 2:
                if answer.endswith(b"(qemu) "):
                    s.sendall(command.encode() + b"\n")
                answer += s.recv(4096)
        return answer.decode(errors="replace")

    def picture(self):
        path = self.folder / "screen.ppm"
        self.ask(f"screendump {path}")
        return Picture(path, self.font_height, self.scale)

    def wait_for_line(self, pattern):
        wait_for(lambda: re.search(pattern, launch.read_text(self.machine.com1)), pattern)

    def wait_for_code(self):
        """The last picture, and what its QR code says."""
        self.wait_for_line("run: .*, ended")

        def look():
            picture = self.picture()
            return picture.code() and (picture, picture.code())
        return wait_for(look, "QR code")


@contextlib.contextmanager
def screen(folder, append, size, font_height, scale=1, disks=1):
    width, height = size
    machine = launch.Machine(append=append, disks=stamped(disks), com1=folder / "com1",
                             com2=folder / "com2", model_json=folder / "model", debug_exit=False,
                             extra=["-monitor", f"unix:{folder}/monitor,server=on,wait=off",
                                    "-global", f"VGA.xres={width}", "-global", f"VGA.yres={height}",
                                    "-global", "VGA.vgamem_mb=64",  # at 75 Hz, firmware's reader of
                                    "-global", "VGA.refresh_rate=30000"])  # EDID knows no 4K
    launch.prepare(machine)
    with subprocess.Popen(launch.command(machine), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as qemu:
        try:
            yield Screen(folder, machine, font_height, scale)
        finally:
            qemu.kill()


def build_hash(folder):
    """As kernel/base/image.h has it."""
    code = folder / "code"
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", "-j", ".rodata",
                    launch.BUILD / "kernel.elf", code], check=True)
    return hashlib.sha256(code.read_bytes()).hexdigest()


def check_panel(rows):
    assert re.fullmatch(r"  Onebell  job  randread of 4 KiB, iodepth 32, posted +\d:\d\d elapsed", rows[0])
    assert re.fullmatch(r"  #+ +\d+% +\d+:\d\d left", rows[2])
    assert rows[4].split() == ["disk", "IOPS", "B/s", "mean", "temp", "errors"]
    assert re.fullmatch(r"  nvme0n1 +#+ +[\d.]+k? +[\d.]+[kM] +[\d.]+ [mu]s +50 C +0", rows[5])
    assert re.fullmatch(r"  CPU 0 +#+ +\d+% +CPU 1 +#+ +\d+%", rows[7])
    assert re.fullmatch(r"  MSIs/s [\d.k]+ +notifications/s [\d.k]+ +per MSI [\d.]+ +errors 0", rows[9])
    assert set(rows[11]) == {"#"}


def check_result(shown, code, machine):
    """The picture and the code say the same, and what the machine said elsewhere."""
    job, = [event for event in launch.read_json(machine.com2)
            if event["type"] == "job" and event["filename"] == "all"]
    lines = code.split("\n")
    assert lines[0] == "PASS job"
    assert lines[1].startswith(f"randread of 4 KiB, 1 disk, posted: {int(job['iops']):,} IOPS, p99 ")
    assert lines[1].endswith(", 0 errors")
    assert lines[2] == "Onebell " + build_hash(shown.path.parent)[:12]
    assert shown.colours()[GREEN] > shown.width * shown.height / 30
    return lines


def test_job_without_bus_mastering(tmp_path):
    with screen(tmp_path, "irq=posted runtime=3s exit=halt", (1920, 1080), 24) as s:
        s.wait_for_line(r"job: 2\.\d of")
        panel = s.picture().text()
        shown, code = s.wait_for_code()
        command = s.ask("xp /1hx 0xb0008004") + s.ask("xp /1hx 0xe0008004")
    assert ": 0x0003" in command  # of 00:01.0, where OVMF put ECAM: ports and memory, no mastering
    check_panel(panel)
    assert any("job: 2." in row for row in panel[12:])  # the log goes on below
    lines = check_result(shown, code, s.machine)
    rows = shown.text()
    for line in lines:
        assert any(row.startswith("  " + line) for row in rows)
    assert any(row.startswith("  job: ok: ") for row in rows)


@FULL
@pytest.mark.parametrize("size, font_height, scale", [
    ((640, 480), 16, 1), ((800, 600), 16, 1), ((2560, 1440), 32, 1), ((3840, 2160), 24, 2)])
def test_sizes(tmp_path, size, font_height, scale):
    with screen(tmp_path, "irq=posted runtime=3s exit=halt", size, font_height, scale) as s:
        s.wait_for_line(r"job: 2\.\d of")
        panel = s.picture().text()
        shown, code = s.wait_for_code()
    assert (shown.width, shown.height) == size
    check_panel(panel)
    check_result(shown, code, s.machine)


@FULL
def test_failure_without_large_letters(tmp_path):
    with screen(tmp_path, "nobigstatus filename=nvme9n1 exit=halt", (800, 600), 16) as s:
        shown, code = s.wait_for_code()
    lines = code.split("\n")
    assert lines[0] == "FAIL job"
    assert "nvme9n1" in lines[1]
    assert shown.colours()[RED] == 0
    assert shown.text()[1].startswith("  FAIL")


@FULL
def test_panic(tmp_path):
    with screen(tmp_path, "app=crash crash=page exit=halt", (1024, 768), 16) as s:
        shown, code = s.wait_for_code()
    assert code.startswith("FAIL crash\n")
    assert shown.colours()[RED] > shown.width * shown.height / 30


def test_a_keyboard_alone(tmp_path):
    """Neither serial port says anything to the monitor: it is typed to, and answers on the screen."""
    with screen(tmp_path, "app=monitor exit=halt", (800, 600), 16) as s:
        s.wait_for_line("monitor|>")
        time.sleep(1)
        for key in ["h", "shift-x", "backspace", "backspace", "c", "p", "u", "s", "ret"]:
            s.ask(f"sendkey {key}")
        wait_for(lambda: any("cpus" in row and ">" in row for row in s.picture().text()), "command")
        for key in ["p", "o", "w", "e", "r", "o", "f", "f", "ret"]:
            s.ask(f"sendkey {key}")
        _, code = s.wait_for_code()
    assert code.startswith("PASS monitor\n")
