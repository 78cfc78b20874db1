# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: what it does wrong on purpose."""
import json

import pytest

from dsa import (ASK, BATCH, DATA, FILL, HALTED, INTCAUSE, INTERRUPT, OTHER, RECORDS, REQUEST_HANDLE,
                 RESET, Accelerator, machine, put)
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
    ("garbled", 0x10, {1}), ("fault", 0x83, {1}), ("error", 0x20, {1}), ("corrupt", 1, {1})])
def test_plants(wired, plant, status, fired):
    wired.dsa.bring_up().set("plant", plant)
    assert one(wired) == (status, fired)
    assert (wired.machine.read(OTHER, 1) != 0x11) == (plant in ("corrupt", "garbled"))


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


def test_a_halt_in_the_midst_of_a_batch(wired):
    """What was under way never ends, not even when a reset wakes the device up again."""
    dsa, m = wired.dsa.bring_up(), wired.machine
    dsa.set("plant", "halt:2")
    put(m, DATA, b"".join(dsa.descriptor(record=RECORDS + 32 * i) for i in range(1, 5)))
    dsa.submit(op=BATCH, source=DATA, size=4)
    dsa.until(lambda: dsa.state == HALTED, "it did not halt")
    assert dsa.command(RESET) == 0
    assert [m.read(RECORDS + 32 * i, 1) for i in range(5)] == [0, 1, 1, 0, 0]
    dsa.set("plant", "none")
    assert dsa.bring_up().status() == 1


def test_handles_revoked_again_and_again():
    with machine(handles="on") as m:
        dsa = Accelerator(m).bring_up()
        dsa.set("plant", "revoke:2")
        assert dsa.command(REQUEST_HANDLE, 1) == 0
        found = [dsa.status(flags=ASK | INTERRUPT, handle=dsa.result) for _ in range(3)]
        assert found == [1, 1, 0x19] and dsa.read(INTCAUSE) == 1 << 31
