# SPDX-License-Identifier: BSD-2-Clause
"""One report of many machines that ran the same job: the odd ones first. Pure."""
from . import build, data, odd

PLATFORM = (("CPU", "cpu_model"), ("CPUs", "cpus"), ("memory", "memory"), ("hypervisor", "hypervisor"),
            ("version", "version"), ("board", "board"))
RUN = {"ok": "ended well", "failed": "failed", None: "its log ends before it"}
BMC = (("model", "model"), ("BIOS", "bios"), ("BMC firmware", "firmware"))


def texts_of(thing, names):
    return {name: str(thing[key]) for name, key in names if thing.get(key) not in (None, "")}


def facts_of(capture):
    """What machines that are alike have in common; what differs between any two, such as serial numbers,
    is left out."""
    def first(kind):
        return next(iter(capture.machine.get(kind, [])), {})

    def all_of(kind, words):
        return "; ".join(sorted(build.grouped(capture.machine.get(kind, []), words))) or "none"

    return {**texts_of(first("platform"), PLATFORM), **texts_of(first("bmc"), BMC),
            "VT-d units": all_of("vtd_unit", build.unit_in_words),
            "disks": all_of("nvme", build.disk_in_words), **capture.verdicts,
            "run": RUN[capture.status]}


# ---- the section ----

def facts_chart(found, absent):
    rows = [[f["machine"], f["fact"], f["own"], f["others"]] for f in found]
    rows += [[name, "run", why, "a result"] for name, why in absent.items()]
    return data.chart(
        "odd-facts", "check", "What is not alike",
        "CPU, memory, VT-d units, disks, firmware, checks and warnings: what less than half of the "
        "machines have.",
        [data.column("machine"), data.column("what"), data.column("here"), data.column("most have")],
        rows, is_rate=False)


def figures_chart(found):
    rows = [[f["machine"], f["figure"], f["irq"], f["place"], f["own"], f["others"], f["change"],
             f["verdict"], f["p"]] for f in found]
    return data.chart(
        "odd-figures", "check", "Figures that are not alike",
        f"At least {odd.LEAST:.0%} from the median of the other machines, farther from the nearest of "
        "them than they are from one another, and no repeat within their range.",
        [data.column("machine"), data.column("figure"), data.column("mode"), data.column("row"),
         data.column("here"), data.column("the others' median"), data.column("difference", "share"),
         data.column("verdict"), data.column("p")], rows, is_rate=True,
        notes=["p: exact Mann-Whitney test of its repeats against all others', times the number of "
               "machines. Machines of one kind differ a little; a p says that it isn't the repeats' "
               "chance, not that anything is broken."])


def shared_verdicts(runs):
    """What the page says of runs on its face, once for all that it is said of."""
    groups = {}
    for run in runs:
        why = run["why"].removeprefix(run["label"])
        groups.setdefault((run["emulated"], run["verdict"], why), []).append(run["label"])
    return [{"emulated": emulated, "verdict": words, "why": ", ".join(labels) + why}
            for (emulated, words, why), labels in groups.items()]


def report_of(found, absent=()):
    """`found`: captures; `absent`: name -> why a machine has no result, or half of one. Returns the
    report, a sentence for each oddity, and whether one is beyond doubt."""
    report = build.build(found)
    absent = dict(absent)
    facts = [(c.label, facts_of(c)) for c in found]
    for name, own in facts:
        own["run"] = absent.pop(name, own["run"])
    odd_facts = list(odd.facts(facts))
    odd_figures = list(odd.figures([(c.label, data.rows_of(c)) for c in found]))
    said = list(odd.sentences(odd_facts, odd_figures))
    charts = [c for c in (facts_chart(odd_facts, absent), figures_chart(odd_figures)) if c["rows"]]
    if charts:
        charts[0]["notes"] = said + charts[0]["notes"]
        report["sections"].insert(0, {"title": "The odd machine out", "charts": charts})
    report["verdicts"], report["tiles"] = shared_verdicts(report["runs"]), []
    report["subtitle"] = (f"{data.plural(len(found), 'machine')} that ran the same job"
                          + (f", and {len(absent)} without a result" if absent else "") + ": "
                          + ", ".join([c.label for c in found] + list(absent)) + ".")
    return report, said, odd.is_certain(odd_facts, odd_figures)
