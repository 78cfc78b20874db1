# SPDX-License-Identifier: BSD-2-Clause
"""Fields of JSON lines that may come from anywhere: each is checked before anybody calculates with
it. What fails a check raises Odd, whose text says which field, and what is wrong with it."""
import json
import math

MOST = 2 ** 64  # no counter of the machine is larger
LONGEST = 1 << 20  # of a line; the image's own stay below 8 KiB
SHOWN = 40  # characters of a bad value in a message


class Odd(ValueError):
    """What was read isn't what it should be."""


def shorten(text):
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def no_constant(name):
    raise Odd(f"{name} is no number")


def line_object(text):
    """The JSON object that a line holds. A terminal's log may have put a time stamp before it."""
    start = text.find('{"type"')
    if start < 0:
        return None
    if len(text) > LONGEST:
        raise Odd(f"a line of {len(text):,} characters")
    try:
        o = json.loads(text[start:], parse_constant=no_constant)
    except Odd:
        raise
    except RecursionError:
        raise Odd("JSON that is nested too deep") from None
    except ValueError as e:
        raise Odd(f"cut or damaged JSON ({shorten(str(e))})") from None
    if not isinstance(o["type"], str):
        raise Odd("its type is no text")
    return o


def number(o, key, least=0, most=MOST):
    """A finite number within these bounds."""
    value = o.get(key)
    if type(value) not in (int, float) or not math.isfinite(value):
        raise Odd(f"{key} is {'missing' if value is None else 'no number'}")
    if not least <= value <= most:
        raise Odd(f"{key} is out of range: {shorten(str(value))}")
    return value


def count(o, key, least=0, most=MOST):
    if type(number(o, key, least, most)) is not int:
        raise Odd(f"{key} is no whole number: {shorten(str(o[key]))}")
    return o[key]


def text(o, key, longest=200):
    value = o.get(key)
    if not isinstance(value, str):
        raise Odd(f"{key} is {'missing' if value is None else 'no text'}")
    return "".join(c if c.isprintable() else "?" for c in value[:longest])


def inner(o, key):
    value = o.get(key)
    if not isinstance(value, dict):
        raise Odd(f"{key} is {'missing' if value is None else 'no object'}")
    return value


def within(name, check, o, *args):
    """A check of what lies in field `name`, which a message of it is to name."""
    try:
        return check(o, *args)
    except Odd as e:
        raise Odd(f"{name}: {e}") from None


def optional(o, key, check, *args):
    """None where the field isn't there."""
    return None if o.get(key) is None else check(o, key, *args)


def spread_of(o):
    s = {key: number(o, key) for key in ("median", "min", "max")}
    if not s["min"] <= s["median"] <= s["max"]:
        raise Odd("min, median and max are in the wrong order")
    return s


def spread(o, key):
    """What the repeats of a row have in common: median, min and max."""
    return within(key, spread_of, inner(o, key))


def percentage(key):
    try:
        value = float(key)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100:
        raise Odd(f"'{shorten(key)}' is no percentile")
    return value


def percentiles_of(o):
    found = {f"{percentage(key):.6f}": number(o, key) for key in o}
    found = dict(sorted(found.items(), key=lambda pair: float(pair[0])))
    if list(found.values()) != sorted(found.values()):
        raise Odd("a higher percentile is a shorter time")
    return found


def latency_of(o):
    times = {"mean": number(o, "mean"), "max": optional(o, "max", number),
             "N": optional(o, "N", count),
             "percentile": within("percentile", percentiles_of, inner(o, "percentile"))}
    return {key: value for key, value in times.items() if value is not None}


def latency(o, key):
    """fio's object of a latency, in ns."""
    return within(key, latency_of, inner(o, key))
