"""An output's form as a grammar of llguidance: compiled, tried out, and matched against texts."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from schemas.json_form import Schema, close_objects

_END = 256
_PROBE_STEPS = 32
# Overrides win over what a schema says of itself under `x-guidance`.
_JSON_OPTIONS: Any = {"whitespace_flexible": False, "coerce_one_of": True, "lenient": False}


class GrammarError(ValueError):
    """A form that llguidance cannot follow; the message says why."""


def json_grammar(schema: Schema) -> str:
    """Write the grammar of compact JSON that fits a schema.

    Keys come in the schema's order and no white space stands between tokens: weak models loop on
    blanks. `oneOf` counts as `anyOf`; objects that list their keys have no others.
    """
    from llguidance import LLMatcher

    closed = close_objects(schema)
    return str(LLMatcher.grammar_from_json_schema(closed, overrides=_JSON_OPTIONS))


def regex_grammar(pattern: str) -> str:
    """Write the grammar of texts that match an expression from end to end."""
    from llguidance import LLMatcher

    return str(LLMatcher.grammar_from_regex(pattern))


def choices_grammar(choices: Sequence[str]) -> str:
    """Write the grammar of one text among several."""
    from llguidance import LLMatcher

    # One terminal: alternatives of a rule would be as many items of the parser, which are limited.
    words = " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)
    return str(LLMatcher.grammar_from_lark(f"start: CHOICE\nCHOICE: {words}"))


class TextMatcher:
    """Tells whether whole texts follow a grammar, in time linear in the text.

    The same library makes the masks, so both agree, and no expression can take for ever.

    Args:
        grammar: What one of this module's functions wrote.

    Raises:
        GrammarError: If it does not compile, is too large, or fits no text but the empty one.
    """

    def __init__(self, grammar: str) -> None:
        from llguidance import LLMatcher

        self._start = LLMatcher(_byte_tokenizer(), grammar, log_level=0)
        self._raise_fault(self._start)
        self._probe()

    def fits(self, text: str) -> bool:
        """Say whether the text, from end to end, follows the grammar.

        A lone surrogate never does, nor a text on whose way the grammar grows beyond its limits.
        """
        try:
            content = list(text.encode())
        except UnicodeEncodeError:
            return False
        matcher = self._start.deep_copy()
        return matcher.try_consume_tokens(content) == len(content) and bool(matcher.is_accepting())

    def _probe(self) -> None:
        """Follow the grammar for some bytes: what is too large shows only on the way."""
        matcher = self._start.deep_copy()
        for step in range(_PROBE_STEPS):
            mask = int.from_bytes(matcher.compute_bitmask(), "little")
            following = mask & ((1 << _END) - 1)
            if not following:
                if step == 0:
                    raise GrammarError("no text fits it")
                return
            self._raise_fault(matcher)
            matcher.consume_token((following & -following).bit_length() - 1)
            self._raise_fault(matcher)

    @staticmethod
    def _raise_fault(matcher: Any) -> None:
        if matcher.is_error():
            raise GrammarError(_plain(matcher.get_error()))


def _plain(message: str) -> str:
    """Pick the line of llguidance's message that says what is wrong."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    causes = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (causes or lines or ["it cannot be compiled"])[0][:200]


class _Bytes:
    """A vocabulary of single bytes and an end."""

    eos_token_id = _END
    bos_token_id = None
    tokens = (*(bytes([byte]) for byte in range(256)), b"<end>")
    special_token_ids = (_END,)

    def __call__(self, text: bytes) -> list[int]:
        return list(text)


@cache
def _byte_tokenizer() -> Any:
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(TokenizerWrapper(_Bytes()), slices=[])
