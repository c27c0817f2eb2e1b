"""Pairs that share a key, against comparing the keys of every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality import buckets
from tasks.quality.buckets import Buckets, distinct_pairs, ranks

KEYS = st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), max_size=14)


def collected(portions):
    return {
        pair
        for later, earlier in portions
        for pair in zip(later.tolist(), earlier.tolist(), strict=True)
    }


@pytest.mark.parametrize("most_pairs", [3, 1 << 21])
@settings(deadline=None, max_examples=80)
@given(keys=KEYS, data=st.data())
def test_pairs_are_those_of_equal_keys(most_pairs, keys, data):
    added = data.draw(st.lists(st.booleans(), min_size=len(keys), max_size=len(keys)))
    # As with sketches: a key stands for its column too.
    own = np.array(keys, dtype=np.uint64).reshape(-1, 3) * 3 + np.arange(3, dtype=np.uint64)
    places, sharing = np.arange(len(keys)), {}
    for later in range(len(keys)):
        for earlier in range(len(keys)):
            sharing[later, earlier] = bool((own[later] == own[earlier]).any())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "MOST_PAIRS", most_pairs)
        found = Buckets(own)
        half = len(keys) // 2
        for part in (places[:half], places[half:]):
            found.add(part[np.array(added, dtype=bool)[part]])
        others = places[~np.array(added, dtype=bool)]
        with_added = collected(found.pairs(others))
        among = collected(found.pairs_among(places[half:]))
    assert with_added == {
        (place, other)
        for (place, other), share in sharing.items()
        if share and added[other] and not added[place]
    }
    assert among == {
        (later, earlier)
        for (later, earlier), share in sharing.items()
        if share and half <= earlier < later
    }


def test_a_pair_comes_once_in_a_portion():
    later, earlier = distinct_pairs(np.array([5, 1, 5, 5]), np.array([2, 2, 2, 3]))
    assert list(zip(later.tolist(), earlier.tolist(), strict=True)) == [(1, 2), (5, 2), (5, 3)]


@given(st.lists(st.integers(0, 5)))
def test_ranks_count_equals_before(codes):
    codes.sort()
    expected = [codes[:place].count(code) for place, code in enumerate(codes)]
    assert ranks(np.array(codes, dtype=np.int64)).tolist() == expected
