# SPDX-License-Identifier: BSD-2-Clause
"""The two labs that tools/ has files for, each with one machine in QEMU."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 180  # s; a boot takes 5 to 15
PLACE = "/srv/onebell"  # that the files of tools/lava/ name
WORDS = "irq=posted rw=randread runtime=1s verify=crc32c"


class LavaRun:
    """A job, and all that LAVA recorded of it. `edits`: what a lab would change in device and job."""

    def __init__(self, folder, device, job, edits):
        for part, name in (("device", device), ("job", job)):
            text = (ROOT / f"tools/lava/{name}-{part}.yaml").read_text()
            for old, new in edits.items():
                text = text.replace(old, str(new))
            (folder / f"{part}.yaml").write_text(text)
        done = subprocess.run(["lava-run", "--job-id", str(os.getpid()), "--output-dir", folder / "out",
                               "--device", folder / "device.yaml", folder / "job.yaml"],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.status, self.log = done.returncode, done.stdout + done.stderr
        found = [yaml.safe_load(line)["msg"] for line in self.log.splitlines() if '"lvl": "results"' in line]
        self.results = {r["case"]: r["result"] for r in found
                        if r["definition"] != "lava" and "measurement" not in r}
        self.measured = {r["case"]: float(r["measurement"]) for r in found if "measurement" in r}
        self.lava = {r["case"]: r["result"] for r in found if r["definition"] == "lava"}


def lava_in_qemu(folder, job="qemu", name="lava", words=None):
    edits = {PLACE: ROOT, "/var/tmp/onebell-lava.jsonl": folder / f"{name}.jsonl"}
    if words:
        edits[WORDS] = words
    run = LavaRun(folder, "qemu", job, edits)
    run.json = folder / f"{name}.jsonl"
    return run


def need_lava():
    if not shutil.which("lava-run"):
        pytest.skip("lava-run is not installed (package lava-dispatcher)")
    if os.geteuid() != 0:
        pytest.skip("lava-run works as root alone")


class LabgridRun:
    """`edit` changes an environment as a lab would."""

    def __init__(self, folder, kind, edit):
        environment = yaml.safe_load((ROOT / f"tools/labgrid/{kind}.yaml").read_text())
        edit(environment["targets"]["main"])
        environment["imports"] = [str(ROOT / "tools/labgrid" / name)
                                  for name in environment.get("imports", [])]
        (folder / "environment.yaml").write_text(yaml.safe_dump(environment))
        done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                               "--lg-env", folder / "environment.yaml", ROOT / "tools/labgrid"],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.status, self.said = done.returncode, done.stdout


def labgrid_in_qemu(folder, name="labgrid", **words):
    file = folder / f"{name}.jsonl"

    def edit(target):
        driver = target["drivers"]["OnebellQEMUDriver"]
        driver["options"] += f" --json {file} --model-json {folder / 'model'}"
        driver.update(words)

    run = LabgridRun(folder, "qemu", edit)
    run.json = file
    return run


def need_labgrid():
    # The plugin, since any folder of that name passes for a package.
    pytest.importorskip("labgrid.pytestplugin", reason="labgrid is not installed (package python3-labgrid)")
