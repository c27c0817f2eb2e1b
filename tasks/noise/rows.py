"""Noise on a shard of accepted rows."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.noise import NoiseStep
from schemas.row import EDITS, NOISED_SCHEMA
from tasks.noise.texts import NoisedText, noise_texts
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
    table: pa.Table, noised: NDArray[np.bool_], *, steps: Sequence[NoiseStep], seed: int
) -> pa.Table:
    """Noise the chosen rows of a shard.

    Args:
        table: Accepted rows, `SCORED_SCHEMA`.
        noised: Which of them to noise, shape `(N,)`.
        steps: Operators, in order.
        seed: The recipe's seed.

    Returns:
        The same rows with `NOISED_SCHEMA`. A chosen row that no operator happened to change has an
        empty log, and its clean text is kept all the same.
    """
    texts: list[str] = table["text"].to_pylist()
    keys = row_keys(seed, table["row"].to_numpy(), table["attempt"].to_numpy(), Stream.NOISE)
    chosen = np.flatnonzero(noised)
    results = noise_texts([texts[i] for i in chosen], keys=keys[chosen], steps=steps)
    by_place: dict[int, NoisedText] = dict(zip(chosen.tolist(), results, strict=True))
    after = [by_place[i].text if i in by_place else text for i, text in enumerate(texts)]
    clean = [text if i in by_place else None for i, text in enumerate(texts)]
    logs = [
        [edit.model_dump() for edit in by_place[i].edits] if i in by_place else []
        for i in range(len(texts))
    ]
    place = table.schema.get_field_index("text")
    table = table.set_column(place, table.schema.field(place), pa.array(after, pa.string()))
    added = [pa.array(clean, pa.string()), pa.array(logs, EDITS)]
    return pa.table([*table.columns, *added], schema=NOISED_SCHEMA)
