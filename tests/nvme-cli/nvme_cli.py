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


def version():
    said = subprocess.run([NVME, "version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:2])


# Later versions than Debian 12's tell of members that specifications after 2.0 have added.
TELLS_MORE = NVME is not None and version() > (2, 3)

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

    def put_class(self, controller, size=1 << 20, block_size=512):
        """What nvme-cli takes from sysfs: a controller in a subsystem of its own, with one namespace,
        of which all is used. Earlier versions identify that."""
        attributes = {"subsysnqn": "nqn", "state": "live", "transport": "pcie",
                      "address": "0000:00:01.0", "cntlid": "0", **controller}
        of_namespace = {"nsid": 1, "size": size // 512, "nuse": size // block_size, "csi": 0,
                        "queue/logical_block_size": block_size, "metadata_bytes": 0}
        classes = self.folder / "sys"
        for folder, values in {"nvme/nvme0": attributes, "nvme-subsystem/nvme-subsys0": attributes,
                               "nvme/nvme0/nvme0n1": of_namespace}.items():
            for name, value in values.items():
                path = classes / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{value}\n")
        (classes / "nvme-subsystem/nvme-subsys0/nvme0").mkdir()

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


def theirs(said, ours, but=()):
    """The fields in nvme-cli's lines, less what a later version has in store."""
    found = [(name, unsigned(value)) for name, value in fields(said) if name not in but]
    names = {name for name, _ in ours}
    return [field for field in found if field[0] in names or not TELLS_MORE]


def unsigned(value):
    """nvme-cli prints some numbers of 32 bits as signed ones."""
    return re.sub(r"(^|lat:)-(\d+)\b(?! C)",
                  lambda match: match[1] + str((1 << 32) - int(match[2])), value)


def same_number(ours, theirs, bits=32):
    """nvme-cli prints some unsigned numbers as signed ones."""
    return ours == theirs or (theirs < 0 and ours == theirs + (1 << bits))


# ---- show-regs ----

# What nvme-cli 2.3 says in lines of another shape, by what another register has, or, of CRIMT, wrongly.
OTHER_SHAPE = {"NVMe specification", "One or more I/O Command Sets (CSS)", "Only Admin Command Set (CSS)",
               "Not Ready (NRDY)", "CRIMT"}
if TELLS_MORE:
    OTHER_SHAPE.add("PMR Sustained Write Throughput (PMRSWTV)")  # 2.13 prints the unit's bits for it

# Bits 63:12 of an address, which later versions print as the field that they are.
OF_ADDRESS = {"Admin Submission Queue Base (ASQB)", "Admin Completion Queue Base (ACQB)",
              "Boot Partition Memory Buffer Base Address (BMBBA)"}


def registers(said):
    """{name: (value in hex, {field: what is said of it})}; fields are set in below their register."""
    found = {}
    for line in said.replace("\t", "    ").splitlines():
        register = re.match(r"(\w+) *: (?:0x)?([0-9a-f]+)$", line)
        if register:
            of_register = {}
            found[register[1]] = (register[2], of_register)
        elif line.startswith(" "):
            of_register.update(fields([line]))
    return found


def means_the_same(ours, theirs):
    """Numbers are alike; of words, ours are among nvme-cli's, and both say "not", or neither."""
    theirs = re.sub(r" \(.*|not conflicting ", "", theirs)
    if re.fullmatch(r"0x[0-9a-f]+|[0-9]+( bytes| ms| secs)?", ours):
        return ours.removeprefix("0x") == theirs.removeprefix("0x")
    ours, theirs = ours.lower(), theirs.lower()
    return ours in theirs and ("not" in ours.split()) == ("not" in theirs.split())


def same_field(name, ours, theirs):
    if name in OF_ADDRESS and TELLS_MORE:
        return int(ours, 16) == int(theirs, 16) << 12
    return means_the_same(ours, theirs)


def registers_agree(ours, said):
    """Ours and what `nvme show-regs -H` says, each as text."""
    mine, his = registers(ours), registers(said)
    for name, (value, members) in mine.items():
        assert value == his[name][0], name
        alike = {field: his[name][1].get(field) for field in members if field not in OTHER_SHAPE}
        if members and not TELLS_MORE:
            assert list(alike) == [field for field in his[name][1] if field not in OTHER_SHAPE], name
        for field, words in alike.items():
            assert words is None or same_field(field, members[field], words), (name, field, words)
    if mine["pmrctl"][1].get("Enable (EN)") == "Ready":
        not_ready = "Not Ready" in his["pmrsts"][1]["Not Ready (NRDY)"]
        assert not_ready == (mine["pmrsts"][1]["Not Ready (NRDY)"] == "1")
    of_cap = mine["cap"][1]
    sets, admin = of_cap["One or more I/O Command Sets (CSS)"], of_cap["Only Admin Command Set (CSS)"]
    assert f"One or more I/O Command Sets are {sets}\n" in said
    assert ("Only Admin Command Set Supported\n" in said) == (admin == "Supported")
    # Later versions have the tertiary version number as well.
    assert re.search(rf"NVMe specification {mine['version'][1]['NVMe specification']}(\.\d+)?\n", said)
