"""What noise did to a corpus, in numbers that add up over batches."""

from collections import Counter
from dataclasses import dataclass, field, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.noise.batch import TextBatch
from tasks.noise.strings import Strings
from tasks.noise.texts import NoisedBatch
from tasks.noise.units import find_words


@dataclass(frozen=True, slots=True)
class NoiseCounts:
    """Counts over some rows.

    Args:
        rows: All rows.
        nulls: Rows without a text.
        noised: Rows that were chosen.
        changed: Chosen rows with an edit.
        characters: Code points of the chosen rows' texts before noise.
        words: Words of the chosen rows' texts before noise, separated by white space.
        characters_changed: Code points that edits touched: for each edit, the longer of what it
            took and what it put.
        edits: Edits of each kind.
        texts: Rows with an edit of each kind.
    """

    rows: int = 0
    nulls: int = 0
    noised: int = 0
    changed: int = 0
    characters: int = 0
    words: int = 0
    characters_changed: int = 0
    edits: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "NoiseCounts") -> "NoiseCounts":
        """Count the rows of both."""
        names = [entry.name for entry in fields(self)]
        return NoiseCounts(*(getattr(self, name) + getattr(other, name) for name in names))


def count_noise(
    clean: pa.StringArray, result: NoisedBatch, *, rows: int, nulls: int
) -> NoiseCounts:
    """Count what `noise_batch` did.

    Args:
        clean: The texts that it was given.
        result: What it returned.
        rows: All rows of the batch, those included that were not chosen.
        nulls: Rows among them without a text.
    """
    strings = Strings.of(clean)
    log = result.edits.flatten()
    kinds = log.field("kind").dictionary_encode()
    names = kinds.dictionary.to_pylist()
    codes = kinds.indices.to_numpy()
    owners = np.repeat(np.arange(len(clean)), result.edits.value_lengths().to_numpy())
    touched = np.unique(owners * max(1, len(names)) + codes) % max(1, len(names))
    before, after = (pc.utf8_length(log.field(side)).to_numpy() for side in ("before", "after"))
    return NoiseCounts(
        rows=rows,
        nulls=nulls,
        noised=len(clean),
        changed=int(result.changed.sum()),
        characters=strings.code_points.size,
        words=len(find_words(TextBatch(strings))),
        characters_changed=int(np.maximum(before, after).sum()),
        edits=_counter(names, codes),
        texts=_counter(names, touched),
    )


def _counter(names: list[str], codes: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Counter[str]:
    counts = np.bincount(codes, minlength=len(names)).tolist()
    return Counter(dict(zip(names, counts, strict=True)))
