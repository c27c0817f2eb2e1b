"""Shares asked for beside shares got, for labels and for attribute values."""

from collections import Counter
from collections.abc import Mapping, Sequence

from schemas.recipe import Attribute, Label
from tasks.report.findings import Share, Shares
from tasks.report.formatting import shorten

MAX_LABELS = 400
MAX_VALUES = 25


def label_shares(
    labels: Mapping[str, Label],
    *,
    accepted: Counter[str],
    rejected: Counter[str],
    missing: Counter[str],
) -> Shares:
    """Compare the labels' shares with the recipe's.

    Args:
        labels: The recipe's labels.
        accepted: Accepted rows by label.
        rejected: Rejected candidates by label.
        missing: Rows asked for and not accepted, by label.
    """
    entries = [
        Share(
            name=name,
            asked=asked,
            got=got,
            rows=accepted[name],
            missing=missing[name],
            rejected=rejected[name],
        )
        for name, asked, got in _compared(
            list(labels), [label.share for label in labels.values()], accepted
        )
    ]
    return _shares("label", entries, limit=MAX_LABELS)


def attribute_shares(
    name: str, attribute: Attribute, accepted: Mapping[tuple[str, str], int]
) -> Shares:
    """Compare an attribute's shares with its weights.

    Args:
        name: The attribute's name.
        attribute: Its values and weights.
        accepted: Accepted rows by attribute and value.
    """
    values = list(attribute.values)
    counts = Counter({value: accepted.get((name, value), 0) for value in values})
    weights = attribute.weights or [1.0] * len(values)
    entries = [
        Share(name=shorten(value), asked=asked, got=got, rows=counts[value])
        for value, asked, got in _compared(values, weights, counts)
    ]
    return _shares(name, entries, limit=MAX_VALUES)


def _compared(
    names: Sequence[str], weights: Sequence[float], counts: Counter[str]
) -> list[tuple[str, float, float]]:
    """Pair every name with the share asked for and the share got."""
    weight, rows = sum(weights), sum(counts[name] for name in names)
    return [
        (name, asked / weight, counts[name] / rows if rows else 0.0)
        for name, asked in zip(names, weights, strict=True)
    ]


def _shares(name: str, entries: Sequence[Share], *, limit: int) -> Shares:
    order = sorted(range(len(entries)), key=lambda place: (-entries[place].asked, place))
    listed = tuple(entries[place] for place in sorted(order[:limit]))
    distance = sum(abs(entry.got - entry.asked) for entry in entries) / 2
    return Shares(
        name=name,
        entries=listed,
        left_out=len(entries) - len(listed),
        left_out_rows=sum(entry.rows for entry in entries) - sum(entry.rows for entry in listed),
        total_variation=min(1.0, distance),
    )
