"""Prompt injections: texts that speak to the model that reads them, and text that hides.

A model trained on them learns to obey them; a model that reads them in a prompt may at once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from tasks.quality.screening import as_column, rows_with

VERSION = "1"
"""Changes with every change of a pattern, for figures under two versions do not compare."""


class Trick(StrEnum):
    """What an injection tries."""

    OVERRIDE = "override"
    """Tells the model to drop its instructions: "ignore all previous instructions"."""
    JAILBREAK = "jailbreak"
    """Gives the model a self without rules: "you are now in developer mode"."""
    PROMPT_LEAK = "prompt_leak"
    """Asks for the hidden prompt: "repeat your system prompt"."""
    ROLE_MARKER = "role_marker"
    """Control text of a chat template: `<|im_start|>`, `[INST]`, "### System:"."""
    EXFILTRATION = "exfiltration"
    """A remote image whose address carries data away when a page shows it."""
    HIDDEN_TEXT = "hidden_text"
    """Text that a reader cannot see: tag characters, runs of zero-width ones, display:none."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One place that looks like an injection.

    Args:
        text: Place of the text.
        trick: What it tries.
        start: Its first code point in the text.
        end: The code point after its last.
    """

    text: int
    trick: Trick
    start: int
    end: int


# Every gap is bounded, so that a search is linear in the text. `~` stands between two words.
_GAP = r"[^a-z0-9]{1,8}"
_ANY_WORDS = r"(?:[a-z']{1,16}~){0,3}"
_INSTRUCTIONS = r"(?:instructions?|prompts?|directives?|guidelines|programming)"
_PHRASES = {
    Trick.OVERRIDE: (
        r"instruct|prompt|directive|guideline|programming|told",
        rf"\b(?:ignor(?:e|ing)|disregard|forget|override|bypass|(?:do~not|don.?t|stop)~follow(?:ing)?)~"
        rf"{_ANY_WORDS}(?:previous|prior|above|earlier|preceding|initial|original|system)~"
        rf"(?:[a-z']{{1,16}}~){{0,2}}{_INSTRUCTIONS}\b"
        rf"|\b(?:ignore|disregard|forget)~(?:all~)?(?:of~)?your~{_INSTRUCTIONS}\b"
        r"|\bforget~everything~(?:that~)?(?:you~were|you~have~been|i)~told\b",
    ),
    Trick.JAILBREAK: (
        r"you are|you're|mode|anything now|pretend|act as|restrict",
        r"\byou(?:~are|['\u2019]re)~now~(?:dan|jailbroken|unrestricted|unfiltered|uncensored|evil"
        r"|in~(?:developer|debug|god|dan|jailbreak)~mode)\b"
        r"|\b(?:enable|enter|activate)~(?:developer|dan|jailbreak|god)~mode\b"
        r"|\bdo~anything~now\b"
        r"|\b(?:pretend|act~as~if)~(?:that~)?you~(?:have~no|are~not~bound~by)~"
        rf"{_ANY_WORDS}(?:restrictions|rules|filters?|guidelines|limitations)\b",
    ),
    Trick.PROMPT_LEAK: (
        r"instruct|prompt",
        r"\b(?:reveal|print|show|repeat|output|display|leak|expose|(?:tell|give)~me|what~(?:is|are))~"
        rf"{_ANY_WORDS}(?:(?:system|hidden|secret|initial|original)~{_INSTRUCTIONS}"
        r"|instructions~(?:above|you~were~given))\b",
    ),
}
_MARKS = {
    Trick.ROLE_MARKER: (
        r"<\||\[/?INST|<</?SYS|_of_turn>|#",
        r"<\|[a-z0-9_]{2,30}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
        r"|(?:^|\n)#{2,4} ?(?:system|instructions?|assistant|user|human|response)(?: prompt)?:",
    ),
    Trick.EXFILTRATION: (
        r"!\[|<img",
        r"!\[[^\]\n]{0,200}\]\( {0,4}https?://[^\s()?]{1,300}\?[^\s()]{1,500}"
        r"|<img\b[^<>]{0,200}?\bsrc ?= ?.?https?://[^\s<>?]{1,300}\?[^\s<>]{1,500}",
    ),
    Trick.HIDDEN_TEXT: (
        r"[\x{E0001}-\x{E007F}\x{202D}\x{202E}]|[\x{200B}-\x{200D}\x{2060}\x{FEFF}]{4}"
        r"|[\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]{2}|(?i:display|font-size|visibility)",
        # The flags of England, Scotland and Wales are a black flag and at most six tags.
        "(?<![\U0001f3f4\U000e0001-\U000e007f])[\U000e0001-\U000e007f]+"
        "|(?<=\U0001f3f4)[\U000e0001-\U000e007f]{7,}"
        "|[\u202d\u202e]|[\u200b-\u200d\u2060\ufeff]{4,}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
        r"|<[a-z]{1,12}\b[^<>]{0,200}?(?:display ?: ?none|font-size ?: ?0(?![.1-9])"
        r"|visibility ?: ?hidden)[^<>]{0,200}>",
    ),
}
_SCREENS = {trick: f"(?i){screen}" for trick, (screen, _) in (_PHRASES | _MARKS).items()}
_PATTERNS = {
    trick: re.compile(pattern.replace("~", _GAP) if trick in _PHRASES else pattern, re.I | re.A)
    for trick, (_, pattern) in (_PHRASES | _MARKS).items()
}


def find_injections(texts: Sequence[str]) -> list[Injection]:
    """Find what looks like a prompt injection, by fixed patterns in English.

    The patterns want high precision: they know the wordings that circulate, and a new wording
    passes. A text about injections that quotes one is found as well.

    Args:
        texts: N texts.

    Returns:
        The places by text, then by start.

    References:
        OWASP Top 10 for LLM Applications 2025, LLM01 (prompt injection).
        https://genai.owasp.org/llmrisk/llm01-prompt-injection/
        Greshake et al., AISec 2023. https://arxiv.org/abs/2302.12173
        Boucher and Anderson, USENIX Security 2023 (text that a reader does not see).
        https://arxiv.org/abs/2111.00169
    """
    column = as_column(texts)
    suspects = rows_with(column, "|".join(f"(?:{screen})" for screen in _SCREENS.values()))
    return list(chain.from_iterable(_find_in(place, texts[place]) for place in suspects.tolist()))


def _find_in(place: int, text: str) -> list[Injection]:
    found = [
        Injection(place, trick, *match.span())
        for trick, pattern in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]
    return sorted(found, key=lambda injection: injection.start)
