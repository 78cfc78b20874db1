# SPDX-License-Identifier: BSD-2-Clause
"""matplotlib's SVG made fit for a page: colours become the page's custom properties, ids are the
chart's own, and who can't see it is told what it is."""
import io
import re
from xml.sax.saxutils import escape, quoteattr

# What matplotlib draws with, and the custom property that it becomes. Every value is used once.
COLOURS = {
    "ink": "#1c2127", "muted": "#5c6670", "grid": "#dfe3e7", "paper": "#fefefd",
    "msi": "#6b7281", "remapped": "#b8430b", "posted": "#1b4fd6", "adaptive": "#04775a",
    "poll": "#7d25cc",
    "stage-1": "#0d4a70", "stage-2": "#3b82b6", "stage-3": "#9cc6e0", "stage-4": "#d98b2b",
    "stage-5": "#b4481e", "stage-6": "#6f1d1b", "heat": "#0b5567",
}
DARK = {
    "ink": "#e8eaed", "muted": "#a3adb8", "grid": "#343b43", "paper": "#15191e",
    "msi": "#a5adba", "remapped": "#fb9a62", "posted": "#85a9ff", "adaptive": "#4fd1a5",
    "poll": "#cf9bff",
    "stage-1": "#6db3e0", "stage-2": "#3f83b5", "stage-3": "#1f5376", "stage-4": "#e9b15f",
    "stage-5": "#e8835a", "stage-6": "#f2b0a8", "heat": "#5fd0e6",
}


def properties(colours):
    return "".join(f"--{name}:{value};" for name, value in colours.items())


NAMES = {value: name for name, value in COLOURS.items()}

# A file of its own has no page around it, and may be shown on one of another mind.
ALONE = (f"<style>svg{{background:var(--paper)}}:root{{{properties(COLOURS)}}}@media (prefers-color-scheme:dark)"
         f"{{:root{{{properties(DARK)}}}}}</style>")


def text_of(figure, salt):
    import matplotlib
    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(out, format="svg", transparent=True,
                       metadata={"Date": None, "Creator": None})
    return out.getvalue()


def coloured(svg):
    """`#1c2127` -> `var(--ink,#1c2127)`."""
    def property_of(match):
        name = NAMES.get(match[0].lower())
        return f"var(--{name},{match[0]})" if name else match[0]
    return re.sub(r"#[0-9a-fA-F]{6}\b", property_of, svg)


def with_own_ids(svg, prefix):
    """Several charts share a page, and matplotlib calls the first axes of each axes_1. Ids that
    nothing refers to are dropped."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w.-]+)", svg))
    svg = re.sub(r' id="([\w.-]+)"',
                 lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", svg)
    return re.sub(r"(url\(#|href=\"#)", rf"\g<1>{prefix}-", svg)


def finished(svg, id, title, text, classes="", alone=False):
    """The element alone, with a title and a description."""
    svg = svg[svg.index("<svg"):]
    box = re.search(r'viewBox="([^"]+)"', svg)[1]
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index(">") + 1:], flags=re.DOTALL)
    body = coloured(with_own_ids(body, id)).replace("xlink:href", "href")
    body = re.sub(r"\s+(?=<)|(?<=>)\s+", "", body)
    body = re.sub(r"(?<=\.\d\d)\d+", "", body)  # hundredths of a point are enough
    body = re.sub(r"(font:[\w. ]+px|font-family:) ?'DejaVu Sans'[^;\"]*",
                  r"\1 var(--font,sans-serif)", body)
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" class='
            f'{quoteattr(classes)} aria-labelledby="{id}-title {id}-desc"><title id="{id}-title">'
            f'{escape(title)}</title><desc id="{id}-desc">{escape(text)}</desc>')
    return head + (ALONE if alone else "") + body
