"""Intersections: labels of rows that name two groups at once."""

import numpy as np

from schemas.audit import Cell, Group, Section, Table
from tasks.audit.bias_company import Company
from tasks.audit.bias_study import MOST_TABLE_ROWS, Study, plain
from tasks.bias.association import FEWEST_ROWS, Floats
from tasks.bias.intersections import Intersections, intersections
from tasks.bias.interval import ALPHA


def cross(studied: Study, label: Company) -> Intersections:
    """Test the labels against every pair of groups of two axes."""
    return intersections(studied.mentions, values=label.codes, num_values=len(label.values))


def intersections_section(
    studied: Study, label: Company, crossed: Intersections, *, q_values: Floats
) -> Section:
    """Report groups that are named together; `q_values` has the shape `(L, P)`."""
    with np.errstate(invalid="ignore"):
        places = np.argwhere(q_values < ALPHA).tolist()
    found = [
        _row(studied, label, crossed, value=value, pair=pair, q=float(q_values[value, pair]))
        for value, pair in places
    ]
    rows = [row for row in found if row is not None]
    rows.sort(key=lambda row: (float(row[-1] or 0), str(row[:3])))
    table = Table(
        name="bias_intersections",
        group=Group.BIAS,
        title="Labels of rows that name two groups at once",
        caption="Pairs of groups of two axes whose lift with a label lies, with its interval, "
        f"beyond the lift of either alone (q below 5 %). {len(crossed.pairs)} pairs have "
        f"{FEWEST_ROWS} rows; {crossed.scarce} more occur and could not be tested for lack of n.",
        columns=("label", "group", "other group", "rows", "lift", "low", "high",
                 "lift of the group", "lift of the other", "q"),
        rows=tuple(rows[:MOST_TABLE_ROWS]),
        left_out=max(0, len(rows) - MOST_TABLE_ROWS),
    )  # fmt: skip
    return Section(group=Group.BIAS, metrics=(), tables=(table,))


def _row(
    studied: Study, label: Company, crossed: Intersections, *, value: int, pair: int, q: float
) -> tuple[Cell, ...] | None:
    """Show a crossing that tells something new: one beyond both of its groups; else None."""
    lift = crossed.associations.interval(value, pair)
    groups = crossed.pairs[pair].tolist()
    # A group that every row names has no lift of its own.
    parts = np.nan_to_num(label.associations.lift[value, groups], nan=1.0).tolist()
    if not (lift.low > max(1.0, *parts) or lift.high < min(1.0, *parts)):
        return None
    names = [plain(studied.mentions.columns[column][1]) for column in groups]
    rows = int(crossed.associations.joint[value, pair])
    return (label.values[value], *names, rows, lift.value, lift.low, lift.high, *parts, q)
