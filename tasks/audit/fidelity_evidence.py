"""Rows and names of a dataset, as a finding of fidelity shows them."""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Evidence
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import beginning, excerpt, printable
from tasks.audit.fidelity_figures import Comparison

MOST_NAME_CHARS = 60


def evidence(corpus: Corpus, place: int, *, note: str, words: Iterable[str] = ()) -> Evidence:
    """Show a row, with the places of `words` in it marked.

    Args:
        corpus: Where the row stands.
        place: Which row.
        note: What was seen in it.
        words: Normalised words, or several with a space between.
    """
    spans = _spans(beginning(corpus.strings[place]), list(words))
    return excerpt(corpus, place, spans=spans, note=note)


def beside_nearest(found: Comparison, place: int) -> Evidence:
    """Show a compared row beside the reference text that it is most like."""
    nearest = int(found.nearest.rouge_l_places[place])
    reference = found.compared_reference
    note = f"best ROUGE-L {found.nearest.rouge_l[place]:.2f}"
    beside = reference.ids[nearest], reference.strings[nearest]
    return excerpt(found.compared, place, note=note, beside=beside)


def _spans(text: str, words: list[str]) -> list[tuple[int, int]]:
    """Find words, or several of them with anything but letters and digits between."""
    if not words:
        return []
    forms = sorted((r"[\W_]+".join(map(re.escape, some.split())) for some in words), key=len)
    pattern = rf"(?<!\w)(?:{'|'.join(reversed(forms))})(?!\w)"
    matches = re.finditer(pattern, text, re.IGNORECASE)
    return [match.span() for match in matches]


def count_unknown(sample: Corpus, reference: Corpus) -> NDArray[np.int64]:
    """Count the words of each row that never occur in the reference, shape `(N,)`."""
    words = sample.words
    texts = np.repeat(np.arange(len(words)), words.lengths)
    return np.bincount(texts[~_known(reference)[words.codes]], minlength=len(words))


def unknown_in(sample: Corpus, reference: Corpus, place: int) -> list[str]:
    """Return the distinct words of a row that never occur in the reference."""
    codes = np.unique(sample.words.of(place))
    words = sample.vocabulary.words()
    return [words[code] for code in codes[~_known(reference)[codes]].tolist()]


def _known(reference: Corpus) -> NDArray[np.bool_]:
    known = np.zeros(len(reference.vocabulary), dtype=bool)
    known[reference.words.codes] = True
    return known


def shown(name: str) -> str:
    """Return the beginning of a word or a label."""
    return printable(name[:MOST_NAME_CHARS])


def listed(names: Iterable[str], most: int) -> str:
    """Quote the first names: `"a", "b" and 3 more`."""
    quoted = [f'"{shown(name)}"' for name in names]
    rest = len(quoted) - most
    return ", ".join(quoted[:most]) + (f" and {rest} more" if rest > 0 else "")
