"""Cleaning: from what a model wrote to the text of a row."""

import re
import unicodedata

_CONTROL_TOKEN = re.compile(r"<\|[^\s<>|]{1,64}\|>|</?s>|<(?:pad|unk|bos|eos)>|\[/?INST\]")
_FIELD = re.compile(r"^[ \t]*([^\W\d_][\w -]{0,39}):", re.MULTILINE)
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "\u2018": "\u2019", "«": "»", "„": "“"}
# Zero-width joiners shape words in several scripts, and emoji: they are text.
_JOINERS = "\u200c\u200d"
_DROPPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_REPLACEMENT = "\ufffd"


def clean_reply(text: str, *, prompt: str = "") -> str:
    """Normalise a reply and drop what belongs to the template, not to the text.

    Unicode is composed (NFC). Control tokens, control, private and unassigned characters, lone
    surrogates and U+FFFD (bytes that were no character) go; joiners stay. Field names of the prompt
    (a line that opens with `Name:`) mark the template: one in front of the reply is dropped, and a
    later line of the reply that opens with one ends it. One pair of quotation marks around the
    whole goes, and so does the next. White space becomes single spaces, none at either end.

    Cleaning a clean text changes nothing: `clean_reply(clean_reply(t, prompt=p), prompt=p)` is
    `clean_reply(t, prompt=p)`.

    Args:
        text: The decoded reply; untrusted.
        prompt: What the model was given; its field names are leftovers when the reply repeats them.

    Returns:
        One line of text, encodable as UTF-8; "" when nothing is left.
    """
    fields = frozenset(name.casefold() for name in _FIELD.findall(prompt))
    previous = None
    while text != previous:
        previous = text
        text = _pass(text, fields=fields)
    return text


def clean_characters(text: str) -> str:
    """Normalise characters and white space as `clean_reply` does, and drop nothing else.

    For a text whose form is checked: quotation marks and field names may belong to it.

    Args:
        text: The decoded reply; untrusted.
    """
    previous = None
    while text != previous:
        previous = text
        text = "".join(map(_kept, _CONTROL_TOKEN.sub("", text)))
        text = " ".join(unicodedata.normalize("NFC", text).split())
    return text


def _pass(text: str, *, fields: frozenset[str]) -> str:
    # Each pass shortens the text or leaves it as it is, after the first has normalised it: the loop
    # ends.
    text = _CONTROL_TOKEN.sub("", text)
    text = "".join(map(_kept, text))
    text = _cut_fields(unicodedata.normalize("NFC", text).strip(), fields=fields)
    return _unquote(" ".join(text.split()))


def _kept(character: str) -> str:
    if character.isspace() or character in _JOINERS:
        return character
    dropped = character == _REPLACEMENT or unicodedata.category(character) in _DROPPED
    return "" if dropped else character


def _cut_fields(text: str, *, fields: frozenset[str]) -> str:
    for match in _FIELD.finditer(text):
        if match.group(1).casefold() not in fields:
            continue
        if match.start() > 0:
            return text[: match.start()]
        return _cut_fields(text[match.end() :].strip(), fields=fields)
    return text


def _unquote(text: str) -> str:
    """Drop quotation marks around the whole text, unless one of them also stands inside."""
    if len(text) < 2 or _QUOTES.get(text[0]) != text[-1]:
        return text
    inner = text[1:-1]
    return text if text[0] in inner or text[-1] in inner else inner.strip()
