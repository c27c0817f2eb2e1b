"""The measures against their definitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.fingerprints import FingerprintIndex
from tasks.starter.card import render_figures, update_card
from tasks.starter.corpus import Utterance
from tasks.starter.measures import (
    Judge,
    agreement,
    character_error_rate,
    character_unigram_bits,
    copies,
    edit_distance,
    share_by_label,
    token_unigram_bits,
)

SHORT = st.text(alphabet="abc", max_size=6)


def slow_distance(left, right):
    if not left or not right:
        return len(left) + len(right)
    return min(
        slow_distance(left[1:], right) + 1,
        slow_distance(left, right[1:]) + 1,
        slow_distance(left[1:], right[1:]) + (left[0] != right[0]),
    )


@given(left=SHORT, right=SHORT)
def test_edit_distance_is_levenshteins(left, right):
    assert edit_distance(left, right) == slow_distance(left, right)


def test_error_rate_is_edits_over_characters_wanted():
    assert character_error_rate(["abd", "x"], wanted=["abc", "xyz"]) == pytest.approx(3 / 6)


def test_character_unigram_bits_by_hand():
    # Counts of "ab": a 1, b 1, end 1; each plus one, one for the unknown: total 3 + 4.
    bits = character_unigram_bits(["ab"], heldout=["az"])
    expected = -(math.log2(2 / 7) + math.log2(1 / 7) + math.log2(2 / 7)) / 3
    assert bits == pytest.approx(expected)


def test_token_unigram_bits_by_hand():
    class Letters:
        eos_token_id = 0

        def encode(self, text, *, add_special_tokens):
            assert not add_special_tokens
            return [" ab".index(letter) + 1 for letter in text]

        def __len__(self):
            return 4

    # Counts of " a": space 1, a 1, end 1; each of the four tokens plus one: total 3 + 4.
    bits = token_unigram_bits(["a"], heldout=["ab"], tokenizer=Letters())
    expected = -(3 * math.log2(2 / 7) + math.log2(1 / 7)) / 3
    assert bits == pytest.approx(expected)


def test_agreement_and_shares_by_label():
    asked, given_ = ["x", "y", "x", "y"], ["x", "x", "x", "y"]
    hits = [a == b for a, b in zip(asked, given_, strict=True)]
    assert agreement(asked, given=given_) == 0.75
    assert share_by_label(asked, hits=hits) == {"x": 1.0, "y": 0.5}


def test_copies_ignore_case_and_punctuation():
    index = FingerprintIndex.of_texts(["Where is it?"])
    assert copies(["where is  it", "where is she"], index=index) == [True, False]


def test_judge_tells_labels_apart():
    rows = [Utterance("door", f"open the door {n}") for n in range(5)]
    rows += [Utterance("bill", f"pay the bill {n}") for n in range(5)]
    rows += [Utterance("song", f"play a song {n}") for n in range(5)]
    judge = Judge.fit(rows)
    assert judge.assign(["open door", "pay bill"]) == ["door", "bill"]
    assert judge.assign(["open door"], among=["bill", "song"]) != ["door"]
    with pytest.raises(ValueError, match="window"):
        judge.assign(["open door"], among=["window"])


def test_a_card_without_marks_is_refused(tmp_path):
    for name, text in (("MODEL_CARD.md", "# Card"), ("evaluation.json", "{}")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "training.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="not found"):
        update_card(tmp_path)
    with pytest.raises(KeyError):
        render_figures({}, training={})
