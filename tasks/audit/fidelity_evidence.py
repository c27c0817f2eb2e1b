"""Rows and names of a dataset, as a finding of fidelity shows them."""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Evidence, Span
from tasks.audit.corpus import Corpus
from tasks.audit.fidelity_figures import Comparison

MOST_CHARS = 300
MOST_NAME_CHARS = 60


def evidence(corpus: Corpus, place: int, *, note: str, words: Iterable[str] = ()) -> Evidence:
    """Show a row, with the places of `words` in it marked.

    Args:
        corpus: Where the row stands.
        place: Which row.
        note: What was seen in it.
        words: Normalised words, or several with a space between.
    """
    text = corpus.strings[place]
    label = corpus.labels[place] if corpus.labels is not None else None
    return Evidence(
        id=_encodable(corpus.ids[place]),
        text=_encodable(text[:MOST_CHARS]),
        chars=len(text),
        label=None if label is None else _encodable(label),
        spans=_spans(text[:MOST_CHARS], list(words)),
        note=note,
    )


def beside_nearest(found: Comparison, place: int) -> Evidence:
    """Show a compared row beside the reference text that it is most like."""
    nearest = int(found.nearest.rouge_l_places[place])
    row = evidence(found.compared, place, note=f"best ROUGE-L {found.nearest.rouge_l[place]:.2f}")
    text = found.compared_reference.strings[nearest][:MOST_CHARS]
    other_id = _encodable(found.compared_reference.ids[nearest])
    return row.model_copy(update={"other": _encodable(text), "other_id": other_id})


def _spans(text: str, words: list[str]) -> tuple[Span, ...]:
    """Find words, or several of them with anything but letters and digits between."""
    if not words:
        return ()
    forms = sorted((r"[\W_]+".join(map(re.escape, some.split())) for some in words), key=len)
    pattern = rf"(?<!\w)(?:{'|'.join(reversed(forms))})(?!\w)"
    matches = re.finditer(pattern, text, re.IGNORECASE)
    return tuple(Span(start=match.start(), end=match.end()) for match in matches)


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
    return _encodable(name[:MOST_NAME_CHARS])


def listed(names: Iterable[str], most: int) -> str:
    """Quote the first names: `"a", "b" and 3 more`."""
    quoted = [f'"{shown(name)}"' for name in names]
    rest = len(quoted) - most
    return ", ".join(quoted[:most]) + (f" and {rest} more" if rest > 0 else "")


def _encodable(text: str) -> str:
    """Put a question mark for each lone surrogate, which no JSON file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
