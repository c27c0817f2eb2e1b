"""Figures of an audit in words: shares as percentages, intervals, bounds of gates, cells."""

import math
import re

from schemas.audit import Cell, Estimate, Table
from tasks.report.formatting import decimal, integer, percent, visible
from tasks.report.wording import bound_in_words

_NAMED = {"bits", "nats", "words", "characters", "rows"}
_AT_LEAST = re.compile(r">=? (\S+)")
_AT_MOST = re.compile(r"<=? (\S+)")
_BETWEEN = re.compile(r"(\S+) to (\S+)")
_SHARE_WORDS = re.compile(r"\b(share|rate)\b", re.IGNORECASE)
_BESIDE_A_SHARE = {"low", "high", "asked"}
"""Columns that, right of a share, hold shares too: the bounds of its interval, what was asked."""


def figure(value: float, unit: str) -> str:
    """Write a value in its unit: `3.1 %`, `12.4 words`, `0.871`."""
    if unit in _NAMED:
        return f"{decimal(value)} {unit[:-1] if value == 1 else unit}"
    return number(value, unit)


def number(value: float, unit: str) -> str:
    """Write a value without the unit's name; a share has its percent sign."""
    if unit != "share" or not abs(value) <= 1:
        return decimal(value)
    return ("\N{MINUS SIGN}" if value < 0 else "") + _percent(abs(value))


def round_number(value: float, unit: str) -> str:
    """Write a number that somebody chose, with no more digits than it has: `5 %`, `0.25`."""
    if unit != "share":
        return f"{value:g}"
    return f"{100 * value:.6g}\N{NO-BREAK SPACE}%"


def interval(estimate: Estimate, unit: str) -> str:
    """Write the confidence interval as `2.1 % to 4.0 %`; empty when there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{number(estimate.low, unit)} to {number(estimate.high, unit)}"


def bound_limits(bound: str) -> tuple[float | None, float | None]:
    """Read a gate's bound: least and greatest value, None where that side is open."""
    if (match := _AT_LEAST.fullmatch(bound)) and (low := _finite(match[1])) is not None:
        return low, None
    if match := _AT_MOST.fullmatch(bound):
        return None, _finite(match[1])
    if match := _BETWEEN.fullmatch(bound):
        return _finite(match[1]), _finite(match[2])
    return None, None


def bound_words(bound: str, unit: str) -> str:
    """Write a gate's bound in the metric's unit: `<= 0.05` of a share is `at most 5 %`.

    A bound of another form stays as it is, escaped.
    """
    low, high = bound_limits(bound)
    match low, high:
        case float(), float():
            return f"{round_number(low, unit)} to {round_number(high, unit)}"
        case float(), None:
            return f"at least {round_number(low, unit)}"
        case None, float():
            return f"at most {round_number(high, unit)}"
        case _:
            return visible(bound_in_words(bound))


def share_columns(table: Table) -> frozenset[int]:
    """Return the columns whose numbers are shares by their heading and within [0, 1]."""
    found: set[int] = set()
    for place, heading in enumerate(table.columns):
        cells = [row[place] for row in table.rows if row[place] is not None]
        if (
            cells
            and all(_is_share(cell) for cell in cells)
            and (_SHARE_WORDS.search(heading) or (found and heading.lower() in _BESIDE_A_SHARE))
        ):
            found.add(place)
    return frozenset(found)


def cell_text(cell: Cell, *, is_share: bool) -> str:
    """Write a cell: counts with separators, shares as percentages, nothing as a dash."""
    match cell:
        case None:
            return "\N{EN DASH}"
        case str():
            return cell
        case int() if not is_share:
            return integer(cell)
        case _:
            return number(float(cell), "share" if is_share else "score")


def _percent(share: float) -> str:
    """Write a share; a rare one, or one that is nearly all, has another digit."""
    value = 100 * share
    if 0.005 <= value < 0.995 or 99.005 < value < 99.995:
        return f"{value:.2f}\N{NO-BREAK SPACE}%"
    return percent(share)


def _is_share(cell: Cell) -> bool:
    return not isinstance(cell, str) and cell is not None and 0 <= cell <= 1


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
