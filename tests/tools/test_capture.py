# SPDX-License-Identifier: BSD-2-Clause
"""Captures as they come from serial ports: with text mixed in, cut, of other versions, or hostile.
What can't be used is left out by name, and the rest is there."""
import json
import random
import sys
from pathlib import Path

import pytest
import synthetic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from report import build, capture, fio, page
from report.checked import Odd, line_object

END = {"type": "end", "status": "ok"}


def read(tmp_path, objects):
    return capture.read(synthetic.write(tmp_path / "com2.jsonl", objects))


def left_out(tmp_path, objects):
    """What is said, where a good job is there as well."""
    return read(tmp_path, [*objects, *synthetic.job(), END]).left_out


def with_field(key, value, of="row"):
    line = synthetic.row("disks", 7, "posted")[0] if of == "row" else synthetic.job("nvme0n1")[0]
    return {**line, key: value}


def test_a_whole_run(tmp_path):
    found = read(tmp_path, synthetic.bench())
    assert (found.left_out, found.status, found.label) == ([], "ok", "com2")
    assert len(found.rows) == found.plan["rows"] == 100
    first = found.rows[0]
    assert sum(n for _, n in found.bins_of(first)) == first["total_ios"]
    assert len(found.machine["nvme"]) == 8


def test_text_between_and_before_lines(tmp_path):
    lines = synthetic.lines(synthetic.bench())
    stamped = [f"[2026-11-26 20:00:{i % 60:02}] {line}\r" for i, line in enumerate(lines)]
    mixed = [line for pair in zip(stamped, ["\x1b[2J\x1b[01;01HBdsDxe: loading", "\0\xff{", "{}"] *
                                  len(lines)) for line in pair]
    assert read(tmp_path, mixed).rows == read(tmp_path, lines).rows


def test_a_cut_line_is_left_out_alone(tmp_path):
    lines = synthetic.lines(synthetic.bench())
    at = next(i for i, line in enumerate(lines) if '"row":5' in line and '"bench"' in line)
    lines[at] = lines[at][:200]
    found = read(tmp_path, lines)
    assert len(found.rows) == 99
    cut, missing = found.left_out
    assert cut.startswith(f"line {at + 1}: cut or damaged JSON")
    assert missing == "99 of 100 rows of the bench are there"


def test_a_lost_part_of_the_bins(tmp_path):
    objects = synthetic.row("disks", 0, "posted")
    found = read(tmp_path, [*objects[:2], END])
    assert found.left_out == ["latencies of disks 0, clat_ns: 1 of 2 parts are there"]
    assert found.rows and not found.bins


def test_the_end_is_missing(tmp_path):
    assert read(tmp_path, synthetic.job()).left_out == ["the capture ends before the run does"]


@pytest.mark.parametrize("line, words", [
    (with_field("table", "colours"), "bench colours 7: table is 'colours', which this version"),
    (with_field("irq", "warp"), "bench disks 7: irq is 'warp', which this version doesn't know"),
    (with_field("iops", {"median": 1, "min": 2, "max": 3}), "iops: min, median and max are in the"),
    (with_field("iops", {"median": 1, "min": 0}), "bench disks 7: iops: max is missing"),
    (with_field("iops", 5), "iops is no object"),
    (with_field("disks", True), "disks is no number"),
    (with_field("disks", 0), "disks is out of range: 0"),
    (with_field("disks", 1.5), "disks is no whole number: 1.5"),
    (with_field("msis", -1), "msis is out of range: -1"),
    (with_field("msis", 10 ** 30), "msis is out of range: 1000000000000000000000000000000"),
    (with_field("clat_ns", {"mean": 1, "percentile": {"50": 9, "99": 5}}),
     "clat_ns: percentile: a higher percentile is a shorter time"),
    (with_field("clat_ns", {"mean": 1, "percentile": {"nan": 9}}), "'nan' is no percentile"),
    (with_field("iops", "many", of="job"), "job nvme0n1: iops is no number"),
    (with_field("rw", "spin", of="job"), "rw is 'spin', which this version doesn't know"),
    ('{"type":"bench","iops":NaN}', "NaN is no number"),
    ('{"type":"job","iops":-Infinity}', "-Infinity is no number"),
    ('{"type":"job","iops":1e999}', "job: filename is missing"),
    ('{"type":"job","filename":"x","iops":' + "9" * 5000 + "}", "cut or damaged JSON"),
    ('{"type":"job","x":' + "[" * 100000 + "}", "JSON that is nested too deep"),
    ('{"type":"bench","x":"' + "y" * (1 << 20) + '"}', "a line of 1,048,"),
    ('{"type":["bench"]}', "its type is no text"),
    ({"type": "bins", "table": "disks", "row": 0, "of": "clat_ns", "part": 2, "parts": 2,
      "bins": {}}, "bins disks 0: part is out of range: 2"),
    ({"type": "bins", "table": "disks", "row": 0, "of": "clat_ns", "part": 0, "parts": 10 ** 9,
      "bins": {}}, "parts is out of range"),
    ({"type": "bins", "table": "disks", "row": 0, "of": "clat_ns", "part": 0, "parts": 1,
      "bins": {"-5": 1}}, "'-5' is no time in ns"),
    ({"type": "bins", "table": "disks", "row": 0, "of": "clat_ns", "part": 0, "parts": 1,
      "bins": {"٣": 1}}, "is no time in ns"),
    ({"type": "bins", "filename": "all", "of": "clat_ns", "part": 0, "parts": 1,
      "bins": {"5": 0.5}}, "5 is no whole number: 0.5"),
    ({"type": "nvme", "filename": "nvme0n1", "size": "big"}, "nvme nvme0n1: size is no number"),
])
def test_odd_lines_are_left_out_by_name(tmp_path, line, words):
    said = left_out(tmp_path, [line])
    assert len(said) == 1
    assert said[0].startswith("line 1: ") and words in said[0], said[0]
    assert len(said[0]) < 250


def test_bins_whose_parts_disagree(tmp_path):
    bins = {"type": "bins", "filename": "all", "of": "clat_ns", "part": 0, "parts": 1, "bins": {}}
    said = left_out(tmp_path, [{**bins, "parts": 3}])
    assert "part 0 of 1, where others are of 3" in said[0]


def test_fields_of_another_version_do_no_harm(tmp_path):
    row = {**synthetic.row("disks", 0, "posted")[0], "colour": "red", "more": {"a": [1]}}
    found = read(tmp_path, [{"type": "weather", "rain": 1}, row, END])
    assert found.left_out == [] and "colour" not in found.rows[0]


def test_the_last_boot_with_results(tmp_path):
    first, second = synthetic.bench(), synthetic.bench(2.0)
    found = read(tmp_path, [*first, *second, *synthetic.machine()])
    assert found.rows[0]["iops"] == next(o for o in second if o["type"] == "bench")["iops"]
    assert found.left_out == ["1 earlier boots with results: the last one is shown"]


def test_many_left_out_are_summed_up():
    assert capture.said(["x"] * 30) == ["x"] * 20 + ["... and 10 more"]


@pytest.mark.parametrize("machine, emulated, bare", [
    ([{"type": "platform", "hypervisor": "TCGTCGTCGTCG"}], "TCGTCGTCGTCG", False),
    ([{"type": "platform", "hypervisor": ""}], "without a name", False),
    ([{"type": "platform", "hypervisor": "none"}], None, True),
    ([{"type": "platform"}], None, False),
    ([{"type": "nvme", "model": "QEMU NVMe Ctrl"}], "QEMU NVMe Ctrl", False),
    ([{"type": "platform", "hypervisor": "none"}, {"type": "nvme", "model": "QEMU NVMe Ctrl"}],
     "QEMU NVMe Ctrl", False),
])
def test_where_it_ran(tmp_path, machine, emulated, bare):
    found = read(tmp_path, [*machine, *synthetic.job(), END])
    why = capture.emulated(found)
    assert (emulated in why) if emulated else why is None
    assert capture.is_bare(found) == bare
    assert build.run_of(found)["emulated"] == (True if emulated else False if bare else None)


def test_runs_are_told_apart(tmp_path):
    objects = [*synthetic.job(), END]
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.mkdir()
        synthetic.write(path / "x.jsonl", objects)
    found = build.with_own_labels([capture.read(paths[i] / "x.jsonl") for i in (0, 1, 1)])
    assert [c.label for c in found] == ["a/x", "b/x", "b/x (2)"]


def test_damage_anywhere(tmp_path):
    """Bytes changed, cut out and doubled: never more than a sentence, and the report is made."""
    chance = random.Random(10)
    whole = "\n".join(synthetic.lines([*synthetic.machine(), *synthetic.row("disks", 0, "posted"),
                                       *synthetic.row("depth", 1, "poll"), *synthetic.job(), END]))
    made = 0
    for _ in range(300):
        text = whole
        for _ in range(chance.randint(1, 6)):
            at, length = chance.randrange(len(text)), chance.randint(1, 40)
            text = text[:at] + chance.choice(
                ["", text[at:at + length] * 2, "-", "9" * length, '"', "{", "null", "1e400", "<b>",
                 "\\u0000", ",", "\n"]) + text[at + length:]
        path = tmp_path / "damaged.jsonl"
        path.write_text(text)
        try:
            found = capture.read(path)
        except capture.CaptureError:
            continue
        report = build.build([found])
        page.data_of(report)
        json.dumps(fio.document(fio.jobs_of(found), "x"), allow_nan=False)
        assert "<b>" not in page.machine(report["runs"][0])
        made += 1
    assert made > 100


def test_no_object_is_none():
    assert line_object("just text") is None
    assert line_object('{"no":"type"}') is None
    with pytest.raises(Odd):
        line_object('{"type":"job"')
