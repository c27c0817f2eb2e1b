import pytest

from tasks.generation.padding import PAD_MULTIPLE, padded_width


@pytest.mark.parametrize(
    ("lengths", "most", "expected"),
    [
        ([5, 5], None, 5),
        ([5, 3], None, 8),
        ([8, 3], None, 8),
        ([9, 3], None, 16),
        ([9, 3], 12, 12),
        ([9, 3], 9, 9),
        ([9, 3], 5, 9),
    ],
)
def test_ragged_prompts_are_padded_to_the_next_multiple_that_fits(lengths, most, expected):
    assert PAD_MULTIPLE == 8
    assert padded_width(lengths, most=most) == expected
