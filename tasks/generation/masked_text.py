"""Texts that a masked model rewrites: which of their tokens are open, and the text around new ones.

A masked model's own vocabulary often loses what it does not know: case, accents, emoji, white
space. Therefore a rewritten text is not decoded anew: the characters of the new tokens replace
those of the old ones, and everything between them stays as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from schemas.errors import InputError

_SPACES = ("Ġ", "▁")
"""How byte-level and SentencePiece vocabularies write the space that a token begins with."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text as the model reads it.

    Args:
        text: The text.
        ids: Its tokens, the model's own at both ends included.
        spans: Start and end of each token in the text, in code points.
        open_places: Positions of tokens that may be written anew: none of them special.
    """

    text: str
    ids: list[int]
    spans: list[tuple[int, int]]
    open_places: list[int]


class MaskedCodec:
    """A tokenizer as a masked model uses it.

    Args:
        tokenizer: The model's tokenizer.
        place: Where it came from, for errors.

    Raises:
        InputError: If it has no mask token, or does not tell where its tokens stand (CS-M004).
    """

    def __init__(self, tokenizer: Any, *, place: Path) -> None:
        if not tokenizer.is_fast or tokenizer.mask_token_id is None:
            lacks = "offsets" if not tokenizer.is_fast else "mask token"
            raise InputError(
                f"the tokenizer has no {lacks}, which rewriting a text needs",
                code="CS-M004",
                place=str(place),
                hint="choose a masked model with a fast tokenizer (tokenizer.json)",
            )
        self._tokenizer = tokenizer
        self.mask_id: int = tokenizer.mask_token_id
        self.pad_id: int = tokenizer.pad_token_id or 0
        added = tokenizer.added_tokens_decoder.items()
        special = {token for token, content in added if content.special}
        self.special_ids = frozenset(special.union(tokenizer.all_special_ids))
        self.num_tokens: int = len(tokenizer)
        letter = self.read("a")
        # Stands in for a neighbour: some decoders treat the first token in another way.
        self._plain = [letter.ids[place] for place in letter.open_places]

    def read(self, text: str) -> SourceText:
        """Split a text into tokens; what looks like a special token in it stays text."""
        text = text.encode("utf-8", "replace").decode("utf-8")
        encoded = self._tokenizer(
            text, split_special_tokens=True, return_offsets_mapping=True, verbose=False
        )
        ids, spans = encoded["input_ids"], encoded["offset_mapping"]
        places = [place for place, token in enumerate(ids) if token not in self.special_ids]
        return SourceText(text, list(ids), [tuple(span) for span in spans], places)

    def rewrite(self, source: SourceText, ids: Sequence[int]) -> str:
        """Write the text in which `ids` stand for the source's tokens.

        Args:
            source: The text as it was.
            ids: As many tokens; those at other than open places are the source's own.

        Returns:
            The text. White space at its start may be the source's instead of the new tokens'.
        """
        pieces, end = [], 0
        for run in _runs(self._changed(source, ids)):
            pieces.append(source.text[end : source.spans[run.first][0]])
            self._join(pieces, source, ids, run)
            end = source.spans[run.last][1]
        return "".join([*pieces, source.text[end:]])

    def _join(self, pieces: list[str], source: SourceText, ids: Sequence[int], run: "_Run") -> None:
        """Put a run's new characters behind the text so far, with or without a space between."""
        new = self._written(source, ids, run)
        start, stop = source.spans[run.first][0], source.spans[run.last][1]
        old = source.text[start:stop]
        # White space that is a token of its own is no gap.
        gap = source.text[source.spans[run.first - 1][1] : start]
        if not self._has_neighbour(source, run.first - 1):
            # Whether a word opens here is the source's to say.
            new = old[: len(old) - len(old.lstrip())] + new.lstrip()
        elif not new[:1].isspace():
            # The new token continues the word in front of it.
            pieces[-1] = pieces[-1].removesuffix(gap) + gap.rstrip()
        elif gap[-1:].isspace():
            new = new[1:]
        elif not self._token(ids[run.first]).startswith(_SPACES):
            # The decoder's space, not the token's own: many scripts and signs stand without one.
            new = new.lstrip()
            left = source.text[start - 1 : start]
            was_one = self._opens(source.ids, run.first) and _touch(left, old)
            if _touch(left, new) and not was_one:
                new = f" {new}"
        pieces.append(new)

    def _written(self, source: SourceText, ids: Sequence[int], run: "_Run") -> str:
        """Decode a run of new tokens, with the space before it and one behind it if that is new."""
        new = self._surface(ids, run.first, run.last)
        behind = run.last + 1
        if self._has_neighbour(source, behind) and self._opens(ids, behind):
            stop, start = source.spans[run.last][1], source.spans[behind][0]
            right = source.text[start : start + 1]
            if stop == start and _touch(new, right) and not _touch(source.text[:stop], right):
                return f"{new} "
        return new

    def _token(self, token: int) -> str:
        return str(self._tokenizer.convert_ids_to_tokens(token))

    def _has_neighbour(self, source: SourceText, place: int) -> bool:
        return 0 <= place < len(source.ids) and source.ids[place] not in self.special_ids

    def _opens(self, ids: Sequence[int], place: int) -> bool:
        """Tell whether the token at `place` is written with a space behind the one before."""
        return self._surface(ids, place, place)[:1].isspace()

    def _changed(self, source: SourceText, ids: Sequence[int]) -> list[int]:
        """List the places to be written: new tokens, and others of the same characters."""
        new = {place for place in source.open_places if ids[place] != source.ids[place]}
        # Tokens can be parts of one character, which must be decoded together.
        spread = list(pairwise(source.open_places))
        for left, right in [*spread, *reversed(spread)]:
            if source.spans[left][1] > source.spans[right][0] and not new.isdisjoint((left, right)):
                new |= {left, right}
        return sorted(new)

    def _surface(self, ids: Sequence[int], first: int, last: int) -> str:
        """Decode a run of tokens as it stands behind its neighbour, with the space before it."""
        run = list(ids[first : last + 1])
        context = list(ids[max(first - 1, 0) : first])
        if self.special_ids.issuperset(context):
            context = self._plain
        before, both = self._decode(context), self._decode(context + run)
        return both.removeprefix(before) if both.startswith(before) else self._decode(run)

    def _decode(self, ids: list[int]) -> str:
        return str(
            self._tokenizer.decode(
                ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )


class _Run(NamedTuple):
    """Neighbouring places, `first` to `last`."""

    first: int
    last: int


def _runs(places: Sequence[int]) -> list[_Run]:
    runs: list[_Run] = []
    for place in places:
        if runs and runs[-1].last == place - 1:
            runs[-1] = _Run(runs[-1].first, place)
        else:
            runs.append(_Run(place, place))
    return runs


def _touch(left: str, right: str) -> bool:
    """Tell whether a letter or digit would stand right beside another."""
    return left[-1:].isalnum() and right[:1].isalnum()
