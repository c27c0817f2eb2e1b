"""Joining many pairs at once against joining them one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.disjoint_sets import DisjointSets

PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=8)


@given(st.lists(PAIRS, max_size=4))
@settings(deadline=None)
def test_sets_are_those_of_joining_one_by_one(rounds):
    sets, slow = DisjointSets(12), list(range(12))
    for pairs in rounds:
        for a, b in pairs:
            least, other = sorted((slow[a], slow[b]))
            slow = [least if root == other else root for root in slow]
        ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        sets.join(ends[:, 0], ends[:, 1])
        assert sets.roots(np.arange(12)).tolist() == slow


def test_no_members_have_no_roots():
    assert DisjointSets(0).roots(np.zeros(0, dtype=np.int64)).shape == (0,)
