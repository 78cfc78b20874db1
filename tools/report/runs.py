# SPDX-License-Identifier: BSD-2-Clause
"""The runs in QEMU that `make report` makes: the bench, instructions counted in each mode, and a
short traced run of each."""
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import capture as captures

ROOT = Path(__file__).resolve().parents[2]
RUN_QEMU = ROOT / "tools/run-qemu"

COUNTED = ("remapped", "posted", "adaptive", "poll")
TRACED = ("remapped", "posted", "adaptive")

# Null disks: data would be the host's page cache. One CPU: the disks' thread needs a core as well.
BENCH = ["--cpus", "1", "--disks", "8", "--null-disks", "--append", "app=bench bench=quick"]
COUNT = ["--cpus", "1", "--disks", "8", "--null-disks", "--count", "--append"]
SINGLE = ["--cpus", "1", "--disks", "1", "--null-disks", "--count", "--append"]
TRACE = ["--cpus", "1", "--disks", "4", "--null-disks", "--append"]


class RunError(Exception):
    """A run in QEMU failed; the text says which, and what it said last."""


@dataclass
class Run:
    what: str
    name: str  # of its files
    args: list
    seconds: int  # after which it hangs

    def command(self, folder):
        return [RUN_QEMU, "--ok-zero", "--timeout", str(self.seconds),
                "--json", folder / f"{self.name}.jsonl",
                "--model-json", folder / f"{self.name}-model.json", *self.args]

    @property
    def shown(self):
        """As somebody types it."""
        *words, append = self.args
        return " ".join(["tools/run-qemu", *words, f'"{append}"'])


def planned():
    bench = [Run("the bench", "bench", BENCH, 420)]
    counts = [Run(f"instructions, {mode}", f"count-{mode}", [*COUNT, f"irq={mode} runtime=1s"], 120)
              for mode in COUNTED]
    singles = [Run(f"instructions of single reads, {mode}", f"single-{mode}",
                   [*SINGLE, f"irq={mode} iodepth=1 runtime=1s"], 120) for mode in COUNTED]
    traces = [Run(f"a trace, {mode}", f"trace-{mode}",
                  [*TRACE, f"irq={mode} iodepth=4 runtime=1s trace=8192"], 120) for mode in TRACED]
    return bench + counts + singles + traces


def last_lines(text):
    return "\n".join("  " + line for line in text.splitlines()[-8:])


def make(run, folder):
    log = folder / f"{run.name}.log"
    with open(log, "w") as said:
        status = subprocess.run(run.command(folder), stdin=subprocess.DEVNULL, stdout=said,
                                stderr=subprocess.STDOUT).returncode
    if status:
        raise RunError(f"{run.what} failed with status {status}: {log} says\n"
                       f"{last_lines(log.read_text(errors='replace'))}")


def make_all(folder):
    """Makes all runs; their files are in the folder then. Says how far it is."""
    folder.mkdir(parents=True, exist_ok=True)
    runs, begun = planned(), time.monotonic()
    for i, run in enumerate(runs, 1):
        print(f"report: {time.monotonic() - begun:4.0f} s: run {i} of {len(runs)}: {run.what}",
              file=sys.stderr, flush=True)
        make(run, folder)
    return runs


def versions(folder):
    """Of the emulator, by the model, and of the tree that this tool is of; and when it was run."""
    made = (folder / "bench.jsonl").stat().st_mtime
    yield "Run on", time.strftime("%d %B %Y", time.gmtime(made)).lstrip("0")
    models = captures.launch.read_json(folder / "bench-model.json")
    if models and isinstance(models[0].get("qemu"), str):
        yield "Emulator", f"QEMU {models[0]['qemu'][:20]} with onebell-posted, TCG"
    git = shutil.which("git")
    tree = git and subprocess.run([git, "-C", ROOT, "describe", "--always", "--dirty"],
                                  capture_output=True, text=True, check=False)
    if tree and tree.returncode == 0:
        yield "Onebell", tree.stdout.strip()


def files_of(folder, runs, kind):
    return [folder / f"{run.name}.jsonl" for run in runs if run.name.startswith(kind)]


def counts_of(folder, runs, kind):
    """Pairs of the model's counts and the run's own capture."""
    for path in files_of(folder, runs, kind):
        models = captures.launch.read_json(path.with_name(f"{path.stem}-model.json"))
        if not models or "regions" not in models[0]:
            raise RunError(f"{path.stem}: the model has counted nothing")
        yield models[0], path
