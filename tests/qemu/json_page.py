# SPDX-License-Identifier: BSD-2-Clause
"""docs/json.md, against what a boot has sent."""
import re
from functools import lru_cache
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/json.md"
ROW = re.compile(r"^\| (`[^|]+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
# Rows that don't list their fields: nvme-cli's names, what a test counts, a page of its own.
OPEN = re.compile("nvme-cli's|what was counted|see \\[")


@lru_cache
def page():
    """{type: the fields that it may have; None: any}"""
    types = {}
    for names, one_for, fields in ROW.findall(PAGE.read_text()):
        known = {"type", *re.findall(r"`(\w+)`", one_for + fields)}
        for name in re.findall("`([^`]+)`", names):
            if OPEN.search(fields) or types.get(name, ()) is None:
                types[name] = None
            else:
                types[name] = types.get(name, set()) | known
    return types


def undocumented(events):
    """The types, and the fields with their types, that the page doesn't have."""
    types = page()
    missing = {e["type"] for e in events} - types.keys()
    for event in events:
        known = types.get(event["type"])
        if known is not None:
            missing |= {f"{event['type']}.{field}" for field in event.keys() - known - {"domain"}}
    return sorted(missing)
