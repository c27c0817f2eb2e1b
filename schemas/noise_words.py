"""Noise steps that edit words, spans of words and sentences."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.noise_step import RatedWordStep


def _check_ink(word: str) -> str:
    if not word.strip():
        raise ValueError("a word that is put in needs a character that is not white space")
    return word


Ink = Annotated[str, AfterValidator(_check_ink), Field(max_length=200)]
"""Something to put into a text: not white space alone."""


class WordDelete(RatedWordStep):
    """Deletes words."""

    kind: Literal["word_delete"] = "word_delete"


class WordSwap(RatedWordStep):
    """Exchanges a word and the next one."""

    kind: Literal["word_swap"] = "word_swap"


class WordDuplicate(RatedWordStep):
    """Writes a word twice."""

    kind: Literal["word_duplicate"] = "word_duplicate"


class WordMask(RatedWordStep):
    """Masks words as BERT's training does: a mask, a random word, or the word itself."""

    kind: Literal["word_mask"] = "word_mask"
    mask: Ink = "[MASK]"
    """What a masked word becomes."""
    mask_share: float = Field(default=0.8, ge=0, le=1)
    """Part of the chosen words that becomes the mask."""
    random_share: float = Field(default=0.1, ge=0, le=1)
    """Part that becomes a random word; what is left over stays as it is."""
    words: tuple[Ink, ...] = Field(default=(), max_length=100_000)
    """The random words; a short list of common English words when empty."""

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        if self.mask_share + self.random_share > 1 + 1e-9:
            raise ValueError("mask_share and random_share are more than 1 together")
        return self


class WordReplace(RatedWordStep):
    """Replaces words by words of the corpus."""

    kind: Literal["word_replace"] = "word_replace"
    words: Literal["auto"] | tuple[Ink, ...] = Field(default="auto", max_length=100_000)
    """`auto`: the corpus' own words; or a list, all equally likely."""
    weighting: Literal["unigram", "tfidf"] = "unigram"
    """`unigram`: as often as in the corpus; `tfidf`: words that say little go, and come."""

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        if not self.words:
            raise ValueError("the list of words is empty")
        if self.words != "auto" and self.weighting == "tfidf":
            raise ValueError("weighting: tfidf needs words: auto")
        return self


class Misspell(RatedWordStep):
    """Replaces words by one of their common misspellings."""

    kind: Literal["misspell"] = "misspell"
    path: str | None = Field(default=None, min_length=1)
    """File of `correct<TAB>wrong` lines (UTF-8), used besides the built-in English list."""


class Contraction(RatedWordStep):
    """Writes English contractions out, or contracts."""

    kind: Literal["contraction"] = "contraction"
    mode: Literal["expand", "contract"] = "contract"
    """`expand`: don't becomes do not; `contract`: the other way round."""


class Homophone(RatedWordStep):
    """Replaces English words by words that sound the same."""

    kind: Literal["homophone"] = "homophone"


class Filler(RatedWordStep):
    """Puts fillers of speech between words."""

    kind: Literal["filler"] = "filler"
    fillers: tuple[Ink, ...] = Field(
        default=("uh", "um", "er", "like", "you know", "I mean", "well", "so"),
        min_length=1,
        max_length=1000,
    )
    """What is put in; all are equally likely."""


class SpanMask(RatedWordStep):
    """Replaces spans of words by one mask each, as BART's training does."""

    kind: Literal["span_mask"] = "span_mask"
    mask: Ink = "[MASK]"
    """What a span becomes."""
    mean_length: float = Field(default=3.0, ge=0.5, le=100)
    """Mean number of words in a span (Poisson); a span of none puts a mask in."""


class SentenceShuffle(RatedWordStep):
    """Permutes the sentences of a text; `rate` is the probability that it does."""

    kind: Literal["sentence_shuffle"] = "sentence_shuffle"


class Truncate(RatedWordStep):
    """Cuts a text off between words; `rate` is the probability that it does."""

    kind: Literal["truncate"] = "truncate"
    share: float | None = Field(default=None, gt=0, le=1)
    """Part of the words that is kept, rounded up; a half when `words` is not given either."""
    words: int | None = Field(default=None, ge=1)
    """Number of words that are kept, at most."""
    keep: Literal["start", "end"] = "start"
    """Which end of the text is kept."""

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.share is not None and self.words is not None:
            raise ValueError("give share or words, not both")
        return self


WordStep = (
    WordDelete
    | WordSwap
    | WordDuplicate
    | WordMask
    | WordReplace
    | Misspell
    | Contraction
    | Homophone
    | Filler
    | SpanMask
    | SentenceShuffle
    | Truncate
)
"""A step on words, spans of words or sentences."""
