"""Cleaning: from what a model wrote to the text of a row."""

import re
import unicodedata

_CONTROL_TOKEN = re.compile(r"<\|[^\s<>|]{1,64}\|>|</?s>|<(?:pad|unk|bos|eos)>|\[/?INST\]")
_NAME = r"([^\W\d_][\w -]{0,39}):"
_FIELD = re.compile(rf"^[ \t]*{_NAME}", re.MULTILINE)
_FIELD_HERE = re.compile(rf"\s*{_NAME}")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "\u2018": "\u2019", "«": "»", "„": "“"}
# Zero-width joiners shape words in several scripts, and emoji: they are text.
_JOINERS = "\u200c\u200d"
_DROPPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_REPLACEMENT = "\ufffd"


def clean_reply(text: str, *, prompt: str = "") -> str:
    """Normalise a reply and drop what belongs to the template, not to the text.

    Control, private and unassigned characters, lone surrogates and U+FFFD (bytes that were no
    character) go; joiners stay. Unicode is composed (NFC). Control tokens become white space. Field
    names of the prompt (a line that opens with `Name:`) mark the template: those in front of the
    reply are dropped, and a later line of the reply that opens with one ends it. One pair of
    quotation marks around the whole goes, and so does the next. White space becomes single spaces,
    none at either end. It takes time in proportion to the text's length.

    Cleaning a clean text changes nothing: `clean_reply(clean_reply(t, prompt=p), prompt=p)` is
    `clean_reply(t, prompt=p)`.

    Args:
        text: The decoded reply; untrusted.
        prompt: What the model was given; its field names are leftovers when the reply repeats them.

    Returns:
        One line of text, encodable as UTF-8; "" when nothing is left.
    """
    fields = frozenset(name.casefold() for name in _FIELD.findall(prompt))
    text = _normalise(text)
    previous = None
    # Each turn but the last takes off a pair of quotation marks, and no kind of them twice.
    while text != previous:
        previous = text
        text = _unquote(" ".join(_cut_fields(text, fields=fields).split()))
    return text


def clean_characters(text: str) -> str:
    """Normalise characters and white space as `clean_reply` does, and drop nothing else.

    For a text whose form is checked: quotation marks and field names may belong to it.

    Args:
        text: The decoded reply; untrusted.
    """
    return " ".join(_normalise(text).split())


def _normalise(text: str) -> str:
    # Control tokens come last, since what is dropped may stand inside one, and a space takes their
    # place: they hold no white space, so what is left on both sides is never another.
    text = unicodedata.normalize("NFC", "".join(map(_kept, text)))
    return _CONTROL_TOKEN.sub(" ", text)


def _kept(character: str) -> str:
    if character.isspace() or character in _JOINERS:
        return character
    dropped = character == _REPLACEMENT or unicodedata.category(character) in _DROPPED
    return "" if dropped else character


def _cut_fields(text: str, *, fields: frozenset[str]) -> str:
    start = 0
    while (found := _FIELD_HERE.match(text, start)) and found.group(1).casefold() in fields:
        start = found.end()
    for later in _FIELD.finditer(text, start):
        if later.group(1).casefold() in fields:
            return text[start : later.start()]
    return text[start:]


def _unquote(text: str) -> str:
    """Drop quotation marks around the whole text, unless one of them also stands inside."""
    if len(text) < 2 or _QUOTES.get(text[0]) != text[-1]:
        return text
    inner = text[1:-1]
    return text if text[0] in inner or text[-1] in inner else inner.strip()
