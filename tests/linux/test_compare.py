# SPDX-License-Identifier: BSD-2-Clause
"""tools/linux/compare: what a read takes, on the same machine. One round."""
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIMES = 35  # fewer instructions than Linux takes, the best of each


class Compared:
    def __init__(self, file):
        done = subprocess.run([ROOT / "tools/linux/compare", "--rounds", "1", "--json", file],
                              capture_output=True, text=True)
        self.said = done.stdout + done.stderr
        self.status = done.returncode
        written = file.read_text() if file.exists() else ""
        self.lines = [json.loads(line) for line in written.splitlines()]

    def of(self, kind, **fields):
        return [line for line in self.lines if line["type"] == kind and fields.items() <= line.items()]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return Compared(tmp_path_factory.mktemp("compare") / "compare.json")


def test_it_ends_with_its_table(compared):
    assert compared.status == 0, compared.said
    rows = [line.split() for line in compared.said.splitlines()]
    summaries = compared.of("compare")
    assert len(summaries) == 2 * 4 + 5
    for one in summaries:
        assert [row for row in rows if row[:3] == [one["system"], one["job"], one["irq"]]], one


def test_what_was_read_is_what_is_there(compared):
    verified, = compared.of("verify")
    assert verified["linux_right"] is True and verified["linux_posted"] > 0
    assert verified["onebell_wrong"] == 0 < verified["onebell_reads"]
    assert all(row["errors"] == 0 < row["total_ios"] for row in compared.of("row"))


def test_linux_counts_the_notifications_that_the_model_sends(compared):
    """The model, checked by a system that nobody here wrote."""
    rows = compared.of("row", system="linux", irq="posted")
    assert len(rows) == 4 * 2
    assert all(row["pmn"] == row["model_notified"] > 0 for row in rows)
    assert sum(row["notifications"] for row in rows) > 0
    assert all(row["pmn"] == row["model_notified"] == 0
               for row in compared.of("row", system="linux", irq="remapped"))


def test_linux_handles_what_the_model_posts(compared):
    """A vector that is posted again before it was harvested is handled once."""
    for row in compared.of("row", system="linux", irq="posted"):
        assert row["handled"] == row["msis"] - row["repeated"]


def test_polled_reads_need_no_interrupt(compared):
    for row in compared.of("row", system="linux", job="polled"):
        assert row["msis"] < 0.01 * row["total_ios"]


@pytest.mark.parametrize("each_read_timed", [True, False])
def test_onebell_takes_a_fraction_of_the_instructions(compared, each_read_timed):
    one, = compared.of("ratio", each_read_timed=each_read_timed)
    assert one["times"] >= TIMES
