# SPDX-License-Identifier: BSD-2-Clause
"""Tells how a fleet's run goes: on a terminal by a table that is drawn anew, elsewhere by a line for each
change."""
import shutil
import sys
import time

EACH = 1.0  # s
UP = "\x1b[{}A\x1b[J"


def row(outcome):
    goes_on = outcome.since and not outcome.is_over
    seconds = f"{time.monotonic() - outcome.since:.0f} s" if goes_on else ""
    so_far = outcome.console.watch.progress() if outcome.state == "runs" else ""
    return [outcome.name, outcome.state, seconds, outcome.why or outcome.left or so_far]


def table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(3)]
    return ["  ".join([*map(str.ljust, r, widths), r[3]]).rstrip() for r in rows]


class Progress:
    def __init__(self, out=sys.stdout):
        self.out, self.drawn, self.last, self.states = out, 0, 0.0, {}

    def show(self, outcomes):
        if self.out.isatty():
            self.draw(outcomes)
        else:
            self.tell(outcomes)
        self.out.flush()

    def draw(self, outcomes):
        over = all(outcome.is_over for outcome in outcomes)
        if time.monotonic() - self.last < EACH and not over:
            return
        if self.drawn:
            self.out.write(UP.format(self.drawn))
        lines = table([row(outcome) for outcome in outcomes])
        width = shutil.get_terminal_size().columns - 1  # a longer line would take two
        self.out.write("".join(f"{line[:width]}\n" for line in lines))
        self.drawn, self.last = len(lines), time.monotonic()

    def tell(self, outcomes):
        for outcome in outcomes:
            if self.states.get(outcome.name) != outcome.state and outcome.since:
                self.states[outcome.name] = outcome.state
                why = f": {outcome.why}" if outcome.why else ""
                self.out.write(f"{outcome.name}: {outcome.state}{why}\n")
