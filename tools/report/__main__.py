# SPDX-License-Identifier: BSD-2-Clause
"""Makes a page of charts: of captures of COM2 that are named, else of runs that it makes in QEMU.

  make report                       # build/report/index.html, of QEMU
  make report LOG=server.jsonl      # of a server: what its COM2 said
  make report LOG="old new"         # side by side
"""
import argparse
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[0] = str(Path(__file__).resolve().parents[1])

try:
    from report import charts, page
except ModuleNotFoundError as e:
    sys.exit(f"report: needs the Python module {e.name}: run tools/setup.sh report")
from report import capture as captures
from report import runs
from report.build import build


def arguments():
    p = argparse.ArgumentParser(prog="report", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("captures", type=Path, nargs="*", metavar="CAPTURE")
    p.add_argument("--out", type=Path, default=captures.launch.BUILD / "report", metavar="FOLDER",
                   help="where index.html and report.json go; build/report if none is named")
    p.add_argument("--from-runs", type=Path, metavar="FOLDER",
                   help="of the files of earlier runs in QEMU, such as build/report/runs")
    p.add_argument("--chart", nargs=2, action="append", default=[], metavar=("ID", "SVG"),
                   help="one chart as a file of its own, too, such as: per-msi docs/per-msi.svg")
    a = p.parse_args()
    if a.captures and a.from_runs:
        p.error("captures and --from-runs: name one of them")
    return a


def report_of(a):
    if a.captures:
        return build([captures.read(path) for path in a.captures])
    folder = a.from_runs or a.out / "runs"
    made = runs.planned() if a.from_runs else runs.make_all(folder)
    return build([captures.read(folder / "bench.jsonl", "QEMU")],
                 [list(runs.counts_of(folder, made, kind)) for kind in ("count-", "single-")],
                 runs.files_of(folder, made, "trace-"), [run.shown for run in made], list(runs.versions(folder)))


def write_charts(report, wanted):
    found = {chart["id"]: chart for section in report["sections"] for chart in section["charts"]
             if charts.has_picture(chart)}
    for id, path in wanted:
        if id not in found:
            raise captures.CaptureError(f"there is no chart '{id}' in this report, but "
                                        f"{', '.join(found)}")
        Path(path).write_text(charts.svg_of(found[id], alone=True) + "\n")


def main():
    a = arguments()
    try:
        report = report_of(a)
        write_charts(report, a.chart)
        a.out.mkdir(parents=True, exist_ok=True)
        (a.out / "report.json").write_text(json.dumps(report, allow_nan=False) + "\n")
        (a.out / "index.html").write_text(page.html(report))
    except (captures.CaptureError, runs.RunError, OSError) as e:
        print(f"report: {e}", file=sys.stderr)
        return 1
    for run in report["runs"]:
        for why in run["left_out"]:
            print(f"report: {run['label']}: left out: {why}", file=sys.stderr)
    print(f"report: {a.out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
