"""N-grams that give a label away: words from which a student learns the label and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.quality.fingerprints import normalise_text
from tasks.quality.word_codes import WordCodes

LONGEST = 3
FEWEST_ROWS = 5
"""Rows that an n-gram must stand in to be tested."""
LEAST_PRECISION = 0.95
MOST_OF_CHANCE = 0.2
"""Part of the rows of other labels, against chance, that an n-gram may still stand in."""
FALSE_DISCOVERY_RATE = 0.05
_TINY = 1e-12

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Giveaways:
    """The D pairs of an n-gram and the label that it gives away, those of most rows first.

    Args:
        starts: Where each n-gram first stands in `WordCodes.codes`, shape `(D,)`.
        sizes: Its words, shape `(D,)`.
        labels: Code of the label, shape `(D,)`.
        holding: Labelled rows that hold the n-gram, shape `(D,)`.
        own: Those of them that have the label, shape `(D,)`.
        lift: Share of the label among them over its share of all rows, shape `(D,)`.
        odds_ratio: Odds of the label with the n-gram over those without, 0.5 added to each of the
            four counts (Haldane 1956), shape `(D,)`.
        q_values: Benjamini-Hochberg adjusted p-values, shape `(D,)`.
        given_away: Whether a row holds one that gives away its own label, shape `(N,)`.
        num_tested: Pairs in the family of tests.
    """

    starts: Ints
    sizes: Ints
    labels: Ints
    holding: Ints
    own: Ints
    lift: Floats
    odds_ratio: Floats
    q_values: Floats
    given_away: NDArray[np.bool_]
    num_tested: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Near-perfect pairs of one size, and what is needed to place them."""

    size: int
    held: Any
    starts: Ints
    columns: Ints
    labels: Ints
    holding: Ints
    own: Ints
    num_tested: int


def giveaways(words: WordCodes, labels: Ints, *, num_labels: int) -> Giveaways:
    """Find the n-grams of 1 to `LONGEST` words that alone predict a label.

    Such an n-gram stands in at least `FEWEST_ROWS` labelled rows, `LEAST_PRECISION` of them have
    the label, the others are at most `MOST_OF_CHANCE` of what they would be by chance, and the
    one-sided Fisher test (hypergeometric, given the rows of n-gram and label) is at most
    `FALSE_DISCOVERY_RATE` after the Benjamini-Hochberg correction. The family is every pair of a
    label and an n-gram in at least `FEWEST_ROWS` rows, of all sizes; pairs that are not
    near-perfect count with p = 1, which can only raise the others. A row counts once for an n-gram.

    A real set has such n-grams too ("passport" in a question about passports): compare.

    Args:
        words: The words of N texts.
        labels: Code of each text's label, shape `(N,)`; -1 leaves a text out.
        num_labels: Codes are below this.

    References:
        Gururangan et al., NAACL 2018 (artifacts). https://aclanthology.org/N18-2017
        Benjamini & Hochberg, JRSS B 1995. https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    """
    parts = [_near_perfect(words, labels, num_labels, size) for size in range(1, LONGEST + 1)]
    sizes_of_labels = np.bincount(labels[labels >= 0], minlength=num_labels)
    num_tested = sum(part.num_tested for part in parts)
    given, holding, own = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("labels", "holding", "own")
    )
    q_values = _adjusted(
        own,
        holding,
        sizes_of_labels[given],
        num_rows=int(sizes_of_labels.sum()),
        num_tested=num_tested,
    )
    kept = q_values <= FALSE_DISCOVERY_RATE
    given_away = np.zeros(len(labels), dtype=bool)
    ends = np.cumsum([len(part.labels) for part in parts])
    for part, chosen in zip(parts, np.split(kept, ends[:-1]), strict=True):
        given_away |= _holding_own(part, chosen, labels, num_labels)
    order = np.flatnonzero(kept)
    starts = np.concatenate([part.starts for part in parts])
    sizes = np.repeat([part.size for part in parts], [len(part.labels) for part in parts])
    order = order[np.lexsort((sizes[order], -own[order]))]
    rows = sizes_of_labels[given[order]]
    return Giveaways(
        starts=starts[order],
        sizes=sizes[order],
        labels=given[order],
        holding=holding[order],
        own=own[order],
        lift=own[order] / holding[order] * sizes_of_labels.sum() / rows,
        odds_ratio=_odds_ratio(own[order], holding[order], rows, int(sizes_of_labels.sum())),
        q_values=q_values[order],
        given_away=given_away,
        num_tested=num_tested,
    )


def _near_perfect(words: WordCodes, labels: Ints, num_labels: int, size: int) -> _Pairs:
    from scipy.sparse import csr_matrix

    ngrams = words.ngrams(size)
    labelled = labels[ngrams.texts] >= 0
    texts, starts = ngrams.texts[labelled], ngrams.starts[labelled]
    _, first, columns = np.unique(ngrams.hashes[labelled], return_index=True, return_inverse=True)
    shape = (len(labels), len(first))
    held = csr_matrix((np.ones(len(texts), np.int32), (texts, columns)), shape=shape)
    held.sum_duplicates()
    held.data[:] = 1
    holding = np.bincount(held.indices, minlength=len(first))
    often = np.flatnonzero(holding >= FEWEST_ROWS)
    held, holding = held[:, often], holding[often]
    rows = np.flatnonzero(labels >= 0)
    indicators = csr_matrix(
        (np.ones(len(rows), np.int32), (labels[rows], rows)), shape=(num_labels, len(labels))
    )
    pairs = (indicators @ held).tocoo()
    own, of_all = pairs.data.astype(np.int64), holding[pairs.col]
    others = 1 - own / of_all
    by_chance = 1 - (np.bincount(labels[rows], minlength=num_labels) / max(len(rows), 1))[pairs.row]
    near = (others <= 1 - LEAST_PRECISION) & (others <= MOST_OF_CHANCE * by_chance)
    near &= by_chance > 0
    return _Pairs(
        size=size,
        held=held,
        starts=starts[first[often[pairs.col[near]]]],
        columns=pairs.col[near].astype(np.int64),
        labels=pairs.row[near].astype(np.int64),
        holding=of_all[near],
        own=own[near],
        num_tested=len(often) * int((np.bincount(labels[rows], minlength=num_labels) > 0).sum()),
    )


def _adjusted(
    own: Ints, holding: Ints, of_label: Ints, *, num_rows: int, num_tested: int
) -> Floats:
    """Return adjusted p-values, the untold tests of the family having p = 1."""
    from scipy.stats import false_discovery_control

    if len(own) == 0:
        return np.zeros(0)
    p_values = tail_probability(own, holding, of_label, num_rows=num_rows)
    adjusted = false_discovery_control(p_values, method="bh") * (num_tested / len(own))
    return np.asarray(np.minimum(adjusted, 1.0), dtype=np.float64)


def tail_probability(own: Ints, holding: Ints, of_label: Ints, *, num_rows: int) -> Floats:
    """Return the p-values of one-sided Fisher tests, or an upper bound where they are tiny.

    Of `holding` rows drawn from `num_rows`, `of_label` of which have the label, at least `own` have
    it with the hypergeometric probability. It is at most exp(-n KL(own / n, of_label / N)); where
    that bound is below 1e-12 it is returned itself, and the sum, term by term, where it is not.

    References:
        Hoeffding, JASA 1963, sections 2 and 6. https://doi.org/10.1080/01621459.1963.10500830
    """
    from scipy.special import rel_entr

    seen, expected = own / holding, of_label / num_rows
    divergence = rel_entr(seen, expected) + rel_entr(1 - seen, 1 - expected)
    found = np.where(seen > expected, np.exp(-holding * divergence), 1.0)
    unsure = found >= _TINY
    found[unsure] = _tail(own[unsure], holding[unsure], of_label[unsure], num_rows)
    return np.asarray(found, dtype=np.float64)


def _tail(own: Ints, holding: Ints, of_label: Ints, num_rows: int) -> Floats:
    from scipy.special import gammaln

    def log_choose(n: Ints | int, k: Ints) -> Floats:
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)

    total = np.zeros(len(own))
    most = np.minimum(holding, of_label)
    for more in range(int((most - own).max(initial=-1)) + 1):
        at = np.flatnonzero(own + more <= most)
        at = at[own[at] + more >= holding[at] + of_label[at] - num_rows]
        drawn, marked, count = holding[at], of_label[at], own[at] + more
        logs = log_choose(marked, count) + log_choose(num_rows - marked, drawn - count)
        total[at] += np.exp(logs - log_choose(num_rows, drawn))
    return np.minimum(total, 1.0)


def _odds_ratio(own: Ints, holding: Ints, of_label: Ints, num_rows: int) -> Floats:
    without = num_rows - holding - of_label + own
    result = (own + 0.5) * (without + 0.5) / ((holding - own + 0.5) * (of_label - own + 0.5))
    return np.asarray(result, dtype=np.float64)


def _holding_own(
    part: _Pairs, chosen: NDArray[np.bool_], labels: Ints, num_labels: int
) -> NDArray[np.bool_]:
    """Tell which rows hold one of the chosen n-grams of their own label."""
    # An n-gram is near-perfect for one label at most.
    label_of = np.full(part.held.shape[1], -2, dtype=np.int64)
    label_of[part.columns[chosen]] = part.labels[chosen]
    rows = np.repeat(np.arange(len(labels)), np.diff(part.held.indptr))
    hits = rows[label_of[part.held.indices] == labels[rows]]
    found = np.zeros(len(labels), dtype=bool)
    found[hits] = True
    return found


def words_of(words: WordCodes, *, start: int, size: int, names: Sequence[str]) -> str:
    """Return the n-gram that begins at a place of `codes`, its words with a space between.

    Args:
        words: The words.
        start: Where it begins.
        size: Its words.
        names: `words.vocabulary.words()`.
    """
    return " ".join(names[code] for code in words.codes[start : start + size].tolist())


def holds_label_name(words: WordCodes, labels: Ints, names: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which texts hold the name of their label as whole words: `label_leak` of all at once.

    Args:
        words: The words of N texts.
        labels: Code of each text's label, shape `(N,)`; -1 for none.
        names: The labels, each at the place of its code.
    """
    found = np.zeros(len(words), dtype=bool)
    # A word that no text holds has no code, and cannot leak.
    coded = [
        [-1 if (code := words.vocabulary.known(word)) is None else code for word in name.split()]
        for name in map(normalise_text, names)
    ]
    longest = int(words.lengths.max(initial=0))
    for size in sorted({len(codes) for codes in coded if 0 < len(codes) <= longest}):
        codes = np.full((len(names) + 1, size), -1, dtype=np.int64)
        for place, name in enumerate(coded):
            if len(name) == size:
                codes[place] = name
        ngrams = words.ngrams(size)
        # The last row, of no name, is that of -1.
        wanted = codes[labels[ngrams.texts]]
        held = np.ones(len(ngrams.texts), dtype=bool)
        for step in range(size):
            held &= words.codes[ngrams.starts + step] == wanted[:, step]
        found[ngrams.texts[held]] = True
    return found
