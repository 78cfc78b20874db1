# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: what it does wrong on purpose."""
import json

import pytest

from dsa import ASK, FILL, INTERRUPT, OTHER, RECORDS, Accelerator, machine
from test_dsa_interrupts import Wired

@pytest.fixture
def wired():
    with machine() as m:
        yield Wired(m)


def one(wired):
    """A descriptor with record and interrupt: the record's status, and what came."""
    dsa = wired.dsa
    dsa.submit(op=FILL, flags=ASK | INTERRUPT, handle=1, source=0x11, destination=OTHER, size=1)
    dsa.settle()
    return dsa.machine.read(RECORDS, 1), wired.fired()


@pytest.mark.parametrize("plant, status, fired", [
    ("none", 1, {1}), ("never", 0, set()), ("garbage", 0xBF, {1}), ("silent", 1, set()), ("early", 1, {1}),
    ("fault", 0x83, {1}), ("error", 0x20, {1}), ("corrupt", 1, {1})])
def test_plants(wired, plant, status, fired):
    wired.dsa.bring_up().set("plant", plant)
    assert one(wired) == (status, fired)
    assert (wired.machine.read(OTHER, 1) != 0x11) == (plant == "corrupt")


def test_twice(tmp_path):
    """The second time comes on its own, a little later."""
    file = tmp_path / "json"
    with machine(plugin_args=f",json={file}") as m:
        dsa = Accelerator(m).bring_up()
        dsa.set("plant", "twice")
        assert dsa.status(flags=ASK | INTERRUPT, handle=1) == 1
        dsa.settle()
    told = json.loads(file.read_text())["dsa"][0]
    assert (told["completed"], told["interrupts"]) == (1, 2)


def test_every_third(wired):
    dsa = wired.dsa.bring_up()
    dsa.set("plant", "never:3")
    assert [one(wired)[0] for _ in range(7)] == [1, 1, 0, 1, 1, 0, 1]
