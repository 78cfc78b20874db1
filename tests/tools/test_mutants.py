# SPDX-License-Identifier: BSD-2-Clause
"""The lists in tests/mutants fit the tree; their runner, on a tree with one file and two tests."""
import importlib.util
import subprocess
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "tests/mutants/run"

MAKEFILE = """\
build/host/tests/host/%: tests/host/%.c core
\t@mkdir -p $(@D)
\t@! grep -q syntax core
\t@cp $< $@ && chmod +x $@
"""
# "Host tests" that look at the file.
TEST_ONE = "#!/bin/sh\ngrep -q one core || { echo '[  FAILED  ] the_one'; exit 1; }\n"
TEST_TWO = "#!/bin/sh\nif grep -q endless core; then kill -9 $$; fi; grep -q two core\n"


def entry(id, stands, becomes, kills=(), lives="", file="core"):
    lives = f'lives = "{lives}"\n' if lives else ""
    return (f'[[mutant]]\nid = "{id}"\nfile = "{file}"\nstands = "{stands}"\nbecomes = "{becomes}"\n'
            f'breaks = "something"\nkills = {list(kills)}\n{lives}')


@pytest.fixture
def tree(tmp_path):
    for folder in ("tests/host", "tests/mutants", "tools"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "core").write_text("one\ntwo\nthree\n")
    (tmp_path / "tests/host/test_one.c").write_text(TEST_ONE)
    (tmp_path / "tests/host/test_two.c").write_text(TEST_TWO)

    def run(*entries, args=()):
        (tmp_path / "tests/mutants/area.toml").write_text("".join(entries))
        done = subprocess.run([RUNNER, "--top", tmp_path, *args], capture_output=True, text=True)
        assert done.stderr == ""
        assert (tmp_path / "core").read_text() == "one\ntwo\nthree\n"
        return done.returncode, done.stdout

    return run


def test_lists_fit_the_tree():
    done = subprocess.run([RUNNER, "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_deaths(tree):
    status, said = tree(entry("a", "one", "1", ["test_one"]), entry("b", "two", "2", ["test_one"]),
                        entry("c", "two", "endless", ["test_two"]))
    assert "area/a: died in test_one (the_one)\n" in said
    assert "area/b: died in test_two\n" in said  # another test than the one that is named
    assert "area/c: died in test_two\n" in said
    assert "all              3     3     0 100.0%\n" in said
    assert status == 0


def test_what_hangs_is_stopped(tmp_path):
    spec = importlib.util.spec_from_loader("runner", SourceFileLoader("runner", str(RUNNER)))
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    begun = time.monotonic()
    command = ["sh", "-c", "sleep 60 & wait"]
    assert runner.run_command(command, tmp_path, 0.5, tmp_path / "log") is None
    assert runner.run_command(["sh", "-c", "exit 3"], tmp_path, 5, tmp_path / "log") == 3
    assert time.monotonic() - begun < 30


def test_a_survivor_fails_the_run(tree):
    status, said = tree(entry("a", "three", "3", ["test_one"]))
    assert status == 1
    assert "area/a: LIVED, though it breaks this: something\n" in said


def test_a_survivor_with_a_reason(tree):
    live = entry("a", "three", "3", lives="nobody reads it")
    status, said = tree(live, args=["area"])
    assert (status, "area/a: lived: nobody reads it\n" in said) == (0, True)
    status, said = tree(live)  # a whole run, and less than 95% die
    assert (status, "  0.0%" in said) == (1, True)


def test_a_reason_that_is_wrong(tree):
    status, said = tree(entry("a", "one", "1", lives="nobody reads it"), args=["area/a"])
    assert status == 1
    assert "area/a: died in test_one (the_one), against its `lives` line\n" in said


def test_what_does_not_build_has_not_died(tree):
    status, said = tree(entry("a", "one", "syntax", ["test_one"]))
    assert status == 1
    assert "area/a: ERROR: area-a doesn't build: see " in said


def test_tests_must_pass_without_a_change(tree, tmp_path):
    (tmp_path / "tests/host/test_two.c").write_text("#!/bin/sh\nexit 1\n")
    status, said = tree(entry("a", "two", "2", ["test_two"]))
    assert status == 1
    assert said.startswith("test_two fails without any change")


def test_names_choose(tree):
    entries = entry("a", "one", "1", ["test_one"]), entry("b", "two", "2", ["test_two"])
    status, said = tree(*entries, args=["area/b"])
    assert status == 0
    assert "area/a" not in said and "area/b: died" in said
    status, said = tree(*entries, args=["elsewhere"])
    assert (status, said) == (1, "neither an area nor a mutant: elsewhere\n")



def test_two_at_a_time(tree):
    status, said = tree(entry("a", "one", "1", ["test_one"]),
                        entry("b", "%.c core", "%.h core", ["test_two"], file="Makefile"),
                        entry("c", "two", "2", ["test_two"]), args=["-j", "2"])
    assert "area/a: died in test_one" in said and "area/c: died in test_two" in said
    assert (status, "area/b: ERROR" in said) == (1, True)


@pytest.mark.parametrize("wrong, why", [
    (entry("a", "four", "4", ["test_one"]), "occurs 0 times in core"),
    (entry("a", "o", "4", ["test_one"]), "occurs 2 times in core"),
    (entry("a", "one", "one", ["test_one"]), "changes nothing"),
    (entry("a", "one", "1", ["test_gone"]), "there is no test test_gone"),
    (entry("a", "one", "1", ["tests/qemu/gone.py::test_x"]), "there is no test tests/qemu/gone.py"),
    (entry("a", "one", "1"), "nor which test notices"),
    (entry("a", "one", "1", ["test_one"], file="gone"), "occurs 0 times in gone"),
    (entry("a", "one", "1", ["test_one"]) * 2, "more than once"),
    (entry("a", "one", "1", ["test_one"]) + "why = 'x'\n", "unknown ['why']"),
    (entry("a", "one", "1", ["test_one"]).replace("breaks", "breaks_"), "missing ['breaks']"),
])
def test_wrong_lists_are_told(tree, wrong, why):
    for args in ([], ["--check"]):
        status, said = tree(wrong, args=args)
        assert status == 1
        assert why in said
