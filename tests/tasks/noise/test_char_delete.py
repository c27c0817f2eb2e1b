"""Lost characters: whole clusters, at the rate asked for, never all of them."""

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import CharDelete
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(12, np.arange(num), 0, Stream.NOISE)


def slow_char_delete(text: str, key: np.uint64, rate: float) -> list[str]:
    clusters = regex.findall(r"\X", text)
    whether = fold(fold(key, 0), 0)
    draws = [float(uniforms(whether, index)) for index in range(len(clusters))]
    inked = [index for index, cluster in enumerate(clusters) if not cluster.isspace()]
    if not inked:
        return clusters
    kept = {index for index, draw in enumerate(draws) if draw >= rate}
    if not kept & set(inked):
        kept.add(max(inked, key=lambda index: draws[index]))
    return [cluster for index, cluster in enumerate(clusters) if index in kept]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(st.text("ab \n\u0301👍🏽\u200d日", max_size=12), st.text(max_size=12)), max_size=5
    ),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    keys = keys_of(len(texts))
    noised = noise_texts(texts, keys=keys, steps=[CharDelete(rate=rate)])
    expected = [slow_char_delete(text, key, rate) for text, key in zip(texts, keys, strict=True)]
    assert [row.text for row in noised] == ["".join(clusters) for clusters in expected]


def test_no_cluster_is_torn():
    text = "👩‍👩‍👧‍👦e\u0301🇩🇪👍🏽\r\nकि"
    clusters = regex.findall(r"\X", text)
    assert len(clusters) == 6
    for row in noise_texts([text] * 200, keys=keys_of(200), steps=[CharDelete(rate=0.5)]):
        assert {edit.before for edit in row.edits} <= set(clusters)
        assert set(regex.findall(r"\X", row.text)) <= set(clusters)


def test_which_character_survives_is_drawn():
    rows = noise_texts([" abc "] * 300, keys=keys_of(300), steps=[CharDelete(rate=1)])
    survivors = [row.text for row in rows]
    assert set(survivors) == {"a", "b", "c"}
    for survivor in "abc":
        assert abs(survivors.count(survivor) - 100) < 4 * (300 * 2 / 9) ** 0.5


def test_white_space_alone_is_left():
    (row,) = noise_texts([" \t\n"], keys=keys_of(1), steps=[CharDelete(rate=1)])
    assert row.text == " \t\n"
    assert row.edits == ()


def test_the_rate_is_met():
    num, rate = 40_000, 0.1
    rows = noise_texts(["a" * 40] * 1000, keys=keys_of(1000), steps=[CharDelete(rate=rate)])
    lost = sum(len(row.edits) for row in rows)
    assert abs(lost - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5


def test_a_lower_rate_loses_a_part_of_what_a_higher_one_does():
    text = "where is my new card and who has it"
    low, high = (
        noise_texts([text], keys=keys_of(1), steps=[CharDelete(rate=rate)])[0].text
        for rate in (0.2, 0.6)
    )
    rest = iter(low)
    assert all(char in rest for char in high)
    assert len(high) < len(low) < len(text)


def test_golden():
    texts = ["Where is my new card?", "日本語 e\u0301te\u0301", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[CharDelete(rate=0.2)])
    assert [row.text for row in rows] == GOLDEN


GOLDEN = ["hee i my newcard?", "\u65e5\u672ce\u0301t", ""]
