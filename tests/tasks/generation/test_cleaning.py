import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.generation.cleaning import clean_characters, clean_reply

PROMPT = "Write a message.\nIntent: lost card\nTone: polite\nMessage:"
pieces = st.sampled_from(
    [
        "Message:",
        "Intent:",
        "message: ",
        '"',
        "“",
        "”",
        "'",
        "\n",
        " ",
        "\t",
        "\u200b",
        "\u200d",
        "<|end|>",
        "</s>",
        "[INST]",
        "e\u0301",
        "\ufffd",
        "\ud800",
        "\x07",
        "a",
        "card",
        ":",
        "<|",
        "|>",
        "\u2028",
        "İ",
    ]
)
texts = st.lists(pieces | st.text(max_size=3), max_size=14).map("".join)


@settings(deadline=None, max_examples=400)
@given(text=texts, prompt=st.sampled_from(["", PROMPT]))
def test_cleaning_a_clean_text_changes_nothing(text, prompt):
    clean = clean_reply(text, prompt=prompt)
    assert clean_reply(clean, prompt=prompt) == clean


@settings(deadline=None, max_examples=400)
@given(text=texts | st.text())
def test_a_clean_text_is_one_composed_printable_line(text):
    clean = clean_reply(text)
    assert clean == unicodedata.normalize("NFC", clean)
    assert clean == " ".join(clean.split())
    clean.encode("utf-8")
    banned = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not any(unicodedata.category(character) in banned for character in clean)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  how do i \n\t get a card ", "how do i get a card"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("a\x00b\u200bc\ufeff", "abc"),
        ("👩\u200d💻 works", "👩\u200d💻 works"),
        ("done<|endoftext|></s>", "done"),
        ("[INST] do it [/INST]", "do it"),
        ("broken \ufffd\ud83d", "broken"),
        ('"how are you?"', "how are you?"),
        ("“how are you?”", "how are you?"),
        ("« 'nested' »", "nested"),
        ('"yes" and "no"', '"yes" and "no"'),
        ("it's the dog's", "it's the dog's"),
        ('"', '"'),
        ("Message: my card is lost", "my card is lost"),
        ("message:\n\nmy card is lost", "my card is lost"),
        ("Message: Message: my card", "my card"),
        ('"Message: my card"', "my card"),
        ("my card is lost\nIntent: lost card\nMessage: another", "my card is lost"),
        ("my card is lost\n  Tone: rude", "my card is lost"),
        ("Warning: my card is lost\nPlease: help", "Warning: my card is lost Please: help"),
        ("it says Intent: nothing", "it says Intent: nothing"),
        ("done</s>and more", "done and more"),
        ("a<|e\u200bnd|>b</\x07s>", "a b"),
        ("<<s>s>", "< s>"),
        ("Message:\n Tone:\tmy card", "my card"),
        ("Message:", ""),
        ("", ""),
    ],
)
def test_leftovers_go_and_the_text_stays(text, expected):
    assert clean_reply(text, prompt=PROMPT) == expected


def test_without_a_prompt_no_field_is_a_leftover():
    assert clean_reply("Message: hello\nIntent: x") == "Message: hello Intent: x"


@settings(deadline=None)
@given(st.lists(pieces, max_size=12).map("".join))
def test_clean_characters_are_one_line_of_nfc_and_stay(text: str) -> None:
    clean = clean_characters(text)
    assert clean_characters(clean) == clean
    assert clean == unicodedata.normalize("NFC", " ".join(clean.split()))
    clean.encode()


def test_clean_characters_keep_quotation_marks_and_field_names() -> None:
    assert clean_characters('  "Message:\n\x07 a"</s>') == '"Message: a"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<s" * 200_000 + ">" * 200_000, "<s" * 199_999 + " " + ">" * 199_999),
        ("<\u200b" * 200_000 + "s>" * 200_000, "<" * 199_999 + " " + "s>" * 199_999),
        ("Tone: " * 300_000, ""),
        ("\n" * 300_000 + "Tone:" * 300_000 + "a" + "\n" * 300_000, "a"),
        ("Tone: '\"`" * 200_000, " ".join(["'\"`Tone:"] * 199_999) + " '\"`"),
    ],
    ids=["tokens", "dropped", "fields", "lines", "quotes"],
)
def test_the_longest_texts_are_cleaned_in_one_go(text: str, expected: str) -> None:
    # When each token or field cost a pass over the text, each of these took minutes.
    assert clean_reply(text, prompt=PROMPT) == expected
