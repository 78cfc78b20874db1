# SPDX-License-Identifier: BSD-2-Clause
"""The report as one page of HTML: no script, nothing loaded, all that came from a capture escaped.
What it shows is in its JSON, which it carries."""
import json
import re
from html import escape
from pathlib import Path

from . import charts
from .data import plural
from .svg import COLOURS, DARK, properties

STYLE = (Path(__file__).parent / "style.css").read_text()

# Nothing on the page may load or run anything, whatever a disk is called.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def shown(value, unit=""):
    """A value of the JSON, for people."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if unit == "%":
        return f"{value:+.1%}" if abs(value) <= 1 else f"{value:.1f}"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def cell(value, unit=""):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f'<td class="n" data-v="{escape(repr(value))}">{escape(shown(value, unit))}</td>'
    return f"<td>{escape(shown(value, unit))}</td>"


def heading(column):
    unit = f" <small>{escape(column['unit'])}</small>" if column["unit"] else ""
    return f'<th scope="col">{escape(column["name"])}{unit}</th>'


def table(columns, rows, caption):
    units = [column["unit"] for column in columns]
    cells = ("".join(map(cell, row, units)) for row in rows)
    body = "".join(f"<tr>{row}</tr>\n" for row in cells)
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
            f"<caption>{escape(caption)}</caption><thead><tr>"
            f'{"".join(map(heading, columns))}</tr></thead>\n<tbody>{body}</tbody></table></div>')


def figure(chart):
    badge = f' <span class="badge">{escape(chart["badge"])}</span>' if chart.get("badge") else ""
    pieces = [f"<h3>{escape(chart['title'])}{badge}</h3>",
              f'<p class="what">{escape(chart["text"])}</p>']
    own_table = table(chart["columns"], chart["rows"], f"Data of: {chart['title']}")
    if charts.has_picture(chart):
        pieces += [charts.svgs_of(chart),
                   f'<p class="constants">{escape(chart.get("constants") or "")}</p>']
        own_table = (f"<details><summary>{plural(len(chart['rows']), 'row')} of data</summary>"
                     f"{own_table}</details>")
    notes = "".join(f"<li>{escape(note)}</li>" for note in chart["notes"])
    pieces += [f'<ul class="notes">{notes}</ul>' if notes else "", own_table]
    return (f'<article class="{classes(chart)}" id="card-{chart["id"]}">{"".join(pieces)}'
            "</article>\n")


def classes(chart):
    if chart.get("wide") or chart["kind"] == "check":
        return "card wide"
    return "card wide beside" if len(chart["notes"]) > 1 else "card"


def section(title, found):
    return (f'<section aria-labelledby="{slug(title)}"><h2 id="{slug(title)}">{escape(title)}</h2>'
            f'<div class="cards">{"".join(map(figure, found))}</div></section>\n')


# ---- the head of the page ----

def verdict(run):
    """On its face: what is emulated."""
    kind = {True: "emulated", False: "measured", None: "unknown"}[run["emulated"]]
    return (f'<p class="verdict {kind}"><strong>{escape(run["verdict"])}</strong> '
            f'{escape(run["why"])}</p>')


def tile(t):
    value = "".join(f'<span class="value" data-v="{escape(repr(v))}">{escape(shown(v, t["unit"]))}'
                    f'<small>{escape(name)}</small></span>' for name, v in t["values"])
    return (f'<div class="tile"><p class="of">{escape(t["title"])}</p><p class="values">{value}</p>'
            "</div>")


def machine(run):
    rows = "".join(f'<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>'
                   for name, value in run["facts"])
    missing = "".join(f"<li>{escape(why)}</li>" for why in run["left_out"])
    missing = f'<div class="left-out"><h4>Left out</h4><ul>{missing}</ul></div>' if missing else ""
    return (f'<article class="card"><h3>{escape(run["label"])}</h3><p class="what">'
            f'{escape(run["file"])}</p><dl>{rows}</dl>{missing}</article>')


def runs_section(report):
    return ('<section aria-labelledby="runs"><h2 id="runs">Machine and run</h2><div class="cards">'
            f'{"".join(map(machine, report["runs"]))}</div></section>\n')


def commands_section(report):
    if not report["commands"]:
        return ""
    lines = "\n".join(escape(line) for line in report["commands"])
    return ('<section aria-labelledby="commands"><h2 id="commands">Made by</h2>'
            f'<pre tabindex="0" aria-label="Commands">{lines}</pre></section>\n')


def data_of(report):
    """JSON within HTML: no `<` may end the element."""
    text = json.dumps(report, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def contents(titles):
    links = "".join(f'<a href="#{slug(title)}">{escape(title)}</a>' for title in titles)
    return f'<nav aria-label="Sections">{links}</nav>'


THEMES = (f":root{{{properties(COLOURS)}color-scheme:light dark}}"
          f"@media screen and (prefers-color-scheme:dark){{:root{{{properties(DARK)}}}}}")


def html(report):
    sections = [(s["title"], s["charts"]) for s in report["sections"] if s["charts"]]
    titles = [*(title for title, _ in sections), "Runs"]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report["title"])}</title><link rel="icon" href="data:,">
<style>{THEMES}
{STYLE}</style></head>
<body><header><h1>{escape(report["title"])}</h1>
<p class="lead">{escape(report["subtitle"])}</p>
{"".join(map(verdict, report.get("verdicts", report["runs"])))}
<div class="tiles">{"".join(map(tile, report["tiles"]))}</div>{contents(titles)}</header>
<main>{"".join(section(title, found) for title, found in sections)}{runs_section(report)}{
commands_section(report)}</main>
<footer><p>{escape(report["footer"])}</p></footer>
<script type="application/json" id="data">{data_of(report)}</script>
</body></html>
"""
