"""Operators of other packages: found, asked, and held to their answer."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from schemas.noise import Plugin, Protect
from tasks.noise import plugins
from tasks.noise.edit_log import undo_edits
from tasks.noise.texts import noise_batch, noise_texts
from tasks.planning.streams import Stream, fold, row_keys

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "own-noise.md"
STEP = Plugin(name="mine", rate=0.5, options={"vowels": "aeo"})


def keys_of(num: int) -> np.ndarray:
    return row_keys(3, np.arange(num), 0, Stream.NOISE)


def register(monkeypatch, function):
    monkeypatch.setattr(EntryPoint, "load", lambda self: function)
    point = EntryPoint("mine", "some.module:function", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])


def answering(monkeypatch, answer, text="some text"):
    register(monkeypatch, lambda texts, rates, rng_keys, options: answer)
    return noise_texts([text], keys=keys_of(1), steps=[STEP])[0]


def test_the_example_of_the_documentation_runs(monkeypatch):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]
    names: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    register(monkeypatch, names["drop_vowels"])
    texts = ["where is my new card", "", "a e o", "xyz"] * 50
    rows = noise_texts(texts, keys=keys_of(200), steps=[STEP])
    assert noise_texts(texts[100:], keys=keys_of(200)[100:], steps=[STEP]) == rows[100:]
    for text, row in zip(texts, rows, strict=True):
        assert undo_edits(row.text, row.edits) == text
        assert bool(text) == bool(row.text.strip())
        assert {edit.before for edit in row.edits} <= set("aeo")
        assert {edit.kind for edit in row.edits} <= {"plugin"}
    assert len({row.text for row in rows[::4]}) > 10


def test_it_is_given_rates_keys_and_options(monkeypatch):
    seen = []
    register(monkeypatch, lambda *arguments: seen.append(arguments) or [[], []])
    step = Plugin(name="mine", rate={"b": 0.25, "c": 1.0}, options={"deep": [1, None]})
    noise_batch(["x", "y", "z"], keys=keys_of(3), steps=[step], labels=["a", "b", "c"])
    assert seen == [
        (["y", "z"], [0.25, 1.0], fold(keys_of(3), 0)[1:].tolist(), {"deep": [1, None]})
    ]


@settings(deadline=None, max_examples=60)
@given(st.text("ab c", max_size=8), st.lists(st.tuples(*[st.integers(0, 8)] * 2), max_size=4))
def test_whatever_is_answered_is_refused_or_inverts(text, places):
    with pytest.MonkeyPatch.context() as monkeypatch:
        try:
            row = answering(monkeypatch, [[(*place, "é") for place in places]], text)
        except InputError:
            return
    assert undo_edits(row.text, row.edits) == text
    assert len(row.edits) == len(places)


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ([], "one list for each"),
        (None, "one list for each"),
        ([[(0, 99, "")]], "9 characters"),
        ([[(3, 2, "")]], "9 characters"),
        ([[(-1, 2, "")]], "9 characters"),
        ([[(2, 4, ""), (3, 5, "")]], "overlaps"),
        ([[(2, 4, ""), (0, 1, "")]], "overlaps"),
        ([[(2, 4, ""), (4, 4, "x")]], "overlaps"),
        ([[(0, 1)]], "no (start, end, text)"),
        ([[(0, 1, 2)]], "no (start, end, text)"),
        ([[(0.0, 1, "")]], "no (start, end, text)"),
        ([[(0, 1, "\ud800")]], "no (start, end, text)"),
        ([7], "no list"),
    ],
)
def test_a_wrong_answer_names_the_plugin(monkeypatch, answer, what):
    with pytest.raises(InputError, match=re.escape(what)) as caught:
        answering(monkeypatch, answer)
    assert "'mine'" in caught.value.message


def test_a_text_is_never_emptied_and_nothing_is_no_edit(monkeypatch):
    assert answering(monkeypatch, [[(0, 9, " ")]]).edits == ()
    assert answering(monkeypatch, [[(0, 1, "s")]]).edits == ()
    assert answering(monkeypatch, [[(0, 8, "")]]).text == "t"


def test_protection_holds(monkeypatch):
    register(monkeypatch, lambda *_: [[(0, 2, "X"), (5, 9, "")]])
    noised = noise_batch(
        ["some text"], keys=keys_of(1), steps=[STEP], protect=Protect(regexes=("text",))
    )
    assert noised.texts.to_pylist() == ["Xme text"]


def test_a_plugin_that_is_missing_or_broken(monkeypatch):
    with pytest.raises(InputError, match="no installed package") as caught:
        plugins.load_plugin("mine")
    assert caught.value.code == "CS-R006"
    register(monkeypatch, "no function")
    with pytest.raises(InputError, match="not a function"):
        plugins.load_plugin("mine")
    with pytest.raises(InputError) as caught:
        plugins.load_plugin("other")
    assert "installed plug-ins: mine;" in caught.value.hint
    register(monkeypatch, lambda *_: 1 / 0)
    with pytest.raises(InputError, match="ZeroDivisionError"):
        noise_texts(["x"], keys=keys_of(1), steps=[STEP])

    def fail(self: object) -> None:
        raise ImportError("no such thing")

    monkeypatch.setattr(EntryPoint, "load", fail)
    with pytest.raises(InputError, match="cannot be imported: no such thing"):
        plugins.load_plugin("mine")
