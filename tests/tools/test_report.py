# SPDX-License-Identifier: BSD-2-Clause
"""tools/report, and the page that it makes in a real browser: every chart is there, every number is
the JSON's, in the dark, on a phone and on paper. Screenshots stay in build/tests/report."""
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path

import pytest
import synthetic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
SHOTS = ROOT / "build/tests/report"

EVIL = '<img src=x onerror="alert(1)"></script><b>&amp;'
MOCKED_TRACE = [[1000, "sleep", 0], [2000, "notify", 0], [2100, "harvest", 0], [2200, "post", 32],
                [2300, "post", 33], [2400, "harvest-end", 2], [2500, "clear-on", 0],
                [2600, "eoi", 0], [2700, "handler", 32], [2900, "handler-end", 32],
                [3000, "handler", 33], [3300, "handler-end", 33], [4000, "sleep", 0]]


def report(*args):
    return subprocess.run([sys.executable, "-B", ROOT / "tools/report", *args], text=True,
                          capture_output=True, timeout=120)


def counted(mode):
    """A job, and what the model counted of it."""
    regions = {"submit": 34, "reap": 29, "callback": 47, "loop": 1, "harvest": 1, "idle": 900,
               "notification": 2 if mode == "posted" else 0}
    return synthetic.job(mode=mode)[:1], {"type": "posted_model", "regions": {
        name: {"entries": 1, "instructions": n * 50000} for name, n in regions.items()}}


def traced(mode):
    names = [{"type": "irq", "name": f"nvme{i}q1", "cpu": 0, "vector": 32 + i} for i in range(2)]
    return [*names, {"type": "job", "filename": "all", "irq": mode},
            {"type": "trace", "cpu": 0, "tsc_hz": 10 ** 9, "lost": 0, "events": MOCKED_TRACE}]


def qemu_runs(folder, bench):
    """The files of a report's runs in QEMU, without QEMU."""
    folder.mkdir()
    synthetic.write(folder / "bench.jsonl", bench)
    synthetic.write(folder / "bench-model.json", [{"type": "posted_model", "qemu": "10.0.2"}])
    for mode in synthetic.MODES:
        job, model = counted(mode)
        for kind, iodepth in (("count", 32), ("single", 1)):
            job[0]["iodepth"] = iodepth
            synthetic.write(folder / f"{kind}-{mode}.jsonl", job)
            synthetic.write(folder / f"{kind}-{mode}-model.json", [model])
        synthetic.write(folder / f"trace-{mode}.jsonl", traced(mode))
    return folder


# ---- in the browser ----

@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from chromium import PROGRAM, Chromium
    assert PROGRAM, "install Debian's chromium: tools/setup.sh"
    chromium = Chromium(tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module", params=["qemu", "two"])
def made(request, tmp_path_factory):
    """A report of runs in QEMU, and one of two servers, one of which has disks with evil names."""
    top = tmp_path_factory.mktemp(request.param)
    if request.param == "qemu":
        args = ["--from-runs", qemu_runs(top / "runs", synthetic.bench())]
    else:
        args = [synthetic.write(top / "old<i>$x_2$.jsonl",
                                synthetic.bench(model=EVIL, hypervisor="none")),
                synthetic.write(top / "new.jsonl", synthetic.bench(1.2, hypervisor="none",
                                                                   model="PM1743"))]
    done = report("--out", top, *args)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"report: {top}/index.html\n"
    data = json.loads((top / "report.json").read_text())
    return request.param, top / "index.html", data


WINDOWS = {"desktop": 1280, "phone": 390}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS)
def test_every_chart_is_drawn(browser, made, window, dark):
    name, page, data = made
    browser.look(WINDOWS[window], dark)
    browser.open(page)
    SHOTS.mkdir(parents=True, exist_ok=True)
    browser.screenshot(SHOTS / f"{name}-{window}-{'dark' if dark else 'light'}.png")
    assert browser.complaints() == []
    assert browser.requests() == [page.resolve().as_uri()]

    drawn = browser.run("""[...document.querySelectorAll('svg.chart')].filter(
        svg => getComputedStyle(svg).display != 'none').map(svg => {
        const box = svg.getBoundingClientRect();
        const marks = [...svg.querySelectorAll('path,use')].filter(m => {
            const b = m.getBoundingClientRect(); return b.width + b.height > 0; });
        const texts = [...svg.querySelectorAll('text')];
        return {card: svg.closest('article').id, width: box.width, height: box.height,
                right: box.right, marks: marks.length, texts: texts.length,
                empty: texts.filter(t => t.getBoundingClientRect().width == 0).length,
                title: svg.querySelector('title').textContent,
                desc: svg.querySelector('desc').textContent.length}; })""")
    expected = [f"card-{c['id']}" for s in data["sections"] for c in s["charts"]
                if c["kind"] != "check"]
    assert [d["card"] for d in drawn] == expected
    assert len(expected) >= 12
    for d in drawn:
        assert d["width"] > 200 and d["height"] > 90, d
        assert d["right"] <= WINDOWS[window], d
        assert d["marks"] >= 8 and d["texts"] >= 5 and d["empty"] == 0, d
        assert d["title"] and d["desc"] > 20, d
    assert browser.run("document.documentElement.scrollWidth") <= WINDOWS[window]


# Contrast of two colours by WCAG 2.1, of what is on the page against what is behind it.
CONTRAST = """(() => {
    const parse = c => c.match(/[\\d.]+/g).map(Number);
    const light = c => { const [r, g, b] = parse(c).map(v => { v /= 255;
        return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = e => { for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if (parse(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
    const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05); };
    const worst = (selector, property) => Math.min(...[...document.querySelectorAll(selector)]
        .map(e => [getComputedStyle(e)[property], behind(e)]).filter(([c]) => c.startsWith('rgb'))
        .map(([a, b]) => ratio(a, b)));
    return {text: worst('h1,h2,h3,p,li,td,th,dt,dd,a,summary,strong,small,.badge', 'color'),
            labels: worst('svg.chart text', 'fill'), body: light(behind(document.body)),
            lines: worst('svg.chart g > path[style*="--remapped"]', 'stroke')}; })()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_can_be_read(browser, made, dark):
    browser.look(1280, dark)
    browser.open(made[1])
    found = browser.run(CONTRAST)
    assert (found["body"] < 0.1) == dark
    assert found["text"] >= 4.5, found
    assert found["labels"] >= 4.5, found
    assert found["lines"] >= 3, found


def test_on_paper(browser, made):
    """Whatever the screen prefers, paper is white."""
    name, page, _ = made
    browser.look(1280, dark=True)
    browser.open(page)
    browser.print(SHOTS / f"{name}.pdf")
    assert (SHOTS / f"{name}.pdf").read_bytes().startswith(b"%PDF-")
    browser.call("Emulation.setEmulatedMedia", media="print",
                 features=[{"name": "prefers-color-scheme", "value": "dark"}])
    found = browser.run(CONTRAST)
    browser.call("Emulation.setEmulatedMedia", media="")
    assert found["body"] > 0.9 and found["text"] >= 4.5 and found["labels"] >= 4.5, found


def test_nothing_of_a_capture_becomes_markup(browser, made):
    browser.look(1280, dark=False)
    browser.open(made[1])
    assert browser.run("document.querySelectorAll('img,b,i,iframe,object').length") == 0
    assert browser.run("document.scripts.length") == 1  # the data
    assert browser.run("JSON.parse(document.getElementById('data').textContent).runs.length") == \
        len(made[2]["runs"])
    if made[0] == "two":
        assert EVIL in browser.run("document.body.innerText")
        drawn = browser.run("document.querySelector('#card-iops svg').textContent")
        assert "old<i>$x_2$" in drawn


def test_who_cannot_see_it_is_told(browser, made):
    """Charts have names and descriptions, tables captions and headings, no heading skips a level,
    and what scrolls can be reached by keys."""
    browser.look(1280, dark=False)
    browser.open(made[1])
    found = browser.run("""(() => {
        const all = s => [...document.querySelectorAll(s)];
        const named = e => e.getAttribute('aria-labelledby').split(' ')
            .every(id => document.getElementById(id).textContent.trim());
        const levels = all('h1,h2,h3,h4').map(h => +h.tagName[1]);
        return {lang: document.documentElement.lang, headings: levels,
            charts: all('svg').filter(s => s.getAttribute('role') != 'img' || !named(s)).length,
            captions: all('table').filter(t => !t.caption.textContent).length,
            heads: all('thead th').filter(t => t.scope != 'col').length,
            scrolls: all('.scroll,pre').filter(e => e.tabIndex != 0).length,
            links: all('nav a').filter(a => !document.querySelector(a.hash)).length};})()""")
    headings = found.pop("headings")
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(headings, headings[1:]))
    assert found == {"lang": "en", "charts": 0, "captions": 0, "heads": 0, "scrolls": 0,
                     "links": 0}


# ---- numbers ----

class Tables(HTMLParser):
    """Cells of each table, numbers as they are in the page's data-v; and all ids."""

    def __init__(self):
        super().__init__()
        self.tables, self.ids, self.cell = [], [], None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "tbody":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag == "td":
            self.cell = float(attrs["data-v"]) if "data-v" in attrs else ""

    def handle_data(self, text):
        if isinstance(self.cell, str):
            self.cell += text

    def handle_endtag(self, tag):
        if tag == "td":
            self.tables[-1][-1].append(self.cell)
            self.cell = None


def told(value):
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return float(value) if isinstance(value, (int, float)) else value


def test_every_number_is_the_jsons(made):
    _, page, data = made
    tables = Tables()
    tables.feed(page.read_text())
    charts = [chart for section in data["sections"] for chart in section["charts"]]
    rows = [[list(map(told, row)) for row in chart["rows"]] for chart in charts]
    shown = [[row for row in table if row] for table in tables.tables]
    assert shown == rows
    assert len(tables.ids) == len(set(tables.ids))
    referred = set(re.findall(r'(?:url\(|href=")#([^")]+)', page.read_text()))
    assert len(referred) > 20 and referred <= set(tables.ids)
    carried = re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)[1]
    assert json.loads(carried) == data


def test_the_jsons_numbers_are_the_captures(made):
    name, _, data = made
    charts = {chart["id"]: chart for section in data["sections"] for chart in section["charts"]}
    rows = [o for o in synthetic.bench() if o.get("table") == "disks" and o["type"] == "bench"]
    first = charts["iops"]["rows"][0][0]
    found = {(row[1], row[2]): row[3:] for row in charts["iops"]["rows"] if row[0] == first}
    assert found == {(o["irq"], o["disks"]): [o["iops"][k] for k in ("median", "min", "max")]
                     for o in rows}
    if name == "qemu":
        stages = {(row[0], row[1]): row[2] for row in charts["stages-32"]["rows"]}
        assert charts["stages-1"]["title"] == "Instructions for each read, one at a time"
        assert stages["posted", "interrupt"] == 2 and stages["adaptive", "reap"] == 29
        assert not any(stage == "idle" for _, stage in stages)
        assert dict(data["tiles"][0]["values"])["posted"] == pytest.approx(114)
        assert charts["timeline"]["rows"][0] == ["remapped", "interrupt", "notification", 0, 0.6]
        assert "tools/run-qemu --cpus 1 --disks 8" in data["commands"][0]
        assert re.search(r"\d+ \w+ 20\d\d$", dict(data["runs"][0]["facts"])["Run on"])
        assert ["Emulator", "QEMU 10.0.2 with onebell-posted, TCG"] in data["runs"][0]["facts"]


def test_its_face_says_what_is_emulated(made):
    name, page, data = made
    emulated = name == "qemu"
    assert [run["emulated"] for run in data["runs"]] == ([True] if emulated else [False, False])
    head = page.read_text().split("<main>")[0]
    assert ("<strong>Emulated.</strong>" in head) == emulated
    assert ("<strong>Measured on hardware.</strong>" in head) != emulated
    titles = [tile["title"] for tile in data["tiles"]]
    assert any("IOPS" in title for title in titles) != emulated
    rates = [chart for s in data["sections"] for chart in s["charts"] if chart["is_rate"]]
    assert {chart.get("badge") for chart in rates} == {"an emulator's rate" if emulated else None}


# ---- colours ----

def test_every_colour_and_font_is_the_pages(made):
    """No colour is written into a chart, so that each follows the reader's light or dark."""
    drawn = re.findall(r"<svg.*?</svg>", made[1].read_text(), re.DOTALL)
    assert len(drawn) > 12
    for svg in drawn:
        assert "DejaVu" not in svg and "var(--font,sans-serif)" in svg
        assert re.findall(r"(?:fill|stroke):(?! ?none| ?var\(| ?url\()[^;\"]+", svg) == []


def test_no_mode_is_told_by_colour_alone():
    from report import charts
    marks = [(charts.DASHES[mode], charts.MARKERS[mode]) for mode in charts.captures.MODES]
    for parts in zip(*marks):
        assert len(set(parts)) == len(marks)
    assert len(charts.HATCHES) == 6
    neighbours = list(zip(charts.HATCHES, charts.HATCHES[1:]))
    assert all(a != b for a, b in neighbours)


def test_a_picture_of_its_own(tmp_path):
    """A chart as a file, for a README: it brings its colours."""
    capture = synthetic.write(tmp_path / "x.jsonl", synthetic.bench())
    done = report("--out", tmp_path, "--chart", "per-msi", tmp_path / "a.svg", capture)
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "a.svg").read_text()
    assert xml.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in text and "--remapped:#" in text
    assert not re.search(r'(?:stroke|fill): ?#', re.sub(r"<style>.*?</style>", "", text))


# ---- what can go wrong ----

def test_a_chart_that_is_none(tmp_path):
    capture = synthetic.write(tmp_path / "x.jsonl", synthetic.job())
    done = report("--out", tmp_path, "--chart", "pie", tmp_path / "a.svg", capture)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no chart 'pie' in this report, but " in done.stderr and "iops" in done.stderr


@pytest.mark.parametrize("args, words", [
    (["none.jsonl"], "none.jsonl: No such file or directory"),
    (["empty.jsonl"], "holds no row of the bench and no job"),
    (["--from-runs", "nowhere"], "nowhere/bench.jsonl: No such file"),
])
def test_one_sentence_for_what_is_wrong(tmp_path, args, words):
    (tmp_path / "empty.jsonl").write_text("just text\n")
    done = report("--out", tmp_path / "out",
                  *(tmp_path / arg if not arg.startswith("-") else arg for arg in args))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("report: ") and words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out/index.html").exists()


def test_a_plain_job_is_enough(tmp_path):
    capture = synthetic.write(tmp_path / "com2.jsonl", [*synthetic.machine(), *synthetic.job(),
                                                        {"type": "end", "status": "ok"}])
    done = report("--out", tmp_path, capture)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads((tmp_path / "report.json").read_text())
    charts = {chart["id"]: chart for section in data["sections"] for chart in section["charts"]}
    assert charts["iops"]["rows"] == [["com2", "posted", 8, 50000.5, 50000.5, 50000.5]]
    assert charts["cdf"]["rows"][-1][3] == 1


def test_the_least_and_the_most_are_drawn(tmp_path):
    """Zeros, and the largest numbers that a counter can have."""
    most = 2 ** 64
    objects = []
    for i, (n, ns) in enumerate([(0, 0), (most, most - 1)]):
        row = synthetic.row("depth", i, "posted", iodepth=1 + i)[0]
        percentiles = dict.fromkeys(row["clat_ns"]["percentile"], n)
        all_of = {"median": n, "min": 0, "max": n}
        objects += [{**row, "iops": all_of, "cycles_per_io": all_of, "busy": all_of, "msis": n,
                     "notifications": n, "notifications_per_s": n, "notifications_per_msi": n,
                     "clat_ns": {"mean": n, "percentile": percentiles}, "table": table}
                    for table in ("disks", "depth", "latency", "bs")]
        objects += [{"type": "bins", "table": table, "row": i, "of": "clat_ns", "part": 0,
                     "parts": 1, "bins": {str(ns): 1 + n // 2}} for table in ("disks", "depth")]
    captures = [synthetic.write(tmp_path / f"{name}.jsonl", [*objects, {"type": "end",
                                                                        "status": "ok"}])
                for name in "ab"]
    done = report("--out", tmp_path, *captures)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "index.html").read_text().count("<svg") >= 8


def test_without_matplotlib(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError(name='matplotlib')\n")
    done = subprocess.run([sys.executable, "-B", ROOT / "tools/report", "x"], text=True,
                          capture_output=True, env={"PYTHONPATH": str(tmp_path), "PATH": ""})
    assert done.returncode == 1
    assert done.stderr == "report: needs the Python module matplotlib: run tools/setup.sh report\n"


def test_a_tree_without_git(tmp_path, monkeypatch):
    from report import runs
    folder = qemu_runs(tmp_path / "runs", synthetic.job())
    monkeypatch.setenv("PATH", "")
    assert [name for name, _ in runs.versions(folder)] == ["Run on", "Emulator"]


def test_what_qemu_says_is_passed_on(tmp_path, monkeypatch):
    from report import runs
    run_qemu = tmp_path / "run-qemu"
    run_qemu.write_text("#!/bin/sh\necho no such disk\nexit 2\n")
    run_qemu.chmod(0o755)
    monkeypatch.setattr(runs, "RUN_QEMU", run_qemu)
    with pytest.raises(runs.RunError, match="(?s)the bench failed with status 2: .*no such disk"):
        runs.make_all(tmp_path / "runs")
