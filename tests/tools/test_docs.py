# SPDX-License-Identifier: BSD-2-Clause
"""What the documents name is there: files, and the functions that the spec map gives for each rule."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("tests/*/README.md")),
        *sorted(ROOT.glob("tools/*/README.md"))]
# Folders whose files the documents name by path.
TOP = ("boot", "init", "kernel", "drivers", "lib", "apps", "tests", "tools", "docs")


def tracked():
    said = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    return [line for line in said.stdout.splitlines() if (ROOT / line).is_file()]


FILES = tracked()


def quoted(path):
    return re.findall(r"`([^`\n]+)`", path.read_text())


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_paths(doc):
    for name in quoted(doc):
        path = name.split(":")[0].rstrip("/")
        if not re.fullmatch(rf"(?:{'|'.join(TOP)})(?:/[\w.*-]+)+", path):
            continue
        assert list(ROOT.glob(path)), f"{doc.name} names {path}"


def test_spec_map():
    rows = [re.fullmatch(r"([\w*]+\.(?:c|h|asm)): (.+)", name) for name in quoted(ROOT / "docs/spec-map.md")]
    rows = [row for row in rows if row]
    assert len(rows) > 50
    for row in rows:
        files = [ROOT / file for file in FILES if Path(file).match(row[1]) and not file.startswith("tests/")]
        text = "".join(file.read_text() for file in files)
        for name in re.findall(r"[A-Za-z_]\w+", row[2].split("(")[0]):
            assert re.search(rf"\b{name}\b", text), f"docs/spec-map.md names {row[0]}"


def test_links():
    for doc in DOCS:
        for link in re.findall(r"\]\(([^)#:]+)\)", doc.read_text()):
            assert (doc.parent / link).exists(), f"{doc.name} links to {link}"
