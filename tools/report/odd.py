# SPDX-License-Identifier: BSD-2-Clause
"""Machines that should be alike: which one is odd, in what, by how much, and whether chance may have
done it. Pure."""
from collections import Counter
from dataclasses import dataclass
from statistics import median

from . import data, stats

LEAST = 0.05  # a smaller share of the others' median is nobody's oddity
BEYOND = "differs", "ranges apart"  # verdicts of what is told


@dataclass
class Figure:
    """Of a row of the bench, or of a job."""

    name: str
    unit: str
    of: callable  # row -> a spread, a number or None
    floor: float = 0  # what a difference is a share of, where the others' median is less


def percentile(which):
    return lambda row: row.get("clat_ns", {}).get("percentile", {}).get(which)


FIGURES = (
    Figure("I/O rate", "IOPS", lambda row: row["iops"]),
    Figure("median latency", "ns", percentile("50.000000")),
    Figure("99th percentile of latency", "ns", percentile("99.000000")),
    Figure("notifications for each MSI", "", lambda row: row.get("notifications_per_msi"), 0.05),
    Figure("cycles for each I/O", "", lambda row: row.get("cycles_per_io")),
)


@dataclass
class Value:
    """What one machine measured in one place of a table: over its repeats, or once."""

    machine: str
    spread: dict
    repeats: int


def value_of(machine, row, figure):
    found = figure.of(row)
    if found is None:
        return None
    if isinstance(found, dict):
        return Value(machine, found, row["repeats"])
    return Value(machine, dict.fromkeys(data.SPREAD, found), 1)


# ---- one against the others ----

def pooled(values):
    """What several machines measured, as one range."""
    return {"min": min(v.spread["min"] for v in values), "max": max(v.spread["max"] for v in values)}


def stands_alone(own, others):
    """Farther from the nearest of the others than those are from one another. Of two machines it is
    said of neither."""
    medians = [v.spread["median"] for v in others]
    gap = min(abs(own.spread["median"] - m) for m in medians)
    return len(others) > 1 and gap > max(medians) - min(medians)


def verdict(own, others):
    """By the exact Mann-Whitney test, of which only the outcome without any overlap counts; times the
    machines, since any of them could have been the odd one (Bonferroni)."""
    if not stats.apart(own.spread, pooled(others)):
        return "no difference shown", None
    repeats = sum(v.repeats for v in others)
    p = min(1.0, stats.least_p(own.repeats, repeats) * (len(others) + 1))
    return ("differs" if p <= stats.LEVEL else "ranges apart"), p


def change_of(own, base, figure):
    scale = max(abs(base), figure.floor)
    return (own - base) / scale if scale else 0.0


def odd_value(own, others, figure):
    """A finding, or None."""
    base = median(v.spread["median"] for v in others)
    change = change_of(own.spread["median"], base, figure)
    if abs(change) < LEAST or not stands_alone(own, others):
        return None
    words, p = verdict(own, others)
    if words not in BEYOND:
        return None
    return {"machine": own.machine, "figure": figure.name, "unit": figure.unit,
            "own": own.spread["median"], "others": base, "against": "the others' median",
            "change": change, "verdict": words, "p": p}


def pair_value(first, second, figure):
    """Of two machines: that they differ, not which is odd."""
    change = change_of(second.spread["median"], first.spread["median"], figure)
    words, p, _ = stats.verdict(first.spread, first.repeats, second.spread, second.repeats)
    if abs(change) < LEAST or words not in BEYOND:
        return None
    return {"machine": second.machine, "figure": figure.name, "unit": figure.unit,
            "own": second.spread["median"], "others": first.spread["median"],
            "against": f"{first.machine}'s", "change": change, "verdict": words, "p": p}


def findings_in(values, figure):
    if len(values) == 2:
        return [pair_value(*values, figure)]
    return [odd_value(own, [v for v in values if v is not own], figure) for own in values]


def figures(runs):
    """`runs`: pairs of a machine's name and its rows. Rows that less than two have say nothing."""
    tables = [(name, data.places_of(rows)) for name, rows in runs]
    places = dict.fromkeys(place for _, table in tables for place in table)
    for place in places:
        rows = [(name, table[place]) for name, table in tables if place in table]
        for figure in FIGURES:
            values = [v for name, row in rows if (v := value_of(name, row, figure))]
            if len(values) < 2:
                continue
            for found in filter(None, findings_in(values, figure)):
                yield {**found, "place": data.place_in_words(rows[0][1]), "irq": rows[0][1]["irq"]}


# ---- what machines are ----

def majority_of(values):
    """What more than half of the machines have; None where no value is that common."""
    value, n = Counter(values).most_common(1)[0]
    return value if 2 * n > len(values) else None


def facts(machines):
    """`machines`: pairs of a name and its facts, name -> text. A fact that is unlike most machines' is a
    finding; without a majority, each machine's is."""
    names = dict.fromkeys(fact for _, own in machines for fact in own)
    for fact in names:
        values = [(name, own.get(fact, "none")) for name, own in machines]
        most = majority_of([value for _, value in values])
        if len({value for _, value in values}) == 1:
            continue
        for name, value in values:
            if value != most:
                yield {"machine": name, "fact": fact, "own": value, "others": most}


# ---- in words ----

def share(change):
    return f"{abs(change):.0%} {'above' if change > 0 else 'below'}"


def number(value, unit):
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def figure_sentence(machine, found):
    """Of all places where one figure of one machine is odd: how many, and the worst."""
    worst = max(found, key=lambda f: abs(f["change"]))
    places = f"in {data.plural(len(found), 'row')}, most in " if len(found) > 1 else "in "
    sure = [f["p"] for f in found if f["verdict"] == "differs"]
    words = f"differs, p = {min(sure):.2g}" if sure else "too few repeats to tell for certain"
    return (f"{machine}: {worst['figure']} is {share(worst['change'])} {worst['against']} "
            f"{places}{worst['irq']}, {worst['place']}: {number(worst['own'], worst['unit'])} against "
            f"{number(worst['others'], worst['unit'])} ({words})")


def fact_sentence(found):
    if found["others"] is None:
        return f"{found['machine']}: {found['fact']}: {found['own']}; no value is most machines'"
    return f"{found['machine']}: {found['fact']}: {found['own']}; most have: {found['others']}"


def sentences(odd_facts, odd_figures):
    """One for each machine and fact, one for each machine and figure."""
    yield from map(fact_sentence, odd_facts)
    groups = {}
    for found in odd_figures:
        groups.setdefault((found["machine"], found["figure"]), []).append(found)
    for (machine, _), found in groups.items():
        yield figure_sentence(machine, found)


def is_certain(odd_facts, odd_figures):
    return bool(odd_facts) or any(f["verdict"] == "differs" for f in odd_figures)
