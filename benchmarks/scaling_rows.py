"""Made rows for the benchmark of the global steps: each a function of its number alone."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from soak import VOCABULARY, made_up_words

from schemas.recipe import Recipe
from schemas.row import SCORED_SCHEMA, SCORES
from tasks.planning.plan import Plan
from tasks.planning.streams import Stream, row_keys, uniforms

SHARE_OF_COPIES = 0.025
"""Rows whose text is that of an earlier row but for case and punctuation."""
SHARE_OF_NEAR_COPIES = 0.025
"""Rows whose text is that of an earlier row and one more word."""
LEAST_WORDS, MOST_WORDS = 6, 13


class MadeRows:
    """Scored candidates without a model, none of them rejected yet."""

    def __init__(self, recipe: Recipe, plan: Plan) -> None:
        self._recipe, self._plan = recipe, plan
        self._words = np.array(made_up_words(), dtype=object)
        # As in a real corpus: the word of rank r is drawn in proportion to 1 / r.
        ranks = 1 / np.arange(1, VOCABULARY + 1)
        self._bounds = np.cumsum(ranks / ranks.sum())

    def table(self, rows: NDArray[np.int64]) -> pa.Table:
        """Make the candidates of some rows, `SCORED_SCHEMA`."""
        count, cells = len(rows), self._plan.shard(rows)
        texts = self.texts(rows)
        labels = np.array(list(self._recipe.labels), dtype=object)[cells.label_index]
        kinds = np.array([each.kind for each in self._recipe.strategies], dtype=object)
        num_chars = np.fromiter(map(len, texts), dtype=np.float32, count=count)
        zeros = np.zeros(count, dtype=np.float32)
        scores = dict.fromkeys(SCORES, zeros) | {
            "num_chars": num_chars,
            "num_words": np.fromiter((text.count(" ") + 1 for text in texts), np.float32),
        }
        columns = {
            "row": rows,
            "attempt": np.zeros(count, dtype=np.int32),
            "id": [f"{self._recipe.name}-{row:06d}-0" for row in rows.tolist()],
            "label": labels,
            "strategy_index": cells.strategy_index,
            "strategy": kinds[cells.strategy_index],
            "seed": (row_keys(7, rows, zeros.astype(np.int32), Stream.GENERATION) >> 1).view("i8"),
            "group_seed": rows,
            "member": np.zeros(count, dtype=np.int32),
            "attributes": [[("tone", "calm")]] * count,
            "examples": [[]] * count,
            "template": ["intent@0123456789ab"] * count,
            "prompt": [f"Write one message of the kind {label}, calm:" for label in labels],
            "model": ["script@0123456789ab"] * count,
            "raw_text": texts,
            "text": texts,
            "num_tokens": (num_chars / 4).astype(np.int32),
            "finish_reason": ["eos"] * count,
            "scores": pa.StructArray.from_arrays(
                [pa.array(values) for values in scores.values()], names=list(scores)
            ),
        }
        arrays = [
            pa.array(columns[field.name], field.type)
            if field.name in columns and field.name != "scores"
            else columns.get(field.name, pa.nulls(count, field.type))
            for field in SCORED_SCHEMA
        ]
        names = SCORED_SCHEMA.names
        return pa.table(dict(zip(names, arrays, strict=True))).cast(SCORED_SCHEMA)

    def texts(self, rows: NDArray[np.int64]) -> list[str]:
        """Make the texts of some rows, with copies and near copies among them."""
        keys = row_keys(7, rows, np.zeros(len(rows), dtype=np.int32), Stream.PLAN)
        kind, place = uniforms(keys, 0), uniforms(keys, 1)
        repeats = (kind < SHARE_OF_COPIES + SHARE_OF_NEAR_COPIES) & (rows > 0)
        texts = self._originals(np.where(repeats, (place * rows).astype(np.int64), rows))
        for at in np.flatnonzero(repeats).tolist():
            copied = kind[at] < SHARE_OF_COPIES
            texts[at] = f"{texts[at].capitalize()}!" if copied else f"{texts[at]} bada"
        return texts

    def _originals(self, rows: NDArray[np.int64]) -> list[str]:
        keys = row_keys(8, rows, np.zeros(len(rows), dtype=np.int32), Stream.PLAN)
        lengths = LEAST_WORDS + (uniforms(keys, 0) * (MOST_WORDS + 1 - LEAST_WORDS)).astype(int)
        ranks = np.stack(
            [np.searchsorted(self._bounds, uniforms(keys, 1 + k)) for k in range(MOST_WORDS)]
        )
        words = self._words[np.minimum(ranks, VOCABULARY - 1)].T
        return [" ".join(row[:length]) for row, length in zip(words, lengths.tolist(), strict=True)]


def peak_megabytes(*, reset: bool = False) -> float:
    """Return the most memory that this process held since the last reset, file pages included."""
    if reset:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write("5")
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        facts: Sequence[str] = [line for line in file if line.startswith("VmHWM")]
    return int(facts[0].split()[1]) / 1024
