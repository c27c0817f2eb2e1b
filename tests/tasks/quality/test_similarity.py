"""Character 5-grams and their Jaccard similarity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.similarity import jaccard, shingles

SETS = st.frozensets(st.sampled_from("abcdef"), min_size=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {""}),
        ("?!", {""}),
        ("Hi!", {"hi"}),
        ("abcde", {"abcde"}),
        ("Ab, cde", {"ab cd", "b cde"}),
        ("aaaaaaaa", {"aaaaa"}),
    ],
)
def test_shingles(text, expected):
    assert shingles(text) == expected


@given(SETS, SETS)
def test_jaccard_is_its_definition(first, second):
    assert jaccard(first, second) == len(first & second) / len(first | second)
    assert jaccard(first, second) == jaccard(second, first)
    assert jaccard(first, first) == 1
