# SPDX-License-Identifier: BSD-2-Clause
"""The image itself: its size, and that it depends on nothing but its sources."""
import shutil
import subprocess

import pytest

from conftest import ROOT, launch

IMAGE = launch.BUILD / "onebell.efi"


def test_size():
    assert IMAGE.stat().st_size <= 1 << 20


@pytest.mark.timeout(600)
def test_clean_builds_give_the_same_bytes(tmp_path):
    """A second build, of a copy elsewhere, by one job at a time."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    subprocess.run(["make", "-s", "-C", copy, "build/onebell.efi"], check=True)
    assert (copy / "build/onebell.efi").read_bytes() == IMAGE.read_bytes()
