import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.planning.permutation import permute
from tasks.planning.streams import U64


def key(value: int) -> U64:
    return np.asarray(value, dtype=np.uint64)


SIZES = [*range(1, 70), 255, 256, 257, 1000, 1023, 1024, 1025, 4097, 65_537, 100_000]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_a_bijection(size: int) -> None:
    places = permute(np.arange(size), size=size, key=key(7))
    assert np.array_equal(np.sort(places), np.arange(size))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 3000), st.integers(0, 2**64 - 1), st.data())
def test_each_row_is_computed_alone(size: int, seed: int, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, size - 1))
    alone = permute(np.array([row]), size=size, key=key(seed))
    assert alone[0] == permute(np.arange(size), size=size, key=key(seed))[row]


@settings(deadline=None, max_examples=50)
@given(st.integers(2**40, 2**62), st.data())
def test_great_sizes_stay_in_range(size: int, data: st.DataObject) -> None:
    rows = np.array(data.draw(st.lists(st.integers(0, size - 1), max_size=8)), dtype=np.int64)
    places = permute(rows, size=size, key=key(1))
    assert places.shape == rows.shape
    assert ((places >= 0) & (places < size)).all()
    assert len(set(places.tolist())) == len(set(rows.tolist()))


def test_another_key_is_another_order() -> None:
    rows = np.arange(1000)
    one, other = (permute(rows, size=1000, key=key(seed)) for seed in (1, 2))
    assert (one == other).sum() < 20


@pytest.mark.parametrize("size", [1000, 5000])
def test_every_place_is_about_equally_likely(size: int) -> None:
    # Mean place of the first tenth of the rows, over keys: (size - 1) / 2, with a standard error
    # of size / sqrt(12 n).
    rows = np.arange(size // 10)
    places = np.concatenate([permute(rows, size=size, key=key(seed)) for seed in range(50)])
    error = size / np.sqrt(12 * places.size)
    assert abs(places.mean() - (size - 1) / 2) < 4 * error


@pytest.mark.parametrize("row", [-1, 10])
def test_a_row_out_of_range_is_refused(row: int) -> None:
    with pytest.raises(ValueError, match="rows must lie in"):
        permute(np.array([row]), size=10, key=key(0))


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (0,)])
def test_the_shape_is_kept(shape: tuple[int, ...]) -> None:
    assert permute(np.zeros(shape, dtype=np.int64), size=10, key=key(0)).shape == shape
