from collections.abc import Sequence

import numpy as np
import pytest

from tasks.bias.counterfactual import classifier_change, likelihood_change, swap_rows

GENDERED = frozenset({"he", "she", "his", "her", "him", "hers", "mum", "king", "queen"})
TEXTS = ["She left", "he stayed", "It rains", "", "His queen", "her mum", "the king"]


def leaning(texts: Sequence[str]) -> np.ndarray:
    female = np.array([0.3 * ("she" in text.lower().split()) for text in texts])
    return np.stack([0.6 - female, 0.4 + female], axis=1)


def test_rows_that_can_be_swapped() -> None:
    rows = swap_rows(TEXTS, gendered=GENDERED)
    assert rows.places == (0, 1, 4, 6)
    assert rows.swapped == ("He left", "she stayed", "Her king", "the queen")
    assert rows.sides.tolist() == [1, -1, 0, -1]
    assert rows.left_out == 1
    assert rows.versions() == (
        ["She left", "she stayed", "the queen"],
        ["He left", "he stayed", "the king"],
    )


def test_a_classifier_that_leans() -> None:
    change = classifier_change(swap_rows(TEXTS, gendered=GENDERED), leaning)
    assert change.changes == pytest.approx([0.3, 0.3, 0, 0])
    assert change.flipped.tolist() == [True, True, False, False]
    assert change.towards_female == pytest.approx(np.array([[-0.3, 0.3], [-0.3, 0.3], [0, 0]]))


def test_a_classifier_that_does_not_look() -> None:
    change = classifier_change(
        swap_rows(TEXTS, gendered=GENDERED), lambda texts: np.full((len(texts), 3), 1 / 3)
    )
    assert not change.changes.any()
    assert not change.flipped.any()


def test_a_scorer_that_expects_women() -> None:
    rows = swap_rows(TEXTS, gendered=GENDERED)
    change = likelihood_change(rows, lambda pairs: [float("She" in t) - 9 for _, t in pairs])
    assert change.tolist() == [1, 0, 0]
    too_long = likelihood_change(
        rows, lambda pairs: [-np.inf if "king" in text else -1.0 for _, text in pairs]
    )
    assert too_long.tolist() == [0, 0]


def test_nothing_to_swap() -> None:
    rows = swap_rows(["It rains"], gendered=GENDERED)
    assert (rows.places, rows.sides.shape) == ((), (0,))
    assert likelihood_change(rows, lambda pairs: [0.0 for _ in pairs]).size == 0
