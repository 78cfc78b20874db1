# SPDX-License-Identifier: BSD-2-Clause
"""tools/trace on small traces made by hand: text, Perfetto's JSON, pictures, damaged files."""
import json
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HZ = 1_000_000_000  # a TSC that counts nanoseconds
SVG = "{http://www.w3.org/2000/svg}"

# A CPU that sleeps, is notified of two vectors, finds a third one at the last harvest.
POSTED = [
    [1000, "sleep", 0], [5000, "notify", 0],
    [5200, "harvest", 0], [5300, "post", 32], [5400, "post", 33], [5500, "harvest-end", 2],
    [5600, "clear-on", 0],
    [5700, "harvest", 0], [5750, "post", 40], [5800, "harvest-end", 1],
    [6000, "eoi", 0], [6100, "wake", 0],
    [7000, "handler", 32], [9000, "handler-end", 32], [9100, "handler", 33],
    [9500, "timer", 0], [9900, "eoi", 0],
    [11000, "handler-end", 33], [11500, "handler", 40], [12750, "handler-end", 40],
    [13000, "sleep", 0],
]

FLOW = """\
posted: 3 vectors, 1 interrupt, 7.8 us, CPU 0
     at us   took us
     0.000     1.000  notification
     0.200     0.300      harvest: 2 vectors
     0.300                    post nvme0q1
     0.400                    post nvme1q1
     0.600                ON cleared
     0.700     0.100      harvest: 1 vector
     0.750                    post vector 28h
     1.000                EOI
     1.100            loop goes on
     2.000     2.000  handler nvme0q1
     4.100     1.900  handler nvme1q1
     4.500     0.400      timer interrupt
     4.900                    EOI
     6.500     1.250  handler vector 28h
"""

REMAPPED = [
    [1000, "sleep", 0],
    [2000, "device", 33], [2300, "eoi", 0], [2500, "device", 32], [2900, "eoi", 0],
    [3000, "wake", 0],
    [3100, "handler", 32], [4000, "handler-end", 32],
    [4100, "handler", 33], [5000, "handler-end", 33],
    [6000, "sleep", 0],
]

ADAPTIVE = [
    [1000, "spin", 0],
    [2000, "harvest", 0], [2100, "post", 32], [2200, "post", 33], [2300, "harvest-end", 2],
    [2400, "handler", 32], [3000, "handler-end", 32],
    [3100, "handler", 33], [3600, "handler-end", 33],
    [4000, "spin", 0],
]


def trace_line(events, cpu=0, lost=0, **other):
    return json.dumps({"type": "trace", "cpu": cpu, "tsc_hz": HZ, "lost": lost, "events": events,
                       **other})


def lines_of(events, mode="posted", cpu=0, lost=0, each=7):
    """What a run sends: names, the job, and the events in objects of a few each."""
    names = [{"type": "irq", "name": f"nvme{i}q1", "chip": "VTD-POST", "cpu": cpu, "vector": 32 + i}
             for i in range(2)]
    rest = [{"type": "platform", "tsc_hz": HZ}, {"type": "irq", "name": "PMN", "count": 1}, *names,
            {"type": "job", "filename": "all", "irq": mode}]
    return ([json.dumps(line) for line in rest] +
            [trace_line(events[i:i + each], cpu, lost) for i in range(0, len(events), each)] +
            ['{"type":"end","status":"ok"}'])


@pytest.fixture
def file(tmp_path):
    def write(lines, name="run.jsonl"):
        path = tmp_path / name
        path.write_text("".join(line + "\n" for line in lines))
        return path

    return write


def run(*args):
    return subprocess.run([ROOT / "tools/trace", *args], capture_output=True, text=True, timeout=60)


def said(*args):
    """What it prints where all is well."""
    done = run(*args)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*args):
    done = run(*args)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def burst_of(events, vector, start, step=100):
    """Appends a burst by a notification: `vector` is a list; each handler takes `step`."""
    now = start
    events += [[now, "notify", 0], [now + 10, "harvest", 0]]
    events += [[now + 20, "post", v] for v in vector]
    events += [[now + 30, "harvest-end", len(vector)], [now + 40, "eoi", 0]]
    now += 50
    for v in vector:
        events += [[now, "handler", v], [now + step, "handler-end", v]]
        now += step
    events.append([now + 10, "sleep", 0])
    return events


# ---- text ----

def test_flow(file):
    assert said(file(lines_of(POSTED))) == FLOW
    assert said("--burst", file(lines_of(POSTED, each=1))) == FLOW


def test_several_files_show_the_same_number_of_vectors(file):
    more = burst_of(list(REMAPPED), [32, 33], 7000)
    more = burst_of(more, [32], 9000)
    text = said(file(lines_of(more, "remapped"), "a"), file(lines_of(ADAPTIVE, "adaptive"), "b"))
    first, second = text.split("\n\n")
    assert first.startswith("remapped: 2 vectors, ")
    assert second.startswith("adaptive: 2 vectors, 0 interrupts, 1.6 us, CPU 0\n")


def test_a_remapped_msi_is_its_own_interrupt(file):
    text = said(file(lines_of(REMAPPED, "remapped")))
    assert text.startswith("remapped: 2 vectors, 2 interrupts, 3.0 us, CPU 0\n")
    assert "     0.500     0.400  interrupt nvme0q1\n     0.900                EOI\n" in text


def test_a_notification_that_only_wakes_belongs_to_the_burst(file):
    woken = [[100, "sleep", 0], [900, "notify", 0], [950, "eoi", 0], [960, "wake", 0]]
    woken += ADAPTIVE[1:]
    text = said(file(lines_of(woken, "adaptive")))
    assert text.startswith("adaptive: 2 vectors, 1 interrupt, 2.7 us, CPU 0\n")


def test_handlers_within_the_harvest(file):
    events = [[0, "notify", 0], [10, "harvest", 0], [20, "post", 32], [30, "harvest-end", 1],
              [40, "handler", 32], [50, "handler-end", 32],
              [60, "harvest", 0], [70, "post", 33], [80, "harvest-end", 1],
              [90, "handler", 33], [95, "handler-end", 33], [100, "clear-on", 0], [110, "eoi", 0]]
    text = said(file(lines_of(events)))
    assert text.startswith("posted: 2 vectors, 1 interrupt, 0.1 us")
    assert "     0.040     0.010      handler nvme0q1\n" in text


def test_handlers_within_the_harvest_don_t_wait_for_the_loop(file):
    before = [[0, "notify", 0], [10, "harvest", 0], [20, "post", 50], [30, "harvest-end", 1],
              [40, "eoi", 0]]  # vector 50 is the loop's, which is busy
    burst = [[100, "notify", 0], [110, "harvest", 0], [120, "post", 32], [130, "harvest-end", 1],
             [140, "handler", 32], [150, "handler-end", 32], [160, "eoi", 0]]
    text = said(file(lines_of(before + burst)))
    assert text.startswith("posted: 1 vector, 1 interrupt, 0.1 us")
    assert "post vector 32h" not in text


def test_an_interrupt_within_a_handler_within_the_harvest(file):
    events = [[0, "notify", 0], [10, "harvest", 0], [20, "post", 32], [30, "harvest-end", 1],
              [40, "handler", 32], [50, "timer", 0], [60, "eoi", 0], [70, "handler-end", 32],
              [80, "clear-on", 0], [90, "eoi", 0]]
    assert said(file(lines_of(events))).splitlines()[2:] == [
        "     0.000     0.090  notification",
        "     0.010     0.020      harvest: 1 vector",
        "     0.020                    post nvme0q1",
        "     0.040     0.030      handler nvme0q1",
        "     0.050     0.010          timer interrupt",
        "     0.060                        EOI",
        "     0.080                ON cleared",
        "     0.090                EOI"]


def test_without_names_and_job(file):
    text = said(file([trace_line(POSTED)], "lonely.jsonl"))
    assert text.startswith("lonely: 3 vectors")
    assert "post vector 20h\n" in text


def test_a_long_burst_is_cut(file):
    vectors = list(range(32, 232))
    text = said(file(lines_of(burst_of([], vectors, 0))))
    assert text.endswith("... 203 more steps\n")  # of 200 posts, 200 handlers, and 3 around them
    assert text.count("\n") == 2 + 200 + 1


# ---- time in handlers ----

HANDLERS = """\
posted: time in handlers
CPU  irq                 calls     total us    mean us    most us  share
  0  nvme0q1                 1        2.000      2.000      2.000  16.7%
  0  nvme1q1                 1        1.500      1.500      1.500  12.5%
  0  vector 28h              1        1.250      1.250      1.250  10.4%
"""


def test_handlers(file):
    """The timer's interrupt that came within one is not in its time."""
    assert said("--handlers", file(lines_of(POSTED))) == HANDLERS


def test_handlers_of_several_calls_cpus_and_files(file):
    events = burst_of(burst_of([], [33, 32], 0, 100), [32], 1000, 500)
    path = file(lines_of(events) + [trace_line(burst_of([], [32], 0, 50), cpu=1)])
    first, second = said("--handlers", path, file(lines_of(REMAPPED, "remapped"), "b")).split("\n\n")
    assert [line.split() for line in first.splitlines()[2:]] == [
        ["0", "nvme0q1", "2", "0.600", "0.300", "0.500", "38.5%"],  # of 1560 ns
        ["0", "nvme1q1", "1", "0.100", "0.100", "0.100", "6.4%"],
        ["1", "vector", "20h", "1", "0.050", "0.050", "0.050", "45.5%"]]
    assert second.startswith("remapped: time in handlers\n")


def test_handlers_next_to_a_burst(file, tmp_path):
    path = file(lines_of(POSTED))
    assert said("--handlers", "--burst", path) == HANDLERS + "\n" + FLOW
    assert said("--handlers", "--perfetto", tmp_path / "out", path) == HANDLERS


def test_handlers_where_none_ran(file):
    nothing_whole = trace_line([[5, "handler-end", 32]], cpu=1)
    text = said("--handlers", file(lines_of([[5, "sleep", 0], [9, "wake", 0]]) + [nothing_whole]))
    assert text.count("\n") == 2


def test_handlers_that_took_no_time(file):
    text = said("--handlers", file(lines_of([[5, "handler", 32], [5, "handler-end", 32]])))
    assert text.endswith("1        0.000      0.000      0.000   0.0%\n")


# ---- which burst ----

@pytest.fixture
def several(file):
    """Bursts of 1, 3, 2, 3, 3 and 2 vectors."""
    events = []
    for start, count, step in ((0, 1, 100), (10000, 3, 500), (20000, 2, 100), (30000, 3, 200),
                               (40000, 3, 900), (50000, 2, 700)):
        burst_of(events, list(range(32, 32 + count)), start, step)
    return file(lines_of(events))


def test_the_median_of_the_busiest_is_chosen(several):
    assert said(several).startswith("posted: 3 vectors, 1 interrupt, 1.6 us")


def test_vectors_can_be_asked_for(several):
    assert said("--vectors", "1", several).startswith("posted: 1 vector, 1 interrupt, 0.1 us")
    assert refused("--vectors", "4", several) == (
        "trace: posted: no burst of 4 vectors was kept: run with a longer trace=N\n")


def test_a_cpu_can_be_asked_for(file):
    both = file(lines_of(POSTED) + [trace_line(burst_of([], [32], 0), cpu=1)])
    assert said(both).startswith("posted: 3 vectors")
    assert said("--cpu", "1", both).splitlines()[0].endswith("CPU 1")
    assert "no whole burst was kept" in refused("--cpu", "2", both)


def test_files_without_a_burst_in_common_are_refused(file):
    a = file(lines_of(burst_of([], [32], 0)), "a")
    b = file(lines_of(POSTED, "remapped"), "b")
    assert refused(a, b) == ("trace: posted and remapped: no whole burst was kept in each: "
                             "run with a longer trace=N\n")


def test_what_comes_while_handlers_run_is_of_the_next_burst(file):
    events = [[0, "device", 32], [10, "eoi", 0], [100, "handler", 32],
              [150, "device", 33], [160, "eoi", 0], [200, "handler-end", 32],
              [300, "handler", 33], [900, "handler-end", 33], [950, "sleep", 0]]
    text = said(file(lines_of(events, "remapped")))
    assert text.startswith("remapped: 1 vector, 2 interrupts, 0.2 us")
    assert "handler nvme1q1" not in text


def test_a_burst_with_msis_from_before_is_not_whole(file):
    events = [[0, "device", 32], [10, "eoi", 0], [100, "handler", 32],
              [150, "device", 33], [160, "eoi", 0], [200, "handler-end", 32],
              [250, "device", 34], [260, "eoi", 0], [300, "handler", 33], [400, "handler-end", 33],
              [400, "handler", 34], [500, "handler-end", 34], [600, "sleep", 0]]
    path = file(lines_of(events, "remapped"))
    assert said(path).startswith("remapped: 1 vector, ")
    assert "no burst of 2 vectors was kept" in refused("--vectors", "2", path)


def test_handlers_whose_msis_were_overwritten_are_no_burst(file):
    cut = [[100, "handler", 32], [200, "handler-end", 32]]
    path = file(lines_of(cut + POSTED))
    assert "no burst of 1 vector was kept" in refused("--vectors", "1", path)


def test_a_burst_that_nothing_handles_is_none(file):
    events = [[0, "notify", 0], [10, "harvest", 0], [20, "post", 99], [30, "harvest-end", 0],
              [40, "eoi", 0], [50, "sleep", 0]]
    assert "no whole burst was kept" in refused(file(lines_of(events)))
    assert said(file(lines_of(events + POSTED))) == FLOW


# ---- rings that wrapped, and events out of order ----

def test_ends_without_beginning_are_dropped(file, tmp_path):
    cut = [[500, "harvest-end", 2], [600, "eoi", 0], [700, "handler-end", 32]]
    assert said(file(lines_of(cut + POSTED, lost=12345))) == FLOW
    said(file(lines_of(cut + POSTED, lost=12345)), "--perfetto", tmp_path / "out")
    out = json.loads((tmp_path / "out").read_text())
    assert out["otherData"] == {"overwritten entries": {"posted, CPU 0": 12345}}
    assert min(e["ts"] for e in out["traceEvents"] if "ts" in e) == 0  # the sleep's, at 1000


def test_nothing_but_ends(file, tmp_path):
    ends = file(lines_of([[500, "harvest-end", 2], [600, "eoi", 0]]))
    assert "no whole burst was kept" in refused(ends)
    said(ends, "--perfetto", tmp_path / "out")
    assert {e["ph"] for e in json.loads((tmp_path / "out").read_text())["traceEvents"]} == {"M"}


def test_what_never_ended_ends_with_the_trace(file, tmp_path):
    path = file(lines_of(POSTED + [[14000, "notify", 0], [15000, "clear-on", 0]]))
    said(path, "--perfetto", tmp_path / "out")
    events = json.loads((tmp_path / "out").read_text())["traceEvents"]
    assert [(e["ts"], e["dur"]) for e in events if e.get("cat") == "notify"] == [(4, 1), (13, 1)]


def test_an_interrupt_that_came_within_a_trace_point(file):
    """Its entries lie ahead of the interrupted one's, whose time is earlier."""
    moved = [e for e in POSTED if e != [9100, "handler", 33]]
    moved.insert(moved.index([9900, "eoi", 0]) + 1, [9100, "handler", 33])
    assert moved != POSTED
    assert said(file(lines_of(moved))) == FLOW


# ---- damaged files ----

@pytest.mark.parametrize("line", [
    '{"type":"trace","cpu":0,"tsc_hz":1000,"lost":0,"eve',
    trace_line([[1, "post"]]),
    trace_line([[1, "post", 1, 1]]),
    trace_line([["1", "post", 1]]),
    trace_line([[-1, "post", 1]]),
    trace_line([[1, 2, 3]]),
    trace_line([[1, "post", True]]),
    trace_line({"a": 1}),
    trace_line([], cpu=-1),
    trace_line([], lost=None),
    trace_line([], tsc_hz=0),
    trace_line([], tsc_hz="fast"),
    '{"type":"trace"}',
    pytest.param('{"type":' * 100000, id="nested"),
])
def test_a_bad_line_is_left_out_and_said(file, line):
    good = lines_of(POSTED)
    path = file(good[:6] + [line] + good[6:])
    done = run(path)
    assert (done.returncode, done.stdout) == (0, FLOW)
    assert done.stderr.startswith(f"trace: {path}:7: left out: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("line", [
    "BdsDxe: starting Boot0001", "", "[1]", "\x1b[2J\x1b[01;01H", "{}", '{"type":7}',
    '{"type":"irq","vector":"x"}', '{"type":"irq","cpu":[],"vector":32}', '{"type":"job"}',
])
def test_other_lines_don_t_matter(file, line):
    good = lines_of(POSTED)
    assert said(file(good[:6] + [line] + good[6:])) == FLOW


def test_kinds_that_are_new_to_it_are_shown_by_name(file):
    assert "     1.050            rang\n" in said(file(lines_of(POSTED + [[6050, "rang", 1]])))


def test_no_trace(file, tmp_path):
    empty, without = file([], "empty"), file(lines_of([]), "without")
    for path in (empty, without):
        assert refused(path) == f"trace: {path}: holds no trace: run with trace=4096\n"
    assert refused(tmp_path / "absent") == f"trace: {tmp_path / 'absent'}: no such file\n"
    assert refused(file(lines_of(POSTED)), without) != ""


def test_a_file_that_can_t_be_written(file, tmp_path):
    path = file(lines_of(POSTED))
    for option in ("--perfetto", "--picture"):
        assert str(tmp_path / "no/out") in refused(path, option, tmp_path / "no/out")


# ---- Perfetto ----

def test_perfetto(file, tmp_path):
    later = [[tsc + 500, kind, arg] for tsc, kind, arg in ADAPTIVE]
    path = file(lines_of(POSTED) + [trace_line(later, cpu=1)])
    other = file(lines_of(REMAPPED, "remapped"), "b")
    assert said(path, other, "--perfetto", tmp_path / "out") == ""
    events = json.loads((tmp_path / "out").read_text())["traceEvents"]

    names = {(e["name"], e["pid"], e["tid"]): e["args"]["name"] for e in events if e["ph"] == "M"}
    assert names == {("process_name", 1, 0): "posted", ("thread_name", 1, 0): "CPU 0",
                     ("thread_name", 1, 1): "CPU 1", ("process_name", 2, 0): "remapped",
                     ("thread_name", 2, 0): "CPU 0"}

    first = [e for e in events if e["pid"] == 1 and e["tid"] == 0]
    spans = [(e["name"], e["ts"], e["dur"]) for e in first if e["ph"] == "X"]
    assert spans == [
        ("sleep", 0, 4), ("notification", 4, 1), ("harvest: 2 vectors", 4.2, 0.3),
        ("harvest: 1 vector", 4.7, 0.1), ("handler nvme0q1", 6, 2), ("handler nvme1q1", 8.1, 1.9),
        ("timer interrupt", 8.5, 0.4), ("handler vector 28h", 10.5, 1.25), ("sleep", 12, 0)]
    marks = [(e["name"], e["ts"]) for e in first if e["ph"] == "i"]
    assert marks == [("post nvme0q1", 4.3), ("post nvme1q1", 4.4), ("ON cleared", 4.6),
                     ("post vector 28h", 4.75), ("EOI", 5), ("loop goes on", 5.1), ("EOI", 8.9)]
    assert {e["s"] for e in events if e["ph"] == "i"} == {"t"}
    assert [e["ts"] for e in events if e["pid"] == 2 and e.get("cat") == "sleep"] == [0, 5]


# ---- the picture ----

def test_picture(file, tmp_path):
    out = tmp_path / "out.svg"
    assert said("--picture", out, file(lines_of(burst_of([], [32, 33], 0, 500)), "a"),
                file(lines_of(REMAPPED, "remapped"), "b"),
                file(lines_of(ADAPTIVE, "a<d>ptive"), "c")) == ""
    root = xml.fromstring(out.read_text())
    texts = [t.text for t in root.iter(f"{SVG}text")]
    titles = [t.text for t in root.iter(f"{SVG}text") if t.get("font-weight") == "bold"]
    assert titles == ["posted: 2 vectors, 1 interrupt, 1.1 us",
                      "remapped: 2 vectors, 2 interrupts, 3.0 us",
                      "a<d>ptive: 2 vectors, 0 interrupts, 1.6 us"]
    for lane in ("MSI seen", "interrupt", "harvest", "handler"):
        assert texts.count(lane) == 3
    assert texts.count("nvme0q1") == 3
    assert sum(line.get("stroke-width") == "1.5" for line in root.iter(f"{SVG}line")) == 6  # MSIs

    width, height = float(root.get("width")), float(root.get("height"))
    rects = list(root.iter(f"{SVG}rect"))
    # The paper; then interrupts, harvests and handlers of each.
    assert len(rects) == 1 + (1 + 1 + 2) + (2 + 2) + (1 + 2)
    for rect in rects[1:]:
        x, y, w, h = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width and 0 <= y <= y + h <= height
    # One scale: the longest burst, 3 us, takes the width; the others end at their share of it.
    left, right = 130, 940
    ends = [max(float(r.get("x")) + float(r.get("width")) for r in rects[1:]
                if low <= float(r.get("y")) < low + 150) for low in (0, 150, 300)]
    assert ends == pytest.approx([left + (right - left) * us / 3 for us in (1.05, 3, 1.6)], abs=0.2)


def test_picture_of_a_burst_without_length(file, tmp_path):
    events = [[7, "harvest", 0], [7, "post", 32], [7, "harvest-end", 1], [7, "handler", 32],
              [7, "handler-end", 32]]
    said("--picture", tmp_path / "out.svg", file(lines_of(events)))
    xml.fromstring((tmp_path / "out.svg").read_text())


def test_picture_and_text_together(file, tmp_path):
    out = tmp_path / "out.svg"
    assert said("--burst", "--picture", out, file(lines_of(POSTED))) == FLOW
    root = xml.fromstring(out.read_text())
    assert len(list(root.iter(f"{SVG}circle"))) == 1 + 1  # ON cleared; and in the legend
