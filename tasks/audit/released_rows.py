"""The rows of a run or of a release as a corpus, sampled alike."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.errors import RunError
from tasks.audit.corpus import Corpus, lowest, row_hashes

_COLUMNS = ("id", "text", "label", "strategy", "prompt", "attributes", "logprob", "num_tokens")
_NUMBERS = ("logprob", "num_tokens")
_SAMPLE = "release"
_ROOM = 1.25
"""Times the rows that are kept that are held until the others go: a sort each time."""


def released_corpus(
    shards: Iterable[tuple[pa.Table, NDArray[np.str_]]],
    *,
    name: str,
    attributes: Sequence[str],
    most_rows: int,
) -> tuple[Corpus, int]:
    """Collect released rows, or as many of them as may be measured.

    Args:
        shards: Rows with `RELEASED_SCHEMA`, and the split of each, shape `(N,)`.
        name: What the audit calls them.
        attributes: Names of the recipe's attributes; each becomes a column.
        most_rows: Rows that are kept: those with the smallest hash of id and text, in their order.

    Returns:
        The corpus, and the number of rows that it was drawn from.
    """
    kept: list[pa.Table] = []
    hashes = np.empty(0, dtype=np.uint64)
    num_rows = 0
    for shard, splits in shards:
        own = row_hashes(shard["id"].to_pylist(), shard["text"].to_pylist(), key=_SAMPLE)
        table = shard.select(_COLUMNS).append_column("split", pa.array(splits, pa.string()))
        num_rows += table.num_rows
        kept.append(table)
        hashes = np.concatenate([hashes, own])
        if len(hashes) > _ROOM * most_rows:
            kept, hashes = _lowest(kept, hashes, most_rows)
    if len(hashes) > most_rows:
        kept, hashes = _lowest(kept, hashes, most_rows)
    return _corpus(kept, name=name, attributes=attributes), num_rows


def release_shards(release: Path) -> Iterator[tuple[pa.Table, NDArray[np.str_]]]:
    """Yield the rows of a release by row groups, for `released_corpus`.

    Raises:
        RunError: `CS-W001` if a file of it cannot be read.
    """
    for path in sorted((release / "data").glob("*.parquet")):
        split = path.name.split("-")[0]
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=list(_COLUMNS)):
                    yield pa.Table.from_batches([batch]), np.full(batch.num_rows, split)
        except (OSError, pa.ArrowException) as error:
            raise RunError(
                f"a file of the version before is damaged: {error}",
                code="CS-W001",
                place=str(path),
                hint="restore it from a copy, or delete that version: drift is left out then",
            ) from error


def _lowest(
    tables: Sequence[pa.Table], hashes: NDArray[np.uint64], size: int
) -> tuple[list[pa.Table], NDArray[np.uint64]]:
    places = lowest(hashes, size)
    return [pa.concat_tables(tables).take(pa.array(places))], hashes[places]


def _corpus(tables: Sequence[pa.Table], *, name: str, attributes: Sequence[str]) -> Corpus:
    if not tables:
        return Corpus(name=name, ids=[], texts=[], labels=[])
    table = pa.concat_tables(tables).combine_chunks()
    columns = {column: table[column].to_pylist() for column in ("strategy", "split", "prompt")} | {
        attribute: pc.map_lookup(table["attributes"], attribute, "first").to_pylist()
        for attribute in attributes
    }
    return Corpus(
        name=name,
        ids=table["id"].to_pylist(),
        texts=table["text"].to_pylist(),
        labels=table["label"].to_pylist(),
        columns=columns,
        numbers={
            column: np.asarray(table[column].cast(pa.float64()).fill_null(float("nan")))
            for column in _NUMBERS
        },
    )
