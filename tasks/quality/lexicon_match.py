"""Phrases of a lexicon in texts: found on word codes, placed in a text only where it is shown."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from tasks.quality.fingerprints import normalise_text
from tasks.quality.word_codes import Vocabulary, WordCodes

_CLUSTER = regex.compile(r"\X")


@dataclass(frozen=True, slots=True)
class PhraseHits:
    """M places where a phrase stands in a text, by text, first word and phrase.

    Args:
        texts: Place of the text, shape `(M,)`.
        phrases: Place of the phrase in the lexicon, shape `(M,)`.
        firsts: Number of its first word within the text, shape `(M,)`.
        sizes: Words of the phrase, shape `(M,)`.
    """

    texts: NDArray[np.int64]
    phrases: NDArray[np.int64]
    firsts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.texts)


def find_phrases(words: WordCodes, phrases: Sequence[str]) -> PhraseHits:
    """Find every phrase in every text, whole words only, whatever the case and punctuation.

    A phrase stands where its normalised words follow each other within one text. Phrases may
    overlap and each is found: with "go" and "go home" the text "Go home!" has two.

    Args:
        words: The words of N texts.
        phrases: Words or phrases.

    Raises:
        ValueError: If a phrase has neither a letter nor a digit.
    """
    coded = [_code(phrase, words.vocabulary) for phrase in phrases]
    heads = np.zeros(len(words.vocabulary), dtype=bool)
    heads[[codes[0] for codes in coded if codes is not None]] = True
    candidates = np.flatnonzero(heads[words.codes])
    # Sorted by word, the places of one word lie together.
    candidates = candidates[np.argsort(words.codes[candidates], kind="stable")]
    first_words = words.codes[candidates]
    found = [np.zeros((0, 3), dtype=np.int64)]
    for number, codes in enumerate(coded):
        if codes is None:
            continue
        low, high = np.searchsorted(first_words, [codes[0], codes[0] + 1])
        starts = _continued(words, candidates[low:high], codes)
        constant = np.full(len(starts), number), np.full(len(starts), len(codes))
        found.append(np.column_stack([starts, *constant]))
    return _in_order(words, np.concatenate(found))


def word_spans(text: str) -> list[tuple[int, int]]:
    """Find where each word of the normalised text stands in the text itself.

    Returns:
        Start and end of each word of `normalise_text(text)`, in code points. A span covers whole
        grapheme clusters, so the two words of "½" share one; in the rare text whose clusters merge
        under NFKC (half-width Hangul letters) each span is the whole text.
    """
    folded = _fold(text)
    clusters = _CLUSTER.findall(text)
    parts = [_fold(cluster) for cluster in clusters]
    if "".join(parts) != folded:
        clusters, parts = [text], [folded]
    ends = np.cumsum([len(cluster) for cluster in clusters])
    cluster_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    spans = []
    place = 0
    for word in normalise_text(text).split():
        # Between two words stands no letter or digit, so the next occurrence is the word itself.
        place = folded.index(word, place)
        first, last = cluster_of[place], cluster_of[place + len(word) - 1]
        spans.append((int(ends[first]) - len(clusters[first]), int(ends[last])))
        place += len(word)
    return spans


def _code(phrase: str, vocabulary: Vocabulary) -> list[int] | None:
    """Return the codes of a phrase; None when a word of it is in no text."""
    words = normalise_text(phrase).split()
    if not words:
        raise ValueError(f"the phrase {phrase!r} has no word")
    codes = [code for word in words if (code := vocabulary.known(word)) is not None]
    return codes if len(codes) == len(words) else None


def _continued(words: WordCodes, starts: NDArray[np.int64], codes: list[int]) -> NDArray[np.int64]:
    """Keep the starts at which all words of a phrase follow, wherever texts end."""
    starts = starts[starts + len(codes) <= len(words.codes)]
    for step, code in enumerate(codes[1:], start=1):
        starts = starts[words.codes[starts + step] == code]
    return starts


def _in_order(words: WordCodes, found: NDArray[np.int64]) -> PhraseHits:
    """Drop what reaches into the next text and sort, given starts, phrases and sizes."""
    starts, phrases, sizes = found[np.lexsort((found[:, 1], found[:, 0]))].T
    texts = np.searchsorted(words.offsets, starts, side="right") - 1
    within = starts + sizes <= words.offsets[texts + 1]
    texts, starts = texts[within], starts[within]
    firsts = starts - words.offsets[texts]
    return PhraseHits(texts=texts, phrases=phrases[within], firsts=firsts, sizes=sizes[within])


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
