"""The index finds no false match, few misses, and the same in any order of insertion."""

import json
import random
from math import comb
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.fingerprints import normalise_text
from tasks.quality.near_duplicates import (
    LEAST_RECALL,
    NUM_PERMUTATIONS,
    NearDuplicateIndex,
    least_agreement,
    num_bands,
    sketch_texts,
)
from tasks.quality.similarity import jaccard, shingles

CLINC = Path(__file__).resolve().parents[3] / "../shared/data/clinc150/data_full.json"


@pytest.mark.parametrize(
    ("threshold", "bands"), [(1, 1), (0.95, 8), (0.8, 32), (0.5, 64), (0, 128)]
)
def test_bands_by_hand(threshold, bands):
    assert num_bands(threshold) == bands


@given(st.floats(0.04, 1))
def test_the_fewest_bands_that_find_enough(threshold):
    def recall(bands):
        return 1 - (1 - threshold ** (NUM_PERMUTATIONS / bands)) ** bands

    bands = num_bands(threshold)
    assert NUM_PERMUTATIONS % bands == 0
    assert recall(bands) >= LEAST_RECALL
    assert bands == 1 or recall(bands // 2) < LEAST_RECALL


@given(st.floats(0, 1))
def test_signatures_lose_few_pairs(threshold):
    least = least_agreement(threshold)
    lost = sum(
        comb(NUM_PERMUTATIONS, k) * threshold**k * (1 - threshold) ** (NUM_PERMUTATIONS - k)
        for k in range(least)
    )
    assert lost < 0.001


def test_signatures_tell_far_pairs_apart():
    assert least_agreement(1) == NUM_PERMUTATIONS
    assert least_agreement(0.8) == 84
    assert least_agreement(0) == 0


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_a_fraction(threshold):
    with pytest.raises(ValueError, match="threshold"):
        NearDuplicateIndex(threshold=threshold)


def sketches(texts):
    return list(sketch_texts(map(normalise_text, texts)))


WORDS = ("please", "where", "when", "is", "my", "the", "new", "old", "card", "order", "now")


def variants(num, seed):
    """Return utterances of a small vocabulary: many pairs are alike, some are equal."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 7))) for _ in range(num)]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_every_match_is_true_and_the_nearest_is_named(seed, threshold):
    texts = variants(40, seed)
    index = NearDuplicateIndex(threshold=threshold)
    for place, sketch in enumerate(sketches(texts)):
        found = index.nearest(sketch)
        exact = [jaccard(shingles(texts[place]), shingles(text)) for text in texts[:place]]
        if found is not None:
            key, similarity = found
            assert similarity == exact[key] >= threshold
            assert key == exact.index(similarity)
        if exact and max(exact) == 1:
            assert found == (exact.index(1), 1)
        assert index.insert(sketch) == place


def test_a_sketch_depends_on_its_text_alone():
    texts = variants(2100, 5)
    alone = [sketches([text])[0] for text in texts[:5] + texts[1022:1027] + texts[-5:]]
    together = sketches(texts)
    for one, other in zip(alone, together[:5] + together[1022:1027] + together[-5:], strict=True):
        assert one.normal == other.normal
        assert one.minhash.digest() == other.minhash.digest()


def test_sketches_never_change():
    assert sketches(["where is my card"])[0].minhash.digest()[:3] == GOLDEN


def measure_recall(texts, threshold):
    """Return the number of true pairs, and of those of them that are candidates of the index."""
    holders = {}
    sets = [shingles(text) for text in texts]
    index = NearDuplicateIndex(threshold=threshold)
    num_true = num_found = 0
    for place, sketch in enumerate(sketches(texts)):
        shared = {}
        for shingle in sets[place]:
            for other in holders.setdefault(shingle, []):
                shared[other] = shared.get(other, 0) + 1
            holders[shingle].append(place)
        sizes = len(sets[place])
        true = {
            other
            for other, count in shared.items()
            if count / (sizes + len(sets[other]) - count) >= threshold
        }
        found = {key for key in index.candidates(sketch) if index.matches(sketch, key)}
        assert found <= true
        num_true += len(true)
        num_found += len(found)
        index.insert(sketch)
    return num_true, num_found


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_recall(threshold):
    num_true, num_found = measure_recall(variants(1000, 1), threshold)
    assert num_true > 500
    assert num_found >= LEAST_RECALL * num_true


@pytest.mark.shared
@pytest.mark.parametrize("threshold", [0.6, 0.8])
def test_recall_on_real_utterances(threshold):
    if not CLINC.exists():
        pytest.skip("clinc150 is not beside the repository")
    texts = [text for text, _ in json.loads(CLINC.read_text())["train"]][:5000]
    num_true, num_found = measure_recall(texts, threshold)
    assert num_true > 100
    assert num_found >= LEAST_RECALL * num_true


GOLDEN = [3305765231, 3490573782, 3228800845]
