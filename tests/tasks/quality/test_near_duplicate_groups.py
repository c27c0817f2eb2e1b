"""Groups of near duplicates against comparing all pairs exactly."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tasks.quality.clusters import near_duplicate_clusters
from tasks.quality.fingerprints import normalise_text
from tasks.quality.near_duplicate_groups import (
    LEAST_RECALL,
    MOST_PERMUTATIONS,
    WINDOW,
    bands_for,
    group_near_duplicates,
)
from tasks.quality.similarity import jaccard, shingles_of_normal

WORDS = ("please", "where", "when", "is", "my", "the", "new", "old", "card", "order", "now", "")


def near_pairs(normals, threshold):
    """All pairs of rows whose sets of shingles, as strings, are alike enough."""
    code_of = {}
    sets = [shingles_of_normal(normal) for normal in normals]
    codes = [code_of.setdefault(shingle, len(code_of)) for held in sets for shingle in held]
    sizes = np.array([len(held) for held in sets])
    rows = np.repeat(np.arange(len(normals)), sizes)
    held = csr_array((np.ones(len(codes), dtype=np.int32), (rows, codes)))
    shared = (held @ held.T).tocoo()
    alike = shared.data / (sizes[shared.row] + sizes[shared.col] - shared.data)
    near = (alike >= threshold) & (shared.row < shared.col)
    return np.stack([shared.row[near], shared.col[near]], axis=1)


def slow_firsts(normals, threshold):
    pairs = near_pairs(normals, threshold)
    graph = csr_array((np.ones(len(pairs)), pairs.T), shape=(len(normals),) * 2)
    groups = connected_components(graph, directed=False)[1].tolist()
    return [groups.index(group) for group in groups]


def variants(num, seed):
    draw = random.Random(seed)
    return [normalise_text(" ".join(draw.choices(WORDS, k=draw.randint(0, 7)))) for _ in range(num)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
def test_groups_are_those_of_all_pairs(seed, threshold):
    normals = variants(120, seed)
    found = group_near_duplicates(normals, threshold=threshold)
    assert found.groups.firsts.tolist() == slow_firsts(normals, threshold)
    assert found.groups.firsts.tolist() == near_duplicate_clusters(normals, threshold).tolist()


@given(st.lists(st.text("ab ", max_size=12), max_size=14), st.randoms())
@settings(deadline=None, max_examples=50)
def test_links_are_near_and_rows_may_come_in_any_order(normals, draw):
    found = group_near_duplicates(normals, threshold=0.6)
    for (row, other), similarity in zip(found.links, found.similarities, strict=True):
        exact = jaccard(shingles_of_normal(normals[row]), shingles_of_normal(normals[other]))
        assert similarity == pytest.approx(exact)
        assert similarity >= 0.6
        assert row < other
        assert found.groups.firsts[row] == found.groups.firsts[other]
    order = draw.sample(range(len(normals)), len(normals))
    turned = group_near_duplicates([normals[row] for row in order], threshold=0.6)
    together = {frozenset(np.flatnonzero(found.groups.firsts == f)) for f in found.groups.firsts}
    again = {
        frozenset(np.array(order)[turned.groups.firsts == first]) for first in turned.groups.firsts
    }
    assert again == together


def test_links_connect_their_groups():
    normals = variants(200, 9)
    found = group_near_duplicates(normals, threshold=0.5)
    copies = [[normals.index(normal), row] for row, normal in enumerate(normals)]
    pairs = np.concatenate([found.links, copies])
    graph = csr_array((np.ones(len(pairs)), pairs.T), shape=(200, 200))
    assert connected_components(graph, directed=False)[0] == 200 - found.groups.num_repeats


def test_rows_from_one_template_are_one_group_though_each_meets_few():
    names = [f"{a}{b}" for a in "bcdfghjklm" for b in "bcdfghjklmnp"]
    normals = [f"please tell me when the card that i ordered last week {n} comes" for n in names]
    assert len(normals) > 5 * WINDOW
    found = group_near_duplicates(normals, threshold=0.8)
    assert found.groups.num_repeats == len(normals) - 1


def test_texts_of_any_length():
    draw = random.Random(5)
    long = "".join(draw.choices("abcdefgh ", k=100_000))
    normals = ["a" * 100_000, long, "", long[:90_000] + "z", "", "ab", "ab c"]
    found = group_near_duplicates(normals, threshold=0.8)
    assert found.groups.firsts.tolist() == [0, 1, 2, 1, 2, 5, 6]


def test_few_rows():
    assert group_near_duplicates([], threshold=0.8).groups.firsts.shape == (0,)
    assert group_near_duplicates(["one"], threshold=0.8).groups.firsts.tolist() == [0]
    assert group_near_duplicates([""] * 9, threshold=0.8).groups.num_repeats == 8


@given(st.floats(0.1, 1))
@settings(deadline=None)
def test_bands_find_enough_with_the_longest_values(threshold):
    def recall(bands, width):
        return 1 - (1 - threshold**width) ** bands

    bands, width = bands_for(threshold)
    assert bands * width <= MOST_PERMUTATIONS
    assert recall(bands, width) >= LEAST_RECALL - 1e-12
    longer = width + 1
    assert longer > MOST_PERMUTATIONS or recall(MOST_PERMUTATIONS // longer, longer) < LEAST_RECALL


def test_bands_by_hand():
    assert bands_for(0.8) == (18, 5)
    assert bands_for(1) == (1, 128)


@pytest.mark.parametrize("threshold", [0.09, 1.1, float("nan")])
def test_a_threshold_is_a_similarity(threshold):
    with pytest.raises(ValueError, match="threshold"):
        group_near_duplicates(["a"], threshold=threshold)


def edited(text, draw):
    """Change one to three characters."""
    for _ in range(draw.randint(1, 3)):
        place = draw.randrange(len(text))
        text = text[:place] + draw.choice(["", "x", text[place] + "q"]) + text[place + 1 :]
    return text


@pytest.mark.shared
@pytest.mark.parametrize("threshold", [0.6, 0.8])
def test_planted_edits_of_real_questions_are_found(shared, threshold):
    data = json.loads((shared / "data/clinc150/data_full.json").read_text("utf-8"))
    draw = random.Random(11)
    texts = draw.sample([row[0] for rows in data.values() for row in rows], 1400)
    texts += [edited(text, draw) for text in texts[:600]]
    normals = [normalise_text(text) for text in texts]
    pairs = near_pairs(normals, threshold)
    firsts = group_near_duplicates(normals, threshold=threshold).groups.firsts
    assert len(pairs) > 100
    assert (firsts[pairs[:, 0]] == firsts[pairs[:, 1]]).mean() >= 0.99
    # Links are exact, so no group is greater than the one that all pairs give.
    slow = np.array(slow_firsts(normals, threshold))
    assert (slow[firsts] == slow).all()


@pytest.mark.shared
def test_near_duplicates_of_a_real_synthetic_set(shared):
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text("utf-8"))
    normals = [normalise_text(row["text"]) for row in rows]
    found = group_near_duplicates(normals, threshold=0.8)
    assert found.groups.num_repeats == np.count_nonzero(
        near_duplicate_clusters(normals, 0.8) != np.arange(len(normals))
    )
