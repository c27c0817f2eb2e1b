"""Splices applied to a batch against one text at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.batch import TextBatch
from tasks.noise.splices import Splices, apply
from tasks.noise.strings import Strings

few = settings(deadline=None, max_examples=200)
TEXTS = st.lists(st.text("abc日👍\u0301 ", max_size=8), max_size=6)


@st.composite
def replacements(draw, text):
    """Draw disjoint (start, end, after), no insertion where another one ends."""
    found, place = [], 0
    while place <= len(text) and draw(st.booleans()):
        start = draw(st.integers(place, len(text)))
        end = draw(st.integers(start, min(start + 3, len(text))))
        if found and start == end == found[-1][1]:
            break
        found.append((start, end, draw(st.text("xyé", max_size=3))))
        place = end
    return found


@st.composite
def batches(draw):
    texts = draw(TEXTS)
    return texts, [draw(replacements(text)) for text in texts]


def splices_of(batch: TextBatch, wanted: list[list[tuple[int, int, str]]]) -> Splices:
    flat = [(row, *place) for row, places in enumerate(wanted) for place in places]
    rows, starts, ends = np.array([place[:3] for place in flat], np.int64).reshape(-1, 3).T
    base = batch.offsets[rows]
    return Splices(rows, starts + base, ends + base, Strings.of([place[3] for place in flat]))


def slow_apply(text, places):
    """Make the replacements one by one, each logged in the text as it stands."""
    log, shift = [], 0
    for start, end, after in places:
        start, end = start + shift, end + shift
        log.append((start, text[start:end], after))
        text = text[:start] + after + text[end:]
        shift += len(after) - (end - start)
    return text, log


@few
@given(batches())
def test_apply_is_one_replacement_after_the_other(drawn):
    texts, wanted = drawn
    batch = TextBatch(Strings.of(texts))
    after, edits, _ = apply(batch, splices_of(batch, wanted), step=2)
    slow = [slow_apply(text, places) for text, places in zip(texts, wanted, strict=True)]
    assert after.strings.to_arrow().to_pylist() == [text for text, _ in slow]
    logged = zip(
        edits.rows.tolist(),
        edits.starts.tolist(),
        edits.befores.to_arrow().to_pylist(),
        edits.afters.to_arrow().to_pylist(),
        strict=True,
    )
    assert list(logged) == [(row, *edit) for row, (_, log) in enumerate(slow) for edit in log]
    assert set(edits.steps.tolist()) <= {2}


@few
@given(batches(), st.data())
def test_protected_text_stays_and_stays_protected(drawn, data):
    texts, wanted = drawn
    strings = Strings.of(texts)
    size = strings.code_points.size
    protected = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
    batch = TextBatch(strings, protected)
    after, _, _ = apply(batch, splices_of(batch, wanted).outside(batch), step=0)
    assert after.code_points[after.protected].tolist() == strings.code_points[protected].tolist()


@few
@given(batches(), st.data())
def test_outside_drops_what_touches_and_nothing_else(drawn, data):
    texts, wanted = drawn
    strings = Strings.of(texts)
    size = strings.code_points.size
    protected = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
    batch = TextBatch(strings, protected)
    expected = []
    for row, places in enumerate(wanted):
        own = protected[batch.offsets[row] : batch.offsets[row + 1]]
        for start, end, after in places:
            if start < end:
                touches = own[start:end].any()
            else:
                touches = 0 < start < own.size and own[start - 1 : start + 1].all()
            if not touches:
                expected.append((row, start, end, after))
    held = splices_of(batch, wanted).outside(batch)
    base = batch.offsets[held.rows]
    assert expected == list(
        zip(
            held.rows.tolist(),
            (held.starts - base).tolist(),
            (held.ends - base).tolist(),
            held.afters.to_arrow().to_pylist(),
            strict=True,
        )
    )


@few
@given(batches(), st.data())
def test_a_part_of_the_batch_is_lifted_to_the_whole(drawn, data):
    texts, wanted = drawn
    rows = np.flatnonzero([data.draw(st.booleans()) for _ in texts])
    whole = TextBatch(Strings.of(texts))
    part = whole.take(rows)
    own = splices_of(part, [wanted[row] for row in rows])
    lifted = own.lifted(rows, part=part, whole=whole)
    chosen = [places if row in rows else [] for row, places in enumerate(wanted)]
    expected = splices_of(whole, chosen)
    for name in ("rows", "starts", "ends"):
        assert getattr(lifted, name).tolist() == getattr(expected, name).tolist()


@pytest.mark.parametrize(
    "places",
    [
        [(0, 0, 2, "x"), (0, 1, 3, "y")],
        [(0, 2, 3, "x"), (0, 0, 1, "y")],
        [(0, 0, 1, ""), (0, 1, 1, "y")],
        [(0, 2, 5, "x")],
        [(1, 3, 4, "x"), (0, 0, 1, "y")],
    ],
)
def test_splices_that_make_no_sense_are_refused(places):
    batch = TextBatch(Strings.of(["abc", "def"]))
    rows, starts, ends = np.array([place[:3] for place in places], np.int64).T
    splices = Splices(rows, starts, ends, Strings.of([place[3] for place in places]))
    with pytest.raises(ValueError, match="overlap"):
        apply(batch, splices, step=0)


def test_insertions_on_both_sides_of_a_seam():
    batch = TextBatch(Strings.of(["ab", "", "cd"]))
    after, edits, _ = apply(
        batch,
        splices_of(batch, [[(2, 2, "x")], [(0, 0, "y")], [(0, 0, "z")]]),
        step=0,
    )
    assert after.strings.to_arrow().to_pylist() == ["abx", "y", "zcd"]
    assert edits.starts.tolist() == [2, 0, 0]
