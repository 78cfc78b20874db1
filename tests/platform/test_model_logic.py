# SPDX-License-Identifier: BSD-2-Clause
"""The decoding and the descriptor protocol on their own, without QEMU (logic.c)."""

import subprocess

from qtest_machine import BUILD


def test_logic():
    run = subprocess.run([BUILD / "qemu" / "test-logic"], capture_output=True, text=True,
                         timeout=25)
    assert run.returncode == 0, run.stdout + run.stderr
