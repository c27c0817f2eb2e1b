"""Diversity group by group, for the groups that a column of the data makes: labels, strategies."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from schemas.audit import Cell, Group, Table
from tasks.audit.corpus import Corpus
from tasks.audit.diversity_estimates import first_characters
from tasks.audit.excerpts import printable
from tasks.quality.compression import compression_ratio
from tasks.quality.ngram_shares import distinct_share, first_texts, first_words
from tasks.quality.openings import openings
from tasks.quality.self_bleu_arrays import SelfBleu
from tasks.quality.vendi import character_kernel, vendi_score
from tasks.report.strategies import common_size

MOST_GROUPS = 200
MOST_ROWS, FEWEST_ROWS = 100, 10
MOST_WORDS, FEWEST_WORDS = 4_000, 100
MOST_CHARS, FEWEST_CHARS = 20_000, 500
_OPENING = 3
_COLUMNS = (
    "rows",
    "distinct_1",
    "distinct_2",
    "self_bleu",
    "vendi_score",
    "compression_ratio",
    "commonest opening",
    "its share",
)


@dataclass(frozen=True)
class GroupDiversity:
    """What was measured of one group; a figure is null where the group is too small for it.

    Args:
        name: The value of the column.
        rows: Rows of the whole corpus that have it.
        vendi: Vendi score, the figure that groups are ranked by.
        cells: The other cells of its line of the table, after `rows`.
    """

    name: str
    rows: int
    vendi: float | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sizes:
    """What every group is measured on, so that their figures compare; 0 where none is."""

    rows: int
    words: int
    chars: int


@dataclass(frozen=True)
class Groups:
    """The groups of a corpus, the least varied first, and what they were measured on."""

    measured: tuple[GroupDiversity, ...]
    sizes: Sizes
    left_out: int

    @property
    def least_varied(self) -> tuple[GroupDiversity, float] | None:
        """The group of the least Vendi score, and that over the median of all; null below two."""
        scores = [group.vendi for group in self.measured if group.vendi is not None]
        if len(scores) < 2:
            return None
        return self.measured[0], scores[0] / median(scores)

    def table(self, name: str, *, by: str) -> Table:
        """Return one line for each group."""
        rows, words, chars = self.sizes.rows, self.sizes.words, self.sizes.chars
        return Table(
            name=name,
            group=Group.DIVERSITY,
            title=f"Diversity by {by}",
            caption=f"Measured on equal samples of every {by}: {rows} texts (self-BLEU, Vendi, "
            f"openings of {_OPENING} words), {words} words (distinct-n), {chars} characters "
            "(compression). The least varied come first. A blank means that there are fewer.",
            columns=(by, *_COLUMNS),
            rows=tuple(
                (printable(group.name), group.rows, *group.cells) for group in self.measured
            ),
            left_out=self.left_out,
        )


def measure_groups(pool: Corpus, *, column: Sequence[str | None], counts: Counter[str]) -> Groups:
    """Measure every group on samples of one size.

    Args:
        pool: Rows in an order that has nothing to do with their texts.
        column: Group of each row of the pool; a row without one does not count.
        counts: Rows of the whole corpus for each group.
    """
    names = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_GROUPS]
    places: dict[str, list[int]] = {name: [] for name in names}
    for place, name in enumerate(column):
        # More than the other measures need: short texts have few words.
        if name in places and len(places[name]) < 5 * MOST_ROWS:
            places[name].append(place)
    parts = [pool.take(np.array(places[name], dtype=np.int64)) for name in names]
    sizes = Sizes(
        rows=common_size([*map(len, parts)], most=MOST_ROWS, fewest=FEWEST_ROWS),
        words=common_size(
            [part.words.codes.size for part in parts], most=MOST_WORDS, fewest=FEWEST_WORDS
        ),
        chars=common_size(
            [sum(map(len, part.strings)) for part in parts], most=MOST_CHARS, fewest=FEWEST_CHARS
        ),
    )
    found = [
        _measured(part, name=name, rows=counts[name], sizes=sizes)
        for part, name in zip(parts, names, strict=True)
    ]
    found.sort(key=lambda group: (group.vendi is None, group.vendi or 0.0, group.name))
    return Groups(tuple(found), sizes, len(counts) - len(names))


def _measured(part: Corpus, *, name: str, rows: int, sizes: Sizes) -> GroupDiversity:
    distinct: tuple[float | None, ...] = (None, None)
    if 0 < sizes.words <= part.words.codes.size:
        words = first_words(part.words, sizes.words)
        distinct = tuple(distinct_share(words.ngrams(n)) for n in (1, 2))
    bleu = vendi = opening = None
    if 0 < sizes.rows <= len(part):
        texts = first_texts(part.words, sizes.rows)
        bleu = float(SelfBleu(texts).scores().mean())
        vendi = vendi_score(character_kernel(part.strings[: sizes.rows]))
        opening = openings(texts, _OPENING)
    ratio = None
    if 0 < sizes.chars <= sum(map(len, part.strings)):
        ratio = compression_ratio(first_characters(part.strings, sizes.chars))
    shared = opening.commonest[0].words if opening and opening.commonest else None
    share = opening.top_share if opening and opening.commonest else None
    return GroupDiversity(name, rows, vendi, (*distinct, bleu, vendi, ratio, shared, share))
