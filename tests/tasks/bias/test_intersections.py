import numpy as np

from tasks.bias.intersections import intersections
from tasks.bias.mentions import Mentions

COLUMNS = (("x", "a"), ("x", "b"), ("y", "c"), ("y", "d"))


def test_pairs_of_two_axes_are_counted_and_tested() -> None:
    random = np.random.default_rng(0)
    mentions = Mentions(COLUMNS, random.random((2000, 4)) < [0.3, 0.2, 0.2, 0.02])
    values = random.integers(-1, 3, 2000)
    found = intersections(mentions, values=values, num_values=3)
    assert found.pairs.tolist() == [[0, 2], [1, 2]]
    assert found.scarce == 2
    for place, (first, second) in enumerate(found.pairs.tolist()):
        both = mentions.rows[:, first] & mentions.rows[:, second]
        assert found.rows[place] == both.sum()
        for value in range(3):
            assert found.associations.joint[value, place] == (both & (values == value)).sum()
    assert found.associations.n == (values >= 0).sum()
    assert found.associations.value_rows.tolist() == [(values == v).sum() for v in range(3)]


def test_no_rows() -> None:
    none = np.zeros(0, dtype=np.int64)
    found = intersections(
        Mentions(COLUMNS, np.zeros((0, 4), dtype=np.bool_)), values=none, num_values=0
    )
    assert (found.pairs.shape, found.scarce) == ((0, 2), 0)
    assert found.associations.p_value.shape == (0, 0)
