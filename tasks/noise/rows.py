"""Noise on a shard of accepted rows."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.noise import LabelFlip, NoiseConfig
from schemas.row import EDITS, NOISED_SCHEMA
from tasks.noise.label_flip import flip_in_turn
from tasks.noise.resources import OpenSteps
from tasks.noise.texts import noise_batch
from tasks.planning.streams import Stream, row_keys, uniforms


def pick_noised(
    rows: NDArray[np.int64], attempts: NDArray[np.int32], *, share: float, seed: int
) -> NDArray[np.bool_]:
    """Choose which rows are noised: exactly the share, rounded to the nearest whole number of rows.

    Every row draws a number of its own; those with the smallest are chosen.

    Args:
        rows: Numbers of the accepted rows, shape `(N,)`.
        attempts: The attempt of each that was accepted, shape `(N,)`.
        share: Part of the rows, 0 to 1.
        seed: The recipe's seed.

    Returns:
        True for the rows to noise, shape `(N,)`.
    """
    draws = uniforms(row_keys(seed, rows, attempts, Stream.NOISE_PICK), 0)
    picked = np.zeros(rows.size, dtype=np.bool_)
    picked[np.lexsort((rows, draws))[: int(share * rows.size + 0.5)]] = True
    return picked


def noise_rows(
    table: pa.Table,
    noised: NDArray[np.bool_],
    *,
    noise: NoiseConfig | None,
    seed: int,
    classes: Sequence[str] = (),
    opened: OpenSteps | None = None,
) -> pa.Table:
    """Noise the chosen rows of a shard.

    Steps on texts know a row by the label asked for, whatever a step on labels makes of it.

    Args:
        table: Accepted rows, `SCORED_SCHEMA`.
        noised: Which of them to noise, shape `(N,)`.
        noise: Operators and what they must leave; None for no noise.
        seed: The recipe's seed.
        classes: The labels of the recipe in its order, for steps on labels.
        opened: The steps of `noise` with what they need; None when they need nothing.

    Returns:
        The same rows with `NOISED_SCHEMA`. A chosen row that no operator happened to change has an
        empty log, and its clean text is kept all the same.
    """
    keys = row_keys(seed, table["row"].to_numpy(), table["attempt"].to_numpy(), Stream.NOISE)
    chosen = np.flatnonzero(noised)
    steps = noise.steps if noise else ()
    texts = table["text"].combine_chunks()
    labels = table["label"].combine_chunks()
    own_labels = labels.take(pa.array(chosen))
    result = noise_batch(
        texts.take(pa.array(chosen)),
        keys=keys[chosen],
        steps=opened or OpenSteps(steps),
        protect=noise.protect if noise else None,
        labels=own_labels.to_pylist(),
    )
    is_chosen = pa.array(noised)
    clean = pc.if_else(is_chosen, texts, pa.scalar(None, pa.string()))
    table = _with_column(table, "text", pc.replace_with_mask(texts, is_chosen, result.texts))
    clean_labels = pa.nulls(table.num_rows, pa.string())
    if any(isinstance(step, LabelFlip) for step in steps):
        flipped = flip_in_turn(own_labels, keys=keys[chosen], steps=steps, classes=classes)
        after = pc.replace_with_mask(labels, is_chosen, flipped.labels)
        table = _with_column(table, "label", after)
        clean_labels = pc.replace_with_mask(clean_labels, is_chosen, flipped.clean_labels)
    # The log of a row that was not chosen is empty: the list of one that does not exist.
    logs = pa.concat_arrays([result.edits, pa.array([[]], EDITS)])
    own_log = np.where(noised, np.cumsum(noised) - 1, chosen.size)
    added = [clean, clean_labels, logs.take(pa.array(own_log))]
    return pa.table([*table.columns, *added], schema=NOISED_SCHEMA)


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), values)
