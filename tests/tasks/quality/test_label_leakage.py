import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact, hypergeom

from tasks.quality.label_leakage import (
    FALSE_DISCOVERY_RATE,
    FEWEST_ROWS,
    LEAST_PRECISION,
    LONGEST,
    MOST_OF_CHANCE,
    Giveaways,
    giveaways,
    holds_label_name,
    tail_probability,
    words_of,
)
from tasks.quality.scores import label_leak
from tasks.quality.word_codes import WordCodes, encode_words


def made_up(num_rows: int, *, seed: int) -> tuple[list[str], np.ndarray]:
    """Random words of 40; three rows in four of label 0 say "zulu alpha", one of label 1 too."""
    rng = random.Random(seed)
    labels = np.array([place % 3 for place in range(num_rows)])
    texts = [" ".join(rng.choices([f"w{n}" for n in range(40)], k=6)) for _ in labels]
    for place, label in enumerate(labels.tolist()):
        if label == 0 and place % 12:
            texts[place] += " zulu alpha"
    texts[1] += " zulu alpha"
    return texts, labels


def pairs(found: Giveaways, words: WordCodes) -> dict[tuple[str, int], tuple[int, int]]:
    names = words.vocabulary.words()
    return {
        (words_of(words, start=start, size=size, names=names), label): (holding, own)
        for start, size, label, holding, own in zip(
            found.starts.tolist(),
            found.sizes.tolist(),
            found.labels.tolist(),
            found.holding.tolist(),
            found.own.tolist(),
            strict=True,
        )
    }


def slowly(texts: list[str], labels: np.ndarray) -> dict[tuple[str, int], tuple[int, int]]:
    """The definition, with plain dictionaries and scipy's own Fisher test."""
    rows_of: Counter[str] = Counter()
    own_of: Counter[tuple[str, int]] = Counter()
    for text, label in zip(texts, labels.tolist(), strict=True):
        words = text.split()
        held = {
            " ".join(words[i : i + n])
            for n in range(1, LONGEST + 1)
            for i in range(len(words) - n + 1)
        }
        if label >= 0:
            rows_of.update(held)
            own_of.update((ngram, label) for ngram in held)
    sizes = Counter(labels[labels >= 0].tolist())
    total = sum(sizes.values())
    family = sum(count >= FEWEST_ROWS for count in rows_of.values()) * len(sizes)
    p_values = {}
    for (ngram, label), own in own_of.items():
        holding, rate = rows_of[ngram], sizes[label] / total
        others = (holding - own) / holding
        if holding >= FEWEST_ROWS and others <= min(
            1 - LEAST_PRECISION, MOST_OF_CHANCE * (1 - rate)
        ):
            table = [
                [own, holding - own],
                [sizes[label] - own, total - holding - sizes[label] + own],
            ]
            p_values[ngram, label] = fisher_exact(table, alternative="greater").pvalue
    ranked = sorted(p_values, key=lambda pair: p_values[pair])
    good = [
        place
        for place, pair in enumerate(ranked, 1)
        if p_values[pair] * family / place <= FALSE_DISCOVERY_RATE
    ]
    return {pair: (rows_of[pair[0]], own_of[pair]) for pair in ranked[: max(good, default=0)]}


@pytest.mark.parametrize("seed", range(4))
def test_it_finds_what_the_definition_says(seed: int) -> None:
    texts, labels = made_up(240, seed=seed)
    labels[5::50] = -1
    words = encode_words(texts)
    found = giveaways(words, labels, num_labels=3)
    expected = slowly(texts, labels)
    assert ("zulu alpha", 0) in expected
    assert pairs(found, words) == expected
    told = [
        any(f" {ngram} " in f" {text} " for ngram, own in expected if own == label)
        for text, label in zip(texts, labels.tolist(), strict=True)
    ]
    assert found.given_away.tolist() == told


def test_what_an_ngram_gives_away_is_measured() -> None:
    texts, labels = made_up(240, seed=0)
    found = giveaways(encode_words(texts), labels, num_labels=3)
    # 60 of 80 rows of the first label hold it, and one other.
    place = int(np.flatnonzero(found.sizes == 2)[0])
    own, holding = int(found.own[place]), int(found.holding[place])
    assert (own, holding) == (60, 61)
    assert found.lift[place] == pytest.approx(60 / 61 * 3)
    assert found.odds_ratio[place] == pytest.approx(60.5 * 159.5 / (1.5 * 20.5))
    assert 0 < found.q_values[place] < 1e-12


def test_labels_dealt_at_random_are_given_away_in_few_sets() -> None:
    # The false discovery rate: all labels are random here, so any finding is false.
    texts, _ = made_up(300, seed=1)
    words = encode_words(texts)
    rng = np.random.default_rng(7)
    runs = [
        len(giveaways(words, rng.integers(0, 2, 300), num_labels=2).labels) > 0 for _ in range(60)
    ]
    # At the rate of 0.05, 60 sets have more than 8 with probability 0.002.
    assert sum(runs) <= 8


def test_a_frequent_label_is_not_given_away_by_every_word() -> None:
    texts, _ = made_up(600, seed=2)
    labels = np.array([int(place % 50 == 0) for place in range(600)])
    # 98 % of the rows that hold any word have label 0.
    assert giveaways(encode_words(texts), labels, num_labels=2).own.size == 0


def test_the_order_of_the_rows_does_not_matter() -> None:
    texts, labels = made_up(240, seed=3)
    order = np.random.default_rng(0).permutation(240)
    words, turned = encode_words(texts), encode_words([texts[place] for place in order])
    found = giveaways(words, labels, num_labels=3)
    again = giveaways(turned, labels[order], num_labels=3)
    assert pairs(found, words) == pairs(again, turned)
    assert found.given_away[order].tolist() == again.given_away.tolist()


@pytest.mark.parametrize("texts", [[], [""], ["!", ""], ["one"] * 9])
def test_corpora_with_nothing_to_tell(texts: list[str]) -> None:
    labels = np.zeros(len(texts), dtype=np.int64)
    for dealt in (labels, labels - 1):
        found = giveaways(encode_words(texts), dealt, num_labels=1)
        assert found.own.size == 0
        assert not found.given_away.any()


@settings(deadline=None, max_examples=100)
@given(data=st.data(), num_rows=st.integers(1, 60))
def test_p_values_are_those_of_fisher(data: st.DataObject, num_rows: int) -> None:
    holding = data.draw(st.integers(1, num_rows))
    of_label = data.draw(st.integers(0, num_rows))
    own = data.draw(st.integers(max(0, holding + of_label - num_rows), min(holding, of_label)))
    arguments = (np.array([value]) for value in (own, holding, of_label))
    found = tail_probability(*arguments, num_rows=num_rows)
    exact = hypergeom.sf(own - 1, num_rows, of_label, holding)
    assert found == pytest.approx(exact, rel=1e-9) or exact <= found[0] < 1e-12


def test_a_tiny_p_value_is_never_understated() -> None:
    own = np.array([100, 400, 990])
    holding, of_label = np.array([100, 420, 1000]), np.array([100, 3000, 5000])
    found = tail_probability(own, holding, of_label, num_rows=10_000)
    exact = hypergeom.sf(own - 1, 10_000, of_label, holding)
    assert np.all(found >= exact)
    assert np.all(found < 1e-12)


NAMES = ["card_arrival", "yes", "Lost card", "!", "unheard of"]


@given(rows=st.lists(st.tuples(st.text("Ccard arivlyes,L_ot!", max_size=24), st.integers(-1, 4))))
@settings(deadline=None, max_examples=100)
def test_the_names_of_labels_are_found_as_in_one_row(rows: list[tuple[str, int]]) -> None:
    texts = [text for text, _ in rows] + ["My card: ARRIVAL!", "card arrivals", "Yes, lost card"]
    labels = np.array([label for _, label in rows] + [0, 0, 2])
    found = holds_label_name(encode_words(texts), labels, NAMES)
    assert found.tolist() == [
        label >= 0 and bool(label_leak(text, label=NAMES[label]))
        for text, label in zip(texts, labels.tolist(), strict=True)
    ]
    assert found[-3:].tolist() == [True, False, True]
