# SPDX-License-Identifier: BSD-2-Clause
"""The `rack` fixture: an inventory of machines behind BMCs of the tests' own."""
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bmc import PASSWORD, USER, Bmc, Played

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tools"))
import synthetic

TIMES = {"boot_timeout": 60, "timeout": 60}  # s; far more than what plays a run takes


def toml(value):
    return json.dumps(value)  # texts, numbers and truth are written alike


class Rack:
    """An inventory, and the BMCs that it names."""

    def __init__(self, folder):
        self.folder, self.bmcs, self.tables = folder, {}, {}
        self.secret = folder / "secret"
        self.secret.write_text(PASSWORD + "\n")
        self.secret.chmod(0o600)
        self.image = folder / "onebell.iso"
        self.image.write_bytes(bytes(range(256)) * 64)
        self.shared = {"image": "onebell.iso", "serve": "127.0.0.1:0", "user": USER,
                       "password_file": "secret", "insecure": True, **TIMES}

    def machine(self, name, lines=None, machine=None, keys=(), **bmc):
        console = self.folder / f"{name}.port"
        made = self.bmcs[name] = Bmc(console, machine or Played(synthetic.lines(lines)), **bmc)
        self.tables[name] = {"bmc": made.url, "console": f"tail -c +1 -F {console}", **dict(keys)}
        return made

    def write(self):
        lines = ["[rack]", *(f"{key} = {toml(value)}" for key, value in self.shared.items())]
        for name, table in self.tables.items():
            lines += [f"[machines.{name}]", *(f"{key} = {toml(value)}" for key, value in table.items())]
        (self.folder / "rack.toml").write_text("\n".join(lines) + "\n")

    def command(self, command="run", *words):
        self.write()
        if command == "run":
            words += ("--no-charts", "--out", self.folder / "out")  # charts take seconds to draw
        return [ROOT / "tools/fleet", command, self.folder / "rack.toml", *words]

    def fleet(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=600)

    def report(self):
        return json.loads((self.folder / "out/report.json").read_text())

    def close(self):
        for bmc in self.bmcs.values():
            bmc.close()


@pytest.fixture
def rack(tmp_path):
    rack = Rack(tmp_path)
    yield rack
    rack.close()
