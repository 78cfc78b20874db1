# SPDX-License-Identifier: BSD-2-Clause
"""QR codes of lib/qr.c, read by zbar, which knows nothing of it."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What each version holds at most, with level M and then with level L.
LENGTHS = [1, 14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 230, 271]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    tool = tmp_path_factory.mktemp("qr") / "qr_pbm"
    subprocess.run(["gcc", "-O1", "-DONEBELL_HOST", "-I", ROOT, ROOT / "lib/qr.c",
                    ROOT / "tests/tools/qr_pbm.c", "-o", tool], check=True)
    return tool


def read_back(encoder, folder, text, *mask):
    picture = folder / "qr.pbm"
    picture.write_bytes(subprocess.run([encoder, *mask], input=text.encode(), check=True,
                                       capture_output=True).stdout)
    said = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture],
                          capture_output=True, text=True)
    return said.stdout.removesuffix("\n")


@pytest.mark.parametrize("length", LENGTHS)
def test_each_version(encoder, tmp_path, length):
    text = ("Onebell PASS, 312,400 IOPS; p99 88.1 us\n" * 8)[:length].strip().ljust(length, ".")
    assert read_back(encoder, tmp_path, text) == text


@pytest.mark.parametrize("mask", "01234567")
def test_each_mask(encoder, tmp_path, mask):
    assert read_back(encoder, tmp_path, "job randread: ok", mask) == "job randread: ok"
