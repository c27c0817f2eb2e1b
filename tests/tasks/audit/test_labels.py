import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest

from schemas.audit import Finding, Metric, Section
from tasks.audit import labels as labels_module
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_CHARS
from tasks.audit.labels import MOST_ROWS, measure

NAMES = {
    "label_agreement", "label_noise", "confident_learning_noise", "label_giveaways",
    "strongest_giveaway", "label_name_leak", "label_posterior",
    "label_posterior_disagreement",
}  # fmt: skip


def made_up(num_rows: int, *, seed: int = 0, telling: int = 4) -> Corpus:
    """Rows of three labels: words of the label's twelve, and four of any."""
    rng = random.Random(seed)
    labels = [("red", "green", "blue")[place % 3] for place in range(num_rows)]
    texts: list[str | None] = [
        " ".join(
            [f"{label[0]}{rng.randrange(12)}" for _ in range(telling)]
            + [f"{rng.choice('rgb')}{rng.randrange(12)}" for _ in range(4)]
        )
        for label in labels
    ]
    return Corpus(name="it", ids=[f"i{n}" for n in range(num_rows)], texts=texts, labels=labels)


def relabelled(corpus: Corpus, labels: list[str | None] | None) -> Corpus:
    return Corpus(name=corpus.name, ids=corpus.ids, texts=corpus.texts, labels=labels)


def flipped(corpus: Corpus, rate: float, *, seed: int = 3) -> tuple[Corpus, np.ndarray]:
    assert corpus.labels is not None
    classes, labels = np.unique([str(label) for label in corpus.labels], return_inverse=True)
    rng = np.random.default_rng(seed)
    changed = rng.random(len(labels)) < rate
    labels[changed] += rng.integers(1, len(classes), changed.sum())
    return relabelled(corpus, [str(classes[x % len(classes)]) for x in labels]), changed


def metric(section: Section, name: str) -> Metric:
    return next(metric for metric in section.metrics if metric.name == name)


def finding(section: Section, name: str) -> Finding:
    return next(finding for finding in section.findings if finding.name == name)


def value(section: Section, name: str) -> float:
    estimate = metric(section, name).estimate
    assert estimate is not None
    return estimate.value


def test_wrong_labels_block_and_are_shown(severities) -> None:
    corpus, changed = flipped(made_up(1500), 0.15)
    found = measure(corpus=corpus, reference=None)
    assert {metric.name for metric in found.metrics} == NAMES
    assert value(found, "label_noise") == pytest.approx(changed.mean(), abs=0.03)
    wrong = finding(found, "wrong_labels")
    assert severities(found)[wrong.name] == "block"
    assert len(wrong.evidence) == MOST_ROWS
    assert wrong.rows is not None
    assert wrong.rows > MOST_ROWS
    shown = [int(row.id[1:]) for row in wrong.evidence]
    assert changed[shown].mean() >= 0.9
    assert corpus.labels is not None
    first = wrong.evidence[0]
    assert first.label == corpus.labels[shown[0]]
    assert first.note.startswith(f"likely {['red', 'green', 'blue'][shown[0] % 3]} (")
    matrix = next(table for table in found.tables if table.name == "label_noise_matrix")
    assert len(matrix.rows) == 6
    assert {(row[0], row[1]) for row in matrix.rows} == {
        (a, b) for a in ("red", "green", "blue") for b in ("red", "green", "blue") if a != b
    }
    assert sum(int(row[4] or 0) for row in matrix.rows) == wrong.rows


def test_clean_labels_raise_no_alarm(severities) -> None:
    found = measure(corpus=made_up(1500), reference=made_up(600, seed=1))
    assert value(found, "label_noise") < 0.01
    assert set(severities(found).values()) <= {"note"}
    agreement = metric(found, "label_agreement")
    assert agreement.estimate is not None
    assert agreement.baseline is not None
    assert (agreement.estimate.n, agreement.baseline.n) == (1500, 600)


def test_the_baseline_is_of_as_many_rows() -> None:
    found = measure(corpus=made_up(300), reference=made_up(900, seed=1))
    for name in ("label_agreement", "label_noise", "label_giveaways", "label_name_leak"):
        baseline = metric(found, name).baseline
        assert baseline is not None
        assert baseline.n == 300


def test_labels_dealt_at_random_are_said_to_be_unrelated(severities) -> None:
    corpus = made_up(900)
    rng = random.Random(5)
    found = measure(
        corpus=relabelled(corpus, [rng.choice("xyz") for _ in range(900)]), reference=None
    )
    assert severities(found)["unrelated_labels"] == "fix"
    assert metric(found, "label_agreement").estimate is not None
    assert "by chance" in str(metric(found, "label_noise").unmeasured)


def test_a_word_that_gives_a_label_away_is_shown_in_its_place(severities) -> None:
    plain = made_up(600, telling=1)
    texts = [
        f"Please, TELL-TALE! {text}" if label == "red" else str(text)
        for text, label in zip(plain.texts, plain.labels or (), strict=True)
    ]
    texts[0] += " x" * 1000
    corpus = Corpus(name="it", ids=plain.ids, texts=texts, labels=plain.labels)
    found = measure(corpus=corpus, reference=plain)
    assert value(found, "strongest_giveaway") == 1
    assert value(found, "label_giveaways") >= 1 / 3
    leak = finding(found, "label_giveaways")
    assert severities(found)[leak.name] == "fix"
    evidence = leak.evidence[0]
    assert evidence.label == "red"
    assert len(evidence.text) <= MOST_CHARS
    assert evidence.chars == len(texts[int(evidence.id[1:])])
    told = {evidence.text[span.start : span.end] for span in evidence.spans}
    assert told <= {"Please", "TELL", "TALE"}
    assert told
    table = next(table for table in found.tables if table.name == "label_giveaways")
    assert table.rows[0][1:5] == ("red", 200, 200, 1.0)
    assert table.rows[0][-1] is None


def test_texts_that_say_their_label_are_shown(severities) -> None:
    plain = made_up(300)
    texts = [f"{label} {text}" for text, label in zip(plain.texts, plain.labels or (), strict=True)]
    corpus = Corpus(name="it", ids=plain.ids, texts=texts, labels=plain.labels)
    found = measure(corpus=corpus, reference=plain)
    assert value(found, "label_name_leak") == 1
    leak = finding(found, "label_name_leak")
    assert severities(found)[leak.name] == "fix"
    assert leak.rows == 300
    alone = measure(corpus=corpus, reference=None)
    assert severities(alone)["label_name_leak"] == "note"


def test_the_label_posterior_is_the_generators() -> None:
    plain = made_up(30)
    posterior = np.linspace(0.5, 1, 30)
    posterior[3] = np.nan
    corpus = Corpus(
        name="it",
        ids=plain.ids,
        texts=plain.texts,
        labels=plain.labels,
        numbers={"label_posterior": posterior},
    )
    estimate = metric(measure(corpus=corpus, reference=None), "label_posterior").estimate
    assert estimate is not None
    assert estimate.value == pytest.approx(np.nanmean(posterior))
    assert estimate.n == 29


@pytest.mark.parametrize(
    ("texts", "labels", "reason"),
    [
        ([], None, "the data have no labels"),
        ([], [], "no row has a label"),
        (["one"], ["a"], "there is only one label"),
        (["one", None], [None, None], "no row has a label"),
        (["same"] * 40, ["a", "b"] * 20, "fewer than two labels have 5 different texts"),
    ],
)
def test_what_cannot_be_measured_is_said(
    texts: list[str | None], labels: list[str | None] | None, reason: str
) -> None:
    corpus = Corpus(name="it", ids=[str(n) for n in range(len(texts))], texts=texts, labels=labels)
    found = measure(corpus=corpus, reference=corpus)
    assert {metric.name for metric in found.metrics} == NAMES
    assert metric(found, "label_agreement").unmeasured == reason
    assert metric(found, "label_noise").unmeasured == reason
    assert metric(found, "label_posterior").unmeasured is not None
    assert found.findings == ()


def test_hostile_rows_are_harmless() -> None:
    plain = made_up(60)
    texts = [*plain.texts, "x " * 50_000, "y" * 100_000, None, "\x00\x1b[31m", "\ud800 red", "!"]
    labels = [*(plain.labels or ()), "red", "green", "blue", "red", None, "<script>"]
    corpus = Corpus(name="it", ids=[str(n) for n in range(66)], texts=texts, labels=labels)
    found = measure(corpus=corpus, reference=relabelled(plain, None))
    estimate = metric(found, "label_agreement").estimate
    assert estimate is not None
    assert estimate.n == 64
    assert metric(found, "label_agreement").baseline is None


def test_the_order_of_the_rows_does_not_matter() -> None:
    corpus, _ = flipped(made_up(600), 0.1)
    order = np.random.default_rng(0).permutation(600)
    turned = corpus.take(order)
    again = Corpus(name="it", ids=turned.ids, texts=turned.texts, labels=turned.labels)
    found, other = (measure(corpus=each, reference=None) for each in (corpus, again))
    assert found.metrics == other.metrics
    assert finding(found, "wrong_labels") == finding(other, "wrong_labels")


def test_of_a_great_corpus_a_sample_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_module, "MOST_WORDS", 2400)
    found = measure(corpus=made_up(900), reference=made_up(900, seed=1))
    for name in ("label_agreement", "confident_learning_noise", "label_giveaways"):
        measured = metric(found, name)
        assert measured.sampled == 300
        assert measured.estimate is not None
        assert measured.estimate.n == 300


def real(shared: Path, name: str) -> Corpus:
    data = shared / "data"
    if name == "clinc150":
        with (data / "clinc150/data_full.json").open() as file:
            rows = [tuple(row) for row in json.load(file)["train"]]
    elif name == "banking77":
        with (data / "banking77/train.csv").open(newline="") as file:
            rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    elif name == "sst2":
        lines = (data / "sst2/stsa.binary.train").read_text("utf-8").splitlines()
        rows = [(line[2:], line[0]) for line in lines]
    else:
        found = json.loads((data / "supergen_sst2/train.json").read_text("utf-8"))
        rows = [(row["text"], row["label"]) for row in found]
    return Corpus(
        name=name,
        ids=[str(n) for n in range(len(rows))],
        texts=[row[0] for row in rows],
        labels=[row[1] for row in rows],
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", ["banking77", "clinc150", "sst2"])
def test_clean_real_sets_are_not_blocked(shared: Path, name: str, severities) -> None:
    found = measure(corpus=real(shared, name), reference=None)
    assert set(severities(found).values()) <= {"note"}
    assert value(found, "label_noise") < 0.01


@pytest.mark.shared
def test_flipped_labels_of_a_real_set_block(shared: Path, severities) -> None:
    corpus, changed = flipped(real(shared, "banking77"), 0.1)
    found = measure(corpus=corpus, reference=None)
    assert value(found, "label_noise") == pytest.approx(0.1, abs=0.02)
    wrong = finding(found, "wrong_labels")
    assert severities(found)[wrong.name] == "block"
    assert changed[[int(row.id) for row in wrong.evidence]].all()


@pytest.mark.shared
def test_generated_texts_give_their_labels_away_and_real_ones_do_not(
    shared: Path, severities
) -> None:
    found = measure(corpus=real(shared, "supergen"), reference=real(shared, "sst2"))
    giveaways = metric(found, "label_giveaways")
    assert giveaways.estimate is not None
    assert giveaways.baseline is not None
    assert giveaways.estimate.value > 0.9
    assert giveaways.baseline.value < 0.1
    assert severities(found)["label_giveaways"] == "fix"
