"""Does training on noised texts make a classifier robust, and what does it cost on clean ones?

Two classifiers of banking77, TF-IDF of word 1- and 2-grams and of character 2- to 5-grams, each
with one logistic regression a class. Each is trained on the clean training set; on the same set
with half of the rows noised by the preset `medium`; and on the clean set with those noised rows
added. Each is tested on the clean test set and on noised ones. Noise has several seeds; a row of
the result is the mean accuracy over them, with the 95 % Wilson interval that one test set of that
size gives.

    python benchmarks/noise_robustness.py --data ../shared/data/banking77

It writes `results/noise_robustness.json` and `results/noise_robustness.md`.
"""

import argparse
import csv
import json
import math
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from schemas.noise import NoiseConfig
from tasks.noise.catalogue import step_classes
from tasks.noise.rows import pick_noised
from tasks.noise.texts import noise_batch
from tasks.planning.streams import Stream, row_keys

RESULTS = Path(__file__).with_name("results")
DATA = Path(__file__).resolve().parents[2] / "shared/data/banking77"
SEEDS = (1, 2, 3)
TRAINED_SHARE = 0.5
TRAINING: dict[str, Any] = {"preset": "medium", "share": TRAINED_SHARE}
TESTS: dict[str, list[dict[str, Any]]] = {
    "keyboard .05": [{"kind": "keyboard", "rate": 0.05}],
    "char_delete .05": [{"kind": "char_delete", "rate": 0.05}],
    "word_delete .15": [{"kind": "word_delete", "rate": 0.15}],
    "ocr .1": [{"kind": "ocr", "rate": 0.1}],
    "misspell .3": [{"kind": "misspell", "rate": 0.3}],
    "mixture of all five": [
        {"kind": "keyboard", "rate": 0.02},
        {"kind": "char_delete", "rate": 0.02},
        {"kind": "word_delete", "rate": 0.05},
        {"kind": "ocr", "rate": 0.03},
        {"kind": "misspell", "rate": 0.1},
    ],
}
"""The training noise has the first three kinds; the others are new to every classifier."""
FEATURES: dict[str, dict[str, Any]] = {
    "words (1,2)": {"analyzer": "word", "ngram_range": (1, 2), "max_features": 30_000},
    "characters (2-5)": {"analyzer": "char_wb", "ngram_range": (2, 5), "max_features": 40_000},
}
PENALTY = 10.0


def read(path: Path) -> tuple[list[str], list[str]]:
    """Return texts and labels of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["category"] for row in rows]


def noised(texts: list[str], config: NoiseConfig, *, seed: int, first_row: int) -> list[str]:
    """Noise the share of the texts that the configuration says, exactly."""
    rows, attempts = first_row + np.arange(len(texts)), np.zeros(len(texts), np.int32)
    chosen = np.flatnonzero(pick_noised(rows, attempts, share=config.share, seed=seed))
    keys = row_keys(seed, rows[chosen], 0, Stream.NOISE)
    after = list(texts)
    result = noise_batch([texts[row] for row in chosen], keys=keys, steps=config.steps)
    for row, text in zip(chosen.tolist(), result.texts.to_pylist(), strict=True):
        after[row] = text
    return after


def classifier(features: dict[str, Any]) -> Pipeline:
    """Return an untrained classifier; its features are those of the texts that it will see."""
    return make_pipeline(
        TfidfVectorizer(sublinear_tf=True, lowercase=True, **features),
        OneVsRestClassifier(LogisticRegression(solver="liblinear", C=PENALTY)),
    )


def with_changed(
    texts: list[str], after: list[str], labels: list[str]
) -> tuple[list[str], list[str]]:
    """Return the clean rows and behind them those that noise changed, with their labels."""
    changed = [row for row, text in enumerate(texts) if after[row] != text]
    return texts + [after[row] for row in changed], labels + [labels[row] for row in changed]


def wilson(accuracy: float, num: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion.

    References:
        Wilson, Journal of the American Statistical Association 22, 1927.
    """
    z = 1.959964
    centre = (accuracy + z * z / (2 * num)) / (1 + z * z / num)
    spread = math.sqrt(accuracy * (1 - accuracy) / num + z * z / (4 * num * num))
    half = z * spread / (1 + z * z / num)
    return centre - half, centre + half


def test_sets(texts: list[str]) -> dict[str, list[list[str]]]:
    """Return the test texts: clean once, and for each noise one set a seed."""
    sets = {"clean": [texts]}
    for name, steps in TESTS.items():
        if all(step["kind"] in step_classes() for step in steps):
            config = NoiseConfig.model_validate({"share": 1.0, "steps": steps})
            sets[name] = [noised(texts, config, seed=seed, first_row=10**6) for seed in SEEDS]
    return sets


def measure(folder: Path) -> dict[str, Any]:
    """Train and test every classifier."""
    texts, labels = read(folder / "train.csv")
    own_tests, truth = read(folder / "test.csv")
    tests, config = test_sets(own_tests), NoiseConfig.model_validate(TRAINING)
    halves = [noised(texts, config, seed=seed, first_row=0) for seed in SEEDS]
    trainings = {
        "clean": [(texts, labels)],
        "half noised": [(half, labels) for half in halves],
        "half added": [with_changed(texts, half, labels) for half in halves],
    }
    rows = []
    for features, settings in FEATURES.items():
        for training, variants in trainings.items():
            started = time.monotonic()
            scores: dict[str, list[float]] = {name: [] for name in tests}
            for variant in variants:
                model = classifier(settings).fit(*variant)
                for name, sets in tests.items():
                    scores[name] += [float(model.score(own, truth)) for own in sets]
            seconds = time.monotonic() - started
            rows.append(_row(features, training, scores, num=len(truth), seconds=seconds))
            sys.stderr.write(f"{rows[-1]}\n")
    return {"train_rows": len(texts), "test_rows": len(truth), "results": rows}


def _row(
    features: str, training: str, scores: dict[str, list[float]], *, num: int, seconds: float
) -> dict[str, Any]:
    accuracies = {}
    for name, own in scores.items():
        mean = sum(own) / len(own)
        low, high = wilson(mean, num)
        accuracies[name] = {
            "accuracy": round(mean, 4),
            "interval": [round(low, 4), round(high, 4)],
            "by_seed": [round(score, 4) for score in own],
        }
    return {
        "features": features,
        "training": training,
        "seconds": round(seconds, 1),
        "tests": accuracies,
    }


def as_markdown(found: dict[str, Any]) -> str:
    """Write the findings as a table."""
    names = list(found["results"][0]["tests"])
    trained = [f"{row['features']}, {row['training']}" for row in found["results"]]
    lines = [
        "# Robustness by training on noised texts",
        "",
        f"banking77, {found['train_rows']:,} training and {found['test_rows']:,} test utterances, "
        f"77 classes. {found['date']}, {found['hardware']}; "
        + ", ".join(f"{name} {number}" for name, number in found["versions"].items())
        + ".",
        "",
        "Accuracy in per cent with the 95 % Wilson interval of one test set; the mean over "
        f"{len(SEEDS)} seeds of noise. `half noised`: half of the training rows have the preset "
        "`medium` (one or two of keyboard, char_delete and word_delete); `half added`: the clean "
        "rows and these noised ones. ocr and misspell are new to every classifier. "
        "`benchmarks/noise_robustness.py` makes it again.",
        "",
        "| test set | " + " | ".join(trained) + " |",
        "| --- |" + " ---: |" * len(trained),
    ]
    for name in names:
        cells = [row["tests"][name] for row in found["results"]]
        written = [
            f"{cell['accuracy'] * 100:.1f} ({cell['interval'][0] * 100:.1f} to "
            f"{cell['interval'][1] * 100:.1f})"
            for cell in cells
        ]
        lines.append(f"| {name} | " + " | ".join(written) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    found = measure(options.data)
    found |= {
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in ("numpy", "scikit-learn")}
        | {"python": platform.python_version()},
        "seeds": list(SEEDS),
        "training_noise": NoiseConfig.model_validate(TRAINING).model_dump(mode="json"),
        "test_noise": TESTS,
        "settings": {"features": FEATURES, "C": PENALTY, "solver": "liblinear, one against rest"},
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    (RESULTS / "noise_robustness.json").write_text(text, encoding="utf-8")
    (RESULTS / "noise_robustness.md").write_text(as_markdown(found), encoding="utf-8")
    sys.stdout.write(as_markdown(found))


if __name__ == "__main__":
    main()
