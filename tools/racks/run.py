# SPDX-License-Identifier: BSD-2-Clause
"""The run of one machine, from its BMC to its last line, and of many at once."""
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .console import MOST, Console
from .inventory import RackError
from .redfish import Bmc

LOOK_EACH = 0.2  # s


class Stopped(Exception):
    """Somebody pressed Ctrl-C."""


@dataclass
class Outcome:
    """What became of a machine; `state` changes while it runs."""

    name: str
    log: Path
    state: str = "waits for its turn"
    since: float = 0
    console: Console | None = None
    status: str | None = None  # ok, failed, or None: there is no result
    why: str = ""
    left: str = ""  # what was not put back

    def now(self, state):
        if state != self.state:
            self.state, self.since = state, time.monotonic()

    @property
    def is_over(self):
        return self.state in ("done", "failed", "no result")

    def over(self):
        self.now({"ok": "done", "failed": "failed", None: "no result"}[self.status])


# ---- one machine ----

def url_of(machine, served):
    url = machine.url or served
    if not url:
        raise RackError(f"{machine.name}: has no image to boot: give url, or image and serve")
    return url


def prepare(bmc, machine, url):
    """Has the machine boot our image next. Returns what makes it boot."""
    is_on = bmc.is_on()
    if is_on and not machine.restart:
        raise RackError("it is on, and may be in use: switch it off, or say restart = true")
    bmc.set_boot(url)
    return bmc.restart if is_on else bmc.switch_on


def wait(condition, console, seconds, late, stop):
    """Until the condition holds; `late` says what it is if it doesn't within these seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if stop.is_set():
            raise Stopped
        if console.size > MOST:
            raise RackError(f"its console said more than {MOST >> 20} MiB: that is no run's")
        why = console.ended()
        if why and not condition():  # the last line may have come meanwhile
            raise RackError(why)
        if time.monotonic() > end:
            raise RackError(late())
        time.sleep(LOOK_EACH)


def follow(machine, console, outcome, stop):
    outcome.now("boots")
    watch = console.watch
    wait(lambda: watch.began or watch.status, console, machine.boot_timeout,
         lambda: f"said nothing of Onebell within {machine.boot_timeout} s of power-on: see {console.path} "
                 "for what it booted, and whether console is the port with the JSON lines", stop)
    outcome.now("runs")
    wait(lambda: watch.status, console, machine.timeout,
         lambda: f"hangs: no end within {machine.timeout} s of its first line, after {watch.progress()}: "
                 f"see {console.path}", stop)


def clean_up(bmc, console, outcome):
    """What wasn't seen to be ours is left on: it may be an operating system that booted in our place."""
    if not bmc.changed:
        return
    try:
        bmc.clear_boot()
        if console.watch.began and not outcome.status and bmc.is_on():
            bmc.switch_off()
    except RackError as e:
        outcome.left = f"not put back: {e}"


def attempt(bmc, machine, url, outcome, stop):
    with Console(machine, outcome.log) as console:
        outcome.console = console
        try:
            power = prepare(bmc, machine, url)
            console.forget()
            power()
            follow(machine, console, outcome, stop)
            outcome.status, outcome.why = console.watch.status, console.watch.error
        finally:
            clean_up(bmc, console, outcome)


def keep(facts, log):
    """Behind what the machine said: report/capture.py reads them there."""
    if log.exists():
        with open(log, "a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(facts) + "\n")


def run_one(machine, served, outcome, stop):
    try:
        if stop.is_set():
            raise Stopped
        outcome.now("asks its BMC")
        with Bmc(machine) as bmc:
            facts = bmc.facts()
            try:
                attempt(bmc, machine, url_of(machine, served), outcome, stop)
            finally:
                keep(facts, outcome.log)
    except RackError as e:
        outcome.why = str(e)
    except Stopped:
        outcome.why = "was stopped"
    except Exception as e:  # whatever it is, the others go on
        outcome.why = f"{type(e).__name__}: {' '.join(str(e).split())[:160]}"
    finally:
        outcome.over()


# ---- all of them ----

def run_all(machines, served, folder, at_once, show):
    """`show` is called with all outcomes, in the machines' order, now and then, and at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = [Outcome(machine.name, folder / f"{machine.name}.log") for machine in machines]
    for outcome in outcomes:
        outcome.log.unlink(missing_ok=True)  # of an earlier run
    stop = threading.Event()
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(run_one, machine, served, outcome, stop)
                   for machine, outcome in zip(machines, outcomes)]
        try:
            while not all(future.done() for future in futures):
                show(outcomes)
                time.sleep(LOOK_EACH)
        except KeyboardInterrupt:
            stop.set()  # each machine is put back first
    show(outcomes)
    return outcomes
