"""In what company groups are spoken of: labels and attributes against groups, beyond chance."""

from dataclasses import dataclass

import numpy as np

from tasks.audit.bias_study import FOUR_FIFTHS, Study
from tasks.bias.association import (
    FEWEST_ROWS,
    Associations,
    CramersV,
    Floats,
    Ints,
    associate,
    code_values,
    cramers_v,
    exclusive_counts,
    joint_counts,
    risk_ratio,
)
from tasks.bias.interval import ALPHA, Interval

MOST_VALUES = 50
"""Different values up to which a column of strings is an attribute."""


@dataclass(frozen=True)
class Company:
    """A column of values beside the groups that the rows mention.

    Args:
        name: "label", or the attribute's name.
        codes: Number of each row's value, -1 for a null, shape `(N,)`.
        values: The L values.
        associations: Of every value with every group.
        axis_joint: Rows of each value that mention each axis at all, shape `(L, axes)`.
        overall: Cramer's V of the values with the one group that a row mentions, by axis.
    """

    name: str
    codes: Ints
    values: list[str]
    associations: Associations
    axis_joint: Ints
    overall: dict[str, CramersV | None]


@dataclass(frozen=True)
class Pair:
    """A value and a group, tested for belonging together more, or less, than by chance.

    Args:
        value: Place of the value.
        group: Column of the group.
        rows: Rows with both.
        expected: Rows with both under independence.
        lift: Over all rows.
        against_others: The value's share in the rows of the group, over its share in the rows that
            name only other groups of the axis; None where these are too few.
        q: Adjusted p-value.
    """

    value: int
    group: int
    rows: int
    expected: float
    lift: Interval
    against_others: Interval | None
    q: float

    @property
    def is_told(self) -> bool:
        """Return whether it is significant and large: what findings tell of."""
        return self.q < ALPHA and is_large(self.lift)

    @property
    def is_preference(self) -> bool:
        """Return whether the value tells the group from the other groups of its axis too.

        Else it is the topic that goes with the value, or there is nothing to compare with.
        """
        against = self.against_others
        if against is None:
            return False
        if self.lift.low > 1:
            return against.low > 1 and against.value > 1 / FOUR_FIFTHS
        return against.high < 1 and against.value < FOUR_FIFTHS


def keep_company(studied: Study, name: str, *, codes: Ints, values: list[str]) -> Company:
    """Count and test a column against every group."""
    mentions, size, axes = studied.mentions, len(values), studied.mentions.axes()
    joint = joint_counts(codes, mentions.rows, num_values=size)
    of_axes = np.stack([mentions.of_axis(axis).any(axis=1) for axis in axes], axis=1)
    return Company(
        name=name,
        codes=codes,
        values=values,
        associations=associate(
            joint,
            value_rows=np.bincount(codes[codes >= 0], minlength=size),
            group_rows=joint.sum(axis=0),
            n=int((codes >= 0).sum()),
        ),
        axis_joint=joint_counts(codes, of_axes, num_values=size),
        overall={axis: overall_v(studied, axis, codes=codes, size=size) for axis in axes},
    )


def overall_v(studied: Study, axis: str, *, codes: Ints, size: int) -> CramersV | None:
    """Measure how far a row's value decides which one group of an axis it mentions."""
    shape = (size, len(studied.mentions.groups(axis)))
    return cramers_v(exclusive_counts(codes, studied.mentions.only_group(axis), shape=shape))


def attributes(studied: Study) -> list[Company]:
    """Take every column of strings that has 2 to `MOST_VALUES` different values."""
    found = []
    for name, column in sorted(studied.corpus.columns.items()):
        codes, values = code_values(column)
        if 2 <= len(values) <= MOST_VALUES:
            found.append(keep_company(studied, name, codes=codes, values=values))
    return found


def is_large(lift: Interval) -> bool:
    """Return whether a lift lies, with its interval, beyond four fifths or five fourths."""
    return lift.high < FOUR_FIFTHS or lift.low > 1 / FOUR_FIFTHS


def tested_pairs(studied: Study, company: Company, *, q_values: Floats) -> list[Pair]:
    """Return the pairs that were tested: those that are told of first, the surest at the top.

    Args:
        studied: The corpus.
        company: The column.
        q_values: Adjusted p-values, shape `(L, G)`, NaN where untested.
    """
    found = [
        _pair(studied, company, value=value, group=group, q=float(q_values[value, group]))
        for value, group in np.argwhere(~np.isnan(q_values)).tolist()
    ]
    return sorted(found, key=lambda x: (not x.is_told, -_size(x.lift), x.value, x.group))


def _size(lift: Interval) -> float:
    """Return by how much a lift surely differs from 1: the bound that is nearer to it."""
    return max(lift.low, 1 / max(lift.high, 1e-9))


def _pair(studied: Study, company: Company, *, value: int, group: int, q: float) -> Pair:
    tests = company.associations
    rows, of_group = int(tests.joint[value, group]), int(tests.group_rows[group])
    axis = studied.mentions.axes().index(studied.mentions.columns[group][0])
    others = int(company.axis_joint[:, axis].sum()) - of_group
    against = None
    if others >= FEWEST_ROWS:
        against = risk_ratio(rows, of_group, int(company.axis_joint[value, axis]) - rows, others)
    return Pair(
        value=value,
        group=group,
        rows=rows,
        expected=float(tests.value_rows[value] * of_group / tests.n),
        lift=tests.interval(value, group),
        against_others=against,
        q=q,
    )
