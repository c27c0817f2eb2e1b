import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.cli.output import open_console, print_json, visible, working

TEXTS = st.text() | st.text(alphabet="a\n\t\r\x1b\x00\x7f\x9b\u202e\u2028\u200d\ue000é👩")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def steers(character: str) -> bool:
    """Whether a terminal may act on a character instead of showing it; joiners only shape."""
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs") and character not in (
        "\n",
        "\u200c",
        "\u200d",
    )


@settings(deadline=None)
@given(TEXTS)
def test_visible_leaves_nothing_that_steers_a_terminal(text: str) -> None:
    shown = visible(text)
    assert not any(map(steers, shown))
    assert shown.count("\n") == text.count("\n")
    if text.isprintable():
        assert shown == text


def test_visible_keeps_what_scripts_need() -> None:
    spelt = "می\u200cروم 👩\u200d👧 日本語\nनमस्ते"
    assert visible(spelt) == spelt
    assert visible("\x1b]0;title\x07\r\x9b2J\u202e") == r"\x1b]0;title\x07\r\x9b2J\u202e"


@settings(deadline=None)
@given(VALUES)
def test_json_is_valid_equal_and_harmless(value: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("builtins.print", written.append)
        print_json(value)
    (text,) = written
    assert json.loads(text) == value
    assert not any(steers(c) for c in text.replace("\u200d", ""))


def test_the_width_is_the_terminals_or_that_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert open_console().width == 100
    monkeypatch.setenv("COLUMNS", "60")
    assert open_console().width == 60


def test_a_pipe_sees_no_spinner(capsys: pytest.CaptureFixture[str]) -> None:
    with working("thinking"):
        pass
    assert capsys.readouterr() == ("", "")
