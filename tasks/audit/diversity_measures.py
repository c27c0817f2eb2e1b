"""Measures of diversity: what they are called, what they mean, and what size they are taken at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from schemas.audit import Estimate
from tasks.audit.corpus import Corpus
from tasks.audit.diversity_estimates import (
    POOL_ROWS,
    Basis,
    compression,
    distinct,
    hapax_share,
    mean_self_bleu,
    opening_entropy,
    opening_share,
    vendi,
    yule_k,
)

_JACKKNIFE = (
    "The interval is of the figure that samples of this size have: a jackknife over 20 blocks."
)


@dataclass(frozen=True)
class Measure:
    """A figure that depends on the size of what it is measured on.

    Args:
        name: As in `Metric`; so are `title`, `unit`, `better`, `definition` and `source`.
        basis: What sizes count, so that samples of one size compare.
        most: Greatest size of a sample.
        fewest: Least size that says anything.
        estimate: Measures the beginning of a pool that has the size; None where it is undefined.
    """

    name: str
    title: str
    unit: Literal["share", "score", "ratio"]
    better: Literal["lower", "higher"]
    basis: Basis
    most: int
    fewest: int
    estimate: Callable[[Corpus, int], Estimate | None]
    definition: str
    source: str


def _distinct_measure(n: int) -> Measure:
    kind = "words" if n == 1 else f"{n}-grams of words"
    return Measure(
        name=f"distinct_{n}",
        title=f"Different {kind} among all (distinct-{n})",
        unit="share",
        better="higher",
        basis="words",
        most=20_000,
        fewest=100,
        estimate=partial(distinct, n=n),
        definition=f"Distinct {kind} over all {kind}, within texts, case and punctuation apart. "
        + _JACKKNIFE,
        source="Li et al. 2016, https://aclanthology.org/N16-1014",
    )


def _opening_measures(n: int) -> tuple[Measure, Measure]:
    words = "word" if n == 1 else f"{n} words"
    share = Measure(
        name=f"opening_{n}_top_share",
        title=f"Texts that begin with the commonest {words}",
        unit="share",
        better="lower",
        basis="rows",
        most=POOL_ROWS,
        fewest=10,
        estimate=partial(opening_share, n=n),
        definition=f"Share of the commonest first {words} among texts of as many words, case and "
        "punctuation apart. The interval is Wilson's.",
        source="",
    )
    entropy = replace(
        share,
        name=f"opening_{n}_entropy",
        title=f"Variety of the first {words}",
        unit="score",
        better="higher",
        estimate=partial(opening_entropy, n=n),
        definition=f"Entropy of the first {words} of texts over the logarithm of their number: 0 "
        "when all begin alike, 1 when no two do. " + _JACKKNIFE,
    )
    return share, entropy


VENDI = Measure(
    name="vendi_score",
    title="Number of wholly different texts that a sample amounts to (Vendi score)",
    unit="score",
    better="higher",
    basis="rows",
    most=500,
    fewest=10,
    estimate=vendi,
    definition="Exponential of the entropy of the eigenvalues of K / n, where K holds the cosines "
    "of the TF-IDF of characters (2- to 5-grams within words) of n texts: 1 for copies, n for "
    f"texts with nothing in common. {_JACKKNIFE}",
    source="Friedman and Dieng 2023, https://arxiv.org/abs/2210.02410",
)
SELF_BLEU = Measure(
    name="self_bleu",
    title="Resemblance of each text to all others (self-BLEU)",
    unit="score",
    better="lower",
    basis="rows",
    most=5_000,
    fewest=10,
    estimate=mean_self_bleu,
    definition="Mean BLEU-4 of each text of a sample with all others of it as references, from 0 "
    f"(they share no word) to 1 (each is in others), smoothed by 0.1 matches. {_JACKKNIFE}",
    source="Zhu et al. 2018, https://arxiv.org/abs/1802.01886",
)
COMPRESSION = Measure(
    name="compression_ratio",
    title="How much shorter a compressor makes the texts (compression ratio)",
    unit="ratio",
    better="lower",
    basis="characters",
    most=200_000,
    fewest=1_000,
    estimate=compression,
    definition="Bytes of the texts (UTF-8, joined by line ends, sorted by a hash) over bytes after "
    f"zlib at level 9: the higher, the more is repeated. {_JACKKNIFE}",
    source="Shaib et al. 2024, https://arxiv.org/abs/2403.00553",
)
DISTINCT = tuple(_distinct_measure(n) for n in (1, 2, 3, 4))
HAPAX = replace(
    DISTINCT[0],
    name="hapax_share",
    title="Words of the vocabulary that occur once",
    estimate=hapax_share,
    definition=f"Different words that occur once over all different words. {_JACKKNIFE}",
    source="Baayen, Word Frequency Distributions, Kluwer 2001",
)
YULE = replace(
    DISTINCT[0],
    name="yule_k",
    title="How often two words drawn at random are the same (Yule's K)",
    unit="score",
    better="lower",
    estimate=yule_k,
    definition="10^4 (sum of squared counts of the words - N) / N^2 for N words; it hardly depends "
    f"on N. {_JACKKNIFE}",
    source="Yule 1944; Tanaka-Ishii and Aihara 2015, https://aclanthology.org/J15-3005",
)
OPENINGS = tuple(measure for n in (1, 2, 3) for measure in _opening_measures(n))
MEASURES = (VENDI, SELF_BLEU, *DISTINCT, COMPRESSION, *OPENINGS, HAPAX, YULE)
