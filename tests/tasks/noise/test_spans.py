"""Spans and tags carried through edits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import Edit
from tasks.noise.batch import TextBatch
from tasks.noise.spans import Spans, mark_spans, project_bio, project_spans
from tasks.noise.splices import Splices, apply
from tasks.noise.strings import Strings


def edit(start: int, before: str, after: str) -> Edit:
    return Edit(kind="k", start=start, end=start + len(before), before=before, after=after)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (edit(0, "ab", ""), (0, 2)),
        (edit(2, "", "x"), (3, 5)),
        (edit(3, "", "x"), (2, 5)),
        (edit(4, "", "x"), (2, 4)),
        (edit(4, "ef", "x"), (2, 4)),
        (edit(2, "cd", "xyz"), (2, 5)),
        (edit(2, "c", "xyz"), (2, 6)),
        (edit(1, "bc", "xyz"), (4, 5)),
        (edit(3, "de", "xyz"), (2, 3)),
        (edit(2, "cd", ""), None),
        (edit(1, "bcde", "xyz"), None),
        (edit(2, "cde", "xyz"), None),
        (edit(1, "bcd", "xyz"), None),
    ],
)
def test_the_rule(change, expected):
    """The span is `cd` of `abcdef`."""
    assert project_spans([(2, 4)], [change]) == [expected]


def random_splices(rng: np.random.Generator, lengths: np.ndarray) -> list[list[tuple[int, int]]]:
    """Draw disjoint stretches in each text, no empty one where another ends."""
    every = []
    for length in lengths:
        cuts = np.sort(rng.integers(0, length + 1, 2 * rng.integers(0, 5)))
        places = list(zip(cuts[::2].tolist(), cuts[1::2].tolist(), strict=True))
        every.append(
            [
                place
                for number, place in enumerate(places)
                if not (number and place[0] == place[1] == places[number - 1][1])
            ]
        )
    return every


def test_ten_thousand_span_sets_through_three_steps():
    rng = np.random.default_rng(5)
    num = 10_000
    batch = TextBatch(Strings.of(["abcdefghijklmnopqrst"[:n] for n in rng.integers(0, 20, num)]))
    lengths = batch.strings.lengths
    spans = [
        [tuple(sorted(rng.integers(0, length + 1, 2).tolist())) for _ in range(3)]
        for length in lengths
    ]
    moved, logs = Spans.of(spans), [[] for _ in range(num)]
    for step in range(3):
        wanted = random_splices(rng, batch.strings.lengths)
        rows = np.repeat(np.arange(num), [len(own) for own in wanted])
        places = np.array([place for own in wanted for place in own], np.int64)
        afters = Strings.of(["", "x", "yz", "wvu"]).take(rng.integers(0, 4, rows.size))
        starts, ends = places.T + batch.offsets[rows]
        batch, edits, shifts = apply(batch, Splices(rows, starts, ends, afters), step=step)
        moved = moved.moved(shifts)
        for row, start, before, after in zip(
            edits.rows.tolist(),
            edits.starts.tolist(),
            edits.befores.to_arrow().to_pylist(),
            edits.afters.to_arrow().to_pylist(),
            strict=True,
        ):
            logs[row].append(edit(start, before, after))
    expected = [project_spans(own, log) for own, log in zip(spans, logs, strict=True)]
    assert moved.to_lists(num) == expected
    places = [place for own in expected for place in own]
    assert 1000 < sum(place is None for place in places) < 25_000


TAGS = st.sampled_from(["O", "B-x", "I-x", "B-y", "I-y"])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(TAGS, st.booleans()), max_size=8))
def test_entities_survive_the_loss_of_tokens(drawn):
    tags = [tag for tag, _ in drawn]
    tokens = [(2 * place, 2 * place + 1) for place in range(len(tags))]
    lost = [place for place, (_, is_lost) in enumerate(drawn) if is_lost]
    log = [edit(2 * place, "w ", "") for place in reversed(lost)]
    new_tags, new_tokens = project_bio(tags, tokens, log)
    kept = [place for place in range(len(tags)) if place not in lost]
    assert new_tokens == [(2 * number, 2 * number + 1) for number in range(len(kept))]
    assert [tag[2:] for tag in new_tags] == [tags[place][2:] for place in kept]
    for tag, place in zip(new_tags, kept, strict=True):
        begins = place
        while begins and tags[begins].startswith("I-") and begins - 1 in lost:
            begins -= 1
        loses_its_first = begins != place and tags[begins].startswith("B-")
        assert tag == (f"B-{tags[place][2:]}" if loses_its_first else tags[place])


def test_tags_and_tokens_must_be_as_many():
    with pytest.raises(ValueError, match="zip"):
        project_bio(["O"], [], [])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))), max_size=4))
def test_marks(spans):
    spans = [[tuple(sorted(pair)) for pair in own] for own in spans]
    offsets = np.arange(len(spans) + 1) * 5
    expected = np.zeros(offsets[-1], bool)
    for row, own in enumerate(spans):
        for start, end in own:
            expected[5 * row + start : 5 * row + end] = True
    assert mark_spans(Spans.of(spans), offsets).tolist() == expected.tolist()
