"""Laws that every operator keeps, alone and in any sequence."""

import json
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import CharDelete, Edit, Keyboard, NoiseStep, Protect, WordDelete
from schemas.noise_characters import Case, CharInsert, Diacritics, Punctuation, Whitespace
from schemas.noise_words import Contraction, SentenceShuffle, SpanMask, Truncate, WordReplace
from schemas.row import EDITS
from tasks.noise.edit_log import undo_edits
from tasks.noise.spans import Spans, project_spans
from tasks.noise.texts import NoisedText, noise_batch, noise_texts
from tasks.planning.streams import Stream, row_keys

CLINC = Path(__file__).resolve().parents[3] / "../shared/data/clinc150/data_full.json"
BARE_KINDS = get_args(get_args(NoiseStep)[0])
# Words of the corpus come from the caller; a list of them stands in the step itself.
MADE = {WordReplace: partial(WordReplace, words=("one", "two", "Three four", "日"))}
KINDS = tuple(MADE.get(kind, kind) for kind in BARE_KINDS)
# Kinds that find little to edit, or edit a text once.
FEW_OUTCOMES = (Contraction, SentenceShuffle, Truncate)
# The modes that are not a kind's default.
MODES = (
    partial(Keyboard, layout="qwertz"),
    partial(Keyboard, layout="azerty"),
    partial(CharInsert, alphabet="xé日"),
    partial(Diacritics, mode="strip"),
    *(partial(Case, mode=mode) for mode in ("upper", "lower", "title")),
    partial(Whitespace, mode="add"),
    partial(Punctuation, mode="drop"),
    partial(Contraction, mode="expand"),
    partial(SpanMask, mean_length=1),
    partial(Truncate, keep="end"),
)
PIECES = (
    *("a", "Z", "7", " ", "  ", "\t", "\n", "\r\n", "\r", "-", "word", "Two words", "\u00ad"),
    *("\x00", "e\u0301", "\u0301", " \u0301", "n\u0303\u0323", "\u200d", "\u200b", "\ufe0f"),
    *("\u3000", "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "🇫", "❤️", "שלום", "مرحبا", "日本語", "हिन्दी", "ก็", "각"),
    *("\u1100\u1161", "see www.a.example/b?c=1.", "{name}", "12,50", "me@b.example"),
    *(
        "Do not.",
        "I AM",
        "don\u2019t go",
        "Their",
        "because!",
        "你好。再见\uff01",
        "Mr. X (ok?) ",
        "[MASK]",
    ),
)
TEXTS = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
RATES = st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0])
KIND = st.sampled_from((*KINDS, *MODES))
STEPS = st.lists(st.builds(lambda kind, rate: kind(rate=rate), KIND, RATES), max_size=4)
PROTECT = Protect(patterns=("url", "email", "placeholder", "number"), regexes=("^Two.", "日"))
few = settings(deadline=None, max_examples=100)


def keys_of(num: int, seed: int = 3) -> np.ndarray:
    return row_keys(seed, np.arange(num), 0, Stream.NOISE)


def in_clean_text(edits: tuple[Edit, ...]) -> list[tuple[int, int, str]]:
    """Return (start, end, after) of one step's edits, counted in the text before the step."""
    shift, places = 0, []
    for edit in edits:
        places.append((edit.start - shift, edit.end - shift, edit.after))
        shift += len(edit.after) - len(edit.before)
    return places


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
@given(st.lists(TEXTS, max_size=6), st.lists(KIND, max_size=3))
def test_rate_zero_is_the_identity(texts, kinds):
    steps = [kind(rate=0) for kind in kinds]
    noised = noise_batch(texts, keys=keys_of(len(texts)), steps=steps)
    assert noised.texts.to_pylist() == texts
    assert noised.edits.to_pylist() == [[] for _ in texts]
    assert not noised.changed.any()


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
@given(st.lists(TEXTS, max_size=6), st.lists(KIND, min_size=1, max_size=3))
def test_no_step_empties_a_text(texts, kinds):
    steps = [kind(rate=1) for kind in kinds]
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=steps)
    for clean, noised in zip(texts, rows, strict=True):
        assert bool(clean.strip()) == bool(noised.text.strip())
        assert bool(clean) == bool(noised.text)


@few
@given(st.lists(TEXTS, max_size=6), KIND, RATES)
def test_no_cluster_is_torn(texts, kind, rate):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[kind(rate=rate)])
    for clean, noised in zip(texts, rows, strict=True):
        bounds = {0, *(match.end() for match in regex.finditer(r"\X", clean))}
        for start, end, _ in in_clean_text(noised.edits):
            assert {start, end} <= bounds


@few
@given(st.lists(TEXTS, max_size=6), KIND, RATES)
def test_protection_takes_edits_away_and_changes_no_other(texts, kind, rate):
    keys, step = keys_of(len(texts)), kind(rate=rate)
    free = noise_texts(texts, keys=keys, steps=[step])
    noised = noise_batch(texts, keys=keys, steps=[step], protect=PROTECT)
    for bare, edits in zip(free, noised.edits.to_pylist(), strict=True):
        held = in_clean_text(tuple(Edit(**edit) for edit in edits))
        assert set(held) <= set(in_clean_text(bare.edits))


@few
@given(st.lists(TEXTS, max_size=6), STEPS, st.data())
def test_protected_spans_stay_as_they_are(texts, steps, data):
    spans = []
    for text in texts:
        cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
        spans.append(list(pairwise(cuts)))
    noised = noise_batch(
        texts, keys=keys_of(len(texts)), steps=steps, protect=PROTECT, spans=Spans.of(spans)
    )
    moved = noised.spans.to_lists(len(texts))
    for clean, text, old, new in zip(texts, noised.texts.to_pylist(), spans, moved, strict=True):
        assert [clean[start:end] for start, end in old] == [text[start:end] for start, end in new]


@few
@given(st.lists(TEXTS, max_size=6), STEPS, st.data())
def test_spans_of_a_batch_are_those_of_each_log(texts, steps, data):
    ends = [st.integers(0, len(text)) for text in texts]
    spans = [
        [tuple(sorted(pair)) for pair in data.draw(st.lists(st.tuples(end, end), max_size=4))]
        for end in ends
    ]
    noised = noise_batch(texts, keys=keys_of(len(texts)), steps=steps, spans=Spans.of(spans))
    for old, new, edits in zip(
        spans, noised.spans.to_lists(len(texts)), noised.edits.to_pylist(), strict=True
    ):
        assert new == project_spans(old, [Edit(**edit) for edit in edits])


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in BARE_KINDS])
def test_a_key_decides(kind):
    text = "I do not know, their new card is not here. Who will check it? We have waited 9 weeks!"
    texts = [text] * 50
    first = noise_texts(texts, keys=keys_of(50), steps=[kind(rate=0.3)])
    again = noise_texts(texts, keys=keys_of(50), steps=[kind(rate=0.3)])
    other = noise_texts(texts, keys=keys_of(50, seed=4), steps=[kind(rate=0.3)])
    assert first == again
    assert first != other
    assert len({noised.text for noised in first}) > (1 if kind in FEW_OUTCOMES else 25)


def test_two_steps_of_a_kind_draw_apart():
    text = "the quick brown fox jumps over the lazy dog " * 20
    once, twice = (
        noise_texts([text], keys=keys_of(1), steps=[Keyboard(rate=0.5)] * num)[0].edits
        for num in (1, 2)
    )
    first, second = twice[: len(once)], twice[len(once) :]
    assert first == once
    assert {edit.start for edit in first} != {edit.start for edit in second}


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["word"]])
def test_the_columns_have_the_types_of_a_row(texts):
    for steps in ([], [Keyboard(rate=1)], [CharDelete(rate=1), WordDelete(rate=1)]):
        noised = noise_batch(texts, keys=keys_of(len(texts)), steps=steps)
        assert noised.texts.type == pa.string()
        assert noised.edits.type == EDITS
        assert len(noised.texts) == len(noised.edits) == noised.changed.size == len(texts)
        noised.texts.validate(full=True)
        noised.edits.validate(full=True)


def test_arrow_and_python_texts_are_the_same():
    texts = ["one two", "déjà vu", "", "日本"]
    sliced = pa.array(["gone", *texts, "gone too"]).slice(1, 4)
    chunked = pa.chunked_array([texts[:1], texts[1:]])
    steps = [CharDelete(rate=0.3), Keyboard(rate=0.3)]
    expected = noise_batch(texts, keys=keys_of(4), steps=steps)
    for same in (sliced, chunked, sliced.cast(pa.large_string())):
        noised = noise_batch(same, keys=keys_of(4), steps=steps)
        assert noised.texts.equals(expected.texts)
        assert noised.edits.equals(expected.edits)


def test_keys_and_texts_must_be_as_many():
    with pytest.raises(ValueError, match="keys"):
        noise_texts(["a", "b"], keys=keys_of(3), steps=[Keyboard(rate=0.5)])


def test_what_is_no_text_is_refused():
    with pytest.raises(ValueError, match="null"):
        noise_batch(pa.array(["a", None]), keys=keys_of(2), steps=[])
    with pytest.raises(ValueError, match="surrogates"):
        noise_batch(["\ud800"], keys=keys_of(1), steps=[])


@pytest.mark.shared
def test_real_texts_invert():
    if not CLINC.exists():
        pytest.skip("clinc150 is not beside the repository")
    texts = [text for text, _ in json.loads(CLINC.read_text())["train"]][:3000]
    steps = [Keyboard(rate=0.05), CharDelete(rate=0.05), WordDelete(rate=0.1)]
    noised: list[NoisedText] = noise_texts(texts, keys=keys_of(len(texts)), steps=steps)
    assert [undo_edits(row.text, row.edits) for row in noised] == texts
    assert sum(row.text != text for row, text in zip(noised, texts, strict=True)) > 2500
