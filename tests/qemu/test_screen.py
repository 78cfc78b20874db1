# SPDX-License-Identifier: BSD-2-Clause
"""The screen, whose display controller masters the bus no longer."""
import socket
import subprocess
import time

from conftest import DEADLINE, launch, stamped

LIT_LEAST = 5000  # of the pixels: some lines of text


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"no {what} within {DEADLINE} s"
        time.sleep(0.2)


def ask(monitor, command):
    """What QEMU's monitor answers."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(monitor))
        s.settimeout(DEADLINE)
        answer = b""
        while answer.count(b"(qemu) ") < 2:
            if answer.endswith(b"(qemu) "):
                s.sendall(command.encode() + b"\n")
            answer += s.recv(4096)
    return answer.decode(errors="replace")


def lit_pixels(ppm):
    _, _, _, pixels = ppm.read_bytes().split(b"\n", 3)
    return sum(1 for pixel in zip(*[iter(pixels)] * 3) if any(pixel))


def test_screen_shows_without_bus_mastering(tmp_path):
    monitor, screen = tmp_path / "monitor", tmp_path / "screen.ppm"
    machine = launch.Machine(append="irq=posted runtime=1s exit=halt", disks=stamped(1),
                             com1=tmp_path / "com1", com2=tmp_path / "com2",
                             model_json=tmp_path / "model", debug_exit=False,
                             extra=["-monitor", f"unix:{monitor},server,nowait"])
    launch.prepare(machine)
    with subprocess.Popen(launch.command(machine), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as qemu:
        try:
            wait_for(lambda: '"type":"end"' in launch.read_text(machine.com2), "end of the run")
            ask(monitor, f"screendump {screen}")
            wait_for(screen.exists, "picture")
            command = ask(monitor, "xp /1hx 0xb0008004") + ask(monitor, "xp /1hx 0xe0008004")
        finally:
            qemu.kill()
    assert ": 0x0003" in command  # of 00:01.0, where OVMF put ECAM: ports and memory, no mastering
    assert lit_pixels(screen) > LIT_LEAST
