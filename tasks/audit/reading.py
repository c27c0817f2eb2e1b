"""A dataset of anyone's into a `Corpus`: which column is the text, which the label, which split."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import InputError
from tasks.audit.corpus import Corpus
from tasks.quality.word_codes import Vocabulary
from tasks.release.data_input import TableSource, data_files, open_table

STRINGS = ("strategy", "split", "prompt")
"""Columns that a measure looks for; a file of a release gives `split` by its name."""
NUMBERS = ("logprob", "num_tokens", "label_posterior")
_SPLIT = re.compile(r"(?P<split>.+)-\d{5}-of-\d{5}\.parquet")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which columns hold what.

    Args:
        text: Column of the texts.
        label: Column of the labels; None takes `label` when there is one.
    """

    text: str = "text"
    label: str | None = None


def read_corpus(
    path: Path,
    choice: Choice,
    *,
    more: Sequence[str] = (),
    vocabulary: Vocabulary | None = None,
) -> Corpus:
    """Read a dataset whole.

    Numbers become labels by their digits. A row without an `id` is called by its number, from 0.

    Args:
        path: A Parquet, CSV or JSON lines file, a folder of them, or a release.
        choice: The columns to take.
        more: Further columns of strings to take; each must be there.
        vocabulary: Shared with the corpora that this one is compared with.

    Raises:
        InputError: `CS-D001` if it cannot be read, `CS-D002` if it lacks the column of texts or a
            column of labels that was asked for, `CS-D003` if one holds neither strings nor numbers.
    """
    columns: dict[str, list[pa.Array]] = defaultdict(list)
    num_rows = 0
    for file in data_files(path):
        source = open_table(file)
        wanted = _wanted(source, choice, more)
        for batch in source.batches():
            for name, column in wanted.items():
                columns[name].append(_plain(batch[column], name, f"{file}, column {column}"))
            if found := _SPLIT.fullmatch(file.name):
                columns["split"].append(pa.repeat(found["split"], batch.num_rows))
            num_rows += batch.num_rows
    whole = {
        name: _joined(chunks)
        for name, chunks in columns.items()
        # A column that only some of the files have says nothing of the others.
        if sum(map(len, chunks)) == num_rows
    }
    # A vocabulary that knows no word yet is false.
    shared = Vocabulary() if vocabulary is None else vocabulary
    return _corpus(path, whole, num_rows, shared)


def check_columns(path: Path, choice: Choice) -> None:
    """Check that a dataset can be opened and has the columns that are to be read.

    Raises:
        InputError: As `read_corpus` does, but for what only reading the rows shows.
    """
    for file in data_files(path):
        _wanted(open_table(file), choice, ())


def _wanted(source: TableSource, choice: Choice, more: Sequence[str]) -> dict[str, str]:
    names = source.schema.names
    for column in (choice.text, choice.label, *more):
        if column is not None and column not in names:
            raise InputError(
                f"there is no column {column!r}",
                code="CS-D002",
                place=str(source.path),
                hint=f"name it with --text and --label; there is: {', '.join(names[:20])}",
            )
    wanted = {name: name for name in ("id", *STRINGS, *NUMBERS, *more) if name in names}
    wanted["text"] = choice.text
    if (label := choice.label or "label") in names:
        wanted["label"] = label
    return wanted


def _plain(column: pa.Array, name: str, place: str) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    is_string = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
    if name in NUMBERS and (number or pa.types.is_null(kind)):
        return column.cast(pa.float64())
    if is_string or number or pa.types.is_boolean(kind):
        return column.cast(pa.large_string())
    raise InputError(
        f"the column holds {kind}, not strings",
        code="CS-D003",
        place=place,
        hint="a label is one string or number a row; name another column with --text or --label",
    )


def _joined(chunks: Iterable[pa.Array]) -> pa.ChunkedArray:
    return pa.chunked_array(list(chunks))


def _corpus(
    path: Path, columns: dict[str, pa.ChunkedArray], num_rows: int, vocabulary: Vocabulary
) -> Corpus:
    strings = {
        name: _shared_strings(column)
        for name, column in columns.items()
        if name not in ("id", "text", "label", *NUMBERS)
    }
    numbers = {
        name: np.asarray(pc.fill_null(columns[name], float("nan")), dtype=np.float64)
        for name in NUMBERS
        if name in columns and columns[name].type == pa.float64()
    }
    ids = columns["id"].to_pylist() if "id" in columns else map(str, range(num_rows))
    return Corpus(
        name=path.name,
        ids=[str(place) if value is None else value for place, value in enumerate(ids)],
        texts=columns["text"].to_pylist() if "text" in columns else [],
        labels=_shared_strings(columns["label"]) if "label" in columns else None,
        columns=strings,
        numbers=numbers,
        vocabulary=vocabulary,
    )


def _shared_strings(column: pa.ChunkedArray) -> list[str | None]:
    """List values that recur as one object each: a million labels are a few strings."""
    encoded = column.combine_chunks().dictionary_encode()
    values: list[str | None] = encoded.dictionary.to_pylist()
    return [None if code is None else values[code] for code in encoded.indices.to_pylist()]
