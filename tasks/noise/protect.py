"""What no step may change: named patterns, regular expressions, spans and words of the label."""

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

import numpy as np
import regex

from schemas.errors import InputError
from schemas.noise import PatternName, Protect
from tasks.noise.spans import Spans, mark_spans
from tasks.noise.strings import Ints, Mask, Strings, ranges

_SEPARATOR = "\n"
_SECONDS_A_TEXT = 1.0
# None of these matches a separator, so one scan of all texts at once finds what is in each.
_URL = regex.compile(r"(?:\b[a-z][a-z0-9+.\-]*://|\bwww\.)[^\s<>\"]+(?<![.,;:!?)'\]])", regex.I)
_EMAIL = regex.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")
_PLACEHOLDER = regex.compile(
    r"\{\{?[ ]?[\w.\-]+[ ]?\}?\}|\[[\p{Lu}\d_\-]+\]|</?[\w\-]+ ?/?>|(?<![\w@#])[@#]\w+"
)
_NUMBER = regex.compile(r"(?<!\w)[+\-]?[0-9]+(?:[.,:/\-][0-9]+)*(?!\w)")
_LABEL_WORD = regex.compile(r"[^\W_]+")


def find_protected(
    texts: Strings,
    protect: Protect | None,
    *,
    spans: Spans | None = None,
    labels: Sequence[str] | None = None,
) -> Mask | None:
    """Tell which code points of all texts, end to end, no step may change.

    Args:
        texts: N texts, of C code points in all.
        protect: What to protect; None for nothing.
        spans: Labelled spans, protected when `protect.spans` is true.
        labels: Label of each text, N of them, whose words are protected when `protect.label` is
            true: whole words of the text, in any case.

    Returns:
        Shape `(C,)`, or None when nothing is protected.

    Raises:
        InputError: If a regular expression takes longer than a second over one text.
    """
    if protect is None:
        return None
    protected = np.zeros(texts.code_points.size, np.bool_)
    every = np.arange(len(texts))
    for name in protect.patterns:
        pattern, telling = _pattern(name)
        if np.isin(texts.code_points, [ord(char) for char in telling]).any():
            _mark_everywhere(protected, texts, every, pattern)
    if protect.regexes:
        _mark_one_by_one(protected, texts, protect.regexes)
    if protect.spans and spans is not None:
        protected |= mark_spans(spans, texts.offsets)
    if protect.label and labels is not None:
        names, numbers = np.unique(np.asarray(labels), return_inverse=True)
        for number, name in enumerate(names.tolist()):
            if words := _LABEL_WORD.findall(name):
                own = np.flatnonzero(numbers == number)
                _mark_everywhere(protected, texts, own, _any_word(words))
    return protected if protected.any() else None


def _pattern(name: PatternName) -> tuple[regex.Pattern[str], str]:
    """Return a named pattern, and characters of which every match has at least one."""
    match name:
        case "url":
            return _URL, "./"
        case "email":
            return _EMAIL, "@"
        case "placeholder":
            return _PLACEHOLDER, "{[<@#"
        case "number":
            return _NUMBER, "0123456789"
        case _:
            assert_never(name)


def _any_word(words: Iterable[str]) -> regex.Pattern[str]:
    choices = "|".join(regex.escape(word) for word in sorted(words))
    return regex.compile(rf"(?<![^\W_])(?:{choices})(?![^\W_])", regex.I)


def _mark_everywhere(
    protected: Mask, texts: Strings, rows: Ints, pattern: regex.Pattern[str]
) -> None:
    """Mark what a pattern that matches no separator finds in the texts `rows`, in one scan."""
    own = texts.take(rows)
    places = np.arange(own.code_points.size) + np.repeat(np.arange(rows.size), own.lengths)
    joined = np.full(own.code_points.size + rows.size, ord(_SEPARATOR), np.uint32)
    joined[places] = own.code_points
    origins = np.full(joined.size, -1)
    origins[places] = ranges(texts.offsets[rows], own.lengths)
    text = joined.tobytes().decode("utf-32-le")
    found = np.array([match.span() for match in pattern.finditer(text)], np.int64).reshape(-1, 2)
    protected[origins[ranges(found[:, 0], found[:, 1] - found[:, 0])]] = True


def _mark_one_by_one(protected: Mask, texts: Strings, regexes: Sequence[str]) -> None:
    """Mark what a user's patterns find: in one scan their anchors would see other texts."""
    for source in regexes:
        pattern = regex.compile(source)
        for first, text in zip(texts.offsets, texts.to_arrow().to_pylist(), strict=False):
            for start, end in _matches(pattern, text):
                protected[first + start : first + end] = True


def _matches(pattern: regex.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    try:
        for match in pattern.finditer(text, timeout=_SECONDS_A_TEXT):
            yield match.span()
    except TimeoutError:
        raise InputError(
            f"the pattern {pattern.pattern!r} takes longer than a second over one text",
            code="CS-R005",
            place="noise.protect.regexes",
            hint="write it so that no repeated group can match the same text in several ways",
        ) from None
