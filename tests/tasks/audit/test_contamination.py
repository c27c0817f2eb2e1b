"""Evaluation rows in a dataset are found, told apart by split, and weighed."""

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.audit import Finding, Group, Metric, Section
from tasks.audit import contamination
from tasks.audit.corpus import Corpus
from tasks.quality.copies import CodedTexts, CopyKind, find_copies
from tasks.quality.fingerprints import normalise_text
from tasks.quality.word_codes import Vocabulary, encode_words

HOLDOUT = [
    "Where did my parcel with the blue lamp go?",
    "Please cancel the second order from Tuesday.",
    "We walked along the old river wall until the lights of the harbour town came out one by one.",
    "Hello",
]
OTHERS = [f"A sentence of its own, number {i}, about thing {i * i}." for i in range(300)]


def measure(
    texts: Sequence[str | None],
    holdout: Sequence[str | None] | None,
    splits: Sequence[str | None] | None = None,
) -> Section:
    vocabulary = Vocabulary()

    def corpus(name: str, texts: Sequence[str | None]) -> Corpus:
        ids = [f"{name}-{i}" for i in range(len(texts))]
        return Corpus(name=name, ids=ids, texts=texts, vocabulary=vocabulary)

    rows = corpus("row", texts)
    if splits is not None:
        rows = Corpus(
            name="rows",
            ids=rows.ids,
            texts=texts,
            columns={"split": splits},
            vocabulary=vocabulary,
        )
    return contamination.measure(
        corpus=rows, holdout=None if holdout is None else corpus("test", holdout)
    )


def metric(section: Section, name: str) -> Metric:
    return next(metric for metric in section.metrics if metric.name == name)


def value(section: Section, name: str) -> float:
    estimate = metric(section, name).estimate
    assert estimate is not None
    return estimate.value


def finding(section: Section, name: str) -> Finding:
    return next(finding for finding in section.findings if finding.name == name)


def test_a_clean_dataset_has_no_finding() -> None:
    section = measure(OTHERS, HOLDOUT)
    assert section.group is Group.CONTAMINATION
    assert section.findings == ()
    assert [m.estimate.value if m.estimate else None for m in section.metrics] == [0, 0, 0, 0, 0]
    assert section.tables[0].rows == (("all", 300, 0, 0, 0, 0),)


def test_copied_rows_block(severities) -> None:
    rows = [*OTHERS, HOLDOUT[1].upper(), HOLDOUT[0]]
    section = measure(rows, HOLDOUT, ["train"] * 300 + ["train", None])
    copied = finding(section, "evaluation_rows_copied")
    assert severities(section)[copied.name] == "block"
    assert copied.rows == 2
    assert "2 of 4 evaluation rows (50 %)" in copied.what
    assert [(e.id, e.other_id, e.note) for e in copied.evidence] == [
        ("row-301", "test-0", "the same characters"),
        ("row-300", "test-1", "the same words"),
    ]
    assert value(section, "copied_holdout_rows") == 0.5
    assert value(section, "rows_copied_from_holdout") == 2 / 302
    assert section.tables[0].rows == (("all", 1, 1, 0, 1, 0), ("train", 301, 1, 0, 0, 0))


def test_few_copied_rows_are_to_be_mended(severities) -> None:
    holdout = [f"Test {i} asks for item {i * 7}." for i in range(200)]
    section = measure([*OTHERS, holdout[5]], holdout)
    assert severities(section)["evaluation_rows_copied"] == "fix"


def test_edited_rows_are_found(severities) -> None:
    section = measure([*OTHERS, "Please cancel the third order from Tuesday."], HOLDOUT)
    near = finding(section, "evaluation_rows_nearly_copied")
    assert severities(section)[near.name] == "fix"
    assert near.rows == 1
    assert near.evidence[0].other == HOLDOUT[1]
    assert value(section, "near_copied_holdout_rows") == 0.25


def test_all_rows_edited_block(severities) -> None:
    edited = [text.replace("the", "this", 1) for text in HOLDOUT[:3]]
    section = measure([*OTHERS, *edited], HOLDOUT)
    assert severities(section)["evaluation_rows_nearly_copied"] == "block"


def test_a_shared_passage_is_shown_with_its_places() -> None:
    row = f"Once more: {HOLDOUT[2][16:-1]} and then nobody in the whole group spoke a single word."
    section = measure([*OTHERS, row], HOLDOUT)
    shared = finding(section, "evaluation_passages_shared")
    evidence = shared.evidence[0]
    (span,) = evidence.spans
    passage = HOLDOUT[2][16:-1]
    assert evidence.text[span.start : span.end] == passage
    assert evidence.note == f"16 words in a row, at characters 11 to {11 + len(passage)}; " + (
        f"there at 16 to {16 + len(passage)}"
    )
    # Only one of the evaluation rows has 13 words, two have 8.
    assert metric(section, "holdout_rows_sharing_13_words").estimate is not None
    assert value(section, "holdout_rows_sharing_13_words") == 1
    assert value(section, "holdout_rows_sharing_8_words") == 0.5


@pytest.mark.parametrize(
    ("texts", "holdout", "reason"),
    [
        (OTHERS, None, "no evaluation set was given"),
        (OTHERS, [], "the evaluation set has no rows"),
        ([], HOLDOUT, "the dataset has no rows"),
    ],
)
def test_what_is_missing_is_said(texts: list[str], holdout: list[str] | None, reason: str) -> None:
    section = measure(texts, holdout)
    assert {metric.unmeasured for metric in section.metrics} == {reason}
    assert section.findings == ()
    assert section.tables == ()
    assert len(section.metrics) == 5


@pytest.mark.parametrize("texts", [[None], [None, ""], ["..."], ["same"] * 5, ["\ud800 x"]])
def test_odd_corpora(texts: list[str | None]) -> None:
    section = measure(texts, texts)
    assert metric(section, "holdout_rows_sharing_13_words").unmeasured == (
        "no evaluation row has 13 words"
    )
    assert section.model_validate_json(section.model_dump_json()) == section


def test_a_page_of_a_row_is_harmless() -> None:
    page = "<script>alert(1)</script> \x00\x1b[31m " + "lorem ipsum dolor " * 6_000
    section = measure([page, *OTHERS], [page[:50_000]])
    shared = finding(section, "evaluation_passages_shared")
    assert len(shared.evidence[0].text) == 300
    assert shared.evidence[0].chars == len(page)
    assert shared.evidence[0].spans[0].end == 300


def clinc(shared: Path) -> dict[str, list[tuple[str, str]]]:
    return {
        split: [(text, label) for text, label in rows]
        for split, rows in json.loads((shared / "data/clinc150/data_full.json").read_text()).items()
    }


def banking(shared: Path, split: str) -> list[str]:
    with (shared / f"data/banking77/{split}.csv").open(newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


@pytest.mark.shared
def test_clinc150_against_itself_blocks(shared: Path, severities) -> None:
    texts = [text for text, _ in clinc(shared)["val"]]
    section = measure(texts, texts)
    assert value(section, "copied_holdout_rows") == 1
    assert severities(section)["evaluation_rows_copied"] == "block"


@pytest.mark.shared
def test_clinc150_is_not_contaminated_with_banking77(shared: Path, severities) -> None:
    section = measure([text for text, _ in clinc(shared)["train"]], banking(shared, "test"))
    assert set(severities(section).values()) == {"note"}
    # Short questions that both sets hold by chance, word for word: listed one by one.
    copied = finding(section, "evaluation_rows_copied")
    assert copied.rows == 5
    assert {normalise_text(e.text) for e in copied.evidence} == {
        normalise_text(e.other or "") for e in copied.evidence
    }
    assert value(section, "near_copied_holdout_rows") < 0.03
    assert value(section, "holdout_rows_sharing_13_words") == 0


@pytest.mark.shared
def test_real_test_sets_are_not_blocked(shared: Path, severities) -> None:
    """Independent questions on one subject resemble each other without having been copied."""
    utterances = clinc(shared)
    for train, test in (
        ([text for text, _ in utterances["train"]], [text for text, _ in utterances["test"]]),
        (banking(shared, "train"), banking(shared, "test")),
    ):
        section = measure(train, test)
        assert "block" not in severities(section).values()
        assert 0 < value(section, "copied_holdout_rows") < 0.01


@pytest.mark.shared
def test_supergen_is_not_contaminated_with_sst2(shared: Path) -> None:
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text())
    lines = (shared / "data/sst2/stsa.binary.dev").read_text().splitlines()
    section = measure([row["text"] for row in rows], [line[2:] for line in lines])
    assert section.findings == ()


def change(words: list[str], num_changes: int, pool: list[str], rng: random.Random) -> list[str]:
    """Replace, delete or insert words at random places, one after the other."""
    words = list(words)
    for _ in range(num_changes):
        place, word = rng.randrange(len(words)), rng.choice(pool)
        match rng.choice(["replace", "delete", "insert"]):
            case "replace":
                words[place] = word if word != words[place] else f"{word}s"
            case "delete":
                del words[place]
            case _:
                words.insert(place, word)
    return words


def word_edits(first: list[str], second: list[str]) -> int:
    """Return the word edit distance (Levenshtein), row by row as the definition has it."""
    row = list(range(len(second) + 1))
    for i, word in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


@pytest.mark.shared
def test_planted_copies_with_one_to_three_changed_words_are_found(shared: Path) -> None:
    """Edited rows of banking77, planted among rows of clinc150 that are not about banking.

    A row found is right when it was planted, or when it is within three changed words of the text
    that it is said to copy by a distance the engine does not use: such a row of clinc150 cannot be
    told from a planted one ("what is the status of my order" and "... refund").
    """
    domains = json.loads((shared / "data/clinc150/domains.json").read_text())
    money = {intent for domain in ("banking", "credit_cards") for intent in domains[domain]}
    unplanted = [
        text
        for split, rows in clinc(shared).items()
        for text, label in rows
        if label not in money and not split.startswith("oos")
    ]
    reference = banking(shared, "train")
    rng = random.Random(7)
    normals = [normalise_text(text).split() for text in reference]
    both = [*normals, *(normalise_text(text).split() for text in unplanted)]
    pool = [word for words in both for word in words]
    sources = [place for place, words in enumerate(normals) if len(words) >= 6]
    planted = [
        " ".join(change(normals[place], 1 + nth % 3, pool, rng))
        for nth, place in enumerate(sources)
    ]
    vocabulary = Vocabulary()
    texts = planted + unplanted
    found, _ = find_copies(
        CodedTexts(texts, encode_words(texts, vocabulary=vocabulary)),
        CodedTexts(reference, encode_words(reference, vocabulary=vocabulary)),
    )
    num_planted = len(planted)
    num_found = int((found.kinds[:num_planted] != CopyKind.NONE).sum())
    others = [p for p in range(num_planted, len(texts)) if found.kinds[p] != CopyKind.NONE]
    wrong = [
        p
        for p in others
        if word_edits(normalise_text(texts[p]).split(), normals[found.others[p]]) > 3
    ]
    assert num_found / num_planted >= 0.95
    assert num_found / (num_found + len(wrong)) >= 0.99
    # With every row that was not planted counted as wrong.
    assert num_found / (num_found + len(others)) >= 0.985
    assert len(others) / len(unplanted) < 0.007
