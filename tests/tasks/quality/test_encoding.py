"""Faults of encoding: each found, its innocent neighbours left alone."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.encoding import Fault, explain_fault, fault_spans, find_faults

WRONG = {
    Fault.MOJIBAKE: ["the cafÃ© is open", "donâ€™t go there", "SchrÃ¶dinger was here"],
    Fault.LOST_CHARACTER: ["caf\ufffd", "half \ud83d of a pair", "\udc00"],
    Fault.CONTROL_CHARACTER: ["a\x00b", "bell\x07", "\x1b[31mred", "page\x0c", "x\x85y", "\ufffe"],
    Fault.INVISIBLE_CHARACTER: [
        "zero\u200bwidth",
        "\ufeffbegins with a mark",
        "soft\u00adhyphen",
        "pay\u202eelgoog",
        "left\u200eto right",
        "joined\u200dletters",
        "ends\u200c",
        "hidden\U000e0041\U000e0042 words",
        "varied\ufe0f\ufe01",
    ],
    Fault.HTML_ENTITY: ["salt &amp; pepper", "&#39;tis", "&#x27;tis", "&amp;quot;"],
    Fault.UNUSUAL_SPACE: ["no\u00a0break", "thin\u2009space", "line\u2028end"],
}
RIGHT = {
    Fault.MOJIBAKE: ["café", "naïve Ärger in Málaga", "Привет", "日本語", "£5 — “so” he said…"],
    Fault.LOST_CHARACTER: ["\U0001f600 whole pair"],
    Fault.CONTROL_CHARACTER: ["tab\there", "two\r\nlines", ""],
    Fault.INVISIBLE_CHARACTER: [
        "\U0001f469\u200d\U0001f4bb codes",
        "\u2764\ufe0f\u200d\U0001f525",
        "\u0645\u06cc\u200c\u062e\u0648",
        "क्\u200dष",
        "שלום\u200f (a)",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f wins",
    ],
    Fault.HTML_ENTITY: ["R&D", "AT&T;", "a & b;", "&notanentityatall;", "x&y"],
    Fault.UNUSUAL_SPACE: ["a  b\t c\n", "日本\u3000語"],
}


def cases(table):
    return [(fault, text) for fault, texts in table.items() for text in texts]


@pytest.mark.parametrize(("fault", "text"), cases(WRONG))
def test_faults_are_found(fault, text):
    assert find_faults(["plain", text])[fault].tolist() == [1]
    spans = fault_spans(text, fault)
    assert spans
    assert all(0 <= start < end <= len(text) for start, end in spans)


@pytest.mark.parametrize(("fault", "text"), cases(RIGHT))
def test_innocent_texts_have_none(fault, text):
    assert find_faults([text])[fault].tolist() == []
    assert fault_spans(text, fault) == []


ALPHABET = st.one_of(
    st.characters(), st.sampled_from("abcÃ©â€™&;#39\u00a0\u200b\u200d\u202e\x00\x85\ufffd\ufe0f")
)


@given(st.lists(st.text(ALPHABET, max_size=30), max_size=5))
@settings(deadline=None, max_examples=150)
def test_rows_are_those_with_spans(texts):
    found = find_faults(texts)
    for fault in Fault:
        assert found[fault].tolist() == [i for i, t in enumerate(texts) if fault_spans(t, fault)]


@pytest.mark.parametrize(
    ("piece", "fault", "meaning"),
    [
        ("cafÃ©", Fault.MOJIBAKE, "should read 'café'"),
        ("&#39;", Fault.HTML_ENTITY, 'should read "\'"'),
        ("\u200b", Fault.INVISIBLE_CHARACTER, "U+200B ZERO WIDTH SPACE"),
        ("\x00", Fault.CONTROL_CHARACTER, "U+0000"),
        ("\ud83d", Fault.LOST_CHARACTER, "U+D83D"),
    ],
)
def test_what_a_piece_is(piece, fault, meaning):
    assert explain_fault(piece, fault) == meaning


@pytest.mark.parametrize("piece", ["Ã", "&", "\u200d", "\u202e", "\ufe0f", "\U000e0041", "&#", "€"])
def test_long_texts_take_linear_time(piece):
    # Quadratic, 100,000 characters would take minutes: the suite's timeout would tell.
    assert find_faults([piece * 100_000]).keys() == set(Fault)


@pytest.mark.shared
def test_supergen_has_47_rows_with_entities(shared):
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text("utf-8"))
    found = find_faults([row["text"] for row in rows])
    assert {fault: len(places) for fault, places in found.items() if len(places)} == {
        Fault.HTML_ENTITY: 47
    }
