# SPDX-License-Identifier: BSD-2-Clause
"""The protocol models, checked by spin: each holds in every configuration, searched to the end, and
each mutant is found guilty.

A configuration is a model and the switches that it is compiled with. ONEBELL_FULL=1 adds larger
ones.
"""
import fcntl
import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
FULL = bool(os.environ.get("ONEBELL_FULL"))
BUILD = Path(os.environ.get("ONEBELL_BUILD", HERE.parents[1] / "build")) / "model"

# The longest first, so that two workers end together.
MODELS = [
    "move OFFLINE ADAPTIVE QUEUE POSTS=1",
    "move OFFLINE ADAPTIVE POSTS=1 START_CPU=1",
    "move OFFLINE POSTS=1 START_CPU=1",
    "move OFFLINE CHANGES=1",
    "move ADAPTIVE QUEUE POSTS=1",
    "move ADAPTIVE CHANGES=1",
    "move ADAPTIVE POSTS=1",
    "move CHANGES=1",
    "move POSTS=1",
    "posted",
    "posted WORDS=1",
    "posted IMMEDIATE=1",
    "posted IMMEDIATE=3",
    "adaptive",
    "adaptive MWAIT",
    "adaptive IMMEDIATE=1",
    "modes",
    "modes ADAPTIVE",
    "rate",
    "rate IMMEDIATE=1 POSTS=1",
    "busy",
    "busy MWAIT",
    "busy WINDOW",
]
LARGER = [
    "posted POSTS=4",
    "adaptive POSTS=4",
    "busy WINDOW POSTS=3",
    "busy WINDOW IMMEDIATE=1",
    "move",
    "modes IMMEDIATE=1",
    "modes CHANGES=4",
    "move CHANGES=3 POSTS=1",
    "move ADAPTIVE",
    "move QUEUE",
    "move ADAPTIVE QUEUE",
    "move OFFLINE ADAPTIVE CHANGES=1",
    "move OFFLINE CHANGES=3 POSTS=1",
    "move OFFLINE QUEUE POSTS=1",
]

# None of these runs for ever, but for the window's timer: with what the others show, every post is
# handled, and handled soon.
ENDING = [
    "posted POSTS=1",
    "posted IMMEDIATE=1 POSTS=1",
    "adaptive POSTS=1",
    "adaptive MWAIT POSTS=1",
    "modes POSTS=1 CHANGES=1",
    "rate POSTS=1",
    "busy POSTS=1",
    "busy WINDOW POSTS=1",
    "move POSTS=1 CHANGES=1",
    "move ADAPTIVE POSTS=1 CHANGES=1",
    "move OFFLINE QUEUE POSTS=1 CHANGES=1",
]

# What a mutant does wrong shows in the assertion that fails.
LOST = r"waiting|pir\["
UNBOUNDED = r"loop_number<=2"
NESTED = r"serving"
TWICE = r"running>>"
LATE = r"in_immediate"
NOBODYS = r"owner==\(place>>1\)"
FOR_EVER = r"non-progress cycle"

MUTANTS = [
    ("posted CLEAR_ON_AFTER_LAST_HARVEST", LOST),
    ("posted HARVEST_UNTIL_EMPTY", UNBOUNDED),
    ("posted HARVEST_BY_STORE WORDS=1", LOST),
    ("posted HELD_WITHOUT_HARVEST", LOST),
    ("posted LOOK_BEFORE_LETTING", LOST),
    ("posted SLEEP_WITH_INTERRUPTS_ON", LOST),
    ("posted STI_APART_FROM_HLT", LOST),
    ("posted EARLY_EOI IMMEDIATE=3", NESTED),
    ("adaptive NO_RESCAN", LOST),
    ("adaptive NO_RESCAN MWAIT", LOST),
    ("adaptive SCAN_FIRST", LOST),
    ("adaptive SCAN_FIRST MWAIT", LOST),
    ("adaptive ON_IS_LEFT", LOST),
    ("adaptive SLEEP_WITH_INTERRUPTS_ON", LOST),
    ("adaptive STI_APART_FROM_HLT", LOST),
    ("adaptive READY_BY_STORE IMMEDIATE=1", LOST),
    ("modes CHANGE_WITHOUT_HARVEST ADAPTIVE", LOST),
    ("modes CHANGE_HARVESTS_FIRST ADAPTIVE", LOST),
    ("modes CHANGE_LEAVES_SN ADAPTIVE", LOST),
    ("rate WINDOW_ENDS_SUPPRESSED", LOST),
    ("rate WINDOW_ENDS_WITHOUT_HARVEST", LOST),
    ("busy MWAIT_LEAVES_ON MWAIT", LOST),
    ("busy WINDOW_NOT_REARMED WINDOW", LOST),
    ("busy WINDOW_BEGINS_WITH_SLEEP WINDOW", LOST),
    ("busy WINDOW_RUNS_NEW_ONES_ONLY WINDOW", LATE),
    ("busy IMMEDIATE_TWICE WINDOW", TWICE),
    ("move NO_DRAIN_ON_MOVE", LOST),
    ("move NO_DRAIN_ON_MOVE ADAPTIVE", LOST),
    ("move NO_DRAIN_ON_MOVE OFFLINE START_CPU=1", LOST),
    ("move DRAIN_WITHOUT_PIR", LOST),
    ("move DRAIN_WITHOUT_IRR POSTS=1", LOST),
    ("move NO_INVALIDATION_WAIT CHANGES=1", LOST),
    ("move ROUTE_BEFORE_TABLE CHANGES=1", LOST),
    ("move SAY_SLEEPING_LATE", LOST),
    ("move PLACE_BEFORE_ROUTE QUEUE POSTS=1", NOBODYS),
    ("move NO_REAP_ON_ADOPTION QUEUE CHANGES=1", LOST),
    ("move ONLINE_WITH_OLD_ON OFFLINE START_CPU=1", LOST),
]
ENDLESS = [
    ("adaptive LOOP_WITHOUT_HARVEST POSTS=1", FOR_EVER),
]

NO_STEPS = ("-end-", "(0)")  # the end of a process, and `false`: waiting for ever

# No partial-order reduction: it isn't sound for processes that others can suspend.
SAFETY = ["-DNOREDUCE", "-DSAFETY", "-DPEG"]
CYCLES = ["-DNOREDUCE", "-DNP"]


SESSION = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))


class Run:
    """One configuration, compiled and searched; once, whichever of the workers asks first."""

    def __init__(self, configuration, kind="model"):
        model, *switches = configuration.split()
        self.kind = kind
        self.switches = [f"-D{s}" for s in switches]
        self.source = HERE / f"{model}.pml"
        self.folder = BUILD / "-".join([kind, model, *switches]).replace("=", "")
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "session", "a+") as session:
            fcntl.flock(session, fcntl.LOCK_EX)
            session.seek(0)
            if session.read() != SESSION:
                self.search()
                session.truncate(0)
                session.write(SESSION)
        self.said = (self.folder / "said").read_text()

    def search(self):
        cycles = self.kind == "cycles"
        self.do("spin", "-o3", *self.switches, "-a", self.source)
        self.do("gcc", "-w", "-O1" if self.kind == "model" else "-O0",
                *(CYCLES if cycles else SAFETY), "-o", "pan", "pan.c")
        said = self.do("./pan", "-b", "-m5000", "-w21", "-n", *(["-l"] if cycles else []))
        (self.folder / "said").write_text(said)

    def do(self, *command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True,
                              timeout=1200)
        assert not done.returncode and not done.stderr, (command, done.stdout, done.stderr)
        return done.stdout

    @property
    def errors(self):
        return int(re.search(r"errors: (\d+)", self.said)[1])

    @property
    def searched_all(self):
        return ("Full statespace search for:" in self.said
                and not re.search("not completed|too small|truncated|out of memory", self.said))

    @property
    def verdict(self):
        return re.search(r"^pan:1: (.*)", self.said, re.M)[1]

    def trail(self):
        return self.do("spin", *self.switches, "-t", "-p", "-k", f"{self.source.name}.trail",
                       self.source)

    def held(self):
        if self.errors:
            pytest.fail(f"{self.verdict}\n{self.trail()}\n{self.said}", pytrace=False)
        return self.searched_all

    def steps(self):
        """Each step that the model has, as place and text, and whether the search took it."""
        taken = set(re.findall(r"^ *\d+\ttrans +(\d+) ", self.said, re.M))
        steps = re.findall(r"case (\d+): // STATE \d+ - \S*/(\w+\.pml:\d+) - \[(.*)\]",
                           (self.folder / "pan.m").read_text())
        return {((place, text), number in taken) for number, place, text in steps
                if text not in NO_STEPS}


@pytest.mark.parametrize("configuration", MODELS + LARGER if FULL else MODELS)
def test_nothing_is_lost(configuration):
    assert Run(configuration).held()


@pytest.mark.parametrize("configuration", ENDING)
def test_all_comes_to_rest(configuration):
    assert Run(configuration, "cycles").held()


def check_guilt(run, crime):
    assert run.errors == 1
    assert re.search(crime, run.verdict), run.verdict


@pytest.mark.parametrize("configuration, crime", MUTANTS)
def test_mutant_is_guilty(configuration, crime):
    check_guilt(Run(configuration, "mutant"), crime)


@pytest.mark.parametrize("configuration, crime", ENDLESS)
def test_endless_mutant_is_guilty(configuration, crime):
    check_guilt(Run(configuration, "cycles"), crime)


def test_every_step_is_taken():
    """In one configuration or another: what no search reaches would be checked in vain."""
    steps = [Run(configuration).steps() for configuration in MODELS]
    reached = {step for found in steps for step, taken in found if taken}
    never = {step for found in steps for step, taken in found if not taken} - reached
    assert len(reached) > 150 and not never


def test_every_switch_is_thrown():
    text = "".join(source.read_text() for source in HERE.glob("*.pml"))
    tested = set(re.findall(r"[A-Z][A-Z_]+", " ".join(re.findall(r"^#if.*", text, re.M))))
    defined = set(re.findall(r"^ *#define ([A-Z_]+)", text, re.M))
    runs = MODELS + [configuration for configuration, crime in MUTANTS + ENDLESS]
    thrown = {switch.split("=")[0] for run in runs for switch in run.split()[1:]}
    assert tested <= thrown | defined
    assert thrown <= tested
