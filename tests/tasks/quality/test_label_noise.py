import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tasks.quality.label_model import LabelledRows, LabelModel, fit_label_model, labelled_rows
from tasks.quality.label_noise import label_noise, suspects
from tasks.quality.word_codes import encode_words


def model_of(given: list[int], probabilities: list[list[float]]) -> LabelModel:
    chances, classes = np.array(probabilities, dtype=np.float32), np.array(given)
    places = np.arange(len(given))
    names = tuple("abcdefgh"[: chances.shape[1]])
    rows = LabelledRows(places, classes, places.astype(np.uint64), names, None)
    likely = chances.argmax(axis=1)
    return LabelModel(rows, likely, chances.max(axis=1), chances[places, classes], places, chances)


def slow_joint(given: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Confident learning by its definition (equations 1 to 3 of the paper)."""
    num_classes = chances.shape[1]
    thresholds = [chances[given == k, k].mean() for k in range(num_classes)]
    counts = np.zeros((num_classes, num_classes))
    for label, row in zip(given, chances, strict=True):
        above = [k for k in range(num_classes) if row[k] >= thresholds[k] - 1e-6]
        if above:
            counts[label, max(above, key=lambda k: row[k])] += 1
    joint = counts / counts.sum(axis=1, keepdims=True)
    return joint * np.bincount(given, minlength=num_classes)[:, None]


def test_the_joint_is_that_of_confident_learning() -> None:
    rng = np.random.default_rng(0)
    chances = rng.dirichlet([1, 1, 1], 600).astype(np.float32)
    given = (rng.random((600, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    found = label_noise(model_of(given.tolist(), chances.tolist()))
    joint = slow_joint(given, chances)
    assert found.joint == pytest.approx(joint)
    assert found.joint_rate == pytest.approx(1 - np.trace(joint) / 600)
    low, high = found.joint_bounds
    # Within each label the share of confident rows on the diagonal is binomial.
    assert low < found.joint_rate < high
    assert 0.02 < high - low < 0.15


def test_suspects_are_those_of_least_self_confidence() -> None:
    model = model_of(
        [0, 0, 1, 0, 1],
        [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.05, 0.95], [0.1, 0.9]],
    )
    assert suspects(model, share=1.0).tolist() == [3, 1, 2]
    assert suspects(model, share=0.4).tolist() == [3, 1]
    assert suspects(model, share=0.0).tolist() == []


def read(folder: Path, name: str) -> tuple[list[str], list[str]]:
    if name == "clinc150":
        with (folder / "data/clinc150/data_full.json").open() as file:
            rows = json.load(file)["train"]
    else:
        with (folder / "data/banking77/train.csv").open(newline="") as file:
            rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    return [row[0] for row in rows], [row[1] for row in rows]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["banking77", "clinc150"])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_noise_of_real_sets_is_found_and_none_imagined(
    shared: Path, name: str, rate: float
) -> None:
    texts, names = read(shared, name)
    words = encode_words(texts)
    classes, labels = np.unique(names, return_inverse=True)
    rng = np.random.default_rng(11)
    flipped = rng.random(len(labels)) < rate
    labels[flipped] += rng.integers(1, len(classes), flipped.sum())
    given = [str(classes[label]) for label in labels % len(classes)]
    model = fit_label_model(words, labelled_rows(words, given))
    found = label_noise(model)
    assert found.lapses.rate == pytest.approx(rate, abs=0.02)
    if rate == 0:
        assert found.lapses.high < 0.01
        return
    assert found.lapses.low <= flipped.mean() <= found.lapses.high + 0.01
    right = flipped[model.rows.places[found.suspects]]
    assert right.mean() >= 0.8
    assert right.sum() >= 0.5 * flipped.sum()
    # What the estimate is better than.
    assert found.joint_rate > found.lapses.rate
