# SPDX-License-Identifier: BSD-2-Clause
"""What may be said about two runs' difference. A row holds median, min and max of its repeats: of
up to three that is all of them, of more it still tells whether the runs' ranges touch. Pure."""
import math
from itertools import combinations

LEVEL = 0.05


def samples(spread, repeats):
    """The repeats, where the row gives them away."""
    if repeats == 1:
        return [spread["median"]]
    if repeats == 2:
        return [spread["min"], spread["max"]]
    if repeats == 3:
        return [spread["min"], spread["median"], spread["max"]]
    return None


def rank_sum_p(a, b):
    """Mann-Whitney's test, two-sided and exact: the share of all ways to deal these values that
    part them at least as much. A tie counts half."""
    def wins(first, second):
        return sum((x > y) + (x == y) / 2 for x in first for y in second)

    values, half = a + b, len(a) * len(b) / 2
    seen = abs(wins(a, b) - half)
    deals = list(combinations(range(len(values)), len(a)))
    as_far = 0
    for deal in deals:
        first = [values[i] for i in deal]
        second = [values[i] for i in range(len(values)) if i not in deal]
        as_far += abs(wins(first, second) - half) >= seen - 1e-9
    return as_far / len(deals)


def apart(a, b):
    return a["max"] < b["min"] or b["max"] < a["min"]


def compare(a, a_repeats, b, b_repeats):
    """p of the two rows' medians being alike, and what it rests on. p is None where min, median and
    max of many repeats leave it open."""
    first, second = samples(a, a_repeats), samples(b, b_repeats)
    if first and second:
        return rank_sum_p(first, second), "all repeats are known"
    if apart(a, b):
        return 2 / math.comb(a_repeats + b_repeats, a_repeats), "the ranges don't touch"
    return None, "the ranges touch, and the repeats between aren't in the capture"


def least_p(a_repeats, b_repeats):
    """No outcome of so few repeats is less likely by chance."""
    return min(1.0, 2 / math.comb(a_repeats + b_repeats, a_repeats))


def verdict(a, a_repeats, b, b_repeats):
    """In words, for a table."""
    p, why = compare(a, a_repeats, b, b_repeats)
    if p is None:
        return "can't be told", p, why
    if p <= LEVEL:
        return "differs", p, why
    if apart(a, b) and least_p(a_repeats, b_repeats) > LEVEL:
        return "ranges apart", p, "too few repeats to tell for certain"
    return "no difference shown", p, why


def sign_test_p(ratios):
    """Over many rows: are more of them above 1 than a coin would have it? Rows of one boot share
    what drifts, so it is a hint and no proof."""
    ups, downs = sum(r > 1 for r in ratios), sum(r < 1 for r in ratios)
    n = ups + downs
    tail = sum(math.comb(n, k) for k in range(min(ups, downs) + 1)) / 2 ** n
    return min(1.0, 2 * tail), ups, downs
