"""Laws that every operator keeps, alone and in any sequence."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import CharDelete, Edit, Keyboard, WordDelete
from tasks.noise.texts import NoisedText, noise_texts, undo_edits
from tasks.planning.streams import Stream, row_keys

CLINC = Path(__file__).resolve().parents[3] / "../shared/data/clinc150/data_full.json"
KINDS = (Keyboard, CharDelete, WordDelete)
PIECES = (
    *(
        "a",
        "Z",
        "7",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "-",
        "word",
        "Two words",
        "\u00ad",
        "\x00",
    ),
    *("e\u0301", "\u0301", " \u0301", "n\u0303\u0323", "\u200d", "\u200b", "\ufe0f", "\u3000"),
    *(
        "👩‍👩‍👧‍👦",
        "👍🏽",
        "🇩🇪",
        "🇫",
        "❤️",
        "שלום",
        "مرحبا",
        "日本語",
        "हिन्दी",
        "ก็",
        "각",
        "\u1100\u1161",
    ),
)
TEXTS = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
RATES = st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0])
STEPS = st.lists(
    st.builds(lambda kind, rate: kind(rate=rate), st.sampled_from(KINDS), RATES), max_size=4
)
few = settings(deadline=None, max_examples=150)


def keys_of(num: int, seed: int = 3) -> np.ndarray:
    return row_keys(seed, np.arange(num), 0, Stream.NOISE)


@few
@given(st.lists(TEXTS, max_size=6), STEPS)
def test_every_edit_fits_and_inverts(texts, steps):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=steps)
    for clean, noised in zip(texts, rows, strict=True):
        text = clean
        for edit in noised.edits:
            assert text[edit.start : edit.end] == edit.before
            assert edit.before != edit.after
            text = text[: edit.start] + edit.after + text[edit.end :]
        assert text == noised.text
        assert undo_edits(noised.text, noised.edits) == clean


@few
@given(st.lists(TEXTS, max_size=6), STEPS)
def test_edits_are_in_the_order_of_steps_and_places(texts, steps):
    for noised in noise_texts(texts, keys=keys_of(len(texts)), steps=steps):
        to_come = [step.kind for step in steps]
        kind, place = "", 0
        for edit in noised.edits:
            if edit.kind != kind or edit.start < place:
                to_come = to_come[to_come.index(edit.kind) + 1 :]
            kind, place = edit.kind, edit.start


@few
@given(st.lists(TEXTS, max_size=6), st.lists(st.sampled_from(KINDS), max_size=3))
def test_rate_zero_is_the_identity(texts, kinds):
    steps = [kind(rate=0) for kind in kinds]
    assert noise_texts(texts, keys=keys_of(len(texts)), steps=steps) == [
        NoisedText(text, ()) for text in texts
    ]


@few
@given(st.lists(TEXTS, max_size=8), STEPS, st.data())
def test_a_text_does_not_depend_on_its_batch(texts, steps, data):
    keys = keys_of(len(texts))
    whole = noise_texts(texts, keys=keys, steps=steps)
    places = data.draw(st.permutations(range(len(texts))))
    places = places[: data.draw(st.integers(0, len(texts)))]
    part = noise_texts([texts[i] for i in places], keys=keys[places], steps=steps)
    assert part == [whole[i] for i in places]


@few
@given(st.lists(TEXTS, max_size=6), st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
def test_no_step_empties_a_text(texts, kinds):
    steps = [kind(rate=1) for kind in kinds]
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=steps)
    for clean, noised in zip(texts, rows, strict=True):
        assert bool(clean.strip()) == bool(noised.text.strip())
        assert bool(clean) == bool(noised.text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_decides(kind):
    texts = ["the quick brown fox jumps over the lazy dog"] * 50
    first = noise_texts(texts, keys=keys_of(50), steps=[kind(rate=0.3)])
    again = noise_texts(texts, keys=keys_of(50), steps=[kind(rate=0.3)])
    other = noise_texts(texts, keys=keys_of(50, seed=4), steps=[kind(rate=0.3)])
    assert first == again
    assert first != other
    assert len({noised.text for noised in first}) > 25


def test_two_steps_of_a_kind_draw_apart():
    text = "the quick brown fox jumps over the lazy dog " * 20
    once, twice = (
        noise_texts([text], keys=keys_of(1), steps=[Keyboard(rate=0.5)] * num)[0].edits
        for num in (1, 2)
    )
    first, second = twice[: len(once)], twice[len(once) :]
    assert first == once
    assert {edit.start for edit in first} != {edit.start for edit in second}


def test_keys_and_texts_must_be_as_many():
    with pytest.raises(ValueError, match="keys"):
        noise_texts(["a", "b"], keys=keys_of(3), steps=[Keyboard(rate=0.5)])


def test_a_log_of_another_text_is_refused():
    edit = Edit(kind="keyboard", start=0, end=1, before="a", after="s")
    assert undo_edits("scorn", [edit]) == "acorn"
    with pytest.raises(ValueError, match="does not stand"):
        undo_edits("corn", [edit])


def test_lone_surrogates_pass_through():
    noised = noise_texts(["a\ud800b c"], keys=keys_of(1), steps=[kind(rate=0.9) for kind in KINDS])
    assert undo_edits(noised[0].text, noised[0].edits) == "a\ud800b c"


@pytest.mark.shared
def test_real_texts_invert():
    if not CLINC.exists():
        pytest.skip("clinc150 is not beside the repository")
    texts = [text for text, _ in json.loads(CLINC.read_text())["train"]][:3000]
    steps = [Keyboard(rate=0.05), CharDelete(rate=0.05), WordDelete(rate=0.1)]
    noised = noise_texts(texts, keys=keys_of(len(texts)), steps=steps)
    assert [undo_edits(row.text, row.edits) for row in noised] == texts
    assert sum(row.text != text for row, text in zip(noised, texts, strict=True)) > 2500
