"""What is protected, found in a whole batch as in each text alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.errors import InputError
from schemas.noise import Protect
from tasks.noise import protect as module
from tasks.noise.protect import find_protected
from tasks.noise.spans import Spans
from tasks.noise.strings import Strings


def marked(text: str, protect: Protect, label: str = "") -> list[str]:
    """Return the protected stretches of a text that stands between two others."""
    strings = Strings.of(["x 1", text, "2 y"])
    mask = find_protected(strings, protect, labels=["", label, ""])
    if mask is None:
        return []
    own = mask[strings.offsets[1] : strings.offsets[2]]
    shown = "".join(char if is_on else "\x00" for char, is_on in zip(text, own, strict=True))
    return [piece for piece in shown.split("\x00") if piece]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("url", "see https://a.example/b?c=d, or (www.b.example).", 2),
        ("url", "FTP://x.example", ["FTP://x.example"]),
        ("url", "and/or http: //", []),
        ("email", "to a.b+c@d-e.example.org.", ["a.b+c@d-e.example.org"]),
        ("email", "a @ b", []),
        ("placeholder", "hi {name}, {{ city }}", ["{name}", "{{ city }}"]),
        ("placeholder", "[MASK] <b> </b> <br/>", ["[MASK]", "<b>", "</b>", "<br/>"]),
        ("placeholder", "@user and #tag", ["@user", "#tag"]),
        ("placeholder", "a[i] < b > c {", []),
        ("placeholder", "me@b.example", []),
        ("number", "12,50 or 3.1 on 2024-05-06 at 10:30", ["12,50", "3.1", "2024-05-06", "10:30"]),
        ("number", "x86 and 4th", []),
    ],
)
def test_patterns(name, text, expected):
    if expected == 2:
        expected = ["https://a.example/b?c=d", "www.b.example"]
    assert marked(text, Protect(patterns=(name,))) == expected


def test_regexes_see_one_text():
    assert marked("foo bar foo", Protect(regexes=("^foo",))) == ["foo"]
    assert marked("foo\n", Protect(regexes=(r"\s",))) == ["\n"]
    assert marked("a", Protect(regexes=(r"(?<=.)a|a(?=.)",))) == []


def test_label_words():
    protect = Protect(label=True)
    assert marked("My CARD, its arrival; cards", protect, "card_arrival") == ["CARD", "arrival"]
    assert marked("a.b (c", protect, "(.") == []
    assert marked("no label", protect) == []


def test_spans_are_protected_unless_they_are_not():
    strings, spans = Strings.of(["abc", "de"]), Spans.of([[(1, 2)], [(0, 2), (1, 1)]])
    mask = find_protected(strings, Protect(), spans=spans)
    assert mask.tolist() == [False, True, False, True, True]
    assert find_protected(strings, Protect(spans=False), spans=spans) is None
    assert find_protected(strings, None, spans=spans) is None


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text("a1.,@{}<>#\n /:[M]", max_size=10), max_size=5))
def test_a_text_is_searched_alone(texts):
    protect = Protect(patterns=("url", "email", "placeholder", "number"))
    strings = Strings.of(texts)
    mask = find_protected(strings, protect)
    for row, text in enumerate(texts):
        alone = find_protected(Strings.of([text]), protect)
        own = slice(strings.offsets[row], strings.offsets[row + 1])
        expected = np.zeros(len(text), bool) if alone is None else alone
        assert (np.zeros(len(text), bool) if mask is None else mask[own]).tolist() == list(expected)


def test_a_pattern_that_explodes_is_the_users_error(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_A_TEXT", 0.01)
    with pytest.raises(InputError) as caught:
        find_protected(Strings.of(["a" * 5000 + "!"]), Protect(regexes=(r"(a|aa|a+)+$",)))
    assert caught.value.place == "noise.protect.regexes"


def test_a_wrong_regex_is_refused():
    with pytest.raises(ValidationError, match="not a regular expression"):
        Protect(regexes=("(",))
