"""What a corpus repeats of its examples and of real text is found, with its place and baseline."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.audit import Finding, Group, Metric, Section
from tasks.audit import privacy
from tasks.audit.corpus import Corpus
from tasks.quality.word_codes import Vocabulary

SUBJECTS = ["lamp", "kettle", "parcel", "ticket", "garden", "engine", "letter", "window"]
VERBS = ["broke", "arrived", "vanished", "cost", "fell", "turned", "stood", "burnt"]
TIMES = ["today", "before noon", "last week", "in the rain", "at night", "on Monday"]


def sentences(count: int, seed: int) -> list[str]:
    """Make sentences that are drawn alike whatever the seed."""
    rng = random.Random(seed)
    return [
        f"The {rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(TIMES)} "
        f"and nobody in house {rng.randrange(2000)} paid {rng.randrange(2000)}."
        for _ in range(count)
    ]


def measure(
    texts: Sequence[str | None],
    *,
    reference: Sequence[str | None] | None = None,
    holdout: Sequence[str | None] | None = None,
    examples: Sequence[str | None] | None = None,
) -> Section:
    vocabulary = Vocabulary()

    def corpus(name: str, texts: Sequence[str | None] | None) -> Corpus | None:
        if texts is None:
            return None
        ids = [f"{name}-{i}" for i in range(len(texts))]
        return Corpus(name=name, ids=ids, texts=texts, vocabulary=vocabulary)

    rows = corpus("row", texts)
    assert rows is not None
    return privacy.measure(
        corpus=rows,
        reference=corpus("real", reference),
        holdout=corpus("unseen", holdout),
        examples=corpus("example", examples),
    )


def metric(section: Section, name: str) -> Metric:
    return next(metric for metric in section.metrics if metric.name == name)


def value(section: Section, name: str) -> float:
    estimate = metric(section, name).estimate
    assert estimate is not None
    return estimate.value


def finding(section: Section, name: str) -> Finding:
    return next(finding for finding in section.findings if finding.name == name)


def test_new_text_of_the_same_kind_raises_nothing(severities) -> None:
    section = measure(sentences(600, 1), reference=sentences(600, 2), holdout=sentences(600, 3))
    assert section.group is Group.PRIVACY
    assert set(severities(section).values()) <= {"note"}
    assert value(section, "copies_of_reference") == 0
    closer = metric(section, "closer_to_reference").estimate
    assert closer is not None
    assert closer.low is not None
    assert closer.high is not None
    assert closer.low < 0.5 < closer.high
    own, base = (
        metric(section, "distance_to_reference").estimate,
        metric(section, "distance_to_reference").baseline,
    )
    assert own is not None
    assert base is not None
    assert own.value == pytest.approx(base.value, abs=0.03)


def test_memorised_text_blocks(severities) -> None:
    reference = sentences(600, 2)
    corpus = [*sentences(200, 1), *reference[:100]]
    section = measure(corpus, reference=reference, holdout=sentences(600, 3))
    copied = finding(section, "copied_reference")
    assert severities(section)[copied.name] == "block"
    assert (copied.rows, len(copied.evidence)) == (100, 20)
    assert "where under 0.1 % of unseen real rows do" in copied.what
    assert all(e.text == e.other for e in copied.evidence)
    assert severities(section)["closer_to_reference"] == "fix"
    assert value(section, "closer_to_reference") > 0.6
    assert section.tables[0].rows[0][:4] == ("reference", 300, 100, 0)


def test_what_real_text_repeats_too_is_only_noted(severities) -> None:
    """Greetings are in every set, so a corpus that has them has copied nothing."""
    greetings = ["Good morning to you all", "Thank you so much again"] * 40
    section = measure(
        [*sentences(100, 1), *greetings],
        reference=[*sentences(100, 2), *greetings],
        holdout=[*sentences(100, 3), *greetings],
    )
    assert severities(section)["copied_reference"] == "note"


def test_examples_that_leak_are_found(severities) -> None:
    examples = [
        "The blue kettle from the corner shop leaks at the handle",
        "Another thing entirely",
    ]
    edited = "The blue kettle from our corner shop leaks at the handle"
    passage = "She wrote that the blue kettle from the corner shop leaks and wants all of it back"
    section = measure([*sentences(100, 1), examples[1].upper(), edited, passage], examples=examples)
    assert severities(section)["copied_examples"] == "fix"
    assert finding(section, "nearly_copied_examples").evidence[0].other == examples[0]
    shared = finding(section, "repeated_passages_of_examples").evidence[0]
    span = shared.spans[0]
    assert shared.text[span.start : span.end] == "the blue kettle from the corner shop leaks"
    assert shared.note.endswith("there at 0 to 42")
    assert value(section, "longest_passage_of_examples") == 8
    assert metric(section, "copies_of_reference").unmeasured == "no reference was given"
    assert metric(section, "closer_to_reference").unmeasured == "no reference was given"


def test_large_corpora_are_sampled_for_distances() -> None:
    section = measure(sentences(5_200, 1), reference=sentences(50, 2), holdout=sentences(40, 3))
    assert metric(section, "closer_to_reference").sampled == 5_000
    assert metric(section, "copies_of_reference").sampled is None


@pytest.mark.parametrize("texts", [[], [None], [None, ""], ["..."], ["same"] * 5, ["\ud800 x"]])
def test_odd_corpora(texts: list[str | None]) -> None:
    section = measure(texts, reference=texts, holdout=texts, examples=texts)
    assert len(section.metrics) == 10
    assert section.model_validate_json(section.model_dump_json()) == section
    if texts:
        assert metric(section, "closer_to_reference").unmeasured == (
            "every row is as close to both sets"
        )
    else:
        assert {m.unmeasured for m in section.metrics} == {"the dataset has no rows"}


@pytest.mark.shared
def test_supergen_holds_no_sentence_of_sst2(shared: Path, severities) -> None:
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text())

    def real(split: str) -> list[str]:
        lines = (shared / f"data/sst2/stsa.binary.{split}").read_text().splitlines()
        return [line[2:] for line in lines]

    section = measure([row["text"] for row in rows], reference=real("train"), holdout=real("dev"))
    assert value(section, "copies_of_reference") == 0
    assert value(section, "near_copies_of_reference") < 0.001
    assert set(severities(section).values()) <= {"note"}
    # A synthetic text shares fewer passages with the real ones than other real texts do.
    passages = metric(section, "passages_of_reference")
    assert passages.estimate is not None
    assert passages.baseline is not None
    assert passages.estimate.value < passages.baseline.value


@pytest.mark.shared
def test_a_third_part_of_clinc150_is_as_close_to_one_part_as_to_another(
    shared: Path, severities
) -> None:
    rows = json.loads((shared / "data/clinc150/data_full.json").read_text())["train"]
    texts = sorted(text for text, _ in rows)
    random.Random(4).shuffle(texts)
    section = measure(texts[:2000], reference=texts[2000:4500], holdout=texts[4500:7000])
    closer = metric(section, "closer_to_reference").estimate
    assert closer is not None
    assert closer.low is not None
    assert closer.high is not None
    assert closer.low < 0.5 < closer.high
    assert set(severities(section).values()) == {"note"}
    leaked = measure(
        [*texts[:1000], *texts[2000:3000]], reference=texts[2000:4500], holdout=texts[4500:7000]
    )
    assert severities(leaked)["closer_to_reference"] == "fix"
    assert severities(leaked)["copied_reference"] == "block"
