import warnings
from collections import Counter
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = st.sampled_from("abcd")


@pytest.fixture(scope="module")
def custom() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tasks.expectations import custom
    return custom


@settings(deadline=None, max_examples=100)
@given(
    values=st.lists(WORDS, min_size=1), weights=st.lists(st.integers(1, 9), min_size=4, max_size=4)
)
def test_agreement_is_the_overlap_of_two_distributions(
    values: list[str], weights: list[int], custom: ModuleType
) -> None:
    shares = {word: weight / sum(weights) for word, weight in zip("abcd", weights, strict=True)}
    overlap = sum(min(values.count(word) / len(values), shares[word]) for word in "abcd")
    assert custom.share_agreement(Counter(values), shares) == pytest.approx(overlap, abs=1e-9)


def test_agreement_at_its_ends(custom: ModuleType) -> None:
    thirds = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}
    assert custom.share_agreement({"a": 7, "b": 7, "c": 7}, thirds) == 1.0
    assert custom.share_agreement({"z": 3}, thirds) == 0.0
    assert custom.share_agreement({}, thirds) is None


@settings(deadline=None, max_examples=100)
@given(found=st.lists(WORDS), wanted=st.lists(WORDS))
def test_misplaced_rows_are_those_of_the_multiset_difference(
    found: list[str], wanted: list[str], custom: ModuleType
) -> None:
    have, want = Counter(found), Counter(wanted)
    assert custom.misplaced_rows(have, want) == ((have - want) + (want - have)).total()
