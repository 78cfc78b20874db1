# SPDX-License-Identifier: BSD-2-Clause
"""app=selftest test=posting: it passes on the platform model, and each fault planted there fails what it should."""
import re
import subprocess

from conftest import stamped

# What it does on purpose, and a driver must not: requests through absent entries, reserved bits, and so on.
ON_PURPOSE = {"irta-invalid": 1, "entry-not-present": 10, "entry-reserved": 2, "posted-descriptor-memory": 1,
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
    assert len(found) == 42
    # QEMU's unit has to be told of a new table.
    assert {case: status for case, status in found.items() if status != "passed"} == {
        "table-changed-alone": "skipped"}
    assert ktap(run) == found
    total = run.one("test", cases=42)
    assert (total["ok"], total["passed"], total["failed"], total["skipped"]) == (True, 41, 0, 1)
    assert run.of("fault") == []  # those that it provoked are its own
    run.check_stacks()
    run.check_warnings()
    status, said = prove(run, tmp_path)
    assert status == 0 and "Tests=42" in said and "Result: PASS" in said
