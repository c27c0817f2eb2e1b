"""Groups of near duplicates against joining every pair until nothing changes."""

import random

import numpy as np
import pytest

from tasks.quality.clusters import near_duplicate_clusters
from tasks.quality.fingerprints import normalise_text
from tasks.quality.similarity import jaccard, shingles

WORDS = ("please", "Where", "when", "is", "my", "the", "new!", "old", "card", "order", "now", "?")


def variants(num, seed):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 7))) for _ in range(num)]


def slow_clusters(texts, threshold):
    groups = list(range(len(texts)))
    changed = True
    while changed:
        changed = False
        for i in range(len(texts)):
            for j in range(i):
                alike = jaccard(shingles(texts[i]), shingles(texts[j])) >= threshold
                if alike and groups[i] != groups[j]:
                    groups[i] = groups[j] = min(groups[i], groups[j])
                    changed = True
    return groups


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_groups_are_those_of_all_pairs(seed, threshold):
    texts = variants(60, seed)
    clusters = near_duplicate_clusters(texts, threshold)
    assert clusters.dtype == np.int64
    assert clusters.tolist() == slow_clusters(texts, threshold)


def test_a_chain_is_one_group():
    texts = ["abcdefghijklmnop", "nothing alike", "abcdefghijklmnopqrst", "abcdefghijklmnopqr"]
    assert jaccard(shingles(texts[0]), shingles(texts[2])) < 0.8
    assert near_duplicate_clusters(texts, 0.8).tolist() == [0, 1, 0, 0]


def test_copies_share_a_group():
    texts = ["Hi!", "hi", "bye", "HI", ""]
    assert near_duplicate_clusters(texts, 1.0).tolist() == [0, 0, 2, 0, 4]
    assert len({normalise_text(text) for text in texts}) == 3


def test_no_rows_have_no_groups():
    assert near_duplicate_clusters([], 0.8).shape == (0,)
