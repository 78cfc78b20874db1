# SPDX-License-Identifier: BSD-2-Clause
"""Debian's nvme-cli on bytes of one's choice, and what it and app=nvme say side by side."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build" / "nvme-cli"
NVME = shutil.which("nvme", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

GET_LOG_PAGE, IDENTIFY, GET_FEATURES = 0x02, 0x06, 0x0a


class Pages:
    """What the controller returns: see disk.c."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)

    def put(self, opcode, which, data, dw0=0):
        name = f"{opcode:02x}-{which:02x}"
        (self.folder / name).write_bytes(data)
        (self.folder / f"{name}.dw0").write_bytes(dw0.to_bytes(4, "little"))
        return self.folder / name

    def put_registers(self, data):
        path = self.folder / "sys/nvme/nvme0/device/resource0"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def put_class(self, serial, model, firmware):
        """What nvme-cli takes from sysfs: a controller with one namespace, in a subsystem of its own."""
        controller = self.folder / "sys/nvme/nvme0"
        subsystem = self.folder / "sys/nvme-subsystem/nvme-subsys0"
        (controller / "nvme0n1").mkdir(parents=True)
        (subsystem / "nvme0").mkdir(parents=True)
        for name, text in {"serial": serial, "model": model, "firmware_rev": firmware,
                           "subsysnqn": "nqn", "state": "live", "transport": "pcie",
                           "address": "0000:00:01.0", "cntlid": "0"}.items():
            (controller / name).write_text(text + "\n")
            (subsystem / name).write_text(text + "\n")

    def nvme(self, *words):
        """What nvme-cli prints. Its exit status doesn't tell success: 2.3's show-regs in JSON fails."""
        run = subprocess.run([NVME, *words], capture_output=True, timeout=60, check=False,
                             env={"NVME_PAGES": str(self.folder), "LD_PRELOAD": str(BUILD / "disk.so"),
                                  "LC_ALL": "C.UTF-8"})
        assert run.stdout and not run.stderr, run
        return run.stdout.decode()

    def nvme_json(self, *words):
        return json.loads(self.nvme(*words, "--output-format=json"))


def decode(*words):
    """What app=nvme would print, and its JSON object."""
    run = subprocess.run([BUILD / "decode", *map(str, words)], capture_output=True, text=True,
                         timeout=60, check=True)
    *lines, last = run.stdout.splitlines()
    return lines, json.loads(last)


def plain(text):
    """Blanks and the degree sign are no difference, nor whether Kelvin is written out."""
    text = text.replace("°C", " C").replace("Kelvin", "K").replace(" K)", "K)")
    return " ".join(text.split())


def fields(lines):
    """[(name, value)] of "name : value" lines, in their order; lines of other kinds are left out."""
    found = []
    for line in lines:
        match = re.match(r"([^:\[\]]*[^:\s\[\]])\s*: ?(.*)", plain(line))
        if match:
            found.append((match[1], match[2]))
    return found


def unsigned(value):
    """nvme-cli prints some numbers of 32 bits as signed ones."""
    return re.sub(r"(^|lat:)-(\d+)\b(?! C)",
                  lambda match: match[1] + str((1 << 32) - int(match[2])), value)


def same_number(ours, theirs, bits=32):
    """nvme-cli prints some unsigned numbers as signed ones."""
    return ours == theirs or (theirs < 0 and ours == theirs + (1 << bits))
