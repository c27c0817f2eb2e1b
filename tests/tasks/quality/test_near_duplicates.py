"""The index finds no false match, few misses, and the same however rows and blocks are cut."""

import json
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality import near_duplicates
from tasks.quality.clusters import near_duplicate_clusters
from tasks.quality.duplicates import DuplicateCounter, Selector
from tasks.quality.fingerprints import normalise_text
from tasks.quality.near_duplicates import NearDuplicateIndex, pair_similarities
from tasks.quality.similarity import jaccard, shingles
from tasks.quality.sketches import LEAST_RECALL

CLINC = Path(__file__).resolve().parents[3] / "../shared/data/clinc150/data_full.json"
WORDS = ("please", "where", "when", "is", "my", "the", "new", "old", "card", "order", "now")


def variants(num, seed, most=7):
    """Return utterances of a small vocabulary: many pairs are alike, some are equal."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, most))) for _ in range(num)]


class KeepsAll:
    """Keeps every row, and notes every match."""

    def __init__(self):
        self.matches = {}

    def worth(self, later, earlier):
        return np.ones(later.shape, dtype=bool)

    def found(self, matches):
        pairs = zip(matches.later.tolist(), matches.earlier.tolist(), strict=True)
        values = zip(matches.similarities.tolist(), matches.copies.tolist(), strict=True)
        self.matches |= dict(zip(pairs, values, strict=True))

    def keep(self, rows):
        return np.ones(len(rows), dtype=bool)


def all_matches(texts, threshold, cuts=()):
    index, judge = NearDuplicateIndex(threshold=threshold), KeepsAll()
    edges = [0, *sorted(cuts), len(texts)]
    normals = [normalise_text(text) for text in texts]
    for start, stop in pairwise(edges):
        index.search(normals[start:stop], [""] * (stop - start), judge)
    assert len(index) == len(texts)
    return judge.matches


def slow_matches(texts, threshold):
    sets = [shingles(text) for text in texts]
    normals = [normalise_text(text) for text in texts]
    return {
        (later, earlier): (pytest.approx(value), normals[later] == normals[earlier])
        for later in range(len(texts))
        for earlier in range(later)
        if (value := jaccard(sets[later], sets[earlier])) >= threshold and value > 0
    }


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few rows: what is large elsewhere goes through the database here."""
    monkeypatch.setattr(near_duplicates, "LEAST_BLOCK", 8)
    monkeypatch.setattr(near_duplicates, "MOST_BLOCK", 16)
    monkeypatch.setattr(near_duplicates, "_PART", 4)


# Sketches could miss a pair; of these fixed texts they miss none.
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
def test_matches_are_those_of_all_pairs(seed, threshold):
    texts = variants(80, seed)
    assert all_matches(texts, threshold) == slow_matches(texts, threshold)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_matches_on_disk_are_those_of_all_pairs(threshold):
    texts = variants(120, 9)
    assert all_matches(texts, threshold, cuts=[5, 5, 60]) == slow_matches(texts, threshold)


@pytest.mark.usefixtures("small_blocks")
@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), max_size=5))
def test_how_rows_and_blocks_are_cut_does_not_matter(seed, cuts):
    texts, ids = variants(60, seed), [f"row-{number}" for number in range(60)]
    edges = [0, *sorted(cuts), 60]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "LEAST_BLOCK", 1 << 15)
        patch.setattr(near_duplicates, "MOST_BLOCK", 1 << 18)
        patch.setattr(near_duplicates, "_PART", 512)
        whole = Selector(duplicate=True, near_duplicate=0.7).admit(ids, texts)
        counted = DuplicateCounter(threshold=0.7).add(texts)
        groups = near_duplicate_clusters(texts, 0.7)
    selector, counter = (
        Selector(duplicate=True, near_duplicate=0.7),
        DuplicateCounter(threshold=0.7),
    )
    verdicts, exact, near = [], [], []
    for start, stop in pairwise(edges):
        verdicts += selector.admit(ids[start:stop], texts[start:stop])
        copies = counter.add(texts[start:stop])
        exact += copies.exact.tolist()
        near += copies.near.tolist()
    assert verdicts == whole
    assert (exact, near) == (counted.exact.tolist(), counted.near.tolist())
    assert near_duplicate_clusters(texts, 0.7).tolist() == groups.tolist()


@pytest.mark.usefixtures("small_blocks")
def test_rows_remembered_on_disk_are_named():
    texts = [f"{word} {other} {third}" for word in WORDS for other in WORDS[:4] for third in "abc"]
    ids = [f"row-{number}" for number in range(len(texts))]
    selector = Selector(duplicate=True, near_duplicate=None)
    selector.remember(ids, texts)
    details = [each.detail for each in selector.admit(["x"] * len(texts), texts)]
    assert details == [f"a copy of {name}" for name in ids]


@pytest.mark.usefixtures("small_blocks")
def test_the_folder_is_left_as_it_was(tmp_path):
    selector = Selector(duplicate=True, near_duplicate=0.8, folder=tmp_path)
    selector.admit([""] * 200, variants(200, 1, most=30))
    assert len(list(tmp_path.iterdir())) == 1
    del selector
    assert not list(tmp_path.iterdir())


def test_one_block_touches_no_disk(tmp_path):
    selector = Selector(duplicate=True, near_duplicate=0.8, folder=tmp_path)
    selector.admit([""] * 200, variants(200, 1))
    assert not list(tmp_path.iterdir())


def test_blocks_grow_with_the_corpus():
    index = NearDuplicateIndex(threshold=1.0)
    assert index.block == near_duplicates.LEAST_BLOCK
    index._num_rows = 40 * near_duplicates.LEAST_BLOCK
    assert index.block == 40 * near_duplicates.LEAST_BLOCK // 16
    index._num_rows = 1 << 40
    assert index.block == near_duplicates.MOST_BLOCK


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[st.text("ab é", max_size=12)] * 2), max_size=8))
def test_similarities_are_those_of_the_sets(pairs):
    lefts, rights = ([normalise_text(pair[side]) for pair in pairs] for side in (0, 1))
    expected = [jaccard(shingles(a), shingles(b)) for a, b in zip(lefts, rights, strict=True)]
    assert pair_similarities(lefts, rights).tolist() == pytest.approx(expected)


def test_very_long_texts_are_compared_in_portions():
    base = "".join(random.Random(1).choices("abcdefgh ", k=100_000))
    texts = [f"{base} {number}" for number in range(12)]
    selector = Selector(duplicate=True, near_duplicate=0.8)
    rejected = selector.admit([str(number) for number in range(12)], texts)
    assert [verdict is not None for verdict in rejected] == [False] + [True] * 11


def test_many_rows_of_one_template():
    """All share keys with all, few are alike: the verdicts are still those of all pairs."""
    draw = random.Random(2)
    names = ["".join(draw.choices("bdfgaeiou", k=7)) for _ in range(200)]
    texts = [
        f"please send my {draw.choice(names)} to {draw.choice(names)} street by noon today"
        for _ in range(900)
    ]
    verdicts = Selector(duplicate=True, near_duplicate=0.8).admit([""] * 900, texts)
    sets = [shingles(text) for text in texts]
    kept = []
    for own, verdict in zip(sets, verdicts, strict=True):
        similar = any(len(own & other) / len(own | other) >= 0.8 for other in kept)
        assert (verdict is not None) == similar
        if verdict is None:
            kept.append(own)
    assert len(kept) > 800


@pytest.mark.shared
@pytest.mark.parametrize("threshold", [0.6, 0.8])
def test_recall_on_real_utterances(threshold):
    if not CLINC.exists():
        pytest.skip("clinc150 is not beside the repository")
    texts = [text for text, _ in json.loads(CLINC.read_text())["train"]][:5000]
    sets = [shingles(text) for text in texts]
    holders, true = {}, set()
    for place, own in enumerate(sets):
        shared = {}
        for shingle in own:
            for other in holders.setdefault(shingle, []):
                shared[other] = shared.get(other, 0) + 1
            holders[shingle].append(place)
        true |= {
            (place, other)
            for other, count in shared.items()
            if count / (len(own) + len(sets[other]) - count) >= threshold
        }
    found = set(all_matches(texts, threshold))
    assert len(true) > 100
    assert found <= true
    assert len(found) >= LEAST_RECALL * len(true)
