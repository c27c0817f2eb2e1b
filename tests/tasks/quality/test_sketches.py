"""Sketches find what is alike, and rule out nothing that is."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.fingerprints import normalise_text
from tasks.quality.similarity import jaccard, shingles
from tasks.quality.sketches import (
    LEAST_RECALL,
    MOST_KEYS,
    MOST_PERMUTATIONS,
    may_match,
    plan_keys,
    sketch_texts,
)

WORDS = ("please", "where", "when", "is", "my", "the", "new", "old", "card", "order", "now")
GOLDEN = [8174827226717741915, 15708441284780509468, 15892619806197957857]


def variants(num, seed):
    """Return utterances of a small vocabulary: many pairs are alike, some are equal."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 7))) for _ in range(num)]


@pytest.mark.parametrize(
    ("threshold", "plan"), [(1, (1, 8)), (0.9, (22, 10)), (0.8, (31, 6)), (0.5, (33, 2))]
)
def test_plans_by_hand(threshold, plan):
    assert plan_keys(threshold) == plan


def recall(threshold, num_keys, width):
    return 1 - (1 - threshold**width) ** num_keys


@given(st.floats(0.04, 0.999))
def test_the_longest_keys_that_find_enough(threshold):
    num_keys, width = plan_keys(threshold)
    assert num_keys * width <= MOST_PERMUTATIONS
    assert recall(threshold, num_keys, width) >= LEAST_RECALL
    room = min(MOST_KEYS, MOST_PERMUTATIONS // (width + 1))
    assert recall(threshold, room, width + 1) < LEAST_RECALL


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_a_fraction(threshold):
    with pytest.raises(ValueError, match="threshold"):
        sketch_texts(["a"], threshold=threshold)


def test_a_sketch_depends_on_its_text_alone():
    texts = ["", *variants(5000, 5), "x" * 100_000]
    together = sketch_texts(texts, threshold=0.8)
    for place in (0, 1, 17, 2500, 5000, 5001):
        alone = sketch_texts([texts[place]], threshold=0.8)
        assert np.array_equal(alone.keys[0], together.keys[place])
        assert np.array_equal(alone.bitmaps[0], together.bitmaps[place])
        assert alone.sizes[0] == together.sizes[place] == len(shingles(texts[place]))


def test_sketches_never_change():
    assert sketch_texts(["where is my card"], threshold=0.8).keys[0, :3].tolist() == GOLDEN


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.5, 0.8, 0.95, 1.0]))
def test_no_match_is_ruled_out(seed, threshold):
    texts = [normalise_text(text) for text in variants(30, seed)]
    sketches = sketch_texts(texts, threshold=threshold)
    places = np.indices((30, 30)).reshape(2, -1)
    may, alone = may_match(sketches, sketches, tuple(places), threshold=threshold)
    least_alone = iter(alone.tolist())
    for first, second, may_be in zip(*places.tolist(), may.tolist(), strict=True):
        one, other = shingles(texts[first]), shingles(texts[second])
        if jaccard(one, other) >= threshold:
            assert may_be
        if may_be:
            assert next(least_alone) <= len(one ^ other)


def test_what_is_far_apart_is_ruled_out():
    texts = ["where is my new card", "when does the old order come now please"]
    sketches = sketch_texts(texts, threshold=0.5)
    may, alone = may_match(sketches, sketches, (np.array([0]), np.array([1])), threshold=0.5)
    assert not may.any()
    assert not alone.size


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
def test_keys_are_shared_as_often_as_the_plan_says(threshold):
    draw = random.Random(3)
    pairs = []
    for _ in range(3000):
        text = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=60))
        changed = draw.randint(1, 30)
        pairs.append((text, text[changed:] + "".join(draw.choices("0123456789", k=changed))))
    firsts, seconds = (sketch_texts(side, threshold=threshold) for side in zip(*pairs, strict=True))
    found = (firsts.keys == seconds.keys).any(axis=1)
    similar = np.array([jaccard(shingles(one), shingles(other)) for one, other in pairs])
    expected = recall(similar, *plan_keys(threshold))
    assert found.mean() == pytest.approx(expected.mean(), abs=0.03)
    assert found[similar >= threshold].all()


def test_taking_and_joining():
    sketches = sketch_texts(variants(20, 1), threshold=0.8)
    halves = sketches.take(np.arange(8)).followed_by(sketches.take(np.arange(8, 20)))
    assert len(halves) == 20
    for name in ("keys", "bitmaps", "sizes"):
        assert np.array_equal(getattr(halves, name), getattr(sketches, name))
