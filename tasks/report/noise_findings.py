"""What the report of a noised dataset says, and how its examples are chosen while rows pass by."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.base import Frozen
from schemas.noise import Edit, NoiseConfig
from tasks.planning.streams import Stream, row_keys, uniforms
from tasks.report.edits import mark_edits
from tasks.report.findings import Excerpt, Segment
from tasks.report.rows import TEXT_CHARS, excerpt

_EXAMPLES_A_KIND = 4


class OperatorFindings(Frozen):
    """One operator: what was asked of it and what it did."""

    kind: str
    meaning: str
    """What the operator does, in a sentence."""
    unit: str
    """What `measured` counts by: `character` or `word`."""
    asked: tuple[float, ...]
    """Rate of each step of this kind; empty where steps choose among several kinds."""
    measured: float | None
    """Edits for each unit of the chosen texts as they were before noise; None without units."""
    edits: int
    texts: int
    """Texts with such an edit."""


class NoiseExample(Frozen):
    """A row before and after."""

    row: int
    """Number of the row in the data, from 1."""
    text: Excerpt
    clean_text: Excerpt
    segments: tuple[Segment, ...]


class NoiseFindings(Frozen):
    """The report of a noised dataset; `PATH.report.json` holds it."""

    schema_version: int = 1
    data: str
    created: str
    """UTC, ISO 8601."""
    version: str
    """Of corpusmith."""
    seed: int
    noise: NoiseConfig
    rows: int
    nulls: int
    """Rows without a text."""
    noised: int
    """Rows chosen."""
    changed: int
    """Chosen rows with an edit."""
    characters: int
    """Code points of the chosen texts before noise."""
    words: int
    characters_changed: int
    """Code points that edits touched: of each edit, the longer of what it took and put."""
    operators: tuple[OperatorFindings, ...]
    examples: dict[str, tuple[NoiseExample, ...]]
    """Rows that each kind of edit touched."""


class ExampleSample:
    """For each kind of edit, the few rows that a hash of the row number comes upon first.

    The sample depends on the rows alone, not on how they are cut into batches; it holds a few rows
    a kind.

    Args:
        text: Name of the text column.
        seed: Key of the hash.
    """

    def __init__(self, *, text: str, seed: int) -> None:
        self._text = text
        self._seed = seed
        self._best: dict[str, list[tuple[float, int]]] = {}
        self._rows: dict[int, dict[str, Any]] = {}

    def add(self, records: pa.RecordBatch, *, first_row: int) -> None:
        """Look at rows.

        Args:
            records: Rows with the text column, `clean_text` and `noise`.
            first_row: Number of the first in the data.
        """
        log = records["noise"]
        num_edits = log.value_lengths().fill_null(0).to_numpy()
        owners = np.repeat(np.arange(len(records)), num_edits)
        kinds = log.flatten().field("kind").dictionary_encode()
        codes = kinds.indices.to_numpy()
        keys = row_keys(self._seed, first_row + np.arange(len(records)), 0, Stream.NOISE_PICK)
        draws = uniforms(keys, 1)
        for code, kind in enumerate(kinds.dictionary.to_pylist()):
            self._keep_best(kind, np.unique(owners[codes == code]), draws, first_row)
        kept = {row for best in self._best.values() for _, row in best}
        self._rows = {row: shown for row, shown in self._rows.items() if row in kept}
        for row in kept - self._rows.keys():
            cells = records.slice(row - first_row, 1)
            names = {"text": self._text, "clean_text": "clean_text", "noise": "noise"}
            self._rows[row] = {name: cells[column][0].as_py() for name, column in names.items()}

    def _keep_best(
        self, kind: str, rows: NDArray[np.int64], draws: NDArray[np.float64], first_row: int
    ) -> None:
        nearest = rows[np.argsort(draws[rows])[:_EXAMPLES_A_KIND]].tolist()
        found = [(float(draws[row]), first_row + row) for row in nearest]
        self._best[kind] = sorted(self._best.get(kind, []) + found)[:_EXAMPLES_A_KIND]

    def examples(self) -> dict[str, tuple[NoiseExample, ...]]:
        """Return the rows, by kind, with their edits marked."""
        return {
            kind: tuple(_example(row, self._rows[row]) for _, row in best)
            for kind, best in sorted(self._best.items())
        }


def _example(row: int, cells: dict[str, Any]) -> NoiseExample:
    edits = [Edit(**edit) for edit in cells["noise"]]
    return NoiseExample(
        row=row + 1,
        text=excerpt(cells["text"], TEXT_CHARS),
        clean_text=excerpt(cells["clean_text"], TEXT_CHARS),
        segments=mark_edits(cells["clean_text"], edits, cells["text"], limit=TEXT_CHARS),
    )
