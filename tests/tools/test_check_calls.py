# SPDX-License-Identifier: BSD-2-Clause
"""tools/check-calls on small trees of real objects, right and wrong."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def check(tmp_path):
    """Takes {source file: [functions that its own one calls]}; a file's own function has its name."""
    def name(file):
        return file.removesuffix(".c").replace("/", "_")

    def run(calls, stale=()):
        for file, callees in calls.items():
            source, made = tmp_path / file, tmp_path / "build" / file.replace(".c", ".o")
            source.parent.mkdir(parents=True, exist_ok=True)
            made.parent.mkdir(parents=True, exist_ok=True)
            source.write_text("".join(f"void {name(c)}(void);\n" for c in callees)
                              + f"void {name(file)}(void) {{ "
                              + " ".join(f"{name(c)}();" for c in callees) + " }\n")
            subprocess.run(["gcc", "-c", source, "-o", made], check=True)
            if file in stale:
                source.unlink()
        done = subprocess.run([ROOT / "tools/check-calls", tmp_path], capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


def test_downward_calls_are_fine(check):
    assert check({
        "init/main.c": ["drivers/vtd/a.c", "kernel/run/a.c"],
        "drivers/vtd/a.c": ["kernel/irq/a.c", "drivers/vtd/b.c"],
        "drivers/vtd/b.c": ["lib/a.c"],
        "kernel/run/a.c": ["kernel/irq/a.c"],
        "kernel/irq/a.c": ["lib/a.c"],
        "lib/a.c": [],
    }) == (0, "")


@pytest.mark.parametrize("folder", ["kernel/irq", "drivers/vtd", "apps", "init"])
def test_two_files_that_call_each_other(check, folder):
    status, said = check({f"{folder}/a.c": [f"{folder}/b.c"], f"{folder}/b.c": [f"{folder}/a.c"]})
    assert status == 1
    assert said.startswith("a circle of calls joins 2 files: ")
    assert f"{folder}/a -> {folder}/b ({folder.replace('/', '_')}_b)" in said
    assert said.count("\n") == 1


def test_a_longer_way_round(check):
    files = [f"kernel/run/{letter}.c" for letter in "abcd"]
    status, said = check({file: [files[(i + 1) % 4]] for i, file in enumerate(files)})
    assert status == 1
    assert "joins 4 files" in said


def test_two_circles_are_told_apart(check):
    status, said = check({"apps/a.c": ["apps/b.c"], "apps/b.c": ["apps/a.c", "kernel/run/a.c"],
                          "kernel/run/a.c": ["kernel/run/b.c"], "kernel/run/b.c": ["kernel/run/a.c"]})
    assert status == 1
    assert said.count("a circle of calls joins 2 files") == 2


def test_nor_may_one_of_a_driver(check):
    status, said = check({"drivers/nvme/a.c": ["drivers/nvme/b.c"],
                          "drivers/nvme/b.c": ["drivers/nvme/a.c"]})
    assert status == 1
    assert said.startswith("a circle of calls joins 2 files: drivers/nvme/a -> drivers/nvme/b ")


@pytest.mark.parametrize("file, callee", [
    ("lib/a.c", "kernel/base/a.c"),
    ("kernel/base/a.c", "kernel/run/a.c"),
    ("kernel/cpu/a.c", "kernel/irq/a.c"),
    ("kernel/run/a.c", "drivers/vtd/a.c"),
    ("drivers/vtd/a.c", "drivers/nvme/a.c"),
    ("apps/a.c", "drivers/nvme/a.c"),
    ("init/other.c", "drivers/nvme/a.c"),
])
def test_no_call_goes_up(check, file, callee):
    """An `extern` in the C file itself gets past the include check, not past this one."""
    status, said = check({file: [callee], callee: []})
    assert status == 1
    assert said.startswith(f"{file.removesuffix('.c')} calls {callee.removesuffix('.c')} (")


def test_what_an_older_build_left_does_not_count(check):
    assert check({"kernel/irq/a.c": ["kernel/irq/old.c"], "kernel/irq/old.c": ["kernel/irq/a.c"]},
                 stale=["kernel/irq/old.c"]) == (0, "")


def test_without_objects(tmp_path):
    done = subprocess.run([ROOT / "tools/check-calls", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert "run make first" in done.stdout
