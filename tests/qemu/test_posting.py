# SPDX-License-Identifier: BSD-2-Clause
"""app=selftest test=posting: it passes on the platform model, and each fault planted there fails what it should."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, stamped

# What it does on purpose, and a driver must not: requests through absent entries, reserved bits, and so on.
ON_PURPOSE = {"irta-invalid": 1, "entry-not-present": 9, "entry-reserved": 2, "posted-descriptor-memory": 1,
              "posted-descriptor-reserved": 1}
BREACH = 77  # the model's exit status where there were any


def verdicts(run):
    """{case: "passed", "failed" or "skipped"} of the machine's one unit."""
    cases = [test for test in run.of("test", name="posting") if "case" in test]
    assert [case["number"] for case in cases] == list(range(1, len(cases) + 1))
    return {case["case"]: case["status"] for case in cases}


def ktap(run):
    """The same, as the console's KTAP has it."""
    found = re.findall(r"^(not ok|ok) (\d+) (\S+)( # SKIP .+)?$", run.console, re.MULTILINE)
    return {name: "skipped" if skip else "passed" if result == "ok" else "failed"
            for result, _, name, skip in found}


def prove(run, folder):
    """What Perl's TAP::Harness makes of the console as it is, firmware's words and all."""
    file = folder / "console.tap"
    file.write_text(run.console)
    done = subprocess.run(["prove", "--exec", "cat", str(file)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_whole(boot, tmp_path):
    run = boot("app=selftest test=posting", cpus=3, disks=stamped(2), breaches=ON_PURPOSE)
    assert run.status == BREACH
    assert run.of("error") == [] and run.events[-1] == {"type": "end", "status": "ok"}
    found = verdicts(run)
    assert len(found) == 43
    # QEMU's unit has to be told of a new table.
    assert {case: status for case, status in found.items() if status != "passed"} == {
        "table-changed-alone": "skipped"}
    assert ktap(run) == found
    total = run.one("test", cases=43)
    assert (total["ok"], total["passed"], total["failed"], total["skipped"]) == (True, 42, 0, 1)
    assert run.of("fault") == []  # those that it provoked are its own
    run.check_stacks()
    run.check_warnings()
    status, said = prove(run, tmp_path)
    assert status == 0 and "Tests=43" in said and "Result: PASS" in said
    check_certificate(tmp_path)


def check_certificate(folder):
    """From what COM2 has said, firmware's words included, with the image that ran; and its signature holds."""
    key, public, out = folder / "lab.pem", folder / "lab.pub.pem", folder / "certificate.json"
    image = ROOT / "build/onebell.efi"
    for command in (["openssl", "genpkey", "-algorithm", "ed25519", "-out", key],
                    ["openssl", "pkey", "-in", key, "-pubout", "-out", public],
                    [ROOT / "tools/certificate", "make", folder / "boot0/com2", "--key", key, "--image", image,
                     "--out", out],
                    [ROOT / "tools/certificate", "check", out, "--public", public, "--image", image]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "QEMU" in done.stdout and "posting: passed (42 passed" in done.stdout
    assert len(json.loads(out.read_text())["certificate"]["results"]) == 43


FULL = pytest.mark.skipif(not os.environ.get("ONEBELL_FULL"), reason="ONEBELL_FULL isn't set")


@FULL
def test_kernels_parser(boot, tmp_path):
    """What reads KTAP in the Linux kernel, from Debian's linux-source, reads a run with a failed test as well."""
    source = max(Path("/usr/src").glob("linux-source-6.*.tar.xz"), default=None)
    if not source:
        pytest.skip("no linux-source: tools/setup.sh linux")
    subprocess.run(["tar", "-xJf", source, "-C", tmp_path, "--strip-components=1", "--wildcards",
                    "*/tools/testing/kunit/*.py"], check=True)
    boot("app=selftest test=posting", disks=stamped(2), plant="urg-ignored", breaches=ON_PURPOSE)
    done = subprocess.run([sys.executable, tmp_path / "tools/testing/kunit/kunit.py", "parse",
                           tmp_path / "boot0/com1"], capture_output=True, text=True, cwd=tmp_path)
    assert "[FAILED] urgent" in done.stdout and "[SKIPPED] table-changed-alone" in done.stdout
    assert "Ran 43 tests: passed: 41, failed: 1, skipped: 1" in done.stdout and "errors" not in done.stdout


# {fault that the model's unit has (tools/qemu/plant.h): tests that notice it, and no others}
PLANTS = {
    "on-not-set": ["burst", "on-set"],
    "on-ignored": ["burst", "on-coalesces", "on-cleared", "urgent-coalesces"],
    "on-with-sn": ["sn-leaves-on"],
    "sn-ignored": ["sn-suppresses", "sn-leaves-on"],
    "urg-ignored": ["urgent"],
    "urg-repeats": ["urgent-coalesces"],
    "pir-bit-wrong": ["pir-bits", "burst"],
    "pir-word-lost": ["burst", "on-cleared", "sn-cleared", "nv-changes", "ndst-changes"],
    # All that notify another CPU than the first; who is awake needs no notification.
    "ndst-shifted": ["notified", "asleep", "burst", "on-set", "on-cleared", "sn-cleared", "urgent", "nv-changes",
                     "ndst-changes"],
    "ndst-stale": ["ndst-changes"],
    "nv-stale": ["nv-changes"],
    "control-written": ["control-kept"],
    "subhandle-ignored": ["subhandle"],
    "data-added": ["data-ignored"],
    "bus-range-refused": ["sources"],
    "remapped-vector": ["remapped", "entry-kind-changed"],
    "stale-over-sirtp": ["table-changed"],
    "mask-ignored": ["entry-mask"],
    "fault-code-wrong": ["fault-26-source", "fault-26-remapped"],
    # The others' records are QEMU's own unit's, or have no index.
    "fault-index-wrong": ["fault-24-remapped", "fault-24-posted", "fault-26-source", "fault-26-remapped",
                          "fault-27-descriptor", "fault-28-descriptor"],
    "fault-source-wrong": ["fault-20-request", "fault-24-remapped", "fault-24-posted", "fault-25-compatibility",
                           "fault-26-source", "fault-26-remapped", "fault-27-descriptor", "fault-28-descriptor"],
    "fault-lost": ["fault-28-descriptor"],
    "fpd-ignored": ["fault-disabled"],
    "event-lost": ["fault-event"],
    "overflow-untold": ["fault-overflow"],
    "compatibility-passes": ["fault-25-compatibility"],
    "source-unchecked": ["fault-26-source", "fault-disabled"],
    "entry-reserved-passes": ["fault-24-remapped", "fault-24-posted"],
    "descriptor-reserved-passes": ["fault-28-descriptor"],
}
# What a test that fails early doesn't come to do, and what such a unit doesn't mind.
FEWER = {"event-lost": {"entry-not-present": 7}, "overflow-untold": {"entry-not-present": 8},
         "descriptor-reserved-passes": {"posted-descriptor-reserved": 0}}
# One of each kind; ONEBELL_FULL=1 runs all of them.
CHOSEN = ["on-not-set", "sn-ignored", "urg-ignored", "pir-bit-wrong", "ndst-stale", "fault-code-wrong",
          "stale-over-sirtp", "compatibility-passes"]


def test_plants_are_all_here():
    header = (ROOT / "tools/qemu/plant.h").read_text()
    assert set(re.findall(r'PLANT\(\w+,\s*"([\w-]+)"', header)) == set(PLANTS)


@pytest.mark.parametrize("plant", [
    pytest.param(plant, marks=[] if plant in CHOSEN else FULL) for plant in PLANTS])
def test_planted_fault(boot, tmp_path, plant):
    breaches = {rule: count for rule, count in {**ON_PURPOSE, **FEWER.get(plant, {})}.items() if count}
    run = boot("app=selftest test=posting", disks=stamped(2), plant=plant, breaches=breaches)
    found = verdicts(run)
    assert [case for case, status in found.items() if status == "failed"] == PLANTS[plant]
    assert ktap(run) == found
    run.failed("posting-failed", f"{len(PLANTS[plant])} of {len(found)} tests")
    for case in run.of("test", status="failed"):
        if "case" in case:
            run.line(re.escape(f"# {case['case']}: {case['message']}"))
    status, said = prove(run, tmp_path)
    assert status == 1 and f"Failed {len(PLANTS[plant])}/{len(found)} subtests" in said


ALONE = {"table-changed-alone"}
LESS = {"entry-not-present": 8}  # by the last fault of fault-overflow
# (machine, what is left out there, what it breaks on purpose)
MACHINES = {
    "remapped": ({"append": "irq=remapped"}, ALONE, {}),
    "one CPU": ({"append": "irq=posted", "cpus": 1, "disks": stamped(1)},
                ALONE | {"asleep", "ndst-changes", "fault-overflow"}, LESS),
    "never asleep": ({"append": "irq=poll"}, ALONE | {"asleep"}, {}),
    "mwait": ({"append": "idle=mwait"}, ALONE, {}),
    "high ids": ({"high_apic_ids": True, "cpus": 3}, ALONE, {}),
    "one source": ({"topology": "bridge"}, ALONE | {"fault-overflow"}, LESS),
    "open": ({"append": "dma=open unreachable=0"}, ALONE | {"fault-23-table", "fault-27-descriptor", "fence", "fence-beyond"},
             {"irta-invalid": 0, "posted-descriptor-memory": 0}),
}


@FULL
@pytest.mark.parametrize("name", MACHINES)
def test_other_machines(boot, name):
    options, skipped, breaches = MACHINES[name]
    options = dict(options)
    wanted = {rule: count for rule, count in {**ON_PURPOSE, **breaches}.items() if count}
    run = boot(f"app=selftest test=posting {options.pop('append', '')}", breaches=wanted,
               **{"disks": stamped(2), **options})
    assert run.status == BREACH and run.events[-1]["status"] == "ok"
    assert {case for case, status in verdicts(run).items() if status != "passed"} == skipped


@FULL
def test_unit_that_cannot_post(boot):
    """QEMU's own, which blocks no compatibility format."""
    run = boot("app=selftest test=posting", disks=stamped(2), model=False)
    run.failed("posting-failed", "1 of 43")
    found = verdicts(run)
    assert found["remapped"] == found["fault-22-absent"] == found["fence"] == found["restored"] == "passed"
    assert found["fault-25-compatibility"] == "failed"
    skipped = [case for case in run.of("test", status="skipped") if "CAP.PI" in case["message"]]
    assert len(skipped) == 30


@FULL
def test_no_unit(boot):
    run = boot("app=selftest test=posting irq=msi", disks=stamped(1))
    run.failed("posting-no-unit", "irq=msi")
    assert "KTAP" not in run.console
