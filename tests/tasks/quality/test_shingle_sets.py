"""Hashed shingles against the sets of strings that they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.shingle_sets import blocks_of, hash_shingles, similarities
from tasks.quality.similarity import jaccard, shingles_of_normal

NORMALS = st.lists(st.text("ab é", max_size=14), min_size=1, max_size=8)


@given(NORMALS)
@settings(deadline=None)
def test_sets_have_the_sizes_and_similarities_of_their_strings(normals):
    sets = hash_shingles(normals)
    strings = [shingles_of_normal(normal) for normal in normals]
    assert sets.sizes.tolist() == [len(shingles) for shingles in strings]
    lefts, rights = (ends.ravel() for ends in np.indices((len(normals), len(normals))))
    expected = [jaccard(strings[i], strings[j]) for i, j in zip(lefts, rights, strict=True)]
    assert similarities(sets, lefts, rights) == pytest.approx(expected)


@given(NORMALS)
@settings(deadline=None)
def test_a_set_is_a_function_of_its_text_alone(normals):
    together = hash_shingles(normals)
    for place, normal in enumerate(normals):
        begin, end = together.offsets[place : place + 2]
        alone = hash_shingles([normal])
        assert together.hashes[begin:end].tolist() == alone.hashes.tolist()


def test_different_shingles_have_different_hashes():
    numbers = [f"{number:05d}" for number in range(100_000)]
    assert len(np.unique(hash_shingles(numbers).hashes)) == 100_000


@given(NORMALS, st.integers(1, 60))
@settings(deadline=None)
def test_blocks_hold_every_text_once_in_order(normals, characters):
    blocks = list(blocks_of(normals, characters=characters))
    assert [text for _, block in blocks for text in block] == normals
    for first, block in blocks:
        assert normals[first : first + len(block)] == list(block)
        assert sum(len(text) + 5 for text in block[:-1]) < characters


def test_no_texts_have_no_sets_and_too_many_are_refused():
    sets = hash_shingles([])
    none = np.zeros(0, dtype=np.int64)
    assert sets.sizes.shape == similarities(sets, none, none).shape == (0,)
    assert list(blocks_of([], characters=5)) == []
    with pytest.raises(ValueError, match="more than 1048576"):
        hash_shingles([""] * (2**20 + 1))
