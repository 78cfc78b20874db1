# SPDX-License-Identifier: BSD-2-Clause
"""The image, and what `make dist` puts around it: that neither depends on anything but the sources."""
import os
import shutil
import subprocess
import tarfile

import pytest

from conftest import ROOT, launch
from test_media import EPOCH, need_tools


def make_dist(top, umask):
    need_tools()
    subprocess.run(["make", "-s", "-j2", "-C", top, "SETUP=true", "dist"], check=True, umask=umask,
                   env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})
    return top / "build/onebell.tar.gz"


def check_contents(file, to):
    with tarfile.open(file) as archive:
        members = archive.getmembers()
        archive.extractall(to)
    top = to / "onebell"
    for name in ("README.md", "LICENSE", "onebell.efi", "onebell.img", "onebell.iso",
                 "docs/user-guide.md", "docs/example-report.html"):
        assert (top / name).stat().st_size > 0
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", int(EPOCH))}
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=top, check=True)
    listed = {line.split("  ")[1] for line in (top / "SHA256SUMS").read_text().splitlines()}
    files = {file.relative_to(top).as_posix() for file in top.rglob("*") if file.is_file()}
    assert listed == files - {"SHA256SUMS"}


@pytest.mark.timeout(900)
def test_clean_build_and_dist(tmp_path):
    """Once here, once from a copy elsewhere, whose files are newer and have other permissions, by one job at a time."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT, copy, copy_function=shutil.copy,
                    ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    subprocess.run(["make", "-s", "-C", copy, "build/onebell.efi"], check=True, umask=0o077)
    assert (copy / "build/onebell.efi").read_bytes() == (launch.BUILD / "onebell.efi").read_bytes()

    first = make_dist(ROOT, 0o022)
    check_contents(first, tmp_path)
    assert make_dist(copy, 0o077).read_bytes() == first.read_bytes()
