# SPDX-License-Identifier: BSD-2-Clause
"""The two labs that tools/ has files for, each with one machine in QEMU."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 180  # s; a boot takes 5 to 15
PLACE = "/srv/onebell"  # that the files of tools/lava/ name


class LavaRun:
    """A job, and all that LAVA recorded of it."""

    def __init__(self, folder, name, **words):
        self.json = folder / f"{name}.jsonl"
        texts = {kind: self.file(kind, **words) for kind in ("device", "job")}
        for kind, text in texts.items():
            (folder / f"{kind}.yaml").write_text(text)
        done = subprocess.run(["lava-run", "--job-id", str(os.getpid()), "--output-dir", folder / "out",
                               "--device", folder / "device.yaml", folder / "job.yaml"],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.status, self.log = done.returncode, done.stdout + done.stderr
        found = [yaml.safe_load(line)["msg"] for line in self.log.splitlines() if '"lvl": "results"' in line]
        self.results = {r["case"]: r["result"] for r in found if r["definition"] == "onebell"}
        self.lava = {r["case"]: r["result"] for r in found if r["definition"] == "lava"}

    def file(self, kind, words=None):
        """A file of tools/lava/ as a lab would edit it: its paths, and the command line."""
        text = (ROOT / f"tools/lava/qemu-{kind}.yaml").read_text()
        text = text.replace(PLACE, str(ROOT)).replace("/var/tmp/onebell-lava.jsonl", str(self.json))
        if words:
            text, n = re.subn("(--append) '.*'", rf"\1 '{words}'", text)
            assert n == (kind == "job")
        return text


def need_lava():
    if not shutil.which("lava-run"):
        pytest.skip("lava-run is not installed (package lava-dispatcher)")
    if os.geteuid() != 0:
        pytest.skip("lava-run works as root alone")


class LabgridRun:
    def __init__(self, folder, name, **words):
        self.json = folder / f"{name}.jsonl"
        environment = yaml.safe_load((ROOT / "tools/labgrid/qemu.yaml").read_text())
        driver = environment["targets"]["main"]["drivers"]["OnebellQEMUDriver"]
        driver["options"] += f" --json {self.json} --model-json {folder / 'model'}"
        driver.update(words)
        environment["imports"] = [str(ROOT / "tools/labgrid" / name) for name in environment["imports"]]
        (folder / "qemu.yaml").write_text(yaml.safe_dump(environment))
        done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                               "--lg-env", folder / "qemu.yaml", ROOT / "tools/labgrid"],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.status, self.said = done.returncode, done.stdout


def need_labgrid():
    pytest.importorskip("labgrid", reason="labgrid is not installed (package python3-labgrid)")
