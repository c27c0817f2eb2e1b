"""Each score against its definition."""

from dataclasses import asdict, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.row import SCORES
from tasks.quality.fingerprints import FingerprintIndex
from tasks.quality.scores import (
    Candidate,
    Scores,
    example_similarity,
    label_leak,
    memorised,
    num_chars,
    num_words,
    prompt_overlap,
    repetition,
    score,
)

WORDS = st.lists(st.sampled_from("abcd"), max_size=9)


def test_the_scores_are_those_of_the_schema():
    assert [field.name for field in fields(Scores)] == list(SCORES)


def test_lengths():
    assert num_chars("ab 日e\u0301") == 6
    assert num_words("  one, two\n日本語 ") == 3
    assert num_chars("") == num_words("") == 0


@settings(deadline=None)
@given(WORDS)
def test_repetition_is_its_definition(words):
    ngrams = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
    repeats = sum(ngram in ngrams[:i] for i, ngram in enumerate(ngrams))
    expected = repeats / len(ngrams) if ngrams else 0
    assert repetition(" ".join(words)) == pytest.approx(expected)


def test_repetition_sees_through_case_and_punctuation():
    assert repetition("No way, no. NO WAY no!") == pytest.approx(1 / 4)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_prompt_overlap_without_examples_is_its_definition(words, prompt):
    ngrams = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
    shown = {tuple(prompt[i : i + 3]) for i in range(len(prompt) - 2)}
    expected = sum(ngram in shown for ngram in ngrams) / len(ngrams) if ngrams else 0
    overlap = prompt_overlap(" ".join(words), prompt=" ".join(prompt), examples=[])
    assert overlap == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prompt", "examples", "expected"),
    [
        ("Say: one two three four.", [], 1.0),
        ("Say: one two three four.", ["one two three four"], 0.0),
        ("- One two three four!\n- One two three four!", ["one two three four"], 0.0),
        ("one two three four / two three", ["two three", "one two three four"], 0.0),
        ("one two three fourteen", ["four"], 0.5),
        ("one two x three four", ["x"], 0.0),
        ("one two three four", ["?!", ""], 1.0),
    ],
)
def test_examples_are_taken_out_of_the_prompt(prompt, examples, expected):
    assert prompt_overlap("One two three four?", prompt=prompt, examples=examples) == expected


def test_similarity_is_that_of_the_nearest_example():
    near, far = "where is my card", "please close the account"
    assert example_similarity("Where is my card?", examples=[far, near]) == 1
    # 12 5-grams each, of which 9 are shared.
    assert example_similarity("where is my cat", examples=[near]) == pytest.approx(10 / 13)
    assert example_similarity("where is my card", examples=[]) == 0


@pytest.mark.parametrize(
    ("label", "text", "leaks"),
    [
        ("card_arrival", "My card: arrival when?", 1),
        ("card-arrival", "CARD ARRIVAL", 1),
        ("Card arrival", "card_arrival", 1),
        ("card_arrival", "card arrivals", 0),
        ("card_arrival", "arrival of my card", 0),
        ("greeting", "a greeting", 1),
        ("greet", "a greeting", 0),
        ("+", "one + one", 0),
        ("की", "कि", 0),
    ],
)
def test_label_leak(label, text, leaks):
    assert label_leak(text, label=label) == leaks


def test_memorised():
    known = FingerprintIndex.of_texts(["Known text."])
    assert memorised("known TEXT", examples=[], known=known) == 1
    assert memorised("an example!", examples=["An example"], known=known) == 1
    assert memorised("new text", examples=["An example"], known=known) == 0
    assert memorised("known text", examples=[], known=None) == 0


def test_score_asks_every_function():
    candidate = Candidate(
        text="Lost card now lost card now",
        label="lost card",
        prompt="Write: lost card now. Like: I lost it",
        examples=["lost card now lost it", "I lost it"],
        finish_reason="eos",
        error=None,
    )
    known = FingerprintIndex.of_texts([candidate.text])
    assert asdict(score(candidate, known=known)) == {
        "num_chars": 27,
        "num_words": 6,
        "repetition": repetition(candidate.text),
        "prompt_overlap": 0.5,
        "example_similarity": example_similarity(candidate.text, examples=candidate.examples),
        "label_leak": 1,
        "memorised": 1,
    }
