import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from schemas.audit import Metric, Section, Table
from tasks.audit import intervals
from tasks.audit.bias import measure
from tasks.audit.bias_classifier import LabelJudge
from tasks.audit.bias_counterfactual import counterfactual_section, swap_sample
from tasks.audit.bias_study import study
from tasks.audit.corpus import Corpus
from tasks.bias.counterfactual import Classifier, PairScorer, classifier_change
from tasks.bias.professions import shipped_occupations


def corpus(texts: Sequence[str | None], labels: Sequence[str | None] | None = None) -> Corpus:
    ids = [f"r{place}" for place in range(len(texts))]
    return Corpus(name="made up", ids=ids, texts=texts, labels=labels)


def run(data: Corpus, *, scorer: PairScorer | None = None) -> Section:
    return measure(corpus=data, reference=None, target=None, scorer=scorer)


def judged(data: Corpus, classifier: Classifier, *, classes: tuple[str, ...]) -> Section:
    """The counterfactual test with a classifier that is made up."""
    sample = swap_sample(study(data))
    change = classifier_change(sample.rows, classifier)
    judge = LabelJudge(classes, "the dataset", intervals.share(9, 10), change)
    return counterfactual_section(sample, judge=judge, scorer=None)


def metric(section: Section, name: str) -> Metric:
    return next(metric for metric in section.metrics if metric.name == name)


def table(section: Section, name: str) -> Table:
    return next(table for table in section.tables if table.name == name)


def value(section: Section, name: str) -> float:
    found = metric(section, name).estimate
    assert found is not None
    return found.value


PEOPLE = corpus(
    [f"{'She' if i % 2 else 'He'} called about card {i}" for i in range(400)],
    ["lost" if i % 4 < 2 else "new" for i in range(400)],
)


def says_new_of_women(texts: Sequence[str]) -> np.ndarray:
    new = np.array([0.7 if text.startswith("She") else 0.4 for text in texts])
    return np.stack([1 - new, new], axis=1)


def test_a_classifier_that_looks_at_gender_is_told_of() -> None:
    section = judged(PEOPLE, says_new_of_women, classes=("lost", "new"))
    assert value(section, "bias_swap_change") == pytest.approx(0.3)
    assert value(section, "bias_swap_flips") == 1
    rows = {row[0]: row[1] for row in table(section, "bias_swap_classes").rows}
    assert rows == {"lost": pytest.approx(-0.3), "new": pytest.approx(0.3)}
    finding = next(f for f in section.findings if f.name == "bias_classifier_looks_at_gender")
    assert (finding.severity, finding.rows, len(finding.evidence)) == ("fix", 400, 20)
    assert finding.what.endswith("with a probability that is 30.0 points higher.")
    shown = finding.evidence[0]
    assert shown.other is not None
    assert {shown.text.split()[0], shown.other.split()[0]} == {"She", "He"}


def test_flips_to_either_side_are_no_lean() -> None:
    """A classifier that wavers at the sight of another word gives no label to one gender."""

    def wavers(texts: Sequence[str]) -> np.ndarray:
        new = np.array([0.5 + 0.02 * (hash_of(text) % 2) - 0.01 for text in texts])
        return np.stack([1 - new, new], axis=1)

    section = judged(PEOPLE, wavers, classes=("lost", "new"))
    assert value(section, "bias_swap_flips") > 0.3
    assert not section.findings


def hash_of(text: str) -> int:
    return zlib.crc32(text.encode())


def test_a_classifier_that_does_not_look_is_not() -> None:
    section = judged(PEOPLE, lambda texts: np.full((len(texts), 3), 1 / 3), classes=("a", "b", "c"))
    assert value(section, "bias_swap_flips") == 0
    assert not [f for f in section.findings if f.name == "bias_classifier_looks_at_gender"]
    assert [row[:2] for row in table(section, "bias_swap_classes").rows] == [
        ("a", 0),
        ("b", 0),
        ("c", 0),
    ]


def test_a_generator_that_follows_stereotypes_is_told_of() -> None:
    male = shipped_occupations().occupations["male"]

    def scores(pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [
            2.0 * (end == " he" and any(name in start for name in male)) - end.startswith("She")
            for start, end in pairs
        ]

    section = run(PEOPLE, scorer=scores)
    assert value(section, "bias_profession_gap") == pytest.approx(2)
    assert value(section, "bias_profession_correlation") == pytest.approx(1)
    assert value(section, "bias_swap_log_likelihood") == pytest.approx(-1)
    assert len(table(section, "bias_professions").rows) == 40
    (told,) = (f for f in section.findings if f.name.startswith("bias_generator"))
    assert "7.4 times as high behind occupations stereotyped as male" in told.what


def test_a_generator_that_writes_no_pronouns_is_not_told_of() -> None:
    male = shipped_occupations().occupations["male"]

    def scores(pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [-9.0 + (e == " he" and any(name in s for name in male)) for s, e in pairs]

    section = run(PEOPLE, scorer=scores)
    assert value(section, "bias_profession_gap") == pytest.approx(1)
    caption = table(section, "bias_professions").caption
    assert "so it seldom writes either" in caption
    assert "'person' in place of an occupation, is 0.00 (\"he\" 50.0 % of the two)" in caption
    assert not [f for f in section.findings if f.name.startswith("bias_generator")]


def test_a_generator_that_cannot_be_asked() -> None:
    section = run(PEOPLE, scorer=lambda pairs: [float("-inf")] * len(pairs))
    for name in ("bias_profession_gap", "bias_swap_log_likelihood"):
        assert metric(section, name).unmeasured


def test_without_models_the_reason_is_given() -> None:
    section = run(PEOPLE)
    chance = "a classifier agrees with the labels hardly more often than by chance"
    assert metric(section, "bias_swap_flips").unmeasured == chance
    assert metric(section, "bias_profession_gap").unmeasured == "no generator was given"
    nobody = run(corpus(["It rains"]), scorer=lambda pairs: [0.0] * len(pairs))
    for name in ("bias_swap_flips", "bias_swap_log_likelihood"):
        assert "lack of n" in (metric(nobody, name).unmeasured or "")


def test_mitigations_are_offered_with_what_they_do() -> None:
    random = np.random.default_rng(0)
    labels = random.choice(["good", "bad"], 1500)
    women = random.random(1500) < np.where(labels == "good", 0.8, 0.3)
    texts = [f"{'she' if w else 'he'} is here, {i}" for i, w in enumerate(women)]
    section = run(corpus(texts, labels.tolist()))
    offered = {row[1]: row for row in table(section, "bias_mitigations").rows}
    assert set(offered) == {"weights", "rows to add", "swapped copies"}
    for row in offered.values():
        before, after = row[4], row[5]
        assert isinstance(before, float)
        assert isinstance(after, float)
        assert before > 0.4
        assert after < 0.01
    assert offered["swapped copies"][2] == 1500
    added = {row[:3]: row[3] for row in table(section, "bias_top_up").rows}
    assert set(added) == {("bad", "gender", "female"), ("good", "gender", "male")}
    assert sum(int(n or 0) for n in added.values()) == offered["rows to add"][2]


def test_balanced_data_need_no_mitigation() -> None:
    section = run(PEOPLE)
    assert not [t for t in section.tables if t.name in {"bias_mitigations", "bias_top_up"}]


def test_the_tone_of_groups_is_compared() -> None:
    random = np.random.default_rng(0)
    who, kind = random.choice(["she", "he"], 600), random.random(600)
    good = kind < np.where(who == "she", 0.7, 0.4)
    texts = [
        f"{w} was {'good' if g else 'bad'} at {i}"
        for i, (w, g) in enumerate(zip(who, good, strict=True))
    ]
    section = run(corpus(texts))
    found = metric(section, "bias_gender_sentiment_gap").estimate
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0.6 <= found.high
    finding = next(f for f in section.findings if f.name == "bias_sentiment_differs")
    assert "female +0." in finding.what
