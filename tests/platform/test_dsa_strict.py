# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa with strict=on: each breach of the programming rules (341204-006) is told, a good life is
silent."""
import json

import pytest

from dsa import (ABORT_ALL, ASK, DISABLE, DISABLE_WQ, DRAIN_ALL, DRAIN_WQ, ENABLE, FILL, GENCFG,
                 GENCTRL, INTCAUSE, INTERRUPT, MOVE, OTHER, RECORDS, RELEASE_HANDLE, REQUEST_HANDLE, RESET,
                 Accelerator, machine)
from test_dsa_faults import IO_DATA, IO_OTHER, NOWHERE, Fenced

BREACH = 77


class Strict:
    def __init__(self, folder, **options):
        self.json = folder / "json"
        self.machine = machine(1, f",strict=on,json={self.json}", **options)
        self.dsa = Accelerator(self.machine)

    def __enter__(self):
        return self.dsa

    def __exit__(self, *exception):
        self.machine.__exit__(*exception)
        self.breaches = json.loads(self.json.read_text())["breaches"]


@pytest.fixture
def strict(tmp_path):
    return Strict(tmp_path)


def silent(strict):
    assert strict.breaches == {} and strict.machine.status == 0
    assert "breach of" not in strict.machine.stderr


def breached(strict, rule, section, count=1):
    assert strict.breaches == {rule: count}
    assert f"breach of DSA {section}, {rule} (" in strict.machine.stderr
    assert strict.machine.status == BREACH


def test_a_good_life_is_silent(tmp_path):
    strict = Strict(tmp_path, handles="on")
    with strict as dsa:
        assert dsa.command(RESET) == 0
        dsa.write(GENCTRL, 3)
        dsa.bring_up(wqs=2, engines=2)
        assert dsa.command(REQUEST_HANDLE, 1) == 0
        handle = dsa.result
        assert dsa.status(op=FILL, flags=ASK | INTERRUPT, handle=handle, destination=OTHER, size=8) == 1
        dsa.error()
        assert dsa.command(DRAIN_WQ, 1) == dsa.command(DISABLE_WQ, 2) == dsa.command(DRAIN_ALL) == 0
        assert dsa.command(DISABLE) == dsa.command(RESET) == 0
    silent(strict)


@pytest.fixture
def with_handle(tmp_path):
    """A device whose first queue's handle is revoked once it was used, and that handle."""
    strict = Strict(tmp_path, handles="on")

    def begin(dsa):
        dsa.bring_up(wqs=2, engines=2)
        assert dsa.command(REQUEST_HANDLE, 2) == dsa.command(REQUEST_HANDLE, 1) == 0
        assert dsa.status(flags=ASK | INTERRUPT, handle=dsa.result) == 1
        dsa.set("revoke", "on")
        return dsa.result
    strict.begin = begin
    return strict


def test_a_revoked_handle(with_handle):
    """Who has it may use it until software goes over to the next one (figure 7-3); also what was
    submitted by then."""
    with with_handle as dsa:
        old = with_handle.begin(dsa)
        assert dsa.status(flags=ASK | INTERRUPT, handle=old) == 0x19, "which is the device's doing"
        dsa.write(INTCAUSE, 1 << 31)
        assert dsa.status(flags=ASK | INTERRUPT, handle=old) == 0x19, "software may not have seen it"
        assert dsa.command(REQUEST_HANDLE, 2) == 0
        assert dsa.status(flags=ASK | INTERRUPT, handle=dsa.result) == 1, "another entry's"
        assert dsa.command(REQUEST_HANDLE, 1) == 0
        new = dsa.result
        dsa.set("hold", "on")
        dsa.submit(flags=ASK | INTERRUPT, handle=old, record=RECORDS + 32)
        dsa.submit(flags=ASK | INTERRUPT, handle=new, record=RECORDS + 64)
        dsa.set("hold", "off")
        assert dsa.record(RECORDS + 32)[0] == 0x19 and dsa.record(RECORDS + 64)[0] == 1
        dsa.set("revoke", "on")
        assert dsa.command(REQUEST_HANDLE, 1) == dsa.command(RELEASE_HANDLE, 1) == 0
        dsa.set("revoke", "on")
        assert dsa.status(flags=ASK | INTERRUPT, handle=new) == 0x19
    silent(with_handle)


@pytest.mark.parametrize("revoked_again", [False, True])
def test_a_revoked_handle_after_the_new_one(with_handle, revoked_again):
    with with_handle as dsa:
        old = with_handle.begin(dsa)
        dsa.write(INTCAUSE, 1 << 31)
        assert dsa.command(REQUEST_HANDLE, 1) == 0
        assert dsa.status(flags=ASK | INTERRUPT, handle=dsa.result) == 1
        if revoked_again:
            dsa.set("revoke", "on")
            assert dsa.command(REQUEST_HANDLE, 1) == 0
        for _ in range(2):
            assert dsa.status(flags=ASK | INTERRUPT, handle=old) == 0x19
    breached(with_handle, "dsa-descriptor", "5.4", 2)


@pytest.mark.parametrize("which", ["never given", "released", "of before a reset"])
def test_a_handle_that_was_not_revoked(with_handle, which):
    with with_handle as dsa:
        with_handle.begin(dsa)
        assert dsa.command(REQUEST_HANDLE, 1) == 0
        handle = 0xFFFF if which == "never given" else dsa.result
        if which == "released":
            assert dsa.command(RELEASE_HANDLE, 1) == 0
        elif which == "of before a reset":
            assert dsa.command(RESET) == 0
            dsa.bring_up()
        assert dsa.status(flags=ASK | INTERRUPT, handle=handle) == 0x19
    breached(with_handle, "dsa-descriptor", "5.4")


def test_what_is_planted_is_no_breach(strict):
    with strict as dsa:
        dsa.bring_up().set("plant", "garbage")
        dsa.run(op=FILL, destination=OTHER, size=8)
        dsa.submit_raw(dsa.descriptor())  # over a record that was garbled
        dsa.settle()
        dsa.set("plant", "full:2")
        assert dsa.status() == 1
        dsa.submit()
        dsa.settle()
        assert dsa.machine.read(RECORDS, 1) == 0 and dsa.error() == 0x53
        assert dsa.status() == 1
    silent(strict)


def test_a_command_on_top_of_another(strict):
    with strict as dsa:
        dsa.bring_up().set("hold", "on")
        dsa.submit()
        dsa.start(DRAIN_ALL)
        dsa.start(ABORT_ALL)
        dsa.set("hold", "off")
        dsa.finish()
    breached(strict, "dsa-command-active", "9.2.12")


def test_a_command_that_fails(strict):
    with strict as dsa:
        assert dsa.command(ENABLE) == 0 and dsa.command(ENABLE) == 0x10
    breached(strict, "dsa-command-failed", "5.8.3")


@pytest.mark.parametrize("place", ["size", "mode", "gencfg", "group"])
def test_configuration_that_is_locked(strict, place):
    with strict as dsa:
        dsa.bring_up()
        at = {"size": dsa.wqcfg(0, 0), "mode": dsa.wqcfg(0, 8), "gencfg": GENCFG, "group": dsa.groups}[place]
        dsa.write(at, dsa.read(at))  # nothing changes
        dsa.write(at, dsa.read(at) ^ 2)
    breached(strict, "dsa-read-only", "table 9-4")


@pytest.mark.parametrize("place", ["size", "limits", "genctrl", "permissions", "flags"])
def test_reserved_bits(strict, place):
    with strict as dsa:
        at = {"size": dsa.wqcfg(0, 0), "limits": dsa.wqcfg(0, 12), "genctrl": GENCTRL,
              "permissions": dsa.permissions, "flags": dsa.groups + 40}[place]
        dsa.write(at, dsa.read(at) | 1 << (28 if place != "permissions" else 4))
    breached(strict, "dsa-register-reserved", "9.2")


def test_bus_mastering_taken_away(strict):
    with strict as dsa:
        dsa.bring_up()
        dsa.machine.config_write(dsa.bdf, 4, 2, 2)
    breached(strict, "dsa-bus-master", "5.7")


@pytest.mark.parametrize("at, size", [(8, 8), (0, 4), (4, 8)])
def test_a_store_out_of_place(strict, at, size):
    with strict as dsa:
        dsa.bring_up()
        dsa.machine.write(dsa.bar2 + at, 0, size)
    breached(strict, "dsa-portal-write", "9.3")


def test_a_descriptor_that_is_begun_again(strict):
    with strict as dsa:
        dsa.bring_up()
        dsa.machine.write(dsa.bar2, 0, 8)
        assert dsa.status() == 1
    breached(strict, "dsa-portal-write", "9.3")


def test_a_queue_that_is_not_enabled(strict):
    with strict as dsa:
        dsa.bring_up()
        dsa.submit(wq=1)
    breached(strict, "dsa-portal-closed", "5.3")


def test_a_queue_that_is_full(strict):
    with strict as dsa:
        dsa.bring_up(size=1).set("hold", "on")
        dsa.submit()
        dsa.submit()
    breached(strict, "dsa-queue-full", "5.3")


def test_descriptors_for_a_queue_that_is_drained(strict):
    with strict as dsa:
        dsa.bring_up().set("hold", "on")
        dsa.submit()
        dsa.start(DRAIN_WQ, 1)
        dsa.submit(record=RECORDS + 32)
        dsa.set("hold", "off")
        assert dsa.finish() == 0
    breached(strict, "dsa-submit-while-emptied", "3.15")


@pytest.mark.parametrize("fields", [
    {"op": 0x77}, {"flags": ASK | 1}, {"op": MOVE, "size": 0}, {"flags": ASK | INTERRUPT, "handle": 99}])
def test_a_bad_descriptor(strict, fields):
    with strict as dsa:
        dsa.bring_up()
        dsa.status(**fields)
    breached(strict, "dsa-descriptor", "5.4")


def test_a_record_that_was_not_cleared(strict):
    with strict as dsa:
        dsa.bring_up()
        for _ in range(2):
            dsa.submit_raw(dsa.descriptor())
            dsa.settle()
    breached(strict, "dsa-record-not-cleared", "3.6")


def test_a_write_to_nowhere(strict):
    """The rules of VT-d are broken as well here: the tables are set up in haste."""
    with strict as dsa:
        fenced = Fenced(dsa.machine)
        assert fenced.status(op=FILL, destination=NOWHERE, size=8) == 1
        assert fenced.status(op=MOVE, source=IO_DATA, destination=IO_OTHER, size=8) == 1
    assert strict.breaches["dsa-write-lost"] == 1
    assert "breach of DSA 3.13.1, dsa-write-lost (" in strict.machine.stderr
