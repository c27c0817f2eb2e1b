import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.sorted_values import distinct_values


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.int32])
@given(values=st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 3)))
def test_values_are_those_of_a_set(kind: type, values: list[int]) -> None:
    found = distinct_values(np.array(values, dtype=kind))
    assert found.dtype == kind
    assert found.tolist() == sorted(set(values))
