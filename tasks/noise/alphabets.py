"""Alphabets by script and case: which letters are of a kind."""

import unicodedata
from functools import cache

from tasks.noise.alternatives import Alternatives

_ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_HIRAGANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"
)
ALPHABETS = (
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "אבגדהוזחטיכלמנסעפצקרשת",
    _ARABIC,
    _HIRAGANA,
    "".join(chr(ord(char) + 0x60) for char in _HIRAGANA),
)
"""Digits, then letters: Latin, Greek and Cyrillic in both cases, Hebrew, Arabic, the two kana."""

# Latin Extended Additional and Greek Extended end here; no letter beyond decomposes into these.
_LIMIT = 0x2000


@cache
def members_of_alphabet() -> Alternatives:
    """Return, by letter or digit, all members of its alphabet, itself among them.

    A letter with a mark (é) is of the alphabet of its base letter.
    """
    return Alternatives.of_numbers(_alphabet_of())


@cache
def others_of_alphabet() -> Alternatives:
    """Return, by letter or digit, the members of its alphabet but itself."""
    return Alternatives.of_numbers(
        {code: alphabet.replace(chr(code), "") for code, alphabet in _alphabet_of().items()}
    )


def _alphabet_of() -> dict[int, str]:
    own = {char: alphabet for alphabet in ALPHABETS for char in alphabet}
    found = {ord(char): alphabet for char, alphabet in own.items()}
    for code in range(_LIMIT):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base in own:
            found[code] = own[base]
    return found
