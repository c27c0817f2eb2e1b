import html
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.report.formatting import decimal, duration, integer, percent, shorten, utc, visible


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (87 / 687, "12.7 %"),
        (0.9999, "> 99.9 %"),
        (0.9994, "99.9 %"),
        (0.0003, "0.03 %"),
        (0.00001, "< 0.01 %"),
        (0.5, "50.0 %"),
    ],
)
def test_percentages_have_sensible_digits(share: float, text: str) -> None:
    assert percent(share).replace("\N{NO-BREAK SPACE}", " ") == text


@given(st.floats(0, 1))
@settings(deadline=None)
def test_only_nothing_is_0_percent_and_only_all_is_100(share: float) -> None:
    words = percent(share)
    assert (words.split("\N{NO-BREAK SPACE}")[0] in ("0", "0.0", "0.00")) == (share == 0)
    assert words.startswith("100") == (share == 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.0123, "0.0123"),
        (0.5, "0.500"),
        (0.99999, "0.999+"),
        (1.0, "1"),
        (1.25, "1.25"),
        (16.26, "16.3"),
        (4321.4, "4,321"),
        (-2.21, "\N{MINUS SIGN}2.21"),
        (0.00000123, "1.2e-06"),
        (float("nan"), "not a number"),
    ],
)
def test_decimals(value: float, text: str) -> None:
    assert decimal(value) == text


def test_counts_durations_times_and_names() -> None:
    assert integer(1234567) == "1,234,567"
    durations = [duration(s).replace("\N{NO-BREAK SPACE}", " ") for s in (0.44, 12.3, 200, 7500)]
    assert durations == ["0.4 s", "12 s", "3 min 20 s", "2 h 5 min"]
    assert utc("2026-11-21T07:45:08.123Z") == "2026-11-21 07:45 UTC"
    assert utc("<b>") == "<b>"
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
@settings(deadline=None, max_examples=300)
def test_visible_marks_every_hidden_character_and_loses_none(text: str) -> None:
    marked = str(visible(text))
    shown = re.sub("<b>[0-9A-F ]+</b>", "", marked)
    assert not re.search("[<>\"']", shown)
    assert not any(
        unicodedata.category(c)[0] in "C" or unicodedata.category(c) in ("Zs", "Zl", "Zp")
        for c in shown
        if c not in " \n\t"
    )

    def restore(mark: re.Match[str]) -> str:
        return "".join(chr(int(code, 16)) for code in mark[1].split())

    pieces = re.split("(<b>[0-9A-F ]+</b>)", marked)
    restored = "".join(
        re.sub("<b>(.*)</b>", restore, piece) if piece.startswith("<b>") else html.unescape(piece)
        for piece in pieces
    )
    assert restored == text


def test_bidirectional_overrides_and_blank_letters_are_marked() -> None:
    assert visible("a\u202eb\u200b\u2066c\u3164") == "a<b>202E</b>b<b>200B 2066</b>c<b>3164</b>"
    assert visible("line\nbreak\tتجربة") == "line\nbreak\tتجربة"
