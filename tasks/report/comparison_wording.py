"""Plain words for what became of a dataset, for a reader who never saw a comparison."""

import math
from collections import Counter
from collections.abc import Mapping

from schemas.audit import Estimate
from schemas.comparison import Change, Comparison
from tasks.report.audit_figures import figure
from tasks.report.audit_wording import Badge
from tasks.report.formatting import decimal, integer, percent

CHANGES: Mapping[Change, Badge] = {
    "worse": Badge("worse", "▼", "bad"),
    "better": Badge("better", "▲", "good"),
    "changed": Badge("changed", "◆", "fair"),
    "unknown": Badge("measured in one only", "?", "none"),
    "same": Badge("same", "=", "none"),
}
"""What became of a figure or a gate, in the order in which a page lists them."""
_SEVERITY = {"ship": 0, "fix": 1, "block": 2}


def headline(found: Comparison) -> str:
    """Say in one sentence what became of the second dataset, gates first."""
    return f"{_gates(found)}; {_measures(found)}."


def tone(found: Comparison) -> str:
    """Return the class of the headline: `fail` for a gate that got worse, `fix` for anything else.

    A comparison without anything worse is `ship`.
    """
    if found.regressions:
        return "fail"
    worse = any(pair.change == "worse" for pair in found.metrics)
    return "fix" if worse or _verdict_got_worse(found) else "ship"


def verdict_change(found: Comparison) -> str:
    """Say what became of the verdict."""
    first, second = found.first.verdict, found.second.verdict
    if first == second:
        return f"The verdict is {first} for both."
    worse = "worse" if _verdict_got_worse(found) else "better"
    return f"The verdict got {worse}: {first} for A, {second} for B."


def kept(found: Comparison) -> str:
    """Say how much of the first dataset is in the second."""
    rows = sum(one.rows for one in found.second.inputs if one.role == "audited")
    if not rows:
        return "B has no rows."
    share = percent(found.kept_rows / rows)
    return (
        f"{integer(found.kept_rows)} of {integer(rows)} rows of B ({share}) have a text that A has "
        "too, case, punctuation and spacing aside."
    )


def label_change(found: Comparison) -> str:
    """Say what became of the labels."""
    has = [any(one.label for one in audit.inputs) for audit in (found.first, found.second)]
    match has:
        case [False, False]:
            return "Neither dataset has labels."
        case [False, _]:
            return "A has no labels to compare with."
        case [_, False]:
            return "B has no labels, A has."
    moved = sum(pair.change == "changed" for pair in found.labels)
    come, gone = len(found.new_labels), len(found.lost_labels)
    return (
        f"{sentence_case(count(come, 'label is', 'labels are'))} new in B, "
        f"{count(gone, 'label of A is', 'labels of A are')} lost; "
        f"{count(moved, 'share differs', 'shares differ')} by more than chance explains."
    )


def difference(first: Estimate | None, second: Estimate | None, unit: str) -> str:
    """Say how far the second figure lies from the first: `higher by 3.0 percentage points`."""
    if first is None or second is None:
        return ""
    apart = second.value - first.value
    if math.isclose(first.value, second.value, rel_tol=1e-9, abs_tol=1e-12):
        return "equal"
    amount = (
        f"{decimal(100 * abs(apart))} percentage points"
        if unit == "share"
        else figure(abs(apart), unit)
    )
    return f"{'higher' if apart > 0 else 'lower'} by {amount}"


def count(number: int, one: str, many: str) -> str:
    """Write a number with its noun: `1 gate`, `2 gates`, `no gate`."""
    return f"{integer(number) if number else 'no'} {one if number <= 1 else many}"


def _gates(found: Comparison) -> str:
    if not found.gates:
        return "No gate was set"
    if not found.regressions:
        return "No gate got worse"
    return f"{count(len(found.regressions), 'gate', 'gates')} got worse"


def _measures(found: Comparison) -> str:
    changes = Counter(pair.change for pair in found.metrics)
    if not changes.keys() - {"same", "unknown"}:
        return "no measure changed by more than chance explains"
    parts = [f"{count(changes['worse'], 'measure', 'measures')} got worse"]
    if changes["better"]:
        parts.append(f"{integer(changes['better'])} got better")
    if changes["changed"]:
        parts.append(f"{integer(changes['changed'])} changed where neither direction is better")
    return ", ".join(parts)


def _verdict_got_worse(found: Comparison) -> bool:
    return _SEVERITY[found.second.verdict] > _SEVERITY[found.first.verdict]


def sentence_case(words: str) -> str:
    """Begin with a capital letter."""
    return words[:1].upper() + words[1:]
