# SPDX-License-Identifier: BSD-2-Clause
"""Each check of app=platform is told of in the docs, and has a way to be wrong that a test looks at."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CHECKS = (ROOT / "drivers/vtd/platform/checks.c").read_text()
IDS = re.findall(r'\[CHECK_\w+\] = \{ "([a-z0-9-]+)"', CHECKS)


def test_ids_are_found():
    assert len(IDS) == CHECKS.count("[CHECK_") > 70


def test_docs_name_each_check():
    [table] = re.findall(r"^\| ids \| FWTS .*\n((?:\|.*\n)+)", (ROOT / "docs/platform-checks.md").read_text(), re.MULTILINE)
    rows = [line.split("|")[1] for line in table.splitlines()]
    assert sorted(re.findall(r"`([a-z0-9-]+)`", " ".join(rows))) == sorted(IDS)


def test_each_check_can_fail():
    tables = [path.read_text() for path in (ROOT / "tests/dmar").glob("*.dsl")]
    expected = set(" ".join(re.findall(r"^// expect:(.*)$", "\n".join(tables), re.MULTILINE)).split())
    assert expected <= set(IDS)
    by_hand = "".join((ROOT / "tests/host" / name).read_text() for name in ("test_dmar_check.c", "test_unit_check.c"))
    expected |= {name for name in IDS if re.search(rf'["\s]{name} ', by_hand)}
    assert sorted(set(IDS) - expected) == []
