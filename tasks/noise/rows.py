"""Noise on a shard of accepted rows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.noise import NoiseConfig
from schemas.row import EDITS, NOISED_SCHEMA
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
    table: pa.Table, noised: NDArray[np.bool_], *, noise: NoiseConfig | None, seed: int
) -> pa.Table:
    """Noise the chosen rows of a shard.

    Args:
        table: Accepted rows, `SCORED_SCHEMA`.
        noised: Which of them to noise, shape `(N,)`.
        noise: Operators and what they must leave; None for no noise.
        seed: The recipe's seed.

    Returns:
        The same rows with `NOISED_SCHEMA`. A chosen row that no operator happened to change has an
        empty log, and its clean text is kept all the same.
    """
    texts = table["text"].combine_chunks()
    keys = row_keys(seed, table["row"].to_numpy(), table["attempt"].to_numpy(), Stream.NOISE)
    chosen = np.flatnonzero(noised)
    result = noise_batch(
        texts.take(pa.array(chosen)),
        keys=keys[chosen],
        steps=noise.steps if noise else (),
        protect=noise.protect if noise else None,
        labels=table["label"].take(pa.array(chosen)).to_pylist(),
    )
    is_chosen = pa.array(noised)
    place = table.schema.get_field_index("text")
    after = pc.replace_with_mask(texts, is_chosen, result.texts)
    table = table.set_column(place, table.schema.field(place), after)
    clean = pc.if_else(is_chosen, texts, pa.scalar(None, pa.string()))
    # The log of a row that was not chosen is empty: the list of one that does not exist.
    logs = pa.concat_arrays([result.edits, pa.array([[]], EDITS)])
    own_log = np.where(noised, np.cumsum(noised) - 1, chosen.size)
    added = [clean, logs.take(pa.array(own_log))]
    return pa.table([*table.columns, *added], schema=NOISED_SCHEMA)
