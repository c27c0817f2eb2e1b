from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as law
from hypothesis import strategies as st

from schemas.recipe import Recipe
from tasks.report.strategies import common_size

SIZES = st.lists(st.integers(0, 3000), max_size=8)


@given(SIZES, st.integers(1, 2000), st.integers(1, 50))
@law(deadline=None, max_examples=200)
def test_the_common_size_is_one_that_every_measured_sample_has(
    sizes: list[int], most: int, fewest: int
) -> None:
    size = common_size(sizes, most=max(most, fewest), fewest=fewest)
    if max(sizes, default=0) < fewest:
        assert size == 0
        return
    largest = min(max(sizes), max(most, fewest))
    measured = [given for given in sizes if given >= size]
    assert fewest <= size <= largest
    assert size in {*sizes, max(most, fewest)}
    # Who is left out has too little, or less than a tenth of the largest.
    assert all(given < max(fewest, largest / 10) for given in sizes if given not in measured)


def test_entries_of_the_same_kind_are_told_apart(
    release: Callable[..., Any], row: Callable[..., Any], recipe: Callable[..., Recipe]
) -> None:
    two = [{"kind": "nucleus", "top_p": 0.5}, {"kind": "nucleus", "top_p": 0.5}]
    rows = [row(n, place=n % 2, text="one more text" + n % 2 * " here") for n in range(40)]
    first, second = release(recipe=recipe(strategies=two), accepted=rows).findings().strategies
    assert (first.kind, first.settings) == (second.kind, second.settings)
    assert (first.accepted, second.accepted) == (20, 20)
    assert first.mean_words.value == 3
    assert second.mean_words.value == 4


def test_agreement_is_each_strategys_own(
    release: Callable[..., Any], row: Callable[..., Any]
) -> None:
    def text(n: int) -> dict[str, Any]:
        label = "ab"[n // 2 % 2]
        # One strategy writes what its labels say; the other writes the same for both.
        says = label if n % 2 else "nothing"
        made: dict[str, Any] = row(
            n,
            label=label,
            strategy="nucleus" if n % 2 else "typical",
            text=f"this is what {says} says: {says}, the {n}th time",
        )
        return made

    found = release(accepted=[text(n) for n in range(200)]).findings()
    nucleus, typical = found.strategies
    assert (nucleus.agreement.value, nucleus.agreement.n) == (1, 100)
    assert typical.agreement.n == 100
    assert typical.agreement.value < 0.7
    assert found.comparison.agreement_texts == 200
    assert found.comparison.agreement_chance == 0.5
    assert found.comparison.agreement_obstacle is None


def test_agreement_asks_for_the_label_and_the_text_before_noise(
    release: Callable[..., Any], row: Callable[..., Any]
) -> None:
    rows = [
        row(n, label="ba"[n % 2], clean_label="ab"[n % 2], clean_text=f"{n} says {'ab'[n % 2]}")
        | {"text": "noise"}
        for n in range(20)
    ]
    assert release(accepted=rows).findings().strategies[0].agreement.value == 1


def test_a_single_strategy_without_log_probabilities(
    release: Callable[..., Any], row: Callable[..., Any], recipe: Callable[..., Recipe]
) -> None:
    rows = [row(n, logprob=None, strategy="greedy") for n in range(30)]
    run = release(recipe=recipe(strategies=[{"kind": "greedy"}]), accepted=rows)
    (found,) = run.findings().strategies
    assert found.logprob is None
    assert found.self_bleu is not None
    assert found.agreement is None
    assert run.findings().comparison.agreement_obstacle == "there is only one label"


def test_a_strategy_whose_candidates_were_all_rejected(
    release: Callable[..., Any], row: Callable[..., Any], rejected_row: Callable[..., Any]
) -> None:
    run = release(
        accepted=[row(n) for n in range(30)],
        rejected=[rejected_row(100 + n, "chars", strategy="typical") for n in range(9)],
    )
    typical = run.findings().strategies[1]
    assert (typical.accepted, typical.rejected) == (0, 9)
    assert (typical.acceptance.value, typical.acceptance.n) == (0, 9)
    assert typical.tokens_per_row is typical.seconds_per_row is typical.mean_words is None
    assert typical.agreement is typical.self_bleu is None
    assert run.findings().comparison.self_bleu_texts == 30


def test_self_bleu_tells_copies_from_strangers(
    release: Callable[..., Any], row: Callable[..., Any]
) -> None:
    rows = [
        row(n, strategy="nucleus" if n % 2 else "typical")
        | {"text": "always the very same text" if n % 2 else " ".join(f"w{n}x{i}" for i in "abcde")}
        for n in range(40)
    ]
    nucleus, typical = release(accepted=rows).findings().strategies
    assert nucleus.self_bleu.value == pytest.approx(1)
    assert typical.self_bleu.value == 0
    assert nucleus.distinct[0] < 0.1
    assert typical.distinct == (1, 1, 1)
