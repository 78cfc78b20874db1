# SPDX-License-Identifier: BSD-2-Clause
"""The `boot` fixture: starts the image on a machine of one's choice, waits for its end, and gives
back all that it said."""
import functools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import json_page
import qemu_launch as launch
from monitor import Monitor

# Firmware takes some 4 s, more when the other core is busy; a run that is not over by then hangs.
DEADLINE = 90


# QEMU 10.0 dies of itself, seldom: iotlb_to_section() asserts when memory changes while TCG's CPUs run, and blk_name()
# is given NULL when a controller is reset with commands in flight. Nothing of the image's or the model's is in it, and
# there is no run left to judge. More than a few of them are something else.
DEATHS = (-signal.SIGSEGV, -signal.SIGABRT)
DEATHS_MOST = 2
deaths = []  # in this worker


def has_died(status):
    if status in DEATHS:
        deaths.append(status)
    return status in DEATHS and len(deaths) <= DEATHS_MOST


FULL = bool(os.environ.get("ONEBELL_FULL"))


def full(*values):
    """Of a parameter those values that only ONEBELL_FULL=1 runs: what they show is shown by others, one way or
    another."""
    return values if FULL else ()


@functools.cache
def no_mdts():
    """The nvme device's mdts for no limit: 0, which QEMU refuses from some 10.0.x on. The longest that it takes then
    is 2 MiB, and no command of ours is longer than 1 MiB."""
    done = subprocess.run([launch.find_qemu(), "-machine", "q35", "-accel", "tcg", "-S", "-nodefaults", "-display",
                           "none", "-monitor", "stdio", "-device", "nvme,serial=1,mdts=0"], input="quit\n",
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 or "mdts" in done.stderr, done.stderr
    return 9 if done.returncode else 0


class Run:
    """A boot that has ended."""

    def __init__(self, folder, command, status, seconds):
        self.command = command
        self.status = status  # QEMU's; 124: it had to be stopped
        self.seconds = seconds
        self.console = launch.read_text(folder / "com1")
        self.qemu_said = launch.read_text(folder / "qemu")
        self.events = launch.read_json(folder / "com2")
        self.model = next(iter(launch.read_json(folder / "model")), None)

    @property
    def breaches(self):
        """Of VT-d's programming rules, by rule; also of runs that fail for another reason."""
        return self.model["breaches"] if self.model else {}

    def of(self, kind, **fields):
        """The JSON lines of a type, with these values in their fields."""
        return [e for e in self.events if e["type"] == kind and fields.items() <= e.items()]

    def one(self, kind, **fields):
        found = self.of(kind, **fields)
        assert len(found) == 1, f"{len(found)} lines of type {kind} with {fields}: {found}"
        return found[0]

    @property
    def job(self):
        """The job's sum over all disks."""
        return self.one("job", filename="all")

    @property
    def disk_jobs(self):
        return [job for job in self.of("job") if job["filename"] != "all"]

    def line(self, pattern):
        """The one console line that matches."""
        found = re.findall(f"^.*{pattern}.*$", self.console, re.MULTILINE)
        assert len(found) == 1, f"{len(found)} console lines match '{pattern}': {found}"
        return found[0]

    def ended_well(self):
        assert self.of("error") == []
        assert self.status == launch.EXIT_OK
        assert self.events[-1] == {"type": "end", "status": "ok"}
        self.check_stacks()
        self.check_warnings()
        return self

    def check_warnings(self):
        """Each one that people see, tools see as well."""
        lines = re.findall(r"^warning: (.*?)\r?$", self.console, re.MULTILINE)
        assert sorted(lines) == sorted(warning["message"] for warning in self.of("warning"))  # CPUs differ in order
        assert all(re.fullmatch("[a-z0-9-]+", warning["what"]) for warning in self.of("warning"))

    def check_stacks(self):
        """Nested interrupts included, a quarter of each was never used."""
        stacks, platform = self.of("stack"), self.one("platform")
        assert len(stacks) == platform["cpus"] + platform.get("domain_cpus", 0)
        assert all(0 < stack["used"] < stack["bytes"] * 3 / 4 for stack in stacks)

    def failed(self, what, *words):
        """Ended failed for one reason, told once on each port."""
        assert self.status == launch.EXIT_FAILED
        error = self.one("error")
        assert error["what"] == what
        for word in words:
            assert word in error["message"]
        assert self.console.count(f"error: {error['message']}\n") == 1
        assert self.events[-1] == {"type": "end", "status": "failed"}
        return self

    def verified(self):
        """A job that read everything it asked for, and found what mkdisk wrote."""
        self.ended_well()
        for job in self.of("job"):
            assert job["total_ios"] == job["submitted"] > 0, job
            assert (job["errors"], job["verify_errors"]) == (0, 0), job
            assert job["verify"] == "crc32c"
        assert sum(job["total_ios"] for job in self.disk_jobs) == self.job["total_ios"]
        return self


def pytest_collection_modifyitems(items):
    """Long ones, which have a timeout of their own, come first, so that all workers end at about one time."""
    items.sort(key=lambda item: not any(item.iter_markers("timeout")))
    for item in items:
        if not any(item.iter_markers("timeout")):
            item.add_marker(pytest.mark.timeout(4 * DEADLINE))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        for run in getattr(item, "boots", []):
            report.sections.append((f"exit status {run.status} after {run.seconds:.1f} s", ""))
            report.sections.append(("end of COM1", "\n".join(run.console.splitlines()[-60:])))
            report.sections.append(("QEMU", run.qemu_said))


def is_expected(found, breaches):
    return found.keys() <= breaches if isinstance(breaches, set) else found == (breaches or {})


@pytest.fixture
def boot(request, tmp_path):
    """boot("irq=posted runtime=1s", cpus=1, disks=[Disk()]): options are those of launch.Machine, which is lean
    unless it boots from a medium; breaches are those of VT-d's rules that the run is to make; a set: no others,
    however often."""
    request.node.boots = []

    def run(append="", deadline=DEADLINE, breaches=None, **options):
        folder = tmp_path / f"boot{len(request.node.boots)}"
        folder.mkdir()
        machine = launch.Machine(**{"lean": "medium" not in options, **options}, append=append, com1=folder / "com1",
                                 com2=folder / "com2", model_json=folder / "model")
        machine.strict = launch.use_model(machine)
        if not machine.strict and not machine.kvm:  # firmware alone knows the difference, and is faster
            machine.extra = [*machine.extra, "-plugin", f"{launch.quoted(machine.model_file)},stock=on"]
        launch.prepare(machine)
        command = launch.command(machine)
        begun = time.monotonic()
        with open(folder / "qemu", "wb") as said:
            status = launch.run(command, deadline, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        if has_died(status):
            pytest.skip(f"QEMU has died of itself, by signal {-status}")
        done = Run(folder, command, status, time.monotonic() - begun)
        request.node.boots.append(done)
        assert status != launch.EXIT_TIMEOUT, f"no end within {deadline} s"
        assert is_expected(done.breaches, breaches), f"VT-d's rules: {done.breaches}; see what QEMU said"
        assert json_page.undocumented(done.events) == [], "docs/json.md"
        return done

    return run


@pytest.fixture
def boot_and_say(boot, tmp_path):
    """As boot(), with commands for the monitor once a pattern is on a port, the console as a rule."""
    def run(append, pattern, *commands, **options):
        monitor = Monitor(tmp_path)
        monitor.when(tmp_path / "boot0" / options.pop("port", "com1"), pattern, *commands)
        extra = options.pop("extra", []) + monitor.arguments
        done = boot(append, disks=stamped(1), extra=extra, **options)
        done.monitor = monitor.answers
        return done
    return run


def stamped(count, **options):
    """Disks as mkdisk makes them."""
    return [launch.Disk(**{"size": "16m", **options}) for _ in range(count)]


def broken(device, region, path="", **register):
    """QEMU arguments that break a register of a device: see override.c."""
    words = {"type": device, "path": path, "region": region, **register}
    plugin = launch.BUILD / "qemu" / "override.so"
    return ["-plugin", launch.options(launch.quoted(plugin), words)]
