"""Letters of the wrong case: simple mappings, marks kept, words as a title has them."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import Case
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms

MAPPINGS = {"upper": str.upper, "lower": str.lower, "random": str.swapcase, "title": str.title}
TEXTS = st.lists(
    st.one_of(st.text("aBßéÉ İıǆǅ\u0301日ж'1\n", max_size=12), st.text(max_size=10)), max_size=5
)


def keys_of(num: int) -> np.ndarray:
    return row_keys(25, np.arange(num), 0, Stream.NOISE)


def cased(cluster: str, mode: str) -> str:
    mapped = MAPPINGS[mode](cluster[0])
    return (mapped if len(mapped) == 1 else cluster[0]) + cluster[1:]


@pytest.mark.parametrize("mode", ["upper", "lower", "random"])
@settings(deadline=None, max_examples=80)
@given(TEXTS, st.sampled_from([0.3, 1.0]))
def test_letters_are_as_the_definition_says(mode, texts, rate):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[Case(rate=rate, mode=mode)])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether = fold(fold(key, 0), 0)
        expected = [
            cased(cluster, mode) if uniforms(whether, index) < rate else cluster
            for index, cluster in enumerate(regex.findall(r"\X", text))
        ]
        assert row.text == "".join(expected)


def words_of(clusters: list[str]) -> list[list[str]]:
    """Return runs of white space and of words, in turn, each a list of clusters."""
    runs: list[list[str]] = []
    for cluster in clusters:
        if runs and runs[-1][0].isspace() == cluster.isspace():
            runs[-1].append(cluster)
        else:
            runs.append([cluster])
    return runs


def slow_title(text: str, key: np.uint64, rate: float) -> str:
    whether, number, pieces = fold(fold(key, 0), 0), 0, []
    for run in words_of(regex.findall(r"\X", text)):
        if run[0].isspace():
            pieces += run
            continue
        is_hit, is_begun = uniforms(whether, number) < rate, False
        number += 1
        for cluster in run:
            has_case = cased(cluster, "upper") != cluster or cased(cluster, "lower") != cluster
            mode = "lower" if is_begun or not has_case else "title"
            is_begun |= has_case
            pieces.append(cased(cluster, mode) if is_hit else cluster)
    return "".join(pieces)


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.sampled_from([0.4, 1.0]))
def test_words_are_as_the_definition_says(texts, rate):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[Case(rate=rate, mode="title")])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        assert row.text == slow_title(text, key, rate)


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        ("upper", "Straße e\u0301 ŉ ﬁ", "STRAßE E\u0301 ŉ ﬁ"),
        ("lower", "ÉCOLE İ Σ", "école İ \u03c3"),
        ("title", "'tis THE ǆ o'clock 3RD", "'Tis The ǅ O'clock 3Rd"),
        ("random", "aBc ß 1", "AbC ß 1"),
    ],
)
def test_some_by_eye(mode, before, after):
    (row,) = noise_texts([before], keys=keys_of(1), steps=[Case(rate=1, mode=mode)])
    assert row.text == after


@pytest.mark.parametrize("mode", ["upper", "random"])
def test_the_rate_is_met(mode):
    rows = noise_texts(["a" * 40] * 1000, keys=keys_of(1000), steps=[Case(rate=0.1, mode=mode)])
    changed = sum(len(row.edits) for row in rows)
    assert abs(changed - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5


@pytest.mark.parametrize("mode", ["upper", "lower", "title", "random"])
def test_golden(mode):
    texts = ["Where is my NEW card?", "E\u0301te\u0301 ДОМ straße", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[Case(rate=0.4, mode=mode)])
    assert [row.text for row in rows] == GOLDEN[mode]


GOLDEN = {
    "upper": ["WhErE is my NEW caRD?", "E\u0301te\u0301 \u0414\u041e\u041c StrA\xdfE", ""],
    "lower": ["where is my new card?", "e\u0301te\u0301 \u0414\u041e\u043c stra\xdfe", ""],
    "title": ["Where is My NEW Card?", "E\u0301te\u0301 \u0414\u041e\u041c stra\xdfe", ""],
    "random": ["whErE is my new caRD?", "e\u0301te\u0301 \u0414\u041e\u043c StrA\xdfE", ""],
}
