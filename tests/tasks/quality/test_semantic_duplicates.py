"""Nearest neighbours against looking at every pair, and the false ones among real questions."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.quality.fingerprints import normalise_text
from tasks.quality.semantic_duplicates import SIMILARITY, nearest_by_vectors, nearest_by_words

VECTORS = st.integers(1, 4).flatmap(
    lambda d: arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.just(d)),
        elements=st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]),
    )
)


@given(VECTORS)
@settings(deadline=None)
def test_neighbours_are_the_best_of_all_pairs(vectors):
    found = nearest_by_vectors(vectors)
    for row, own in enumerate(vectors):
        cosines = [
            float(own @ other / np.linalg.norm(own) / np.linalg.norm(other))
            if place != row and own.any() and other.any()
            else 0.0
            for place, other in enumerate(vectors)
        ]
        best = max(*cosines, 0.0)
        assert found.similarities[row] == pytest.approx(best, abs=1e-5)
        if best > 1e-3:
            assert cosines[found.places[row]] == pytest.approx(best, abs=1e-5)
    assert ((found.places < 0) == (found.similarities == 0)).all()


def test_neighbours_lie_in_other_blocks_too():
    vectors = np.random.default_rng(3).normal(size=(1300, 16)).astype(np.float32)
    vectors[1290] = 2 * vectors[7]
    found = nearest_by_vectors(vectors)
    assert found.places[[7, 1290]].tolist() == [1290, 7]
    assert found.similarities[[7, 1290]] == pytest.approx([1, 1])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    products = units @ units.T - 2 * np.eye(1300)
    assert found.similarities == pytest.approx(products.max(axis=1), abs=1e-5)


FILLER = [f"word{a} other{b} thing{a * b}" for a in range(12) for b in range(12)]


def test_words_in_another_order_are_alike_and_slots_are_not():
    texts = ["when does the bus to oslo leave", "the bus to oslo when does leave"]
    slots = ["when does the bus to rome leave", "when does the bus to bonn leave"]
    found = nearest_by_words(texts + slots + FILLER)
    assert found.places[[0, 1]].tolist() == [1, 0]
    assert found.similarities[[0, 1]] == pytest.approx([1, 1], abs=1e-5)
    assert (found.similarities[[2, 3]] < SIMILARITY).all()


def test_texts_without_words_have_no_neighbour():
    found = nearest_by_words(["", "a card", "", "a card"])
    assert found.places.tolist() == [-1, 3, -1, 1]
    assert found.similarities == pytest.approx([0, 1, 0, 1])
    assert nearest_by_words(["", ""]).places.tolist() == [-1, -1]
    assert nearest_by_words(["alone"]).places.tolist() == [-1]
    assert nearest_by_words([]).places.shape == (0,)


def test_similarities_do_not_depend_on_the_order():
    order = random.Random(2).sample(range(len(FILLER)), len(FILLER))
    forward = nearest_by_words(FILLER)
    turned = nearest_by_words([FILLER[place] for place in order])
    assert turned.similarities == pytest.approx(forward.similarities[order], abs=1e-5)


@pytest.mark.shared
def test_few_real_questions_are_paired_across_intents(shared):
    data = json.loads((shared / "data/clinc150/data_full.json").read_text("utf-8"))
    rows = [row for name in ("train", "val") for row in data[name]]
    rows = random.Random(1).sample(rows, 6000)
    found = nearest_by_words([normalise_text(text) for text, _ in rows])
    alike = np.flatnonzero(found.similarities >= SIMILARITY)
    labels = np.array([label for _, label in rows])
    crossing = labels[alike] != labels[found.places[alike]]
    assert len(alike) > 50
    assert crossing.mean() < 0.03
