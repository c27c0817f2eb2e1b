import random

import pytest

from tasks.quality.agreement import label_agreement
from tasks.quality.label_model import FEWEST_PER_LABEL

COLOURS = ["red", "blue", "green"]


def labelled(num_per_label: int) -> tuple[list[str], list[str]]:
    labels = [colour for colour in COLOURS for _ in range(num_per_label)]
    texts = [f"Paint it {label}, please! Number {n}" for n, label in enumerate(labels)]
    return texts, labels


def test_texts_that_say_their_label_agree() -> None:
    texts, labels = labelled(20)
    found = label_agreement(texts, labels)
    assert found.agrees == (True,) * 60
    assert found.chance == pytest.approx(1 / 3)
    assert found.reason is None


def test_a_wrong_label_is_found_by_the_texts_it_never_saw() -> None:
    texts, labels = labelled(20)
    labels[0] = "blue"
    found = label_agreement(texts, labels)
    assert found.agrees[0] is False
    assert all(found.agrees[1:])


def test_labels_without_any_bearing_on_the_texts_agree_by_chance() -> None:
    rng = random.Random(1)
    words = [f"w{n}" for n in range(50)]
    texts = [" ".join(rng.choices(words, k=8)) for _ in range(600)]
    labels = [rng.choice("ab") for _ in texts]
    agrees = label_agreement(texts, labels).agrees
    # Four standard errors of a fair coin.
    assert abs(sum(map(bool, agrees)) / 600 - 0.5) < 4 * (0.25 / 600) ** 0.5


def test_the_same_input_gives_the_same_answer() -> None:
    texts, labels = labelled(7)
    random.Random(3).shuffle(labels)
    assert label_agreement(texts, labels) == label_agreement(texts, labels)


def test_rows_of_rare_labels_are_left_out() -> None:
    texts, labels = labelled(FEWEST_PER_LABEL)
    found = label_agreement([*texts, "paint it black"], [*labels, "black"])
    assert found.agrees == (*(True,) * len(texts), None)
    assert found.chance == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("texts", "labels", "reason"),
    [
        ([], [], "no row has a label"),
        (["x"] * 20, ["a"] * 20, "only one label"),
        (list("abcdefgh"), ["a"] * 4 + ["b"] * 4, "fewer than two labels have 5 different texts"),
        (["x"] * 24, ["a"] * 20 + ["b"] * 4, "fewer than two labels have 5 different texts"),
    ],
)
def test_why_nothing_can_be_said(texts: list[str], labels: list[str], reason: str) -> None:
    found = label_agreement(texts, labels)
    assert reason in (found.reason or "")
    assert found.agrees == (None,) * len(texts)
    assert found.chance is None


def test_a_text_without_words_is_judged_like_others() -> None:
    texts, labels = labelled(6)
    found = label_agreement([*texts, "!"], [*labels, "red"])
    assert found.agrees[:-1] == (True,) * len(texts)
    assert found.agrees[-1] is not None


def test_a_copy_of_a_text_does_not_teach_its_label() -> None:
    texts, labels = labelled(20)
    found = label_agreement([*texts, "paint it", "paint it"], [*labels, "red", "blue"])
    assert not all(found.agrees[-2:])
