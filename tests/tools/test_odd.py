# SPDX-License-Identifier: BSD-2-Clause
"""tools/report/odd.py and rack.py: which machine is odd, in what, and when nothing may be said."""
import sys
from pathlib import Path

import pytest
import synthetic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from report import capture, odd, rack

RATE = odd.FIGURES[0]


def value(machine, *repeats):
    ordered = sorted(repeats)
    spread = {"min": ordered[0], "median": ordered[len(ordered) // 2], "max": ordered[-1]}
    return odd.Value(machine, spread, len(repeats))


def of(own, *others, figure=RATE):
    return odd.odd_value(value("own", *own), [value(f"m{i}", *o) for i, o in enumerate(others)], figure)


LIKE = (100, 101, 102), (99, 100, 103), (98, 101, 102)


def test_far_below():
    found = of((70, 71, 72), *LIKE)
    assert (found["own"], found["others"], found["verdict"]) == (71, 101, "differs")
    assert found["change"] == pytest.approx(-30 / 101)
    # The most unlikely deal of 12 values, 3 of them its own, both ways, for any of 4 machines.
    assert found["p"] == pytest.approx(4 * 2 / 220)


def test_too_few_machines_to_tell():
    assert of((70, 71, 72), *LIKE[:2])["verdict"] == "ranges apart"
    assert of((70,), (100,), (101,), (99,))["verdict"] == "ranges apart"


@pytest.mark.parametrize("own", [(95.5, 96.5, 97.5), (70, 71, 100)], ids=["less than 5%", "a repeat among theirs"])
def test_nothing_to_say(own):
    assert of(own, *LIKE) is None


def test_others_that_are_not_alike():
    """Farther from the median than 5%, and from all repeats, but no farther than they are from one another."""
    assert of((120, 121, 122), *LIKE[:2], (80, 81, 82)) is None


def test_others_that_have_none():
    """A share of nothing is none: there is a floor."""
    found = of((1, 1, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0), figure=odd.FIGURES[3])
    assert found["change"] == 20 and found["verdict"] == "differs"
    assert of((0, 0, 0), (0, 0, 0), (0, 0, 0), figure=odd.FIGURES[3]) is None


def facts(*values):
    return [(f["machine"], f["own"], f["others"])
            for f in odd.facts([(f"m{i}", v) for i, v in enumerate(values)])]


def test_facts():
    assert facts({"a": "1"}, {"a": "1"}, {"a": "1"}) == []
    assert facts({"a": "1"}, {"a": "2"}, {"a": "1"}) == [("m1", "2", "1")]
    assert facts({"a": "1"}, {"a": "1"}, {}) == [("m2", "none", "1")]
    assert facts({"a": "1"}, {"a": "2"}) == [("m0", "1", None), ("m1", "2", None)]
    assert facts({"a": "1"}, {"a": "1"}, {"a": "2"}, {"a": "2"}) == [
        (f"m{i}", v, None) for i, v in enumerate("1122")]  # half is no majority


# ---- captures ----

@pytest.fixture
def report(tmp_path):
    def run(*machines, absent=()):
        found = [capture.read_any(synthetic.write(tmp_path / f"m{i}.jsonl", objects))
                 for i, objects in enumerate(machines)]
        return rack.report_of(found, absent)

    return run


def test_alike(report):
    made, said, certain = report(*(synthetic.bench(1 + i / 200) for i in range(4)))
    assert (said, certain) == ([], False)
    assert made["sections"][0]["title"] == "Side by side"
    assert [v["why"].split(":")[0] for v in made["verdicts"]] == ["m0, m1, m2, m3"]


def test_absent_machines(report):
    made, said, certain = report(*[synthetic.bench()] * 3, absent={"m9": "its BMC is down", "m1": "hangs"})
    chart = made["sections"][0]["charts"][0]
    assert chart["rows"] == [["m1", "run", "hangs", "ended well"], ["m9", "run", "its BMC is down", "a result"]]
    assert said == ["m1: run: hangs; most have: ended well"] and certain
    assert made["subtitle"].startswith("3 machines that ran the same job, and 1 without a result: ")


def test_two_machines(report):
    """Neither is the odd one."""
    _, said, certain = report(synthetic.bench(), synthetic.bench(0.7))
    assert said[0].startswith("m1: I/O rate is 3") and "below m0's in 7" in said[0]
    assert "too few repeats to tell for certain" in said[0] and not certain


def test_runs_without_a_job(report):
    """app=platform has checks alone."""
    def checks(verdict):
        return [*synthetic.machine(), {"type": "platform_check", "id": "rmrr-ram", "verdict": verdict},
                {"type": "warning", "what": "apic-late", "message": "x"}, {"type": "end", "status": "ok"}]

    made, said, certain = report(checks("PASS"), checks("FAIL"), checks("PASS"))
    assert said == ["m1: platform_check rmrr-ram: FAIL; most have: PASS"] and certain
    assert len(made["runs"]) == 3


def test_a_single_job(report):
    """One repeat each can't tell for certain, whatever it is."""
    jobs = [[*synthetic.machine(), *synthetic.job(iops=rate), {"type": "end", "status": "ok"}]
            for rate in (50000.5, 50100.5, 49900.5, 20000.5)]
    _, said, certain = report(*jobs)
    assert len(said) == 1 and "m3: I/O rate is 60% below the others' median in posted, disks 8: 20,000 IOPS " \
        "against 50,000 IOPS (too few repeats to tell for certain)" in said[0] and not certain
