# SPDX-License-Identifier: BSD-2-Clause
"""tools/check-includes on small trees, right and wrong."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ("lib/types.h", "lib/bits.h", "kernel/base/report.h", "kernel/base/percpu.h",
           "kernel/acpi/acpi.h", "kernel/pci/pci.h", "kernel/irq/irq.h", "kernel/irq/irq_move.h",
           "kernel/run/loop.h", "kernel/handoff.h", "drivers/vtd/vtd.h", "drivers/nvme/nvme.h",
           "apps/job.h", "init/tables.h", "boot/elf.h")


@pytest.fixture
def check(tmp_path):
    for header in HEADERS:
        (tmp_path / header).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / header).write_text("#pragma once\n")

    def run(file, text):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
        done = subprocess.run([ROOT / "tools/check-includes", tmp_path], capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


def test_this_tree():
    done = subprocess.run([ROOT / "tools/check-includes"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("file, name", [
    ("lib/a.c", "lib/bits.h"),
    ("kernel/handoff.h", "lib/types.h"),
    ("kernel/base/a.c", "lib/bits.h"),
    ("kernel/base/a.c", "kernel/handoff.h"),
    ("kernel/pci/a.c", "kernel/acpi/acpi.h"),
    ("kernel/irq/a.c", "kernel/base/percpu.h"),
    ("kernel/run/a.c", "kernel/irq/irq_move.h"),
    ("init/a.c", "kernel/base/percpu.h"),
    ("init/main.c", "drivers/vtd/vtd.h"),
    ("init/main.c", "drivers/nvme/nvme.h"),
    ("drivers/vtd/a.c", "kernel/irq/irq.h"),
    ("drivers/nvme/a.c", "drivers/nvme/nvme.h"),
    ("apps/a.c", "kernel/run/loop.h"),
    ("boot/a.c", "kernel/handoff.h"),
    ("boot/a.c", "lib/bits.h"),
    ("boot/a.c", "boot/elf.h"),
    ("boot/a.c", "efi.h"),
    ("lib/a.h", "stdint.h"),
])
def test_allowed(check, file, name):
    assert check(file, f'#include "{name}"\n') == (0, "")


@pytest.mark.parametrize("file, name", [
    ("lib/a.c", "kernel/base/report.h"),
    ("lib/a.c", "string.h"),
    ("kernel/a.h", "kernel/base/report.h"),
    ("kernel/base/a.c", "kernel/run/loop.h"),
    ("kernel/acpi/a.c", "kernel/pci/pci.h"),
    ("kernel/pci/a.c", "kernel/irq/irq.h"),
    ("kernel/irq/a.c", "kernel/run/loop.h"),
    ("kernel/run/a.c", "drivers/vtd/vtd.h"),
    ("kernel/run/a.c", "apps/job.h"),
    ("kernel/run/a.c", "init/tables.h"),
    ("init/a.c", "drivers/nvme/nvme.h"),
    ("init/main.c", "apps/job.h"),
    ("init/main.c", "boot/elf.h"),
    ("drivers/vtd/a.c", "drivers/nvme/nvme.h"),
    ("drivers/vtd/a.c", "kernel/irq/irq_move.h"),
    ("drivers/nvme/a.c", "drivers/vtd/vtd.h"),
    ("drivers/nvme/a.c", "apps/job.h"),
    ("apps/a.c", "drivers/nvme/nvme.h"),
    ("apps/a.c", "kernel/base/percpu.h"),
    ("apps/a.c", "init/tables.h"),
    ("boot/a.c", "kernel/irq/irq.h"),
    ("kernel/base/a.c", "efi.h"),
    ("kernel/base/a.c", "kernel/gone.h"),
    ("kernel/irq/a.c", "irq.h"),
])
def test_refused(check, file, name):
    status, said = check(file, f'// first line\n  #  include "{name}"\n')
    assert status == 1
    assert said.startswith(f"{file}:2: ")
    assert name in said
    assert said.count("\n") == 1


def test_assembly_counts(check):
    status, said = check("lib/a.asm", '%include "kernel/irq/irq.h"\n')
    assert (status, said.startswith("lib/a.asm:1: ")) == (1, True)


def test_host_headers_only_in_host_parts(check):
    text = "#ifdef ONEBELL_HOST\n#include <string.h>\n#else\n{}#endif\n"
    assert check("lib/a.c", text.format("")) == (0, "")
    status, said = check("lib/a.c", text.format("#include <stdio.h>\n"))
    assert (status, said.startswith("lib/a.c:4: ")) == (1, True)
