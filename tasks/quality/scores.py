"""Row-level quality scores: each a small pure function of one candidate, on its clean text."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.quality.diversity import word_ngrams
from tasks.quality.fingerprints import FingerprintIndex, normalise_text
from tasks.quality.similarity import jaccard, shingles

_NGRAM = 3
# No normalised text holds it, so no n-gram and no example can match across it.
_CUT = "|"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What scores and gates read of a candidate: columns of `CANDIDATE_SCHEMA`, by their names."""

    text: str
    label: str
    prompt: str
    examples: Sequence[str]
    finish_reason: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Scores:
    """One value for each name in `schemas.row.SCORES`, in that order; the functions define them."""

    num_chars: int
    num_words: int
    repetition: float
    prompt_overlap: float
    example_similarity: float
    label_leak: float
    memorised: float


def score(candidate: Candidate, *, known: FingerprintIndex | None) -> Scores:
    """Compute every score of a candidate.

    Args:
        candidate: The candidate.
        known: Fingerprints of the model's training text; None when they are not known.
    """
    text, examples = candidate.text, candidate.examples
    return Scores(
        num_chars=num_chars(text),
        num_words=num_words(text),
        repetition=repetition(text),
        prompt_overlap=prompt_overlap(text, prompt=candidate.prompt, examples=examples),
        example_similarity=example_similarity(text, examples=examples),
        label_leak=label_leak(text, label=candidate.label),
        memorised=memorised(text, examples=examples, known=known),
    )


def num_chars(text: str) -> int:
    """Count the code points."""
    return len(text)


def num_words(text: str) -> int:
    """Count the words that white space separates; a text in a script without spaces is one word."""
    return len(text.split())


def repetition(text: str) -> float:
    """Return the share of word 3-grams that repeat an earlier one of the same text, in [0, 1).

    Words are compared without case and punctuation. A text of fewer than 3 words scores 0.
    """
    ngrams = _ngrams(normalise_text(text))
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def prompt_overlap(text: str, *, prompt: str, examples: Sequence[str]) -> float:
    """Return the share of the text's word 3-grams that stand in the prompt, 0 to 1.

    The texts of the examples are taken out of the prompt first, the longest first, wherever they
    stand as whole words: what a text shares with them is `example_similarity`. Words are compared
    without case and punctuation. A text of fewer than 3 words scores 0.
    """
    ngrams = _ngrams(normalise_text(text))
    if not ngrams:
        return 0.0
    instructions = f" {normalise_text(prompt)} "
    for example in sorted(map(normalise_text, examples), key=len, reverse=True):
        # Neighbouring examples share the space between them, so one pass may leave every second.
        while example and f" {example} " in instructions:
            instructions = instructions.replace(f" {example} ", f" {_CUT} ")
    in_prompt = {ngram for part in instructions.split(_CUT) for ngram in _ngrams(part)}
    return sum(ngram in in_prompt for ngram in ngrams) / len(ngrams)


def example_similarity(text: str, *, examples: Sequence[str]) -> float:
    """Return the greatest Jaccard similarity (character 5-grams) to an example, 0 when none."""
    own = shingles(text)
    return max((jaccard(own, shingles(example)) for example in examples), default=0.0)


def label_leak(text: str, *, label: str) -> float:
    """Return 1 when the label's name stands in the text as a whole word or phrase, else 0.

    Name and text are normalised, so `card_arrival`, `card-arrival` and `Card arrival` are one name,
    found in "My card: arrival?" but not in "card arrivals". A name that is an ordinary word counts
    like any other. A name without letters and digits never leaks.
    """
    name = normalise_text(label)
    return float(bool(name) and f" {name} " in f" {normalise_text(text)} ")


def memorised(text: str, *, examples: Sequence[str], known: FingerprintIndex | None) -> float:
    """Return 1 for a copy, case and punctuation apart, of an example or of known training text."""
    normal = normalise_text(text)
    is_example = any(normal == normalise_text(example) for example in examples)
    return float(is_example or (known is not None and text in known))


def _ngrams(normal: str) -> list[tuple[str, ...]]:
    return list(word_ngrams(normal.split(), _NGRAM))
