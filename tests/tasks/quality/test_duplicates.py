"""Who is admitted, against comparing every row with every row admitted before it."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.gates import Reason
from tasks.quality.duplicates import DuplicateCounter, Rejection, Selector, duplicate_rates
from tasks.quality.fingerprints import normalise_text
from tasks.quality.similarity import jaccard, shingles

FIRST = "where is my new card please tell me"
NEAR = "where is my new card please tell us"
NEARER = "where is my new card please tell mee"


WORDS = ("please", "Where", "when", "is", "my", "the", "new!", "old", "card", "order", "now", "?")


def variants(num, seed):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 6))) for _ in range(num)]


def slow_admit(texts, *, duplicate, near_duplicate):
    """Return (reason, similarity) of each rejected row, None of each admitted one."""
    admitted, verdicts = [], []
    for text in texts:
        copies = [normalise_text(text) == normalise_text(other) for other in admitted]
        similarities = [jaccard(shingles(text), shingles(other)) for other in admitted]
        if duplicate and any(copies):
            verdicts.append(Reason.DUPLICATE)
        elif near_duplicate is not None and max(similarities, default=0) >= near_duplicate:
            verdicts.append(Reason.NEAR_DUPLICATE)
        else:
            verdicts.append(None)
            admitted.append(text)
    return verdicts


def reasons(verdicts):
    return [verdict and verdict.reason for verdict in verdicts]


def ids_of(texts):
    return [f"row-{number}" for number in range(len(texts))]


# Sketches could miss a pair; on these fixed texts they miss none.
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("duplicate", [True, False])
@pytest.mark.parametrize("near_duplicate", [None, 0.5, 0.8, 1.0])
def test_verdicts_are_those_of_all_pairs(seed, duplicate, near_duplicate):
    texts = variants(60, seed)
    selector = Selector(duplicate=duplicate, near_duplicate=near_duplicate)
    expected = slow_admit(texts, duplicate=duplicate, near_duplicate=near_duplicate)
    assert reasons(selector.admit(ids_of(texts), texts)) == expected


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 40), max_size=5))
def test_how_the_rows_are_cut_does_not_matter(seed, cuts):
    texts = variants(40, seed)
    whole = Selector(duplicate=True, near_duplicate=0.6).admit(ids_of(texts), texts)
    selector, parts = Selector(duplicate=True, near_duplicate=0.6), []
    edges = [0, *sorted(cuts), len(texts)]
    for start, stop in pairwise(edges):
        parts += selector.admit(ids_of(texts)[start:stop], texts[start:stop])
    assert parts == whole


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 40))
def test_a_resumed_selector_decides_the_same(seed, cut):
    texts, ids = variants(40, seed), ids_of(range(40))
    whole = Selector(duplicate=True, near_duplicate=0.6).admit(ids, texts)
    kept = [place for place in range(cut) if whole[place] is None]
    selector = Selector(duplicate=True, near_duplicate=0.6)
    selector.remember([ids[place] for place in kept], [texts[place] for place in kept])
    assert selector.admit(ids[cut:], texts[cut:]) == whole[cut:]


def test_the_detail_names_the_nearest_row():
    selector = Selector(duplicate=True, near_duplicate=0.7)
    assert selector.admit(["a"], [FIRST]) == [None]
    selector.remember(["b", "c"], [NEAR, NEAR])
    similarity = jaccard(shingles(NEARER), shingles(FIRST))
    assert similarity > jaccard(shingles(NEARER), shingles(NEAR))
    assert selector.admit(["d", "e", "f"], [NEARER, FIRST.upper() + "!", NEAR]) == [
        Rejection(Reason.NEAR_DUPLICATE, f"similarity {similarity:.3f} to a, less than 0.7"),
        Rejection(Reason.DUPLICATE, "a copy of a"),
        Rejection(Reason.DUPLICATE, "a copy of b"),
    ]


def test_a_rejected_row_rejects_no_other():
    selector = Selector(duplicate=True, near_duplicate=0.8)
    chain = ["abcdefghijklmnop", "abcdefghijklmnopq", "abcdefghijklmnopqr", "abcdefghijklmnopqrst"]
    assert jaccard(shingles(chain[2]), shingles(chain[3])) > 0.8
    verdicts = selector.admit(ids_of(chain), chain)
    assert reasons(verdicts) == [None, Reason.NEAR_DUPLICATE, Reason.NEAR_DUPLICATE, None]


def test_a_copy_is_a_near_duplicate_too():
    selector = Selector(duplicate=False, near_duplicate=1.0)
    assert reasons(selector.admit(["a", "b"], ["Hi", "hi!"])) == [None, Reason.NEAR_DUPLICATE]


def test_without_gates_every_row_is_admitted():
    selector = Selector(duplicate=False, near_duplicate=None)
    assert selector.admit(["a", "b"], ["hi", "hi"]) == [None, None]


def test_ids_and_texts_must_be_as_many():
    with pytest.raises(ValueError, match="1 ids for 2 texts"):
        Selector(duplicate=True, near_duplicate=None).admit(["a"], ["x", "y"])


@pytest.mark.parametrize("seed", range(8))
def test_rates_are_those_of_all_pairs(seed):
    texts = variants(60, seed)
    exact = [
        any(normalise_text(text) == normalise_text(other) for other in texts[:place])
        for place, text in enumerate(texts)
    ]
    near = [
        any(jaccard(shingles(text), shingles(other)) >= 0.8 for other in texts[:place])
        for place, text in enumerate(texts)
    ]
    counter = DuplicateCounter(threshold=0.8)
    portions = [counter.add(texts[:25]), counter.add([]), counter.add(texts[25:])]
    assert [flag for portion in portions for flag in portion.exact.tolist()] == exact
    assert [flag for portion in portions for flag in portion.near.tolist()] == near
    assert counter.duplicate_rate == pytest.approx(sum(exact) / 60)
    assert counter.near_duplicate_rate == pytest.approx(sum(near) / 60)
    assert duplicate_rates(texts).near_duplicate_rate == counter.near_duplicate_rate


def test_no_rows_have_no_duplicates():
    assert duplicate_rates([]).duplicate_rate == duplicate_rates([]).near_duplicate_rate == 0
