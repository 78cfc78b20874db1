# SPDX-License-Identifier: BSD-2-Clause
"""The trace of real bursts: what comes on COM2, and what tools/trace makes of it."""
import json
import re
import subprocess

import pytest

from conftest import ROOT, stamped

JOB = "rw=randread bs=4k iodepth=8 size=8m runtime=0"


def events_of(run, cpu):
    """A CPU's events in the order of time."""
    lines = run.of("trace", cpu=cpu)
    assert lines and len({line["lost"] for line in lines}) == 1
    assert {line["tsc_hz"] for line in lines} == {run.one("platform")["tsc_hz"]}
    return sorted((event for line in lines for event in line["events"]), key=lambda event: event[0])


def kinds_of(run):
    return {kind for cpu in run.of("cpu") for _, kind, _ in events_of(run, cpu["cpu"])}


def check_what_came_is_handled(events):
    """Each vector that was seen is handled before the CPU sleeps; a harvest tells what it took. The
    ring may begin anywhere: of a harvest that it cut, and of vectors seen before, it tells nothing."""
    waiting, posts = set(), None
    for _, kind, arg in events:
        if kind in ("post", "device"):
            waiting.add(arg)
            posts = None if posts is None else posts + 1
        elif kind == "harvest":
            posts = 0
        elif kind == "harvest-end":
            assert posts is None or arg == posts
        elif kind == "handler":
            waiting.discard(arg)
        elif kind in ("spin", "sleep"):
            assert not waiting
    assert [kind for _, kind, _ in events].count("handler") > 100


# An adaptive CPU sleeps, and so is notified, while the ring is filled: with few reads in flight and
# short looks before each sleep, also where the host is slow.
@pytest.mark.parametrize("mode, extra, there, not_there", [
    ("remapped", "", {"device", "eoi", "handler"},
     {"notify", "harvest", "post", "clear-on", "spin"}),
    ("posted", "", {"notify", "harvest", "post", "clear-on", "eoi", "handler"}, {"device", "spin"}),
    ("adaptive", "iodepth=1 idle.spin=1us",
     {"notify", "harvest", "post", "eoi", "handler", "spin", "sleep", "wake"}, {"device"}),
], ids=["remapped", "posted", "adaptive"])
def test_bursts(boot, tmp_path, mode, extra, there, not_there):
    run = boot(f"irq={mode} trace=2000 {JOB} {extra}", cpus=2, disks=stamped(4)).ended_well()
    kinds = kinds_of(run)
    assert there <= kinds
    assert not not_there & kinds
    for cpu in range(2):
        events = events_of(run, cpu)
        assert len(events) == 2048  # the ring, rounded up; the run has more
        assert run.of("trace", cpu=cpu)[0]["lost"] > 0
        check_what_came_is_handled(events)
    show(run, mode, tmp_path)


def show(run, mode, tmp_path):
    com2, perfetto, picture = (tmp_path / name for name in ("com2", "perfetto", "picture"))
    com2.write_text("".join(json.dumps(event) + "\n" for event in run.events))
    done = subprocess.run([ROOT / "tools/trace", com2, "--burst", "--perfetto", perfetto,
                           "--picture", picture], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    title = re.match(r"(\w+): (\d+) vectors?, (\d+) interrupts?, [\d.]+ us, CPU [01]\n", done.stdout)
    assert title[1] == mode
    vectors, interrupts = int(title[2]), int(title[3])
    assert vectors >= 2
    assert len(set(re.findall(r"  handler (nvme\dq\d)\n", done.stdout))) == vectors
    if mode == "remapped":
        assert interrupts >= vectors
    assert "handler nvme" in perfetto.read_text()
    assert picture.read_text().startswith("<svg ")


def test_off_by_default(boot):
    assert boot(f"irq=posted {JOB}", disks=stamped(1)).ended_well().of("trace") == []


def test_a_panic_shows_the_last_entries(boot):
    run = boot("app=crash crash=ud irq=posted trace=64", 40, disks=stamped(1)).failed("panic")
    lines = run.console.split("\ntrace of CPU 0, the last 16 of ")[1].splitlines()[1:17]
    entries = [re.fullmatch(r" +(\d+\.\d{3})  ([a-z-]+) \d+", line) for line in lines]
    times = [float(entry[1]) for entry in entries]
    assert times == sorted(times, reverse=True)
    assert "notify" in {entry[2] for entry in entries}
