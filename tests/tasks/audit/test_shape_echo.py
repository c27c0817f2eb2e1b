"""Echoes against a search word by word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import Section
from tasks.audit.corpus import Corpus
from tasks.audit.shape_echo import find_contained, find_prompt_echoes, measure_echoes
from tasks.quality.word_codes import Vocabulary, encode_words

TEXT = st.lists(st.sampled_from("abc"), max_size=12).map(" ".join)


def corpus_of(texts, *, vocabulary=None, **columns) -> Corpus:
    ids = [f"r{place}" for place in range(len(texts))]
    return Corpus(
        "some",
        ids,
        texts,
        columns=columns,
        vocabulary=Vocabulary() if vocabulary is None else vocabulary,
    )


def by_definition(text: str, wanted: list[str]) -> tuple[int, int] | None:
    """The first place of the longest wanted text that a text holds, and which."""
    words = text.split()
    if text in wanted:
        return None
    found = [
        (-len(other.split()), other)
        for other in wanted
        if 4 <= len(other.split()) < len(words) and f" {other} " in f" {text} "
    ]
    if not found:
        return None
    longest = min(found)[0]
    return -longest, len(found)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, max_size=8), st.lists(TEXT, max_size=8))
def test_whole_texts_are_found_as_word_by_word(texts, wanted):
    words = encode_words(texts)
    others = encode_words(wanted, vocabulary=words.vocabulary)
    found = find_contained(words, others)
    expected = [place for place, text in enumerate(texts) if by_definition(text, wanted)]
    assert found.texts.tolist() == expected
    for text, start, other in zip(found.texts, found.starts, found.others, strict=True):
        held = wanted[other].split()
        assert texts[text].split()[start : start + len(held)] == held
        longest = by_definition(texts[text], wanted)
        assert longest is not None
        assert len(held) == longest[0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text("ab ", max_size=40), st.text("ab ", max_size=60)), max_size=6))
def test_prompts_are_compared_row_by_row(rows):
    expected = {}
    for place, (text, prompt) in enumerate(rows):
        words, asked = text.split(), f" {' '.join(prompt.split())} "
        starts = [
            start
            for start in range(len(words) - 7)
            if f" {' '.join(words[start : start + 8])} " in asked
        ]
        if starts:
            expected[place] = starts[0]
    assert find_prompt_echoes([t for t, _ in rows], [p for _, p in rows]) == expected


def by_name(section: Section, name: str):
    return next(metric for metric in section.metrics if metric.name == name)


EXAMPLES = ["Where is my new card?", "please help", "I lost it on the train today"]
ROWS = [
    "where is my NEW card",
    "Where is my new card? It was sent in May.",
    "Hello. Where is my new card",
    "well, please help me with this",
    "i lost it on the train",
    None,
]


def test_rows_that_hold_an_example_and_more_are_shown(severities):
    examples = corpus_of(EXAMPLES)
    rows = corpus_of(ROWS, vocabulary=examples.vocabulary)
    real = corpus_of(["nothing of it", "x"] * 100, vocabulary=examples.vocabulary)
    section = measure_echoes(rows, real, examples=examples)
    metric = by_name(section, "example_echo_rate")
    assert metric.estimate is not None
    assert (metric.estimate.value, metric.estimate.n) == (pytest.approx(2 / 6), 6)
    assert metric.baseline is not None
    assert metric.baseline.value == 0
    (finding,) = section.findings
    assert (finding.name, finding.rows) == ("example_echo_rate", 2)
    assert severities(section) == {"example_echo_rate": "fix"}
    marked = [row.text[span.start : span.end] for row in finding.evidence for span in row.spans]
    assert marked == ["Where is my new card", "Where is my new card"]
    assert finding.evidence[0].note == "holds the example: Where is my new card?"
    # Without real rows beside them, a few of many rows may hold an example by chance.
    many = corpus_of([*ROWS, *["it is late"] * 60], vocabulary=examples.vocabulary)
    alone = measure_echoes(many, None, examples=examples)
    assert severities(alone) == {"example_echo_rate": "note"}


def test_rows_that_repeat_their_own_prompt_are_noted(monkeypatch):
    told = "Write one message that a person could have sent to us today."
    rows = corpus_of(
        [f"Sure: {told}", "my card is gone", f"Sure: {told}", "x"],
        prompt=[told, told, "another prompt", None],
    )
    section = measure_echoes(rows, None, examples=None)
    metric = by_name(section, "prompt_echo_rate")
    assert metric.estimate is not None
    assert (metric.estimate.value, metric.sampled) == (pytest.approx(1 / 3), 3)
    (finding,) = section.findings
    assert (finding.severity, finding.evidence[0].id) == ("note", "r0")
    (span,) = finding.evidence[0].spans
    shown = finding.evidence[0].text[span.start : span.end]
    assert shown == "Write one message that a person could have"


@pytest.mark.parametrize(
    ("examples", "why"),
    [
        (None, "no examples file was given"),
        (["too short", None], "no example has 4 words"),
        ([], "no example has 4 words"),
    ],
)
def test_what_cannot_be_looked_for_is_said(examples, why):
    some = None if examples is None else corpus_of(examples)
    vocabulary = Vocabulary() if some is None else some.vocabulary
    section = measure_echoes(corpus_of(ROWS, vocabulary=vocabulary), None, examples=some)
    assert by_name(section, "example_echo_rate").unmeasured == why
    assert "column `prompt`" in (by_name(section, "prompt_echo_rate").unmeasured or "")
    nothing = measure_echoes(corpus_of([], vocabulary=vocabulary), None, examples=some)
    assert all(metric.unmeasured for metric in nothing.metrics)


def test_hostile_rows_are_harmless():
    long = "a b c d " * 25_000
    examples = corpus_of([long, "\ud800 one two three four", "a b c d"])
    rows = corpus_of(
        [long + "e", "\ud800 one two three four\x00 five", "!", long],
        vocabulary=examples.vocabulary,
        prompt=[long, "\ud800", None, "x"],
    )
    section = measure_echoes(rows, None, examples=examples)
    assert [finding.rows for finding in section.findings] == [2, 1]
    assert section.model_dump_json()
    assert np.isfinite(by_name(section, "prompt_echo_rate").estimate.value)
