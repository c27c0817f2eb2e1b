"""Noise on any table, batch by batch: an iterator of record batches in, noised ones out."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.noise import LabelFlip, NoiseConfig
from schemas.row import EDITS
from tasks.noise.counts import NoiseCounts, count_noise
from tasks.noise.label_flip import flip_in_turn
from tasks.noise.resources import OpenSteps
from tasks.noise.span_column import read_spans
from tasks.noise.strings import Ints, Mask, offsets_of
from tasks.noise.table_columns import CLEAN, CLEAN_LABEL, LOG, Columns, noised_schema, texts_of
from tasks.noise.texts import NoisedBatch, noise_batch
from tasks.planning.streams import U64, Stream, row_keys, uniforms

_MOST_ROWS = 8192
_MOST_BYTES = 8 << 20
"""Of text worked on at once: a step holds a few dozen times as much."""


@dataclass(frozen=True, slots=True)
class TableNoise:
    """How to noise a table.

    Args:
        columns: Where text, label and spans stand.
        noise: Share, steps and what they must leave.
        seed: Key of all draws, in [0, 2^63).
        classes: All labels, for steps on labels; their order decides which draw gives which.
        opened: The steps with what they need besides; None when they need nothing.
    """

    columns: Columns
    noise: NoiseConfig
    seed: int
    classes: Sequence[str] = ()
    opened: OpenSteps | None = None

    @property
    def flips_labels(self) -> bool:
        """Whether a step is on labels."""
        return any(isinstance(step, LabelFlip) for step in self.noise.steps)

    def schema_after(self, schema: pa.Schema) -> pa.Schema:
        """Return the schema of a table with `schema` after noise; see `noised_schema`."""
        return noised_schema(schema, self.columns, flips_labels=self.flips_labels)


@dataclass(frozen=True, slots=True)
class NoisedRecords:
    """Some rows after noise.

    Args:
        records: The rows, N of them, with all their columns.
        first_row: Number of the first in the data, from 0.
        counts: What was done to them.
    """

    records: pa.RecordBatch
    first_row: int
    counts: NoiseCounts


def noise_records(
    batches: Iterable[pa.RecordBatch], *, schema: pa.Schema, how: TableNoise
) -> Iterator[NoisedRecords]:
    """Noise the text column of a stream of rows.

    What becomes of a row depends on its number, the seed and the row: not on the batches, nor on
    the rows around it. Each row is chosen with the probability `noise.share`, by a draw of its own.
    A row without a text is never chosen. Where the data has a log already, the new edits follow the
    old ones, and the clean text stays the oldest.

    Args:
        batches: The rows, in order.
        schema: Their schema, the same for all.
        how: Columns, steps and seed.

    Yields:
        The rows in the same order, in parts of a few thousand, with `how.schema_after(schema)`.

    Raises:
        InputError: `CS-D002` to `CS-D004` if a column or a row is wrong; see also `noise_batch`.
    """
    after = how.schema_after(schema)
    first_row = 0
    for batch in batches:
        for part in _parts(batch, how.columns.text, first_row):
            arrays, counts = _noise(part, first_row, how)
            columns = [_of_type(arrays[field.name], field.type) for field in after]
            yield NoisedRecords(pa.record_batch(columns, schema=after), first_row, counts)
            first_row += part.num_rows


def _parts(batch: pa.RecordBatch, column: str, first_row: int) -> Iterator[pa.RecordBatch]:
    texts = texts_of(batch[column], column=column, first_row=first_row)
    bytes_until = np.cumsum(pc.binary_length(texts).fill_null(0).to_numpy(), dtype=np.int64)
    group = bytes_until // _MOST_BYTES + np.arange(len(texts)) // _MOST_ROWS
    bounds = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(texts)]
    for start, stop in itertools.pairwise(bounds):
        if start < stop:
            yield batch.slice(start, stop - start)


def _noise(
    batch: pa.RecordBatch, first_row: int, how: TableNoise
) -> tuple[dict[str, pa.Array], NoiseCounts]:
    """Return the columns of a batch after noise, by name, and what was done."""
    columns = how.columns
    texts = texts_of(batch[columns.text], column=columns.text, first_row=first_row)
    rows = np.arange(first_row, first_row + len(texts))
    draws = uniforms(row_keys(how.seed, rows, 0, Stream.NOISE_PICK), 0)
    chosen = np.asarray(texts.is_valid()) & (draws < how.noise.share)
    clean, keys = texts.filter(pa.array(chosen)), row_keys(how.seed, rows, 0, Stream.NOISE)
    arrays = {name: batch[name] for name in batch.schema.names}
    spans = labels = None
    if columns.spans is not None:
        lengths = pc.utf8_length(texts).fill_null(0).to_numpy()
        spans = read_spans(arrays[columns.spans], lengths=lengths, first_row=first_row)
    if columns.label is not None:
        labels = arrays[columns.label].cast(pa.string())
        if how.flips_labels:
            _flip(arrays, labels, columns.label, keys=keys, chosen=chosen, how=how)
        labels = labels.filter(pa.array(chosen)).fill_null("").to_pylist()
    result = noise_batch(
        clean,
        keys=keys[chosen],
        steps=how.opened or how.noise.steps,
        protect=how.noise.protect,
        spans=None if spans is None else spans.of_rows(chosen),
        labels=labels,
    )
    if spans is not None and result.spans is not None:
        arrays[str(columns.spans)] = spans.with_moved(chosen, result.spans)
    _put(arrays, columns.text, texts, chosen=chosen, result=result)
    return arrays, count_noise(clean, result, rows=len(texts), nulls=texts.null_count)


def _of_type(values: pa.Array, kind: pa.DataType) -> pa.Array:
    # Not every type can be cast, not even to itself.
    return values if values.type.equals(kind) else values.cast(kind)


def _flip(
    arrays: dict[str, pa.Array],
    labels: pa.StringArray,
    column: str,
    *,
    keys: U64,
    chosen: Mask,
    how: TableNoise,
) -> None:
    """Put noised labels and the clean ones into the columns; a row without a label keeps none."""
    meant = chosen & np.asarray(labels.is_valid())
    own, is_meant = labels.filter(pa.array(meant)), pa.array(meant)
    steps = how.noise.steps
    flipped = flip_in_turn(own, keys=keys[meant], steps=steps, classes=how.classes)
    arrays[column] = pc.replace_with_mask(labels, is_meant, flipped.labels)
    nulls = pa.nulls(len(labels), pa.string())
    clean = pc.replace_with_mask(nulls, is_meant, flipped.clean_labels)
    if CLEAN_LABEL in arrays:
        clean = pc.coalesce(arrays[CLEAN_LABEL].cast(pa.string()), clean)
    arrays[CLEAN_LABEL] = clean


def _put(
    arrays: dict[str, pa.Array],
    column: str,
    texts: pa.StringArray,
    *,
    chosen: Mask,
    result: NoisedBatch,
) -> None:
    """Put the noised text, the clean one and the log into the columns of a batch."""
    is_chosen = pa.array(chosen)
    arrays[column] = pc.replace_with_mask(texts, is_chosen, result.texts)
    clean = pc.if_else(is_chosen, texts, pa.scalar(None, pa.string()))
    counts = np.zeros(chosen.size, np.int64)
    counts[chosen] = result.edits.value_lengths().to_numpy()
    log = result.edits.flatten()
    if CLEAN in arrays:
        clean = pc.coalesce(arrays[CLEAN].cast(pa.string()), clean)
        counts, log = _appended(arrays[LOG], counts, log)
    arrays[CLEAN] = clean
    offsets = pa.array(offsets_of(counts).astype(np.int32))
    arrays[LOG] = pa.ListArray.from_arrays(offsets, log, type=EDITS)


def _appended(old: pa.ListArray, counts: Ints, log: pa.StructArray) -> tuple[Ints, pa.StructArray]:
    """Join each row's old edits and its new ones."""
    if pa.types.is_null(old.type.value_type):
        return counts, log
    old_counts = np.asarray(old.value_lengths().fill_null(0).to_numpy(), np.int64)
    values, fields = old.flatten(), list(EDITS.value_type)
    parts = [values.field(field.name).cast(field.type) for field in fields]
    both = pa.concat_arrays([pa.StructArray.from_arrays(parts, fields=fields), log])
    every = np.arange(counts.size)
    rows = np.concatenate([np.repeat(every, old_counts), np.repeat(every, counts)])
    return old_counts + counts, both.take(pa.array(np.argsort(rows, kind="stable")))
