"""Personal data in texts: patterns that are validated, and masks that give nothing away.

Names, postal addresses and birthdays are not looked for: no pattern tells them from other words.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tasks.quality.checksums import iban_length, is_card_number, is_iban
from tasks.quality.screening import as_column, rows_with


class Kind(StrEnum):
    """What a value is; an earlier kind wins where two overlap."""

    URL_CREDENTIALS = "url_credentials"
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    IP = "ip"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Hit:
    """One value in one text.

    Args:
        text: Place of the text.
        kind: What it is.
        start: Its first code point in the text.
        end: The code point after its last.
        reserved: It belongs to nobody: an address or number set aside for documentation, tests,
            fiction or private networks.
        masked: The value, of the same length, with at most its first and last two characters.
    """

    text: int
    kind: Kind
    start: int
    end: int
    reserved: bool
    masked: str


_Found = tuple[int, int, bool]
_Finder = Callable[[str], Iterator[_Found]]

# Cheap conditions that every text with such a value meets (RE2).
_SCREENS = {
    Kind.URL_CREDENTIALS: r"://[^\s/]*@",
    Kind.EMAIL: r"@[0-9A-Za-z]",
    Kind.IBAN: r"(?:^|[^0-9A-Za-z])[A-Za-z]{2}[0-9]{2} ?[0-9A-Za-z]{4}",
    Kind.CARD: r"[0-9]{4}[ -]?[0-9]{4}[0-9 -]{4}",
    Kind.IP: r"[0-9]\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:",
}
_LEAST_DIGITS = 7
_ENOUGH_DIGITS = rf"(?:\p{{Nd}}\P{{Nd}}{{0,4}}){{{_LEAST_DIGITS - 1}}}\p{{Nd}}"
_PLUS = r"[+\x{FF0B}]\P{Nd}{0,3}\p{Nd}"

_URL = re.compile(
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://([^\s/@?#]{1,256})@([^\s/@?#:]{1,253})", re.I | re.A
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(
    r"(?<![a-z0-9])([a-z0-9](?:[a-z0-9._%+-]{0,62}[a-z0-9_+-])?)"
    rf"@((?:{_LABEL}\.){{1,8}}[a-z]{{2,63}})(?![a-z0-9])",
    re.I | re.A,
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}"
    r"(?:[A-Za-z0-9]{11,30}|(?: [A-Za-z0-9]{4}){2,7}(?: [A-Za-z0-9]{1,4})?)"
)
# Within a look-ahead, so that a number that fails hides none that begins inside it.
_CARD = re.compile(
    r"(?<![A-Za-z0-9])(?<![0-9][.,])(?=("
    r"[0-9]{4}([ -])[0-9]{4}\2[0-9]{4}\2[0-9]{4}(?:\2[0-9]{3})?|"
    r"[0-9]{4}([ -])[0-9]{6}\3[0-9]{4,5}|[0-9]{12,19}"
    r")(?![A-Za-z0-9]|[.,][0-9]))"
)
_IPV4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:(?:\.[0-9]{1,3}){3})?(?![\w:]|\.[0-9])")

_WORD = re.compile(r"\S+")
_PART = re.compile(r"[\d@]")
_CUT_CHARS = 100
_CUT_DIGITS = 5

# RFC 2606 and RFC 6761: nobody can be reached there.
_NO_HOST = re.compile(
    r"(?:.*\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|local)\.?", re.I | re.S
)
# Numbers that card processors publish for tests.
_TEST_CARDS = """
378282246310005 371449635398431 378734493671000 30569309025904 38520000023237 4111111111111111
4012888888881881 4242424242424242 4000056655665556 5105105105105100 5555555555554444
2223003122003222 6011000990139424 6011111111111117 3530111333300000 3566002020360505
"""
# 555-0100 to 555-0199 in North America; what Ofcom sets aside for drama in Britain.
_FICTION = re.compile(
    r"\+1[0-9]{3}55501[0-9]{2}|\+44(?:207946|113496|161496|770090|163296)0[0-9]{3}"
)


def find_personal_data(texts: Sequence[str], *, region: str | None = None) -> list[Hit]:
    """Find the personal data of texts: of two values that overlap, that of the earlier `Kind`.

    - URL credentials: a URL with user information (RFC 3986, 3.2.1).
    - E-mail: local part of at most 64 ASCII characters and a dotted domain (RFC 5321, unquoted).
    - IBAN: see `is_iban`; in one piece or in groups of four, in either case.
    - Card: see `is_card_number`; in one piece or grouped as cards print it, by blanks or hyphens.
    - IP: an IPv4 or IPv6 address as `ipaddress` reads it; an IPv6 address has a digit, so that
      `std::bad` is none. Private, loopback and documentation ranges are reserved.
    - Phone: at least 7 digits that libphonenumber's metadata call valid in their country.

    Args:
        texts: N texts.
        region: Country whose national phone numbers count, as ISO 3166 has it ("US"); without it
            only international ones (+44 ...) do.

    Returns:
        The hits by text, then by start.
    """
    kinds_of: dict[int, list[Kind]] = {}
    for kind, places in _screen(texts, region).items():
        for place in places.tolist():
            kinds_of.setdefault(place, []).append(kind)
    return [
        hit
        for place in sorted(kinds_of)
        for hit in _find_in(place, texts[place], kinds_of[place], region)
    ]


def mask_text(text: str, hits: Iterable[Hit]) -> str:
    """Return a text of the same length with its values masked.

    Args:
        text: One text.
        hits: The hits in it, by start.
    """
    parts, last = [], 0
    for hit in hits:
        parts += [text[last : hit.start], hit.masked]
        last = hit.end
    return "".join(parts) + text[last:]


def mask_value(value: str) -> str:
    """Return a value of the same length, at most two characters at either end left.

    No more than two fifths of it are left in all.
    """
    edge = min(2, len(value) // 5)
    return value[:edge] + "*" * (len(value) - 2 * edge) + value[len(value) - edge :]


def mask_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text of the same length with the values at some spans masked, one after the other.

    Args:
        text: Any text.
        spans: Start and end of each value, in code points; they may overlap.
    """
    chars = list(text)
    for start, end in spans:
        chars[start:end] = mask_value("".join(chars[start:end]))
    return "".join(chars)


def mask_end(text: str) -> str:
    """Return a text that was cut, of the same length, without the half value that may end it.

    Masked are its last words that hold a digit or an `@` each, or a `://`, when they have an `@`, a
    `://` or `_CUT_DIGITS` digits together: no rule tells what half a value was to become.
    """
    start, tail = len(text), text[-_CUT_CHARS:]
    for word in reversed(list(_WORD.finditer(tail))):
        if not (_PART.search(word[0]) or "://" in word[0]):
            break
        start = len(text) - len(tail) + word.start()
    end = text[start:]
    if "@" in end or "://" in end or sum(map(str.isdecimal, end)) >= _CUT_DIGITS:
        return text[:start] + mask_value(end)
    return text


def _screen(texts: Sequence[str], region: str | None) -> dict[Kind, NDArray[np.int64]]:
    """Return by kind, in their order, the texts that may hold such a value."""
    column = as_column(texts)
    screens = {kind: rows_with(column, screen) for kind, screen in _SCREENS.items()}
    screens[Kind.PHONE] = rows_with(column, _ENOUGH_DIGITS)
    if region is None:
        screens[Kind.PHONE] = np.intersect1d(screens[Kind.PHONE], rows_with(column, _PLUS))
    return screens


def _find_in(place: int, text: str, kinds: list[Kind], region: str | None) -> list[Hit]:
    hits = []
    taken = bytearray(len(text))
    for kind in kinds:
        for start, end, reserved in _finder(kind, region)(text):
            if taken.find(1, start, end) < 0:
                taken[start:end] = b"\1" * (end - start)
                hits.append(Hit(place, kind, start, end, reserved, mask_value(text[start:end])))
    return sorted(hits, key=lambda hit: hit.start)


def _finder(kind: Kind, region: str | None) -> _Finder:
    match kind:
        case Kind.URL_CREDENTIALS:
            return _urls
        case Kind.EMAIL:
            return _emails
        case Kind.IBAN:
            return _ibans
        case Kind.CARD:
            return _cards
        case Kind.IP:
            return _addresses
        case Kind.PHONE:
            return partial(_phones, region=region)
        case _:
            assert_never(kind)


def _urls(text: str) -> Iterator[_Found]:
    for match in _URL.finditer(text):
        yield *match.span(), _is_nobody(match[1], match[2])


def _emails(text: str) -> Iterator[_Found]:
    for match in _EMAIL.finditer(text):
        if ".." not in match[1]:
            yield *match.span(), _is_nobody(match[1], match[2])


def _is_nobody(user: str, host: str) -> bool:
    # Every user of a code host is `git` there.
    return user == "git" or _NO_HOST.fullmatch(host) is not None


def _ibans(text: str) -> Iterator[_Found]:
    for match in _IBAN.finditer(text):
        length = iban_length(match[0][:2].upper())
        # What follows the account may look like one more group of it.
        places = [place for place, char in enumerate(match[0]) if char != " "]
        if length is None or len(places) < length:
            continue
        end = match.start() + places[length - 1] + 1
        is_whole = not text[end : end + 1].isalnum()
        if is_whole and is_iban(text[match.start() : end].replace(" ", "").upper()):
            yield match.start(), end, False


def _cards(text: str) -> Iterator[_Found]:
    last = 0
    for match in _CARD.finditer(text):
        digits = match[1].replace(" ", "").replace("-", "")
        if match.start() >= last and is_card_number(digits):
            last = match.end(1)
            yield match.start(), last, digits in _TEST_CARDS.split()


def _addresses(text: str) -> Iterator[_Found]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match[0])
            except ValueError:
                continue
            if any(char.isdigit() for char in match[0]):
                yield *match.span(), not address.is_global


def _phones(text: str, region: str | None) -> Iterator[_Found]:
    from phonenumbers import PhoneNumberFormat, PhoneNumberMatcher, format_number

    for match in PhoneNumberMatcher(text, region):
        if sum(map(str.isdecimal, match.raw_string)) < _LEAST_DIGITS:
            continue
        number = format_number(match.number, PhoneNumberFormat.E164)
        yield match.start, match.end, _FICTION.fullmatch(number) is not None
