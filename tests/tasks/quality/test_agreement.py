import random

import pytest

from tasks.quality.agreement import FEWEST_PER_LABEL, label_agreement

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
        ([], [], "no rows"),
        (["x"] * 20, ["a"] * 20, "only one label"),
        (["x"] * 8, ["a"] * 4 + ["b"] * 4, "fewer than two labels have 5 rows"),
        (["x"] * 24, ["a"] * 20 + ["b"] * 4, "fewer than two labels have 5 rows"),
    ],
)
def test_why_nothing_can_be_said(texts: list[str], labels: list[str], reason: str) -> None:
    found = label_agreement(texts, labels)
    assert reason in (found.reason or "")
    assert found.agrees == (None,) * len(texts)
    assert found.chance is None


def test_texts_without_words_are_judged_like_others() -> None:
    labels = ["a", "b"] * 10
    assert None not in label_agreement(["!"] * 20, labels).agrees
    texts = ["?" if label == "a" else "hello" for label in labels]
    assert label_agreement(texts, labels).agrees == (True,) * 20
