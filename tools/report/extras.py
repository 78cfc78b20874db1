# SPDX-License-Identifier: BSD-2-Clause
"""Charts that don't come from a capture of the bench: instructions by stage, which QEMU counts; the
interrupt timeline of traced runs; the prediction. Pure, but for reading traces."""
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

from . import capture as captures
from . import predict
from .checked import Odd, count, inner
from .data import chart, column, plural

# Regions between marks (lib/mark.h) as the stages of a read, from the device's side back to it.
STAGES = {"submit": ("submit",), "reap": ("reap",), "callback": ("callback",), "loop": ("loop",),
          "harvest": ("harvest",), "interrupt": ("notification", "device")}


def load_trace():
    """tools/trace, which is a program and a module."""
    path = str(Path(__file__).resolve().parents[1] / "trace")
    loader = SourceFileLoader("onebell_trace", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module  # which dataclasses look for
    loader.exec_module(module)
    return module


# ---- instructions ----

def instructions_of(model, ios):
    """By stage, for each I/O: from the model's JSON."""
    regions = inner(model, "regions")
    return {stage: sum(count(inner(regions, name), "instructions") for name in names
                       if name in regions) / ios
            for stage, names in STAGES.items()}


def count_of(model, path):
    """One counted run: its mode, and instructions by stage."""
    jobs = [job for job in captures.read(path).jobs if job["filename"] == "all"]
    if not jobs or not jobs[0]["total_ios"]:
        raise captures.CaptureError(f"{path}: no job of all disks that read anything")
    try:
        return jobs[0]["irq"], instructions_of(model, jobs[0]["total_ios"]), jobs[0]
    except Odd as e:
        raise captures.CaptureError(f"{path}: the model's counts: {e}") from None


def stages_chart(counted):
    """`counted`: what count_of() found, of several modes."""
    counted = sorted(counted, key=lambda c: captures.MODES.index(c[0]))
    job = counted[0][2]
    rows = [[mode, stage, stages[stage]] for mode, stages, _ in counted for stage in STAGES]
    alone = ", one at a time" if job["iodepth"] == 1 else ""
    return chart(f"stages-{job['iodepth']}", "stages", f"Instructions for each read{alone}",
                 "Guest instructions, counted exactly by QEMU: they don't depend on the machine. "
                 "Waiting is left out.",
                 [column("mode"), column("stage"), column("instructions", "a read", "y")], rows,
                 constants=f"{plural(job['disks'], 'disk')} without data, depth {job['iodepth']}, "
                           f"{plural(job['cpus'], 'CPU')}", is_rate=False)


def busy(counted):
    """All stages together, by mode."""
    return {mode: sum(stages.values()) for mode, stages, _ in counted}


# ---- the timeline ----

def timeline_rows(trace, burst):
    label = burst.trace.label
    for _, step in burst.walk():
        for lane in trace.lane_of(step):
            name = burst.trace.name(burst.cpu, step)
            yield [label, trace.LANES[lane], name, burst.trace.us(step.start - burst.start),
                   burst.trace.us(step.end - burst.start)]


def shortest(trace, traces):
    """A burst of each, with as many vectors as each can show: the one that the host disturbed
    least."""
    vectors = trace.choose(traces, None, None)[0].vectors
    return [min((burst for cpu in t.cpus for burst in trace.bursts_of(t, cpu)
                 if burst.vectors == vectors), key=lambda burst: burst.length) for t in traces]


def timeline_chart(paths):
    """A burst of each traced run."""
    if not paths:
        return None
    trace = load_trace()
    try:
        bursts = shortest(trace, [trace.read(path) for path in paths])
    except trace.TraceError as e:
        raise captures.CaptureError(str(e)) from None
    rows = [row for burst in bursts for row in timeline_rows(trace, burst)]
    vectors = bursts[0].vectors
    return chart("timeline", "timeline", f"One burst of {vectors} MSIs",
                 "The shortest such burst in each mode, from its first MSI to the end of its last "
                 "handler. A circle: ON is cleared.",
                 [column("mode"), column("lane"), column("what"), column("start", "us", "low"),
                  column("end", "us", "high")], rows,
                 notes=["Which steps there are, and in which order, is the same on hardware; how "
                        "long they take is the emulator's."],
                 is_rate=False, wide=True, titles=[burst.title() for burst in bursts])


# ---- the prediction ----

def predicted_charts(instructions):
    model = predict.calibrate()
    rows = [[row["mode"], row["disks"], row["iops"], row["per_disk"], row["limit"], row["cores"],
             row["beyond"]] for row in predict.predict(instructions, model)]
    published = [["remapped", n, rate * n] for n, rate in predict.REMAPPED.items()]
    published += [["posted", n, rate * n] for n, rate in predict.POSTED.items()]
    published += [["poll", predict.SLOT, predict.POLLED]]
    checks = [[row["what"], row["published"], row["model"], row["error"],
               "within 10%" if row["held"] else "no: another set-up"]
              for row in predict.check(model)]
    yield chart("predicted", "predicted", "Predicted: a Sapphire Rapids server",
                "Calculated, and no measurement of Onebell. Marks are the rows that the Linux "
                "patch set published; shaded: more disks than those had.",
                [column("mode"), column("disks", key="x"), column("all disks", "IOPS", "y"),
                 column("a disk", "IOPS", "per_disk"), column("limited by", key="limit"),
                 column("cores busy", key="cores"), column("beyond", key="beyond")], rows,
                notes=predict.assumptions(model, instructions), is_rate=False,
                badge="predicted", published=published)
    yield chart("check", "check", "What the model finds again",
                "Published rows against the model, which knows remapped rows alone. Nothing is "
                "predicted unless all that it is held to are within 10%.",
                [column("published row", key="what"), column("published", "IOPS", "y"),
                 column("model", "IOPS"), column("error", "%", "error"),
                 column("held to it", key="held")], checks, is_rate=False)
