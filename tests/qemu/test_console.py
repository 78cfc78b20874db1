# SPDX-License-Identifier: BSD-2-Clause
"""Where output goes: by firmware's SPCR, by console= and json=, over ports that are missing, shared, or read
by nobody."""
import contextlib
import fcntl
import json
import os
import struct
import threading

from conftest import launch, stamped

JOB = "irq=posted size=4m runtime=0 verify=crc32c"
RUNS = "Onebell\n"  # the kernel's first line
LAST_LINE = "job: ok: "


def spcr_option(folder, port, baud_code=0, interface=0):
    """QEMU puts length and checksum into the header."""
    header = struct.pack("<4sIBB6s8sI4sI", b"SPCR", 0, 2, 0, b"ONEBEL", b"ONEBELL ", 1, b"TEST", 1)
    gas = struct.pack("<BBBBQ", 1, 8, 0, 1, port)
    body = struct.pack("<B3x", interface) + gas + struct.pack(
        "<BBIBBBBBBHHBBBIBI", 3, 3, 3, baud_code, 0, 1, 0, 0, 0, 0xffff, 0xffff, 0, 0, 0, 0, 0, 0)
    assert len(header + body) == 80
    file = folder / f"spcr-{port:x}-{interface}"
    file.write_bytes(header + body)
    return ["-acpitable", f"file={file}"]


def pci_uart(chardev):
    """Function 00:05.0, a 16550 with its registers at ports."""
    return ["-chardev", f"{chardev},id=third", "-device", "pci-serial,chardev=third,addr=5"]


def ports(tmp_path):
    """What went to com1 and com2 of the first boot, as text and as objects."""
    folder = tmp_path / "boot0"
    return [(launch.read_text(folder / port), launch.read_json(folder / port))
            for port in ("com1", "com2")]


def kernel_part(text):
    """Without the loader's and firmware's lines."""
    return text[text.index(RUNS):]


def check_text(text):
    """All of it, and no line of JSON."""
    lines = kernel_part(text).splitlines()
    assert any(line.startswith(LAST_LINE) for line in lines)
    assert not any(line.startswith("{") for line in lines)


def check_objects(events):
    assert events[-1] == {"type": "end", "status": "ok"}
    types = [event["type"] for event in events]
    assert types.count("platform") == 1 and "job" in types and "error" not in types


def test_spcr_names_the_second_port(boot, tmp_path):
    """As on a board whose serial over LAN is there: people look at it, so tools take the other one."""
    done = boot(JOB, disks=stamped(1), extra=spcr_option(tmp_path, 0x2f8))
    assert done.status == launch.EXIT_OK
    (first, objects), (second, none) = ports(tmp_path)
    check_text(second)
    check_objects(objects)
    assert none == [] and LAST_LINE not in first
    assert "console: text on com2 (SPCR), screen; JSON on com1" in second
    assert "Onebell: " in second  # the loader's line, by firmware or by itself


def test_words_win_over_spcr_and_a_bad_one_is_told(boot, tmp_path):
    """Speed, and an interface that is no 16550's."""
    done = boot(JOB + " console=com1,9600n8 json=com2,57600", disks=stamped(1),
                extra=spcr_option(tmp_path, 0x2f8, interface=3))
    done.verified()
    done.line("console: text on com1; JSON on com2")
    assert done.one("warning")["what"] == "spcr"


def test_both_share_a_port(boot, tmp_path):
    done = boot(JOB + " json=console trace=64", disks=stamped(1))
    assert done.status == launch.EXIT_OK
    (both, objects), (_, none) = ports(tmp_path)
    check_objects(objects)
    assert none == []
    lines = kernel_part(both).splitlines()
    for line in lines:
        if "{" in line[1:] or line.startswith("{"):
            json.loads(line)  # the first character tells, and the whole line is the object
    assert any(line.startswith(LAST_LINE) for line in lines)


def test_pci_function(boot, tmp_path):
    """What is printed before it is found comes out there as well; a port that isn't there is told of."""
    third = tmp_path / "third"
    done = boot(JOB + " console=pci:0000:00:05.0 json=com3", disks=stamped(1),
                extra=pci_uart(f"file,path={third}"))
    assert done.status == launch.EXIT_OK
    text = launch.read_text(third)
    check_text(text)
    (_, objects), (_, none) = ports(tmp_path)
    check_objects(objects)  # on com1, the first that is there
    warning = next(event for event in objects if event["type"] == "warning")
    assert warning["what"] == "console-port" and "com3" in warning["message"]
    assert none == []


class Pipe:
    """A reader that goes away once it has seen something; from then on the pipe takes nothing."""

    def __init__(self, path, until):
        os.mkfifo(f"{path}.in")  # QEMU's names
        os.mkfifo(f"{path}.out")
        self.path = path
        self.file = os.open(f"{path}.out", os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.file, fcntl.F_SETPIPE_SZ, 4096)
        self.until = until
        self.seen = b""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while self.until not in self.seen and not self.ended.wait(0.01):
            with contextlib.suppress(BlockingIOError):
                self.seen += os.read(self.file, 4096)
        with contextlib.suppress(BlockingIOError):
            while not self.ended.is_set():
                os.write(self.file, b"x")

    def close(self):
        self.ended.set()
        self.thread.join()
        os.close(self.file)


def test_port_that_nobody_reads(boot, tmp_path):
    """Its transmitter never gets ready again: the run goes on, and says so on the other port."""
    pipe = Pipe(tmp_path / "pipe", b"irq=posted, up ")
    try:
        done = boot("irq=posted runtime=2s verify=crc32c console=pci:0000:00:05.0 json=com2",
                    disks=stamped(1), extra=pci_uart(f"pipe,path={pipe.path}"))
    finally:
        pipe.close()
    assert b"Onebell\r\n" in pipe.seen
    assert done.status == launch.EXIT_OK
    check_objects(done.events)
    assert done.job["total_ios"] > 0 and done.job["errors"] == 0
    warning = done.one("warning")
    assert warning["what"] == "console-port" and "pci:0000:00:05.0" in warning["message"]


def test_word_that_is_no_place(boot):
    """The loader reads it first, and people hear of it where they would without it."""
    done = boot("console=com9", 40, disks=stamped(1))
    assert done.status == launch.EXIT_FAILED
    assert 'Onebell cannot start: command line: "console=com9" is no list' in done.console
    assert done.one("error")["what"] == "cmdline-value"
    assert done.events[-1] == {"type": "end", "status": "failed"}
