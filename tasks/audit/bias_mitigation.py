"""Mitigations, measured: the association of labels with groups before and after each."""

import numpy as np

from schemas.audit import Cell, Group, Section, Table
from tasks.audit.bias_company import Company
from tasks.audit.bias_counterfactual import SwapSample
from tasks.audit.bias_study import MOST_TABLE_ROWS, Study, plain, study
from tasks.audit.corpus import Corpus
from tasks.bias.association import Floats, Ints, exclusive_counts
from tasks.bias.interval import ALPHA
from tasks.bias.mitigation import (
    augmentation,
    independence_weights,
    plain_v,
    top_up,
    weighted_counts,
)


def mitigation_section(studied: Study, label: Company | None, sample: SwapSample) -> Section:
    """Offer mitigations for every axis on which labels and groups are associated."""
    if label is None:
        return Section(group=Group.BIAS, metrics=())
    rows: list[tuple[Cell, ...]] = []
    added: list[tuple[Cell, ...]] = []
    for axis, overall in label.overall.items():
        if overall is None or overall.p_value >= ALPHA:
            continue
        groups, names = studied.mentions.only_group(axis), studied.mentions.groups(axis)
        shape = (len(label.values), len(names))
        table = exclusive_counts(label.codes, groups, shape=shape)
        before, extra = _v(table), top_up(table)
        weighing = independence_weights(label.codes, groups, shape=shape)
        after = weighted_counts(label.codes, groups, weighing.weights, shape=shape)
        rows += [
            (plain(axis), "weights", 0, round(weighing.effective_rows), before, _v(after)),
            (plain(axis), "rows to add", int(extra.sum()), None, before, _v(table + extra)),
        ]
        if axis == "gender" and sample.rows.texts:
            rows.append(_swapped_copies(sample, label))
        added += _top_up_rows(axis, names, label, extra)
    added.sort(key=lambda row: (-int(row[3] or 0), str(row[:3])))
    tables = (_mitigations(rows), _top_up(added)) if rows else ()
    return Section(group=Group.BIAS, metrics=(), tables=tables)


def _swapped_copies(sample: SwapSample, label: Company) -> tuple[Cell, ...]:
    """Measure the sample again with its swapped copies: their mentions are looked up anew."""
    copies = augmentation(sample.rows, labels=sample.corpus.labels)
    texts = [*sample.corpus.strings, *(text for text, _ in copies)]
    labels = [*(sample.corpus.labels or ()), *(given for _, given in copies)]
    ids = [str(place) for place in range(len(texts))]
    both = study(Corpus(name="with swapped copies", ids=ids, texts=texts, labels=labels))
    number = {value: place for place, value in enumerate(label.values)}
    codes = np.array([number[x] if x is not None else -1 for x in labels], dtype=np.int64)
    groups, size = both.mentions.only_group("gender"), len(sample.corpus)
    shape = (len(label.values), len(both.mentions.groups("gender")))

    def measured(end: int) -> float:
        return _v(exclusive_counts(codes[:end], groups[:end], shape=shape))

    return ("gender", "swapped copies", len(copies), None, measured(size), measured(len(texts)))


def _v(table: Ints | Floats) -> float:
    # The last bits of summed weights depend on the order of the rows.
    return round(plain_v(table), 6)


def _top_up_rows(
    axis: str, names: list[str], label: Company, extra: Ints
) -> list[tuple[Cell, ...]]:
    return [
        (label.values[value], plain(axis), plain(names[group]), int(extra[value, group]))
        for value, group in np.argwhere(extra).tolist()
    ]


def _mitigations(rows: list[tuple[Cell, ...]]) -> Table:
    return Table(
        name="bias_mitigations",
        group=Group.BIAS,
        title="What would part labels from groups",
        caption="Cramer's V between label and group before and after (0: independent), on axes "
        "where the two are associated. Weights (Kamiran and Calders 2012) leave the rows as they "
        "are and make some count more: effective rows are what is left of them (Kish). Rows to "
        "add are counted in the next table. Swapped copies turn the gendered words of rows round; "
        "they are measured on a sample of at most 5,000 gendered rows. `corpusmith audit "
        "--mitigate` writes weights, copies and a plan of the rows to add, and measures them "
        "on all rows.",
        columns=("axis", "mitigation", "rows added", "effective rows", "V before", "V after"),
        rows=tuple(rows),
    )


def _top_up(added: list[tuple[Cell, ...]]) -> Table:
    return Table(
        name="bias_top_up",
        group=Group.BIAS,
        title="Rows to add",
        caption="Rows of each label that should name a group, and it alone of its axis, so that "
        "every label names the groups in the same shares; the largest numbers first.",
        columns=("label", "axis", "group", "rows to add"),
        rows=tuple(added[:MOST_TABLE_ROWS]),
        left_out=max(0, len(added) - MOST_TABLE_ROWS),
    )
