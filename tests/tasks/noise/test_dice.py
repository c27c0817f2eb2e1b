"""Draws of a batch against the draw of each unit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.strings import Strings
from tasks.noise.units import find_clusters
from tasks.planning.streams import Stream, fold, row_keys, uniforms

RATES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 5e-324, 1e-16, 2.0**-52]))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.text(max_size=8), RATES), max_size=6), st.booleans())
def test_hits_are_draws_below_the_rate(rows, is_one_rate):
    texts = [text for text, _ in rows]
    rates = np.array([rows[0 if is_one_rate else place][1] for place in range(len(rows))])
    units = find_clusters(TextBatch(Strings.of(texts)))
    keys = row_keys(4, np.arange(len(rows)), 0, Stream.NOISE)
    dice = Dice(keys, rates)
    hits = dice.hits(units)
    expected, draws = [], []
    for row, (key, rate) in enumerate(zip(keys, rates, strict=True)):
        for index in range(units.offsets[row + 1] - units.offsets[row]):
            draws.append(float(uniforms(fold(key, 0), index)))
            if draws[-1] < rate:
                expected.append(len(draws) - 1)
    assert hits.tolist() == expected
    assert dice.uniforms(units, np.arange(len(units)), counter=0).tolist() == draws
    among = np.arange(len(units)) % 2 == 0
    assert dice.hits(units, among=among).tolist() == [hit for hit in expected if hit % 2 == 0]


def test_hits_beyond_one_block():
    units = find_clusters(TextBatch(Strings.of(["a" * 40_000])))
    keys = row_keys(4, np.arange(1), 0, Stream.NOISE)
    draws = uniforms(fold(keys, 0), np.arange(40_000))
    assert Dice(keys, np.array([0.3])).hits(units).tolist() == np.flatnonzero(draws < 0.3).tolist()


def test_choices_are_in_reach_and_apart_from_the_decision():
    units = find_clusters(TextBatch(Strings.of(["a" * 9000])))
    dice = Dice(row_keys(4, np.arange(1), 0, Stream.NOISE), np.array([0.5]))
    hits = dice.hits(units)
    chosen = dice.choices(units, hits, 3)
    for number in range(3):
        assert abs((chosen == number).mean() - 1 / 3) < 4 * (2 / 9 / hits.size) ** 0.5
    nums = np.arange(hits.size) % 5 + 1
    assert (dice.choices(units, hits, nums) < nums).all()
    assert (
        dice.choices(units, hits, 100).tolist()
        != dice.choices(units, hits, 100, counter=2).tolist()
    )
