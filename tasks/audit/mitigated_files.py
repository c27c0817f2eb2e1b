"""Mitigations as files: weights, swapped copies, rows to add, each measured on all rows."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import regex
import yaml

from schemas.audit import Cell, Group, Section, Table
from tasks.audit.bias_company import overall_v
from tasks.audit.bias_counterfactual import gendered_words
from tasks.audit.bias_study import Study, plain, study
from tasks.audit.corpus import Corpus
from tasks.bias.association import Ints, exclusive_counts
from tasks.bias.counterfactual import swap_rows
from tasks.bias.interval import ALPHA
from tasks.bias.mitigation import joint_weights, plain_v, top_up, weighted_counts
from tasks.bias.swap import swap_gender
from tasks.planning.faults import disk_faults
from tasks.planning.shards import write_whole
from tasks.release.data_output import TableWriter

WEIGHTS, COPIES, TOP_UP = "weights.parquet", "counterfactual.parquet", "top_up.yaml"
_USES = {
    WEIGHTS: "count each row by its weight when training",
    COPIES: "add these rows to the training data",
    TOP_UP: "generate such rows and add them",
}
_WEIGHTS_SCHEMA = pa.schema({"id": pa.string(), "weight": pa.float64()})
_COPIES_SCHEMA = pa.schema(
    {"id": pa.string(), "source_id": pa.string(), "text": pa.string(), "label": pa.string()}
)
_BATCH_ROWS = 1 << 15
_WORD = regex.compile(r"[\p{L}\p{N}]++")
_HEAD = """\
# Rows to add so that every label names the groups of an axis in the same shares. Each run holds the
# keys of a recipe that make its rows: put them into a copy of your recipe, with your descriptions
# of the labels, and see that its template uses the attribute.
"""

Row = tuple[Cell, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class _Axis:
    """An axis of groups beside the labels.

    Args:
        name: Of the axis.
        groups: The one group that each row mentions, else -1, shape `(N,)`.
        names: The K groups.
        table: Rows by label and group, shape `(L, K)`.
        is_associated: Whether labels and groups go together beyond chance.
    """

    name: str
    groups: Ints
    names: list[str]
    table: Ints
    is_associated: bool

    @property
    def before(self) -> float:
        return _rounded(plain_v(self.table))


@dataclass(frozen=True)
class _Labelled:
    """A corpus with its labels as numbers, and its axes of groups; none without labels."""

    studied: Study
    codes: Ints
    values: list[str]
    axes: list[_Axis]

    @property
    def associated(self) -> list[_Axis]:
        return [axis for axis in self.axes if axis.is_associated]

    @classmethod
    def of(cls, studied: Study) -> "_Labelled":
        codes, values = studied.labels or (np.full(len(studied.corpus), -1, dtype=np.int64), [])
        axes = []
        for name in studied.mentions.axes() if values else ():
            groups, names = studied.mentions.only_group(name), studied.mentions.groups(name)
            table = exclusive_counts(codes, groups, shape=(len(values), len(names)))
            overall = overall_v(studied, name, codes=codes, size=len(values))
            is_associated = overall is not None and overall.p_value < ALPHA
            axes.append(_Axis(name, groups, names, table, is_associated))
        return cls(studied, codes, values, axes)


def write_mitigations(corpus: Corpus, folder: Path) -> Section:
    """Write what would part labels from groups, and measure what each file does.

    The files are always there, whatever was found: `weights.parquet` (id, weight) for training,
    `counterfactual.parquet` (id, source_id, text, label) to be added, `top_up.yaml` to be
    generated. Each is whole or absent; older ones are replaced.

    Args:
        corpus: The rows. Their texts and ids go into the files as they are.
        folder: Where the files go; it is made when it is not there.

    Raises:
        CorpusmithError: If they cannot be written.
    """
    labelled = _Labelled.of(study(corpus))
    rows = [
        *_write_weights(labelled, folder / WEIGHTS),
        *_write_copies(labelled, folder / COPIES),
        *_write_top_up(labelled, folder / TOP_UP),
    ]
    return Section(group=Group.BIAS, metrics=(), tables=(_files(rows),))


def _write_weights(labelled: _Labelled, path: Path) -> Iterator[Row]:
    ids, codes, axes = labelled.studied.corpus.ids, labelled.codes, labelled.associated
    weights, effective = np.ones(len(ids)), float(len(ids))
    if axes:
        shapes = [axis.table.shape for axis in axes]
        found = joint_weights(codes, [axis.groups for axis in axes], shapes=shapes)
        weights, effective = found.weights, found.effective_rows
    with _replacing(path, _WEIGHTS_SCHEMA) as writer:
        for start in range(0, len(ids), _BATCH_ROWS):
            part = slice(start, start + _BATCH_ROWS)
            writer.add(_batch([list(ids[part]), weights[part]], _WEIGHTS_SCHEMA))
    if not axes:
        yield path.name, "none", len(ids), round(effective), None, None
    for axis in axes:
        after = weighted_counts(codes, axis.groups, weights, shape=axis.table.shape)
        measured = axis.before, _rounded(plain_v(after))
        yield path.name, plain(axis.name), len(ids), round(effective), *measured


def _write_copies(labelled: _Labelled, path: Path) -> Iterator[Row]:
    axes = [axis for axis in labelled.axes if axis.is_associated or axis.name == "gender"]
    tables = [axis.table.copy() for axis in axes]
    written = 0
    with _replacing(path, _COPIES_SCHEMA) as writer:
        for copies in _batches(_copies(labelled)):
            places = [place for place, _ in copies]
            texts = [text for _, text in copies]
            writer.add(_copies_batch(labelled.studied.corpus, places, texts))
            ids = list(map(str, places))
            mentions = study(Corpus(name=path.name, ids=ids, texts=texts)).mentions
            codes = labelled.codes[places]
            for axis, table in zip(axes, tables, strict=True):
                groups = mentions.only_group(axis.name)
                table += exclusive_counts(codes, groups, shape=axis.table.shape)
            written += len(copies)
    if not tables:
        yield path.name, "none", written, None, None, None
    for axis, table in zip(axes, tables, strict=True):
        measured = axis.before, _rounded(plain_v(table))
        yield path.name, plain(axis.name), written, None, *measured


def _copies(labelled: _Labelled) -> Iterator[tuple[int, str]]:
    """Yield the rows that have a sound swapped copy, and the copy.

    A copy that is a row already, with the same label, is none; nor is one of a row whose label
    itself speaks of gender, whose words cannot all be swapped, or that would not swap back.
    """
    studied, texts = labelled.studied, labelled.studied.corpus.strings
    gendered = gendered_words(studied.lexicons)
    about_gender = {
        code
        for code, value in enumerate(labelled.values)
        if not gendered.isdisjoint(_WORD.findall(value.casefold()))
    }
    named = np.flatnonzero(studied.mentions.of_axis("gender").any(axis=1)).tolist()
    places = [place for place in named if int(labelled.codes[place]) not in about_gender]
    # The swap is one to one: two rows have the same copy where they are the same.
    have = {(texts[place], int(labelled.codes[place])) for place in places}
    done = set()
    for batch in _batches(places):
        rows = swap_rows([texts[place] for place in batch], gendered=gendered)
        for within, text, copy in zip(rows.places, rows.texts, rows.swapped, strict=True):
            place = batch[within]
            code = int(labelled.codes[place])
            if (copy, code) in have or (text, code) in done or swap_gender(copy) != text:
                continue
            done.add((text, code))
            yield place, copy


def _copies_batch(corpus: Corpus, places: Sequence[int], texts: list[str]) -> pa.RecordBatch:
    ids = [corpus.ids[place] for place in places]
    labels = [None if corpus.labels is None else corpus.labels[place] for place in places]
    return _batch([[f"{one}-swapped" for one in ids], ids, texts, labels], _COPIES_SCHEMA)


def _write_top_up(labelled: _Labelled, path: Path) -> Iterator[Row]:
    runs: list[dict[str, Any]] = []
    rows: list[Row] = []
    for axis in labelled.associated:
        extra = top_up(axis.table)
        runs += _runs(labelled.values, axis, extra)
        measured = axis.before, _rounded(plain_v(axis.table + extra))
        rows.append((path.name, plain(axis.name), int(extra.sum()), None, *measured))
    content = yaml.safe_dump({"runs": runs}, allow_unicode=True, sort_keys=False, width=100)
    write_whole(path, (_HEAD + content).encode())
    yield from rows or [(path.name, "none", 0, None, None, None)]


def _runs(values: list[str], axis: _Axis, extra: Ints) -> Iterator[dict[str, Any]]:
    for name, column in zip(axis.names, extra.T, strict=True):
        wanted = {values[place]: int(column[place]) for place in np.flatnonzero(column).tolist()}
        if wanted:
            yield {
                "rows": sum(wanted.values()),
                "labels": {
                    label: {"description": label, "share": rows} for label, rows in wanted.items()
                },
                "attributes": {axis.name: [plain(name)]},
            }


def _replacing(path: Path, schema: pa.Schema) -> TableWriter:
    with disk_faults(path):
        path.unlink(missing_ok=True)
    return TableWriter(path, schema=schema)


def _batch(columns: list[Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def _batches(items: Sequence[T] | Iterator[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(itertools.islice(rest, _BATCH_ROWS)):
        yield batch


def _rounded(value: float) -> float:
    # The last bits of summed weights depend on the order of the rows.
    return round(value, 6)


def _files(rows: list[Row]) -> Table:
    return Table(
        name="mitigation_files",
        group=Group.BIAS,
        title="Mitigations that were written, and what each does to this dataset",
        caption="`corpusmith audit --mitigate` wrote these files into the folder mitigation beside "
        "this report. V is Cramer's between label and group on all rows (0: independent), before "
        "and after; that of top_up.yaml is what its plan comes to, the others are measured with "
        "what was written. A row of label l and group g weighs P(l) P(g) / P(l, g) (Kamiran and "
        "Calders 2012), fitted to all axes here at once; effective rows are what is left of the "
        "rows (Kish). Copies are of rows whose gendered words can all be turned round and back. "
        "Axes on which labels and groups are independent are not here, but for gender.",
        columns=("file", "use", "axis", "rows", "effective rows", "V before", "V after"),
        rows=tuple((row[0], _USES[str(row[0])], *row[1:]) for row in rows),
    )
