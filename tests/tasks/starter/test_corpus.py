"""The formats of the training texts, the corruption, and the real sets where they lie beside."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.fingerprints import normalise_text
from tasks.starter.corpus import (
    Library,
    Utterance,
    build_segments,
    data_files,
    describe_prompt,
    form_of,
    length_of,
    load_descriptions,
    plain_name,
    read_split,
    utterance_prompt,
)
from tasks.starter.corruption import NEIGHBOURS, corrupt

SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"

UTTERANCES = (
    Utterance("a/pay_bill", "how do i pay the water bill"),
    Utterance("a/pay_bill", "Pay my bill, please."),
    Utterance("a/OpenDoor", "Open the door"),
    Utterance("a/OpenDoor", "could the door be opened a little bit more so that the cat gets in"),
)
LIBRARY = Library.of(
    UTTERANCES,
    {"a/pay_bill": ("wants to pay a bill", "asks about paying"), "a/OpenDoor": ("opens a door",)},
)
MAIN = re.compile(
    r"Intent: (?P<description>[^\n]+)"
    r"(?P<attributes>(\n(Form: (question|request)|Length: (short|medium|long))){0,2})"
    r"(?P<examples>(\nExample: [^\n]+){0,3})"
    r"\nMessage: (?P<text>[^\n]+)"
)
NOISY = re.compile(r"Noisy: [^\n]+\nMessage: (?P<text>[^\n]+)")
DESCRIBE = re.compile(r"Message: (?P<text>[^\n]+)\nIntent: (?P<description>[^\n]+)")


def draw(seed: int, index: int = 0) -> list[tuple[str, bool]]:
    return build_segments(index, library=LIBRARY, rng=np.random.default_rng(seed))


@given(seed=st.integers(0, 10_000), index=st.integers(0, 3))
def test_every_text_has_one_of_the_three_formats(seed, index):
    segments = draw(seed, index)
    text = "".join(piece for piece, _ in segments)
    label, utterance = UTTERANCES[index]
    match = next(m for m in (p.fullmatch(text) for p in (MAIN, NOISY, DESCRIBE)) if m)
    assert match["text"] == utterance
    if "description" in match.groupdict():
        assert match["description"] in (*LIBRARY.descriptions[label], plain_name(label))
    if f"\nForm: {form_of(utterance)}" not in text:
        assert "\nForm:" not in text
    if f"\nLength: {length_of(utterance)}" not in text:
        assert "\nLength:" not in text


@given(seed=st.integers(0, 10_000), index=st.integers(0, 3))
def test_answers_are_taught_and_the_lines_given_are_not(seed, index):
    for piece, taught in draw(seed, index):
        assert piece.startswith(" ") == taught
        if not taught:
            assert piece.endswith((":", *"abcdefghijklmnopqrstuvwxyz"))


@given(seed=st.integers(0, 10_000))
def test_examples_are_other_utterances_of_the_label(seed):
    text = "".join(piece for piece, _ in draw(seed, 0))
    for example in re.findall(r"\nExample: ([^\n]+)", text):
        assert example == "Pay my bill, please."


def test_formats_and_options_come_in_the_stated_shares():
    texts = ["".join(piece for piece, _ in draw(seed)) for seed in range(4000)]
    kinds = Counter(text.split(":")[0] for text in texts)
    assert kinds["Noisy"] / 4000 == pytest.approx(0.15, abs=0.02)
    assert kinds["Message"] / 4000 == pytest.approx(0.20, abs=0.02)
    main = [text for text in texts if text.startswith("Intent")]
    assert sum("\nForm" in text for text in main) / len(main) == pytest.approx(0.5, abs=0.03)
    assert sum("Intent: pay bill" in text for text in main) / len(main) == pytest.approx(
        0.1, abs=0.02
    )
    both = [text for text in main if "\nForm" in text and "\nLength" in text]
    first = sum(text.index("\nForm") < text.index("\nLength") for text in both)
    assert first / len(both) == pytest.approx(0.5, abs=0.07)


def test_the_same_seed_makes_the_same_text():
    assert draw(3) == draw(3)


def test_prompts_end_where_the_answer_starts():
    assert utterance_prompt("opens a door") == "Intent: opens a door\nMessage:"
    assert (
        utterance_prompt("opens a door", attributes=[("Length", "short"), ("Form", "request")])
        == "Intent: opens a door\nLength: short\nForm: request\nMessage:"
    )
    assert describe_prompt("Open up") == "Message: Open up\nIntent:"


@pytest.mark.parametrize(
    ("text", "form", "length"),
    [
        ("Open the door", "request", "short"),
        ("the door is open?", "question", "short"),
        ("Why, though", "question", "short"),
        ("what's one two three four five six seven", "question", "medium"),
        (" ".join(["word"] * 13), "request", "medium"),
        (" ".join(["word"] * 14), "request", "long"),
        ("", "request", "short"),
    ],
)
def test_form_and_length_are_computed_from_the_text(text, form, length):
    assert (form_of(text), length_of(text)) == (form, length)


def test_names_are_spelled_as_words():
    assert plain_name("snips/AddToPlaylist") == "add to playlist"
    assert plain_name("banking77/reverted_card_payment?") == "reverted card payment"


def test_a_label_without_a_description_is_refused():
    with pytest.raises(KeyError, match="a/OpenDoor"):
        Library.of(UTTERANCES, {"a/pay_bill": ("wants to pay a bill",)})


@given(text=st.text(min_size=1, max_size=60), seed=st.integers(0, 1000))
def test_corruption_adds_nothing_but_neighbours(text, seed):
    clean = " ".join(text.split())
    damaged = corrupt(clean, rng=np.random.default_rng(seed))
    assert bool(damaged) == bool(clean)
    assert len(damaged) <= len(clean)
    near = "".join(NEIGHBOURS.get(character.lower(), "") for character in clean)
    known = set(clean) | set(near) | set(near.upper())
    assert set(damaged) <= known


def test_neighbours_are_mutual():
    for key, near in NEIGHBOURS.items():
        for other in near:
            assert key in NEIGHBOURS[other]


def test_every_label_has_three_short_descriptions_of_its_own():
    descriptions = load_descriptions()
    everything = [way for ways in descriptions.values() for way in ways]
    assert len(descriptions) == 234
    assert len(set(everything)) == len(everything) == 3 * 234
    assert all(way == way.lower() and 2 <= len(way.split()) <= 9 for way in everything)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the real data is not beside the repository")
class TestRealSets:
    def test_splits_have_their_published_sizes_and_labels(self):
        train, heldout = (read_split(SHARED_DATA, split) for split in ("train", "heldout"))
        sizes = Counter(label.split("/")[0] for label, _ in train)
        assert sizes == {"banking77": 10_003, "clinc150": 15_000, "snips": 13_784}
        assert {label for label, _ in train} == load_descriptions().keys()
        assert {label for label, _ in heldout} == load_descriptions().keys()
        assert len(heldout) == 3_080 + 7_500 + 700

    def test_texts_are_decoded_and_have_single_spaces(self):
        for _, text in read_split(SHARED_DATA, "train"):
            assert "\N{REPLACEMENT CHARACTER}" not in text
            assert text == " ".join(text.split())

    def test_train_and_heldout_come_from_other_files(self):
        train, heldout = (data_files(SHARED_DATA, split) for split in ("train", "heldout"))
        assert {p.name for p in train} & {p.name for p in heldout} == {"data_full.json"}

    def test_no_description_is_a_sentence_of_the_data(self):
        real = {
            normalise_text(u.text) for s in ("train", "heldout") for u in read_split(SHARED_DATA, s)
        }
        ways = {normalise_text(way) for ways in load_descriptions().values() for way in ways}
        assert not ways & real
