# SPDX-License-Identifier: BSD-2-Clause
"""docs/json.md has each type that the sources send, and none that they don't; whole boots look at fields."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/qemu"))
import json_page

ROOMS = ("apps", "boot", "drivers", "init", "kernel", "lib")
SOURCES = "".join(path.read_text() for room in ROOMS for path in sorted((ROOT / room).rglob("*.c")))
LITERALS = set(re.findall(r'"([\w-]+)"', SOURCES))


def test_types_are_told():
    sent = set(re.findall(r'json_begin\([^;"]*"([\w-]+)"', SOURCES))
    assert len(sent) > 25
    assert sorted(sent - json_page.page().keys()) == []


def test_types_are_sent():
    assert sorted(json_page.page().keys() - LITERALS) == []


def test_fields_are_found():
    """Each row has more than its type."""
    assert [name for name, known in json_page.page().items() if known is not None and len(known) < 2] == []


def test_what_is_missing():
    events = [{"type": "end", "status": "ok"}, {"type": "end", "state": 1}, {"type": "nothing"}]
    assert json_page.undocumented(events) == ["end.state", "nothing"]
    assert json_page.undocumented([{"type": "id-ctrl", "vid": 1}]) == []
