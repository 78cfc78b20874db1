# SPDX-License-Identifier: BSD-2-Clause
"""tools/certificate: what a capture says is signed, and nothing of it can be changed afterwards."""
import copy
import hashlib
import json
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TEXT, DATA = b"code" * 100, b"constants" * 10


def image(text=TEXT):
    """An image whose kernel has two fixed segments a page apart, and a writable one."""
    headers = [(1, 5, 0x1000, 0x10000, 0x10000, len(text), len(text), 4096),
               (1, 4, 0x2000, 0x11000, 0x11000, len(DATA), len(DATA), 4096),
               (1, 6, 0x3000, 0x12000, 0x12000, 4, 4, 4096)]
    elf = b"\x7fELF\x02\x01\x01".ljust(32, b"\0") + struct.pack("<QQIHHH", 64, 0, 0, 64, 56, len(headers))
    elf = elf.ljust(64, b"\0") + b"".join(struct.pack("<IIQQQQQQ", *header) for header in headers)
    elf = elf.ljust(0x1000, b"\0") + text
    elf = elf.ljust(0x2000, b"\0") + DATA
    return b"MZ loader" + elf.ljust(0x3000, b"\0") + b"vary"


KERNEL = hashlib.sha256(TEXT.ljust(4096, b"\0") + DATA.ljust(4096, b"\0")).hexdigest()


def case(number, status="passed", message=""):
    return {"type": "test", "name": "posting", "case": f"case-{number}", "number": number, "unit": "0xfed90000",
            "device": "nvme0", "section": "5.2.3", "ok": status != "failed", "status": status, "message": message}


def run(*cases):
    sums = {kind: sum(c["status"] == kind for c in cases) for kind in ("passed", "failed", "skipped")}
    return [{"type": "platform", "cpus": 2, "cpu_model": "A CPU", "hypervisor": ""},
            {"type": "cpu", "cpu": 0},
            {"type": "vtd_unit", "unit": "0xfed90000", "cap": "0x1", "posting": True},
            {"type": "machine", "smbios": True, "manufacturer": "Maker", "product": "Server", "version": "", "serial":
             "S7", "bios_vendor": "B", "bios_version": "1.2", "bios_date": "03/04/2025", "cpu_signature": "0x000806f8",
             "microcode": "0x2b000461", "kernel_sha256": KERNEL},
            *cases,
            {"type": "test", "name": "posting", "ok": not sums["failed"], "status": "ok", "cases": len(cases), **sums},
            {"type": "end", "status": "failed" if sums["failed"] else "ok"}]


GOOD = run(case(1), case(2, "skipped", "one CPU"), case(3))


class Lab:
    def __init__(self, folder):
        self.folder = folder
        self.out = folder / "certificate.json"

    def key(self, name, *how):
        private, public = self.folder / f"{name}.pem", self.folder / f"{name}.pub"
        subprocess.run(["openssl", "genpkey", *how, "-out", private], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
        return private, public

    def run(self, *args):
        return subprocess.run([ROOT / "tools/certificate", *args], capture_output=True, text=True, timeout=60)

    def make(self, events, key, *more, noise=""):
        capture = self.folder / "com2"
        capture.write_text(noise + "".join(json.dumps(event) + "\n" for event in events))
        return self.run("make", capture, "--key", key, "--out", self.out, *more)

    def check(self, public, *more):
        return self.run("check", self.out, "--public", public, *more)


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.fixture
def keys(lab):
    return lab.key("lab", "-algorithm", "ed25519")


def refused(done, *words):
    assert done.returncode == 1 and done.stderr.startswith("certificate: ") and done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("how", [["-algorithm", "ed25519"], ["-algorithm", "RSA"],
                                 ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]], ids=lambda how: how[1])
def test_made_and_checked(lab, how):
    private, public = lab.key("lab", *how)
    done = lab.make(GOOD, private)
    assert (done.returncode, done.stderr) == (0, "")
    done = lab.check(public)
    assert done.returncode == 0
    assert "posting: passed (2 passed, 0 failed, 1 skipped)\nthe signature is valid\n" in done.stdout
    assert "Maker Server, serial number S7" in done.stdout and "microcode 0x2b000461" in done.stdout


def test_what_it_says(lab, keys):
    lab.make(GOOD, keys[0])
    certificate = json.loads(lab.out.read_text())["certificate"]
    assert certificate["machine"]["serial"] == "S7" and certificate["firmware"]["bios_version"] == "1.2"
    assert certificate["cpu"] == {"model": "A CPU", "signature": "0x000806f8", "microcode": "0x2b000461", "cpus": 2}
    assert certificate["units"] == [{"unit": "0xfed90000", "cap": "0x1", "posting": True}]
    assert certificate["image"] == {"kernel_sha256": KERNEL}
    assert [result["status"] for result in certificate["results"]] == ["passed", "skipped", "passed"]


def test_failed_tests_are_named(lab, keys):
    assert lab.make(run(case(1), case(2, "failed", "ON is 0")), keys[0]).returncode == 0
    done = lab.check(keys[1])
    assert done.returncode == 0
    assert "failed: 0xfed90000 case-2 (VT-d 5.2.3): ON is 0\nposting: failed (1 passed, 1 failed, 0 skipped)" \
        in done.stdout


def test_last_run_of_a_noisy_capture(lab, keys):
    noise = "BdsDxe: loading\n" + "".join(json.dumps(event) + "\n" for event in run(case(1, "failed", "x"))) + "\x1b[2J\n"
    lab.make(GOOD, keys[0], noise=noise)
    assert "posting: passed (2 passed" in lab.check(keys[1]).stdout


def leaves(value, path=()):
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    else:
        yield path


def changed(document, path):
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    value = at[path[-1]]
    at[path[-1]] = value + "x" if isinstance(value, str) else not value if isinstance(value, bool) else value + 1
    return document


def test_no_value_can_be_changed(lab, keys):
    lab.make(GOOD, keys[0])
    document = json.loads(lab.out.read_text())
    paths = [path for path in leaves(document) if path[-1] != "message"]  # some thirty and more
    assert len(paths) > 30
    for path in paths:
        lab.out.write_text(json.dumps(changed(document, path)))
        refused(lab.check(keys[1]))


def test_nothing_can_be_added_or_left_out(lab, keys):
    lab.make(GOOD, keys[0])
    text = lab.out.read_text()
    document = json.loads(text)
    more = copy.deepcopy(document)
    more["certificate"]["remark"] = "excellent"
    less = copy.deepcopy(document)
    del less["certificate"]["results"][1]
    for other in more, less:
        lab.out.write_text(json.dumps(other))
        refused(lab.check(keys[1]), "changed after it was signed")
    lab.out.write_text(text.replace('"verdict": "passed"', '"verdict": "failed", "verdict": "passed"'))
    refused(lab.check(keys[1]), "there twice")
    lab.out.write_text(json.dumps({**document, "remark": ""}))
    refused(lab.check(keys[1]))
    # Its layout doesn't count.
    lab.out.write_text(json.dumps(document))
    assert lab.check(keys[1]).returncode == 0


def test_another_key(lab, keys):
    _, other = lab.key("other", "-algorithm", "ed25519")
    lab.make(GOOD, keys[0])
    refused(lab.check(other), "another key")
    document = json.loads(lab.out.read_text())
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", other, "-outform", "DER"], capture_output=True).stdout
    document["signature"]["key_sha256"] = hashlib.sha256(der).hexdigest()
    lab.out.write_text(json.dumps(document))
    refused(lab.check(other), "the signature doesn't fit")


def test_image(lab, keys):
    ran, other = lab.folder / "ran.efi", lab.folder / "other.efi"
    ran.write_bytes(image())
    other.write_bytes(image(b"c0de" * 100))
    refused(lab.make(GOOD, keys[0], "--image", other), "not the image that ran")
    assert lab.make(GOOD, keys[0], "--image", ran).returncode == 0
    assert lab.check(keys[1], "--image", ran).returncode == 0
    refused(lab.check(keys[1], "--image", other), "not the image that ran")
    ran.write_bytes(image() + b"a signature")  # the same kernel in another file
    refused(lab.check(keys[1], "--image", ran), "another file")


@pytest.mark.parametrize("events, word", [
    (GOOD[:-1], "type end"), (GOOD[:3] + GOOD[4:], "type machine"), (GOOD[:5] + GOOD[6:], "isn't whole"),
    (GOOD[:-2] + GOOD[-1:], "isn't whole"), (run(case(1), case(3)), "isn't whole"),
    ([{**event, "passed": 3} if "cases" in event else event for event in GOOD], "don't add up"), ([], "type machine"),
])
def test_captures_that_are_not_whole(lab, keys, events, word):
    refused(lab.make(events, keys[0]), word)
    assert not lab.out.exists()


@pytest.mark.parametrize("line", ['{"type":"te', pytest.param('{"type":' * 100000, id="nested")])
def test_damaged_line(lab, keys, line):
    refused(lab.make(GOOD, keys[0], noise=f'{{"type":"platform"}}\n{line}\n'), "damaged")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"certificate": {"kind": "x"}, "signature": {}}', "[" * 100000])
def test_no_certificate(lab, keys, text):
    lab.out.write_text(text)
    refused(lab.check(keys[1]))


def test_key_that_is_none(lab):
    bad = lab.folder / "bad.pem"
    bad.write_text("nothing")
    refused(lab.make(GOOD, bad), "openssl")
