"""What can stand side by side, against the rules of Unicode as `regex` has them."""

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.batch import TextBatch
from tasks.noise.seams import are_pictures, are_sound, can_meet, keep_apart
from tasks.noise.strings import Strings
from tasks.noise.units import find_clusters

SAMPLES = (
    *(
        "a",
        "7",
        ".",
        "é",
        "e\u0301",
        " ",
        "\n",
        "\u0301",
        "\u200d",
        "\u200c",
        "🇩",
        "🇩🇪",
        "👍",
        "👩\u200d",
    ),
    *(
        "\u2139",
        "©",
        "日",
        "\u1100",
        "가",
        "각",
        "\u1161",
        "\u11a8",
        "क",
        "क\u094d",
        "\u0600",
        "שׁ",
        "\u0e33",
    ),
)


def test_sound_clusters_never_join():
    sound = []
    for sample in SAMPLES:
        batch = TextBatch(Strings.of([sample]))
        if are_sound(batch, find_clusters(batch), np.array([0]))[0]:
            sound.append(sample)
    assert {"a", "7", ".", "e\u0301", "👍", "日", "가", "क"} <= set(sound)
    assert not {" ", "\n", "\u0301", "🇩", "\u1100", "👩\u200d", "क\u094d"} & set(sound)
    for left in sound:
        for right in sound:
            assert regex.findall(r"\X", left + right) == [left, right]


def test_what_can_meet_stays_apart():
    for left in SAMPLES:
        for right in SAMPLES:
            batch = TextBatch(Strings.of([left + right]))
            last, first = np.array([len(left) - 1]), np.array([len(left)])
            if can_meet(batch, last, first)[0]:
                assert len(left) in [match.end() for match in regex.finditer(r"\X", left + right)]


def test_pictures_are_what_a_joiner_joins():
    for sample in ("👍", "\u2139", "©", "a", "7", "日", "가"):
        batch = TextBatch(Strings.of([sample]))
        joined = len(regex.findall(r"\X", sample + "\u200d" + sample)) == 1
        assert are_pictures(batch, np.array([0])).tolist() == [joined]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 2)), unique_by=lambda pair: pair[0]))
def test_stretches_are_kept_from_left_to_right(stretches):
    stretches.sort()
    reach, expected = 0, []
    for first, width in stretches:
        expected.append(first >= reach)
        if expected[-1]:
            reach = first + width
    firsts, widths = np.array(stretches, np.int64).reshape(-1, 2).T
    assert keep_apart(firsts, widths).tolist() == expected
