"""Faults of encoding: characters that went wrong on a text's way from its writer to the dataset."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from html.entities import html5
from typing import assert_never

import numpy as np
import regex
from numpy.typing import NDArray

Span = tuple[int, int]

# Whatever else a row may have wrong, it has a character outside printable ASCII, or an ampersand.
_SUSPECT = re.compile(r"[^\n\r\t !-%'-~]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LOST = re.compile(r"[\ufffd\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_SPACE = re.compile(r"[\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f]")
# Joiners are letters' business in Persian, Hindi and emoji, and nobody's beside Latin or a space.
_INVISIBLE = regex.compile(
    r"[\u00ad\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u202d\u202e]"
    r"|[\u200c\u200d](?![^\s\p{Latin}\x00-\x7f])|(?<![^\s\p{Latin}\x00-\x7f])[\u200c\u200d]"
    r"|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}+"
    # The flags of England, Scotland and Wales are spelt in tag characters; nothing else is.
    r"|\U0001f3f4[\U000e0020-\U000e007e]++\U000e007f(*SKIP)(*FAIL)|[\U000e0000-\U000e007f]"
)
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202c\u2066-\u2069]")
_RIGHT_TO_LEFT = regex.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}\p{Adlam}]")


class Fault(StrEnum):
    """What may be wrong with the characters of a text. One text may have several."""

    MOJIBAKE = "mojibake"
    """Letters decoded by the wrong table: `Ã©` for an e with an acute accent. Decided by the
    heuristic of ftfy (`ftfy.badness.is_bad`): the text holds a sequence of characters that is
    common in such accidents and next to unknown elsewhere."""
    LOST_CHARACTER = "lost_character"
    """U+FFFD, which a decoder leaves where it gave up, or half of a surrogate pair."""
    CONTROL_CHARACTER = "control_character"
    """A C0 or C1 control other than tab, line feed and carriage return, DEL, or a noncharacter."""
    INVISIBLE_CHARACTER = "invisible_character"
    """Nothing that a reader sees: zero-width space, byte order mark, soft hyphen, tag character,
    filler, two or more variation selectors in a row; a zero-width joiner or non-joiner beside a
    Latin letter, another ASCII character, a space or the edge; an override of the writing
    direction; any other direction control in a text without right-to-left letters."""
    HTML_ENTITY = "html_entity"
    """A character reference of HTML with its semicolon: `&amp;`, `&#39;`, `&#x27;`."""
    UNUSUAL_SPACE = "unusual_space"
    """White space other than space, tab and line ends: no-break space, thin space, line separator.
    The ideographic space, usual in Chinese and Japanese, does not count."""


def find_faults(texts: Sequence[str]) -> dict[Fault, NDArray[np.int64]]:
    """Find the rows with each fault.

    A row of printable ASCII without `&` costs one scan. All patterns take time linear in the text.

    Args:
        texts: Any texts, N of them; lone surrogates are welcome.

    Returns:
        For every fault the places of its rows, ascending, in 0 to N - 1.

    References:
        Speer, ftfy: fixes text for you, 2019. https://doi.org/10.5281/zenodo.2591652
    """
    suspects = [(place, text) for place, text in enumerate(texts) if _SUSPECT.search(text)]
    places: dict[Fault, list[int]] = {fault: [] for fault in Fault}
    for place, text in suspects:
        kinds = (Fault.HTML_ENTITY, Fault.CONTROL_CHARACTER) if text.isascii() else Fault
        for fault in kinds:
            if next(_spans(text, fault), None):
                places[fault].append(place)
    return {fault: np.array(found, dtype=np.int64) for fault, found in places.items()}


def fault_spans(text: str, fault: Fault) -> list[Span]:
    """Return where a text has a fault: begin and end in code points, in order, not overlapping.

    Mojibake is shown as the words (between white space) that hold it.
    """
    return list(_spans(text, fault))


def explain_fault(piece: str, fault: Fault) -> str:
    """Say what a faulty piece of text is: what it should read, or the names of its characters."""
    match fault:
        case Fault.MOJIBAKE:
            import ftfy

            repaired = ftfy.fix_encoding(piece)
            return f"should read {repaired!r}" if repaired != piece else "cannot be repaired alone"
        case Fault.HTML_ENTITY:
            return f"should read {html.unescape(piece)!r}"
        case (
            Fault.LOST_CHARACTER
            | Fault.CONTROL_CHARACTER
            | Fault.INVISIBLE_CHARACTER
            | Fault.UNUSUAL_SPACE
        ):
            return ", ".join(
                f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip() for char in piece[:3]
            )
        case _:
            assert_never(fault)


def _spans(text: str, fault: Fault) -> Iterator[Span]:
    match fault:
        case Fault.MOJIBAKE:
            yield from _mojibake(text)
        case Fault.LOST_CHARACTER:
            yield from (found.span() for found in _LOST.finditer(text))
        case Fault.CONTROL_CHARACTER:
            yield from (found.span() for found in _CONTROL.finditer(text))
        case Fault.INVISIBLE_CHARACTER:
            yield from _invisible(text)
        case Fault.HTML_ENTITY:
            yield from (found.span() for found in _ENTITY.finditer(text) if _is_entity(found[0]))
        case Fault.UNUSUAL_SPACE:
            yield from (found.span() for found in _SPACE.finditer(text))
        case _:
            assert_never(fault)


def _is_entity(piece: str) -> bool:
    return piece[1] == "#" or piece[1:] in html5


def _invisible(text: str) -> Iterator[Span]:
    spans = [found.span() for found in _INVISIBLE.finditer(text)]
    directions = [found.span() for found in _DIRECTION.finditer(text)]
    if directions and not _RIGHT_TO_LEFT.search(text):
        spans = sorted(spans + directions)
    yield from spans


def _mojibake(text: str) -> Iterator[Span]:
    from ftfy.badness import is_bad

    if not is_bad(text):
        return
    words = [found.span() for found in re.finditer(r"\S+", text)]
    bad = [(start, end) for start, end in words if is_bad(text[start:end])]
    # Some sequences span a space: then the whole text is all that can be pointed at.
    yield from bad or [(0, len(text))]
