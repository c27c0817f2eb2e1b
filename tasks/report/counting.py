"""Rows counted by label and strategy, by attribute value: sums that no order of rows changes."""

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from schemas.manifest import Shortfall

Pairs = Counter[tuple[str, str]]

_PAIRS = pa.list_(
    pa.struct(
        [
            pa.field("attribute", pa.string(), nullable=False),
            pa.field("value", pa.string()),
        ]
    )
)


def pair_counts(first: pa.ChunkedArray, second: pa.ChunkedArray) -> Pairs:
    """Count the pairs of values of two columns of strings, row by row."""
    groups = pa.table({"first": first, "second": second}).group_by(["first", "second"])
    counted = groups.aggregate([([], "count_all")]).to_pylist()
    return Counter({(entry["first"], entry["second"]): entry["count_all"] for entry in counted})


def asked_labels(table: pa.Table) -> pa.ChunkedArray:
    """Return the label asked for of each released row, also where noise flipped it."""
    return pc.coalesce(table["clean_label"], table["label"])


def attribute_counts(column: pa.ChunkedArray) -> Pairs:
    """Count (attribute, value) over a column of maps."""
    # A cast, because a sliced map's own `keys` and `items` ignore the slice.
    entries = pc.list_flatten(column.cast(_PAIRS))
    return pair_counts(pc.struct_field(entries, 0), pc.struct_field(entries, 1))


def missing_counts(shortfalls: Iterable[Shortfall]) -> Pairs:
    """Count missing rows by label and strategy."""
    counts: Pairs = Counter()
    for shortfall in shortfalls:
        counts[shortfall.label, shortfall.strategy] += shortfall.missing
    return counts


def by_first(pairs: Pairs) -> Counter[str]:
    """Sum over the second member of each pair."""
    totals: Counter[str] = Counter()
    for (first, _), number in pairs.items():
        totals[first] += number
    return totals
