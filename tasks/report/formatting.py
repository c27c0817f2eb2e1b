"""Numbers and untrusted texts, written for a reader."""

import re
import unicodedata

from markupsafe import Markup, escape

_NBSP = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_SEEN_AS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are drawn as nothing though their category says otherwise."""
_PLAIN = re.compile(r"[\n -~]*")


def integer(value: int) -> str:
    """Write a count with thousands separators: `12,345`."""
    return f"{value:,}".replace("-", _MINUS)


def decimal(value: float) -> str:
    """Write a measurement with about three significant digits: `0.0123`, `1.25`, `4,321`.

    A whole number has no decimals. A number that is not 0 is never written as 0, nor one below 1
    as 1.
    """
    if value != value:
        return "not a number"
    size = abs(float(value))
    if size >= 100 or size.is_integer():
        text = f"{size:,.0f}"
    elif 0.9995 <= size < 1:
        text = "0.999+"
    else:
        digits = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
        text = f"{size:.{digits}f}" if size >= 0.0001 else f"{size:.1e}"
    return (_MINUS if value < 0 else "") + text


def percent(share: float) -> str:
    """Write a share in [0, 1] as `12.7 %`; only nothing is `0 %`, and only all is `100 %`."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", f"{_NBSP}%")
    value = share * 100
    if value < 0.05:
        text = "< 0.01" if value < 0.005 else f"{value:.2f}"
    else:
        text = "> 99.9" if 99.95 <= value < 100 else f"{value:.1f}"
    return f"{text.replace(' ', _NBSP)}{_NBSP}%"


def duration(seconds: float) -> str:
    """Write seconds as a duration: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f}{_NBSP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_NBSP}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{_NBSP}min {rest}{_NBSP}s"
    return f"{integer(minutes // 60)}{_NBSP}h {minutes % 60}{_NBSP}min"


def gibibytes(num_bytes: int) -> str:
    """Write a size of memory: `7.8 GiB`."""
    return f"{num_bytes / 2**30:.1f}{_NBSP}GiB"


def utc(created: str) -> str:
    """Write an ISO 8601 time as `2026-11-21 07:45 UTC`; anything else stays as it is."""
    match = re.match(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:Z|\+00:00)$", created)
    return f"{match[1]} {match[2]} UTC" if match else created


def shorten(text: str, limit: int = 60) -> str:
    """Cut a name that is longer than `limit` characters and end it in an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def visible(text: str) -> Markup:
    """Escape an untrusted text, with a mark for every character that cannot be seen.

    Control and format characters (bidirectional overrides, zero-width ones), unusual spaces and
    private or unassigned characters become their hexadecimal code points in `<b>`, so they neither
    act nor hide. Line breaks and tabs stay.
    """
    if _PLAIN.fullmatch(text):
        return escape(text)
    pieces: list[Markup | str] = []
    hidden: list[str] = []
    start = 0
    for place, char in enumerate(text):
        if _is_hidden(char):
            pieces.append(escape(text[start:place]))
            hidden.append(f"{ord(char):04X}")
            start = place + 1
        if hidden and not _is_hidden(text[place + 1 : place + 2]):
            pieces.append(f"<b>{' '.join(hidden)}</b>")
            hidden = []
    pieces.append(escape(text[start:]))
    return Markup("".join(pieces))


def _is_hidden(char: str) -> bool:
    if char in ("", "\n", "\t", " "):
        return False
    category = unicodedata.category(char)
    return category[0] == "C" or category in ("Zl", "Zp", "Zs") or char in _SEEN_AS_NOTHING
