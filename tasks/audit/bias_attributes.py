"""Attributes beside groups, and how far each column of the data decides who is named."""

from collections.abc import Sequence

import numpy as np

from schemas.audit import Cell, Evidence, Finding, Group, Section, Table
from tasks.audit.bias_company import Company, Pair, tested_pairs
from tasks.audit.bias_company_report import (
    HOW,
    PAIR_COLUMNS,
    pair_evidence,
    pair_row,
    told,
    untested,
)
from tasks.audit.bias_study import MOST_EVIDENCE, MOST_TABLE_ROWS, Study, plain
from tasks.bias.association import Floats


def attribute_section(
    studied: Study, columns: Sequence[Company], *, q_values: Sequence[Floats]
) -> Section:
    """Report attributes beside groups; `q_values` has one array for each column."""
    if not columns:
        return Section(group=Group.BIAS, metrics=())
    found = [
        (column, pair)
        for column, adjusted in zip(columns, q_values, strict=True)
        for pair in tested_pairs(studied, column, q_values=adjusted)
    ]
    found.sort(key=lambda each: not each[1].is_told)
    rows = [(column.name, *pair_row(studied, column, pair)) for column, pair in found]
    table = Table(
        name="bias_attribute_groups",
        group=Group.BIAS,
        title="Groups that go with attributes",
        caption=f"{HOW} {untested(columns)} An attribute is a column of strings with 2 to 50 "
        "different values.",
        columns=("attribute", "value", *PAIR_COLUMNS),
        rows=tuple(rows[:MOST_TABLE_ROWS]),
        left_out=max(0, len(rows) - MOST_TABLE_ROWS),
    )
    return Section(
        group=Group.BIAS,
        metrics=(),
        tables=(table,),
        findings=tuple(_findings(studied, columns, [each for each in found if each[1].is_told])),
    )


def _findings(
    studied: Study, columns: Sequence[Company], found: Sequence[tuple[Company, Pair]]
) -> list[Finding]:
    parts: list[str] = []
    shown: list[Evidence] = []
    for column in columns:
        if pairs := [pair for of_column, pair in found if of_column is column]:
            parts.append(f"{column.name}: {told(studied, column, pairs[:2])}")
            shown.extend(pair_evidence(studied, column, pairs[:1]))
    if not parts:
        return []
    return [
        Finding(
            name="bias_attributes_go_with_groups",
            group=Group.BIAS,
            severity="note",
            what=f"Attributes go with groups of people ({'. '.join(parts[:3])}); {len(found)} such "
            "pairs in all.",
            action="If an attribute was not meant to say who is spoken of, look at the rows and "
            "mend its values in the recipe.",
            rows=sum(pair.rows for _, pair in found),
            evidence=tuple(shown[:MOST_EVIDENCE]),
        )
    ]


def overall_p_values(studied: Study, columns: Sequence[Company]) -> Floats:
    """Return the p-value of Cramer's V of each column and axis, NaN where untested."""
    axes = studied.mentions.axes()
    found = np.full((len(columns), len(axes)), np.nan)
    for row, column in enumerate(columns):
        for place, axis in enumerate(axes):
            if (overall := column.overall[axis]) is not None:
                found[row, place] = overall.p_value
    return found


def overall_section(studied: Study, columns: Sequence[Company], *, q_values: Floats) -> Section:
    """Show how far each column decides which group is named; `q_values`: columns by axes."""
    rows: list[tuple[Cell, ...]] = []
    for column, of_column in zip(columns, q_values.tolist(), strict=True):
        for axis, q in zip(studied.mentions.axes(), of_column, strict=True):
            if (found := column.overall[axis]) is not None:
                v = found.v
                rows.append((column.name, plain(axis), v.n, v.value, v.low, v.high, q))
    table = Table(
        name="bias_overall",
        group=Group.BIAS,
        title="How far a column decides which group is named",
        caption="Bias-corrected Cramer's V (0: not at all, 1: entirely) between the column and the "
        "one group of the axis that a row names, with a bootstrap interval; q is adjusted for all "
        "tests. "
        f"{len(columns) * len(studied.mentions.axes()) - len(rows)} could not be tested for lack "
        "of n.",
        columns=("column", "axis", "rows", "V", "low", "high", "q"),
        rows=tuple(rows),
    )
    return Section(group=Group.BIAS, metrics=(), tables=(table,) if columns else ())
