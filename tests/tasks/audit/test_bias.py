from collections.abc import Sequence

import numpy as np
import pytest

from schemas.audit import Metric, Section, Table
from tasks.audit.bias import measure
from tasks.audit.corpus import Corpus
from tasks.audit.defaults import DEFAULT_GATES

FAITHS = ("Christian", "Muslim", "Jewish", "Hindu", "Buddhist", "Sikh", "atheist")


def corpus(
    texts: Sequence[str | None], labels: Sequence[str | None] | None = None, **columns: list[str]
) -> Corpus:
    ids = [f"r{place}" for place in range(len(texts))]
    return Corpus(name="made up", ids=ids, texts=texts, labels=labels, columns=columns)


def run(data: Corpus, **given: object) -> Section:
    defaults = {"reference": None, "target": None, "scorer": None}
    return measure(corpus=data, **{**defaults, **given})  # type: ignore[arg-type]


def metric(section: Section, name: str) -> Metric:
    return next(metric for metric in section.metrics if metric.name == name)


def table(section: Section, name: str) -> Table:
    return next(table for table in section.tables if table.name == name)


def people(seed: int, *, n: int, strength: float) -> Corpus:
    """Half of the rows have each label; women are named by (1 + s) / 4 and (1 - s) / 4 of them."""
    random = np.random.default_rng(seed)
    labels = random.choice(["good", "bad"], n)
    women = random.random(n) < np.where(labels == "good", (1 + strength) / 4, (1 - strength) / 4)
    men = ~women & (random.random(n) < 1 / 3)
    faiths = random.choice(FAITHS, n)
    texts = [
        f"{'She' if w else 'He' if m else 'It'} sat there, a {f}, number {i}"
        for i, (w, m, f) in enumerate(zip(women, men, faiths, strict=True))
    ]
    return corpus(texts, labels.tolist())


@pytest.mark.parametrize("strength", [0.4, 0.6, 0.8])
def test_planted_bias_is_recovered_with_intervals_that_cover_it(strength: float) -> None:
    covered, seeds = 0, range(15)
    for seed in seeds:
        section = run(people(seed, n=1500, strength=strength))
        found = {row[:3]: row for row in table(section, "bias_label_groups").rows}
        good, bad = found["good", "gender", "female"], found["bad", "gender", "female"]
        covered += good[6] <= 1 + strength <= good[7]  # type: ignore[operator]
        covered += bad[6] <= 1 - strength <= bad[7]  # type: ignore[operator]
        finding = next(f for f in section.findings if f.name == "bias_labels_prefer_groups")
        assert finding.metric == "bias_preferred_rows"
        assert "female" in finding.what
        preferred = metric(section, "bias_preferred_rows").estimate
        assert preferred is not None
        assert preferred.value > DEFAULT_GATES["bias_preferred_rows"].alone.warn_above
    assert covered >= 0.86 * 2 * len(seeds)


def test_balanced_data_raise_no_more_alarms_than_stated() -> None:
    alarms = sum(bool(run(people(seed, n=600, strength=0)).findings) for seed in range(100))
    # 5 % is stated; more than 10 of 100 would come by chance in one case of a hundred.
    assert alarms <= 10


def test_a_topic_is_no_preference() -> None:
    texts = [f"{who} came, {i}" for i in range(200) for who in ("She", "He")] + ["It rains"] * 400
    section = run(corpus(texts, ["people"] * 400 + ["weather"] * 400))
    names = {finding.name for finding in section.findings}
    assert names == {"bias_labels_follow_topic"}
    readings = [row[-1] for row in table(section, "bias_label_groups").rows]
    assert readings == ["topic"] * 4
    assert metric(section, "bias_gender_label_v").unmeasured is not None


def test_evidence_marks_the_terms() -> None:
    section = run(people(0, n=1500, strength=0.8))
    finding = next(f for f in section.findings if f.name == "bias_labels_prefer_groups")
    assert 0 < len(finding.evidence) <= 20
    for row in finding.evidence:
        words = {row.text[span.start : span.end] for span in row.spans}
        assert words in ({"She"}, {"He"})


def test_a_target_that_is_missed_is_to_be_mended() -> None:
    data = corpus([f"he {i}" for i in range(150)] + [f"she {i}" for i in range(50)])
    wanted = {"gender": {"female": 1.0, "male": 1.0}}
    findings = {f.name: f for f in run(data, target=wanted).findings}
    assert findings["bias_gender_off_target"].severity == "fix"
    assert (
        "female 25.0 % of the mentions, 50.0 % asked for" in findings["bias_gender_off_target"].what
    )
    met = run(data, target={"gender": {"female": 1, "male": 3}})
    assert not met.findings
    unsaid = run(data)
    assert [(f.name, f.severity) for f in unsaid.findings] == [
        ("bias_uneven_representation", "note")
    ]
    distance = metric(unsaid, "bias_gender_distance").estimate
    assert distance is not None
    assert distance.value == pytest.approx(0.25)
    with pytest.raises(ValueError, match="no axis wings"):
        run(data, target={"wings": {}})


def test_attributes_and_intersections_are_tested_too() -> None:
    random = np.random.default_rng(1)
    who, faith = random.choice(["she", "he"], 2000), random.choice(["Muslim", "Hindu"], 2000)
    both = (who == "she") & (faith == "Muslim")
    labels = np.where(random.random(2000) < np.where(both, 0.9, 0.2), "bad", "good")
    tone = np.where(who == "she", "polite", "rude")
    texts = [f"{w} is {f}, {i}" for i, (w, f) in enumerate(zip(who, faith, strict=True))]
    section = run(corpus(texts, labels.tolist(), tone=tone.tolist(), same=["x"] * 2000))
    crossed = {row[:3] for row in table(section, "bias_intersections").rows}
    assert ("bad", "female", "muslim") in crossed
    finding = next(f for f in section.findings if f.name == "bias_attributes_go_with_groups")
    assert finding.severity == "note"
    rows = table(section, "bias_attribute_groups").rows
    assert {row[0] for row in rows} == {"tone"}
    assert ("tone", "polite", "gender", "female") in {row[:4] for row in rows}
    overall = {row[:2]: row[3] for row in table(section, "bias_overall").rows}
    assert overall["tone", "gender"] == pytest.approx(1)
    assert overall["tone", "religion"] < 0.1  # type: ignore[operator]


def test_the_reference_gives_baselines_at_equal_n() -> None:
    section = run(people(0, n=400, strength=0.5), reference=people(1, n=900, strength=0))
    mentioned = metric(section, "bias_mentioned_share")
    assert mentioned.baseline is not None
    assert mentioned.baseline.n == 400
    association = metric(section, "bias_gender_label_v")
    assert association.estimate is not None
    assert association.baseline is not None
    assert association.baseline.value < association.estimate.value


@pytest.mark.parametrize(
    "data",
    [
        corpus([]),
        corpus([], []),
        corpus(["she"], ["a"]),
        corpus([None, None], [None, None]),
        corpus(["he said"] * 300, ["a"] * 300),
        corpus(["\ud800 she \x00" + "x" * 100_000] * 3, ["a", "b", None], tone=["q", "r", "q"]),
    ],
)
def test_poor_data_are_measured_or_told_of(data: Corpus) -> None:
    section = run(data, reference=data)
    assert {m.name for m in section.metrics} == {m.name for m in run(corpus(["x"])).metrics}
    for found in section.metrics:
        assert found.estimate is not None or found.unmeasured


def test_results_do_not_depend_on_the_order_of_rows() -> None:
    data = people(2, n=800, strength=0.5)
    turned = data.take(np.random.default_rng(0).permutation(len(data)))
    one, other = run(data), run(turned)
    assert one.metrics == other.metrics
    assert one.tables == other.tables
    assert [f.what for f in one.findings] == [f.what for f in other.findings]


def test_the_lexicons_are_shown() -> None:
    section = run(corpus(["x"]))
    assert len(table(section, "bias_lexicons").rows) == 8
    shown = table(section, "bias_lexicon_terms").rows
    assert ("gender", "female") in {row[:2] for row in shown}
    assert all(row[2] for row in shown)
