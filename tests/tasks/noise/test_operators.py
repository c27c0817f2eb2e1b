"""Each text has a rate of its own; what one text has changes no other."""

from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import NoiseStep
from schemas.noise_words import WordReplace
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.operators import find_splices
from tasks.noise.splices import apply
from tasks.noise.strings import Strings
from tasks.planning.streams import Stream, row_keys

KINDS = get_args(get_args(NoiseStep)[0])
NEEDS = {WordReplace: {"words": ("one", "two")}}
ROWS = st.lists(
    st.tuples(st.text("ab e\u0301日", max_size=10), st.sampled_from([0.0, 0.3, 0.7, 1.0])),
    max_size=6,
)


def noised(texts, keys, rates, step) -> list[str]:
    batch = TextBatch(Strings.of(texts))
    splices = find_splices(batch, Dice(keys, np.array(rates)), step)
    return apply(batch, splices, step=0)[0].strings.to_arrow().to_pylist()


@settings(deadline=None, max_examples=150)
@given(ROWS, st.sampled_from(KINDS))
def test_every_text_has_its_own_rate(rows, kind):
    step = kind(rate=0.5, **NEEDS.get(kind, {}))
    keys = row_keys(2, np.arange(len(rows)), 0, Stream.NOISE)
    texts, rates = [text for text, _ in rows], [rate for _, rate in rows]
    alone = [
        noised([text], keys[place : place + 1], [rate], step)[0]
        for place, (text, rate) in enumerate(rows)
    ]
    assert noised(texts, keys, rates, step) == alone
    for text, rate, after in zip(texts, rates, alone, strict=True):
        assert rate or after == text
