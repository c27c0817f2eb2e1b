"""English contractions, written out or made."""

from functools import cache

import numpy as np

from schemas.noise_words import Contraction
from tasks.noise.batch import TextBatch
from tasks.noise.contraction_pairs import CONTRACTED, EXPANDED
from tasks.noise.dice import Dice
from tasks.noise.lexicon import Cores, Lexicon, find_cores
from tasks.noise.splices import Splices
from tasks.noise.strings import Ints
from tasks.noise.units import Units, find_words
from tasks.noise.word_swap import every_other


def contraction(batch: TextBatch, dice: Dice, step: Contraction) -> Splices:
    """Write contractions out, or contract, each with the text's rate as its probability.

    The forms are those of standard English; where one has several readings (`he'd`), all are
    equally likely. Two words are contracted where one white-space character stands between them
    and nothing else. Case is kept.

    Args:
        batch: The texts.
        dice: The draws.
        step: Which way.

    References:
        Contraction as a test of invariance: Ribeiro et al., CheckList, ACL 2020.
        https://arxiv.org/abs/2005.04118
    """
    words = find_words(batch)
    match step.mode:
        case "expand":
            cores = find_cores(batch, words, dice.hits(words))
            return _lexicon("expand").replace(batch, dice, units=words, cores=cores)
        case "contract":
            lexicon = _lexicon("contract")
            cores = _pairs(batch, words, dice.hits(words), lexicon)
            return lexicon.replace(batch, dice, units=words, cores=cores)


def _pairs(batch: TextBatch, words: Units, hits: Ints, lexicon: Lexicon) -> Cores:
    """Find the chosen words that can be contracted with the next one, or alone (`cannot`)."""
    alone = find_cores(batch, words, hits)
    next_words = alone.picked + 1
    has_next = next_words < words.offsets[words.rows_of(alone.picked) + 1]
    first = np.flatnonzero(has_next & (alone.ends == words.ends[alone.picked]))
    nexts = find_cores(batch, words, next_words[first])
    first = first[np.isin(next_words[first], nexts.picked)]
    gap_is_one = words.starts[nexts.picked] == words.ends[nexts.picked - 1] + 1
    fits = gap_is_one & (nexts.starts == words.starts[nexts.picked])
    pairs = Cores(nexts.picked[fits] - 1, alone.starts[first[fits]], nexts.ends[fits])
    known = lexicon.find(batch.strings.slices(pairs.starts, pairs.ends)) >= 0
    kept = every_other(pairs.picked[known])
    is_kept = np.isin(pairs.picked, kept)
    is_alone = lexicon.find(batch.strings.slices(alone.starts, alone.ends)) >= 0
    return _merge(
        Cores(alone.picked[is_alone], alone.starts[is_alone], alone.ends[is_alone]),
        Cores(pairs.picked[is_kept], pairs.starts[is_kept], pairs.ends[is_kept]),
    )


def _merge(first: Cores, second: Cores) -> Cores:
    picked = np.concatenate([first.picked, second.picked])
    order = np.argsort(picked, kind="stable")
    starts = np.concatenate([first.starts, second.starts])
    ends = np.concatenate([first.ends, second.ends])
    return Cores(picked[order], starts[order], ends[order])


@cache
def _lexicon(mode: str) -> Lexicon:
    return Lexicon.of(EXPANDED if mode == "expand" else CONTRACTED)
