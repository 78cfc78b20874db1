# SPDX-License-Identifier: BSD-2-Clause
"""The parts of tools/fleet that need no BMC: what gives the image out, what watches a console."""
import io
import json
import random
import types
import urllib.error
import urllib.request

import pytest
from conftest import synthetic
from racks.console import LONGEST, Watch
from racks.inventory import RackError
from racks.progress import Progress
from racks.serve import range_of, serving

# ---- the server ----


@pytest.mark.parametrize("header, expected", [
    (None, None), ("", None), ("lines=1-2", None), ("bytes=-", None), ("bytes=1-2,4-5", None),
    ("bytes=0-", (0, 100)), ("bytes=10-19", (10, 20)), ("bytes=90-500", (90, 100)),
    ("bytes=-7", (93, 100)), ("bytes=-700", (0, 100)), ("bytes=99-99", (99, 100))])
def test_ranges(header, expected):
    assert range_of(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=20-10", "bytes=-0"])
def test_parts_that_are_not_there(header):
    with pytest.raises(ValueError):
        range_of(header, 100)


@pytest.fixture
def served(tmp_path):
    image = tmp_path / "onebell.iso"
    image.write_bytes(random.Random(1).randbytes(3 << 20))
    (tmp_path / "secret").write_text("word")
    with serving(image, ("127.0.0.1", 0)) as url:
        yield image, url


def ask(url, method="GET", **headers):
    request = urllib.request.Request(url, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, b""


def test_the_image(served):
    image, url = served
    status, headers, body = ask(url)
    assert (status, body) == (200, image.read_bytes())
    assert headers["Content-Type"] == "application/vnd.efi-iso" and headers["Accept-Ranges"] == "bytes"
    status, headers, body = ask(url, "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(3 << 20), b"")


def test_a_part(served):
    image, url = served
    status, headers, body = ask(url, Range="bytes=1000000-2999999")
    assert (status, body) == (206, image.read_bytes()[1000000:3000000])
    assert headers["Content-Range"] == f"bytes 1000000-2999999/{3 << 20}"
    assert ask(url, Range="bytes=9000000-")[0] == 416


@pytest.mark.parametrize("path", ["secret", "", "../secret", "onebell.iso/../secret", "x/onebell.iso", "onebell.iso?"])
def test_nothing_else(served, path):
    assert ask(f"{served[1].rpartition('/')[0]}/{path}")[0] == 404


def test_what_can_not_be_served(tmp_path):
    with pytest.raises(RackError, match="onebell.iso: is missing: run make iso"):
        with serving(tmp_path / "onebell.iso", ("127.0.0.1", 0)):
            pass
    (tmp_path / "onebell.iso").touch()
    with pytest.raises(RackError, match="serve is 192.0.2.77:80, where this host can't listen"):
        with serving(tmp_path / "onebell.iso", ("192.0.2.77", 80)):
            pass


# ---- the console ----

def watched(text, sizes=None):
    watch, data = Watch(), text.encode()
    while data:
        size = sizes.randint(1, 40) if sizes else len(data)
        watch.feed(data[:size])
        data = data[size:]
    return watch


def bench():
    return [json.dumps(o) for o in synthetic.bench()]


@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_any_size(seed):
    lines = ["BdsDxe: starting Boot0001\x1b[2J", *bench()]
    watch = watched("\r\n".join(lines) + "\r\n", random.Random(seed))
    assert watch.began and watch.status == "ok" and watch.rows == watch.planned > 10
    assert watch.progress() == f"{watch.rows} of {watch.rows} rows"


def test_text_is_no_run():
    watch = watched("GRUB loading\n{not ours}\n{\"name\": 1}\n")
    assert not watch.began and watch.status is None and watch.progress() == "0 results"


def test_cut_and_strange_lines():
    watch = watched('{"type":"platform","cpus"\n{"type":[]}\n{"type":"bench_plan","rows":"x"}\n'
                    '{"type":"error","message":7}\n{"type":"end"}\n' + '{"type":"' * 20000 + "\n")
    assert watch.began and watch.status == "failed" and watch.planned is None and watch.error == "7"


def test_an_end_that_is_not_there_yet():
    watch = watched('{"type":"end","status":"ok"}')
    assert watch.status is None
    watch.feed(b"\n")
    assert watch.status == "ok"


def test_a_line_without_an_end():
    watch = Watch()
    for _ in range(100):
        watch.feed(b"x" * 4096)
    assert len(watch.rest) == LONGEST


def test_any_bytes():
    """Whatever comes, the watch goes on."""
    chance = random.Random(7)
    lines = [line.encode() for line in bench()[:40]]
    for _ in range(300):
        line = bytearray(chance.choice(lines))
        for _ in range(chance.randint(0, 4)):
            line[chance.randrange(len(line))] = chance.randrange(256)
        watch = Watch()
        watch.feed(bytes(line) + b"\n")
        assert watch.status in (None, "ok", "failed")


# ---- many at once ----

def test_a_defect_ends_one_machine_alone(monkeypatch, tmp_path):
    pytest.importorskip("sushy", reason="sushy is not installed (package python3-sushy)")
    from racks import run
    monkeypatch.setattr(run, "Bmc", lambda machine: 1 // machine.one)
    machines = [types.SimpleNamespace(name=f"m{i}", url="http://a.example/", one=i) for i in range(2)]
    outcomes = run.run_all(machines, None, tmp_path, 1, lambda _: None)
    assert outcomes[0].why == "ZeroDivisionError: integer division or modulo by zero"
    assert outcomes[1].why.startswith("AttributeError: ") or outcomes[1].why.startswith("TypeError: ")
    assert all(outcome.is_over and outcome.status is None for outcome in outcomes)


# ---- progress ----

class Terminal(io.StringIO):
    def isatty(self):
        return True


def outcome(name, state, why="", since=1.0):
    watch = types.SimpleNamespace(progress=lambda: "3 of 8 rows")
    return types.SimpleNamespace(name=name, state=state, why=why, left="", since=since,
                                 is_over=state == "no result", console=types.SimpleNamespace(watch=watch))


def test_a_table_on_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    progress = Progress(out)
    progress.show([outcome("m1", "runs"), outcome("node2", "waits for its turn", since=0)])
    first, second = out.getvalue().splitlines()
    assert first.startswith("m1     runs                ") and first.endswith(" s  3 of 8 rows")
    assert second == "node2  waits for its turn"
    drawn = len(out.getvalue())
    progress.show([outcome("m1", "runs"), outcome("node2", "boots")])
    assert len(out.getvalue()) == drawn  # not yet a second later
    progress.show([outcome("m1", "no result", "hangs"), outcome("node2", "no result", "x" * 200)])
    lines = out.getvalue()[drawn:].splitlines()
    assert lines[0] == "\x1b[2A\x1b[Jm1     no result    hangs"
    assert len(lines) == 2 and len(lines[1]) == 59


def test_lines_elsewhere():
    out = io.StringIO()
    progress = Progress(out)
    for state, why in (("runs", ""), ("runs", ""), ("no result", "hangs")):
        progress.show([outcome("m1", state, why)])
    assert out.getvalue() == "m1: runs\nm1: no result: hangs\n"
