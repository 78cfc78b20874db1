# SPDX-License-Identifier: BSD-2-Clause
"""app=nvme against Debian's nvme-cli, which decodes the bytes that QEMU's controller returned."""
import re
import sys

import pytest
from conftest import ROOT, launch, stamped

sys.path.insert(0, str(ROOT / "tests/nvme-cli"))
import nvme_cli
from nvme_cli import GET_FEATURES, GET_LOG_PAGE, IDENTIFY, fields, plain, theirs

needs_nvme_cli = pytest.mark.skipif(not nvme_cli.NVME, reason="there is no nvme-cli")

COMMANDS = "list:id-ctrl:id-ns:smart-log:fw-log:error-log:get-feature:show-regs"
REGISTERS = {"cap": (0x00, 8), "vs": (0x08, 4), "cc": (0x14, 4), "csts": (0x1c, 4), "aqa": (0x24, 4),
             "asq": (0x28, 8), "acq": (0x30, 8), "cmbloc": (0x38, 4), "cmbsz": (0x3c, 4),
             "cmbmsc": (0x50, 8), "cmbsts": (0x58, 4)}


def pages_of(run, folder):
    def raw(kind):
        return bytes.fromhex(run.one(kind)["raw"])

    pages = nvme_cli.Pages(folder)
    pages.put(IDENTIFY, 1, raw("id-ctrl"))
    pages.put(IDENTIFY, 0, raw("id-ns"))
    pages.put(GET_LOG_PAGE, 1, raw("error-log"))
    pages.put(GET_LOG_PAGE, 2, raw("smart-log"))
    pages.put(GET_LOG_PAGE, 3, raw("fw-log"))
    for feature in run.of("get-feature"):
        pages.put(GET_FEATURES, feature["fid"], b"", dw0=feature["value"])
    nvme = run.one("nvme")
    pages.put_class({"serial": nvme["serial"], "model": nvme["model"],
                     "firmware_rev": nvme["firmware"]}, nvme["size"], nvme["block_size"])
    bar = bytearray(4096)
    for name, (offset, size) in REGISTERS.items():
        bar[offset:offset + size] = run.one("show-regs")[name].to_bytes(size, "little")
    pages.put_registers(bytes(bar))
    return pages


def section(console, first, last):
    """The console's lines from one that begins with `first` up to one that begins with `last`."""
    found = re.search(rf"^{first}.*?(?=^{last})", console, re.MULTILINE | re.DOTALL)
    assert found, first
    return [line for line in found[0].splitlines() if not re.match("[0-9a-f]{4}: ", line)]


def same_lines(ours, said, but=()):
    ours = fields(ours)
    assert len(ours) > 1
    assert ours == theirs(said.splitlines(), ours, but)


@needs_nvme_cli
def test_as_nvme_cli_says(boot, tmp_path):
    disk = launch.Disk(size="16m", lbas=[4096], controller={
        "mdts": 4, "cmb_size_mb": 16, "smart_critical_warning": 4, "aerl": 7})
    run = boot(f"app=nvme cmd={COMMANDS} raw=1", disks=[disk]).ended_well()
    pages = pages_of(run, tmp_path / "pages")
    console = run.console.replace("\r", "")

    same_lines(section(console, "NVME Identify Controller", "NVME Identify Namespace"),
               pages.nvme("id-ctrl", "/dev/nvme0"))
    same_lines(section(console, "NVME Identify Namespace", "Smart Log"),
               pages.nvme("id-ns", "/dev/nvme0n1"))
    smart = section(console, "Smart Log", "Firmware Log")
    same_lines(smart, pages.nvme("smart-log", "/dev/nvme0"))
    assert plain(smart[1]) == "critical_warning : 0x4"
    same_lines(section(console, "Firmware Log", "Error Log"),
               re.sub(r"\.+\)", ")", pages.nvme("fw-log", "/dev/nvme0")))  # dots for blanks
    said = pages.nvme("show-regs", "/dev/nvme0", "--human-readable")
    nvme_cli.registers_agree("\n".join(section(console, "cap  ", r"[^a-z ]|\Z")), said)
    for feature in run.of("get-feature"):
        said = pages.nvme("get-feature", "/dev/nvme0", f"--feature-id={feature['fid']}")
        assert said.splitlines()[0].replace(":00000000", ":0x00000000") in console
    # list has columns, of which one is Linux's alone.
    head, rule, row = section(console, "Node", "NVME Identify Controller")
    his = pages.nvme("list").splitlines()[2].replace("/dev/", "").replace(" 0x1 ", " 1 ")
    assert row.split() == [word for word in his.split() if word != "ng0n1"]
    assert plain(head) == plain(pages.nvme("list").splitlines()[0].replace("Generic", ""))


def test_each_controller_and_namespace(boot):
    disks = [launch.Disk(size="16m", lbas=[512, 4096]), *stamped(1)]
    run = boot("app=nvme cmd=list:id-ns filename=nvme0:nvme1n1", disks=disks).ended_well()
    assert [(row["device"], row["NameSpace"], row["SectorSize"]) for row in run.of("list")] == [
        ("nvme0", 1, 512), ("nvme0", 2, 4096), ("nvme1", 1, 512)]
    assert [(page["device"], page["nsid"]) for page in run.of("id-ns")] == [
        ("nvme0", 1), ("nvme0", 2), ("nvme1", 1)]
    assert all(row["PhysicalSize"] == 16 << 20 for row in run.of("list"))


def test_what_would_change_a_disk_is_refused(boot):
    run = boot("app=nvme cmd=set-feature fid=4 value=0x150", disks=stamped(1))
    run.failed("nvme-cli-refused", "nvme0", "allow-write=OB0001")


def test_a_feature_of_a_disk_that_is_named(boot):
    run = boot("app=nvme cmd=set-feature:get-feature fid=4 value=0x150 allow-write=OB0001 filename=nvme0",
               disks=stamped(2)).ended_well()
    assert run.one("set-feature")["device"] == "nvme0"
    assert run.one("get-feature")["value"] == 0x150


def test_an_unknown_command(boot):
    boot("app=nvme cmd=list:format", disks=stamped(1)).failed("nvme-cli-cmd", "format")


def test_the_job_tells_what_smart_has_counted(boot):
    well, worried = stamped(2)
    worried.controller["smart_critical_warning"] = 4
    run = boot("rw=read bs=64k runtime=0 irq=posted", disks=[well, worried]).ended_well()
    for disk in run.disk_jobs:
        health = run.one("health", filename=disk["filename"])
        read = disk["total_ios"] * disk["bs"]
        assert abs(health["bytes_read"] - read) <= 512000  # what SMART counts in
        assert (health["bytes_written"], health["media_errors"]) == (0, 0)
        assert health["kelvin_before"] == health["kelvin_after"] == 323
    assert run.one("warning")["message"].startswith("nvme1n1: it warns of its own state")
    run.line("nvme0n1 +50 C +50 C ")
