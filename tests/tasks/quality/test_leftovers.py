"""Leftovers: each rule's catch, its innocent neighbours, and real texts."""

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.leftover_rules import RULES
from tasks.quality.leftovers import find_leftovers

RULE_OF = {rule.name: rule for rule in RULES}
CAUGHT = {
    "template_tag": ["dear {{ name }}, hello", "a {% if x %} b", "{{}}"],
    "brace_field": ["hello {name}, welcome", "{user.first_name}"],
    "bracket_field": ["call [INSERT NAME] now", "see <your city>", "on [DATE] at [START TIME]"],
    "special_token": ["fine<|im_end|>", "good</s>", "[INST] hi", "<think> well", "a<0x0A>b"],
    "field_label": ["Label: joy", "so good\nText 2: bad", "**Review:** nice", "### Input:\nx"],
    "json_wrapper": ['{"text": "so it goes"}', '[{ "label" : 1'],
    "code_fence": ["```\nfine\n```"],
    "markdown": ["a **very** good day", "# Title", "see [this](https://example.org)"],
    "html_tag": ["one<br>two", "<p class='x'>text</p>", "<BR/>"],
    "quoted_whole": ['"where is my card?"', " \u201cso good\u201d "],
    "list_number": ["1. where is it", "(2) why", "- so", "a) so", " 12) so", "3.) so"],
    "model_identity": [
        "As an AI language model, I have no taste",
        "i'm just an AI",
        "I\u2019m a large language model",
        "my training data ends there",
    ],
    "refusal": [
        "I cannot help with that.",
        "I'm sorry, but I can't assist with your wish",
        "I can\u2019t create such content",
        "I am unable to fulfill this request",
        "I must decline",
    ],
    "preamble": [
        "Sure, here is a text:",
        "Certainly! Here are some.",
        "Here are five examples of it:",
        "Below is the revised review you asked for:",
    ],
    "closing_offer": ["Nice. Let me know if you need more!", "I hope this helps."],
    "note_to_reader": [
        "good (Note: shortened)",
        "It has the specified tone",
        "as requested, a text",
    ],
}
INNOCENT = {
    "template_tag": ["{{", "a } b {"],
    "brace_field": ["{{ name }}", "${HOME}", "\\frac{a}", "{1, 2}", "{ }"],
    "bracket_field": ["[laughs]", "[a] b", "<3", "[I]", "your [own] way"],
    "special_token": ["a < b | c > d", "<|>", "[instant]", "i think <so>"],
    "field_label": ["context: none", "the label: is fine", "text me at 5:30", "userland: x"],
    "json_wrapper": ['a {"text": 1}', "{ so }"],
    "code_fence": ["``quoted''"],
    "markdown": ["2 ** 3 ** 4", "#1 film", "f**k this"],
    "html_tag": ["i <3 you", "a<b", "<bridge>", "x < p > y"],
    "quoted_whole": ['"yes" he said "no"', 'she said "so"', '""'],
    "list_number": [
        "1.5 pounds",
        "2024. was it",
        "-lrb- so",
        "i) "[:2],
        "a.",
        "50 dollars",
        "-5 c",
    ],
    "model_identity": ["as an aide", "i am an aircraft pilot", "ai as an art", "language models"],
    "refusal": [
        "i cannot help with it",
        "i can't help but laugh",
        "i am unable to create an account",
        "you cannot assist with that",
    ],
    "preamble": ["here is my card number", "i am sure, here is it", "okay, here we go"],
    "closing_offer": ["let me know if the card ships"],
    "note_to_reader": ["a note to self", "as requested by me", "notes: a"],
}


def cases(table):
    return [(name, text) for name, texts in table.items() for text in texts]


def test_every_rule_has_its_cases():
    assert CAUGHT.keys() == INNOCENT.keys() == RULE_OF.keys()


@pytest.mark.parametrize(("name", "text"), cases(CAUGHT))
def test_leftovers_are_found(name, text):
    assert find_leftovers(["plain", text, ""])[name].tolist() == [1]
    assert all(0 <= start < end <= len(text) for start, end in RULE_OF[name].spans(text))


@pytest.mark.parametrize(("name", "text"), cases(INNOCENT))
def test_innocent_texts_are_not(name, text):
    assert find_leftovers([text])[name].tolist() == []


PIECES = st.sampled_from(
    [text for texts in CAUGHT.values() for text in texts] + [" ", "\n", "I ", "\u2019", "\u0130"]
)


@given(st.lists(st.lists(PIECES, max_size=4).map("".join), max_size=6))
@settings(deadline=None, max_examples=80)
def test_searching_all_texts_at_once_finds_what_each_rule_finds(texts):
    found = find_leftovers(texts)
    for rule in RULES:
        assert found[rule.name].tolist() == [i for i, t in enumerate(texts) if rule.spans(t)]


def test_more_texts_than_are_searched_at_once():
    texts = ["plain text"] * 25_000
    texts[9_999] = texts[10_000] = texts[24_999] = "a {name} b"
    assert find_leftovers(texts)["brace_field"].tolist() == [9_999, 10_000, 24_999]


@pytest.mark.parametrize(
    "piece",
    [
        *("{", "{{", "[", "<", "**a", "- ", "\n", " ", '"', "[AAAA", "# ", "i can't ", "note:"),
        *("<p ", "here is ", "[insert ", "let me know if you need ", '{"'),
    ],
)
def test_long_texts_take_linear_time(piece):
    # Quadratic, 100,000 repetitions would take minutes: the suite's timeout would tell.
    assert find_leftovers([piece * 100_000]).keys() == RULE_OF.keys()


def banking77(shared):
    with (shared / "data/banking77/train.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def clinc150(shared):
    data = json.loads((shared / "data/clinc150/data_full.json").read_text("utf-8"))
    return [text for split in data.values() for text, _ in split]


def sst2(shared):
    lines = (shared / "data/sst2/stsa.binary.train").read_text("utf-8").splitlines()
    return [line[2:] for line in lines]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("read", "expected"),
    [(banking77, {}), (clinc150, {}), (sst2, {"list_number": 5})],
)
def test_false_positives_on_real_texts(shared, read, expected):
    found = find_leftovers(read(shared))
    assert {name: len(places) for name, places in found.items() if len(places)} == expected
