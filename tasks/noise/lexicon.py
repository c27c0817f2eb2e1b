"""Words and what each may become, looked up for a whole batch at once."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Codes, Ints, Mask, Strings, offsets_of, ranges
from tasks.noise.units import Units, find_clusters

# No letter from here on has another case.
_NUM_CASED = 0x1E944
_APOSTROPHES = (0x2019, 0x02BC)
_MARKS_WORDS = "[]{}@#_"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """L words, each with at least one replacement.

    Args:
        words: The words in lower case, without repeats, L of them.
        choices: The replacements of all words, one word after the other.
        offsets: Those of word i are `choices[offsets[i]:offsets[i + 1]]`, shape `(L + 1,)`.
    """

    words: pa.StringArray
    choices: Strings
    offsets: Ints

    @classmethod
    def of(cls, entries: Mapping[str, Sequence[str]]) -> "Lexicon":
        """Lay out a table from lower-case words to what each may become."""
        kept = {word: choices for word, choices in entries.items() if choices}
        return cls(
            pa.array(list(kept), pa.string()),
            Strings.of([choice for choices in kept.values() for choice in choices]),
            offsets_of(np.array([len(choices) for choices in kept.values()], np.int64)),
        )

    def find(self, words: Strings) -> Ints:
        """Return the number of each word in the lexicon, -1 where it is not there.

        Case does not count, and a typographic apostrophe counts as `'`.
        """
        plain = lower(words.code_points)
        if plain.size and plain.max() >= min(_APOSTROPHES):
            plain[np.isin(plain, _APOSTROPHES)] = ord("'")
        found = pc.index_in(Strings(plain, words.offsets).to_arrow(), value_set=self.words)
        return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)

    def replace(self, batch: TextBatch, dice: Dice, *, units: Units, cores: "Cores") -> Splices:
        """Replace the cores that stand in the lexicon; every choice is equally likely.

        Args:
            batch: The texts.
            dice: The draws.
            units: What the cores were picked from.
            cores: Where to look.
        """
        befores = batch.strings.slices(cores.starts, cores.ends)
        entries = self.find(befores)
        known = np.flatnonzero(entries >= 0)
        entries, picked = entries[known], cores.picked[known]
        firsts = self.offsets[entries]
        which = dice.choices(units, picked, self.offsets[entries + 1] - firsts)
        afters = in_case_of(self.choices.take(firsts + which), befores.take(known))
        starts, ends = cores.starts[known], cores.ends[known]
        return changes(batch, Splices(units.rows_of(picked), starts, ends, afters))


@dataclass(frozen=True, slots=True)
class Cores:
    """Words without the punctuation around them.

    Args:
        picked: Number of the word of each, shape `(E,)`, ascending.
        starts: First code point, counted in the batch, shape `(E,)`.
        ends: One past the last, shape `(E,)`; never equal to `starts`.
    """

    picked: Ints
    starts: Ints
    ends: Ints


def find_cores(batch: TextBatch, words: Units, picked: Ints) -> Cores:
    """Take the punctuation off both sides of the picked words; one of nothing else has no core.

    The characters that mark placeholders, tags and handles (`[MASK]`, `{name}`, `#tag`, `@user`)
    belong to the core, and so does punctuation that carries a combining mark.
    """
    codes = batch.code_points
    starts, ends = words.starts[picked], words.ends[picked]
    # The last entry of the table answers for everything beyond it.
    is_loose = _punctuation().take(codes, mode="clip")
    if not is_loose.any():
        return Cores(picked, starts, ends)
    clusters = find_clusters(batch)
    if len(clusters) != codes.size:
        sizes = clusters.ends - clusters.starts
        joined = np.flatnonzero(sizes > 1)
        is_loose[ranges(clusters.starts[joined], sizes[joined])] = False
    solid = np.flatnonzero(~is_loose)
    if not solid.size:
        nothing = picked[:0]
        return Cores(nothing, nothing, nothing)
    left = np.flatnonzero(is_loose[starts])
    next_solid = np.minimum(np.searchsorted(solid, starts[left]), solid.size - 1)
    starts[left] = np.maximum(solid[next_solid], starts[left])
    right = np.flatnonzero(is_loose[ends - 1])
    last_solid = np.maximum(np.searchsorted(solid, ends[right]) - 1, 0)
    ends[right] = solid[last_solid] + 1
    has_core = np.flatnonzero((starts < ends) & (starts < words.ends[picked]))
    return Cores(picked[has_core], starts[has_core], ends[has_core])


def lower(codes: Codes) -> Codes:
    """Return code points in lower case, where that is one code point; a new array."""
    return _mapped(codes, _LOWER_ASCII, is_upper=False)


def in_case_of(words: Strings, models: Strings) -> Strings:
    """Write each word as its model is written: UPPER with two capitals or more, Title, else as is.

    Args:
        words: What to write, S strings.
        models: Whose case to take, S strings.
    """
    lowers, uppers = lower(models.code_points), upper(models.code_points)
    is_capital, is_small = lowers != models.code_points, uppers != models.code_points
    if not is_capital.any():
        return words
    num_capitals = np.diff(offsets_of(is_capital)[models.offsets])
    num_small = np.diff(offsets_of(is_small)[models.offsets])
    firsts = np.minimum(models.offsets[:-1], max(models.code_points.size - 1, 0))
    is_title = (num_capitals == 1) & is_capital[firsts]
    is_upper = (num_capitals > 1) & (num_small == 0)
    codes = words.code_points.copy()
    places = words.offsets[:-1][is_title & (words.lengths > 0)]
    codes[places] = upper(codes[places])
    own = np.flatnonzero(is_upper)
    places = ranges(words.offsets[own], words.lengths[own])
    codes[places] = upper(codes[places])
    return Strings(codes, words.offsets)


def upper(codes: Codes) -> Codes:
    """Return code points in upper case, where that is one code point; a new array."""
    return _mapped(codes, _UPPER_ASCII, is_upper=True)


def changes(batch: TextBatch, splices: Splices) -> Splices:
    """Keep the splices that put in something other than what stands there."""
    afters = splices.afters
    is_same = afters.lengths == splices.ends - splices.starts
    alike = np.flatnonzero(is_same)
    befores = batch.strings.slices(splices.starts[alike], splices.ends[alike])
    differs = befores.code_points != afters.take(alike).code_points
    is_same[alike] = np.diff(offsets_of(differs)[befores.offsets]) == 0
    return splices.where(~is_same)


def _mapped(codes: Codes, ascii_table: Codes, *, is_upper: bool) -> Codes:
    if not codes.size or codes.max() < ascii_table.size:
        return ascii_table[codes]
    table = _cases(is_upper)
    beyond = np.minimum(codes, _NUM_CASED - 1)
    return np.where(codes < _NUM_CASED, table[beyond], codes)


def _one_case(code: int, is_upper: bool) -> int:
    cased = chr(code).upper() if is_upper else chr(code).lower()
    return ord(cased) if len(cased) == 1 else code


@cache
def _cases(is_upper: bool) -> Codes:
    surrogates = range(0xD800, 0xE000)
    return np.array(
        [code if code in surrogates else _one_case(code, is_upper) for code in range(_NUM_CASED)],
        np.uint32,
    )


_LOWER_ASCII = np.array([_one_case(code, False) for code in range(128)], np.uint32)
_UPPER_ASCII = np.array([_one_case(code, True) for code in range(128)], np.uint32)


@cache
def _punctuation() -> Mask:
    """Return a table of code points: what may stand around a word without being part of it.

    Unicode's punctuation up to the full-width forms, which is nearly all of it.
    """
    return np.array(
        [
            unicodedata.category(chr(code))[0] == "P" and chr(code) not in _MARKS_WORDS
            for code in range(0xFF66)
        ]
        + [False]
    )
