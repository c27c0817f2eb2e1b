"""Counterfactual swap: a text with its gendered words turned round, and nothing else.

The swap is an involution: `swap_gender(swap_gender(text)) == text` for every text. For words with
one counterpart that takes a one-to-one table. The pronouns "her", "him", "his" and "hers" have
none: "her" is the counterpart of "his" before a noun ("her book") and of "him" elsewhere ("saw
her"). So the *place* is decided first, by a rule that sees only what the swap leaves as it is: the
gaps, and the words around it with both sides of a pair looking the same. At a determiner's place
"his" and "her" change places, and "him" and "hers", which do not belong there; elsewhere "him" and
"her", and "his" and "hers". Both are one to one, and the place is the same in the text and in its
swap.

What the rule cannot see it gets wrong: "her" before a noun that is no part of the phrase ("he threw
her pebbles") is taken for a determiner unless the verb and the noun are in the word lists. Of the
sentences of WinoBias, on which the lists were made, it turns 99.2 % into what the authors have
(most others hold further gendered words); of those of Winogender, which it never saw, all 480.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import regex
import yaml
from pydantic import Field

from schemas.base import Frozen
from tasks.bias.lexicons import Term

# A token is what a word is for normal readers; marks and digits belong to it, so that "he" is found
# in "he's" and not in "the", "he2" or an accented "hé".
_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}_]++")
_PRONOUN = "her"
_AT_DETERMINER = {"his": "her", "her": "his", "him": "hers", "hers": "him"}
_ELSEWHERE = {"him": "her", "her": "him", "his": "hers", "hers": "his"}
_ALSO = frozenset({"and", "or"})


class SwapWords(Frozen):
    """The words of the swap, as their data file holds them."""

    version: int = Field(ge=1)
    source: str
    pairs: dict[Term, Term]
    """Words with one counterpart."""
    closes: frozenset[Term]
    """Words that do not follow a determiner: after them comes no noun of "her"."""
    givers: frozenset[Term]
    """Verbs that take two objects: "gave her money"."""
    given: frozenset[Term]
    """What stands as their second object without a determiner."""
    causers: frozenset[Term]
    """Verbs that take an object and what it does or is: "made her laugh"."""
    caused: frozenset[Term]
    """Verbs and adjectives that follow that object."""
    adverbial: frozenset[Term]
    """Adverbs that stand at the end of a clause ("called her back") and nouns elsewhere."""
    not_adverbs: frozenset[Term]
    """Adjectives and nouns that end like an adverb."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """A text with its gendered words turned round.

    Args:
        text: The new text.
        from_male: Words of the old text that were male.
        from_female: Words of the old text that were female.
    """

    text: str
    from_male: int
    from_female: int


@cache
def swap_words() -> SwapWords:
    """Return the words of the swap."""
    text = files(__package__).joinpath("lexicons", "swap.yaml").read_text("utf-8")
    return SwapWords.model_validate(yaml.safe_load(text))


@cache
def swappable_words() -> frozenset[str]:
    """Return all words that the swap turns round, in lower case."""
    pairs = swap_words().pairs
    return frozenset((*pairs, *pairs.values(), *_ELSEWHERE))


def swap_gender(text: str) -> str:
    """Turn the gendered words of a text round; see the module for the rule.

    Case is preserved in words that are lower case, upper case or capitalised; a word in any other
    casing ("hEr") stays as it is, and so do names and gendered words without a counterpart.
    """
    return swap_counted(text).text


def swap_counted(text: str) -> Swapped:
    """Turn the gendered words of a text round and count them by side."""
    if not _forms().keys() & set(_TOKEN.findall(text)):
        return Swapped(text, 0, 0)
    matches = list(_TOKEN.finditer(text))
    folded = [_folds().get(word := match.group().lower(), word) for match in matches]
    joins = [
        text[left.end() : right.start()].isspace() for left, right in itertools.pairwise(matches)
    ]
    parts, end, counts = [], 0, [0, 0]
    for place, match in enumerate(matches):
        form = _forms().get(match.group())
        if form is None:
            continue
        word, recase = form
        if folded[place] == _PRONOUN:
            at_determiner = _is_determiner(folded, joins, place)
            other = (_AT_DETERMINER if at_determiner else _ELSEWHERE)[word]
        else:
            other = _counterparts()[word]
        counts[word in _females()] += 1
        parts += [text[end : match.start()], recase(other)]
        end = match.end()
    return Swapped("".join(parts) + text[end:], *counts)


def _is_determiner(folded: Sequence[str], joins: Sequence[bool], place: int) -> bool:
    """Decide whether a pronoun stands before its noun, from folded words and the gaps alone.

    Args:
        folded: The words of the text; the two sides of a pair look the same.
        joins: Whether only white space follows each word but the last.
        place: Of the pronoun.
    """
    if all(joins[place : place + 2]) and folded[place + 2 : place + 3] == [_PRONOUN]:
        # "his and her books": both stand where the second does.
        place += 2 if folded[place + 1] in _ALSO else 0
    if place + 1 >= len(folded) or not joins[place]:
        return False
    words, after = swap_words(), folded[place + 1]
    then = folded[place + 2] if place + 2 < len(folded) and joins[place + 1] else None
    before = folded[place - 1] if place and joins[place - 1] else None
    if after in words.closes or after == _PRONOUN or before == "let":
        return False
    if before in words.givers and (after in words.given or after[0].isdigit()):
        return False
    if before in words.causers and after in words.caused:
        return False
    ends = then is None or then in words.closes
    is_adverb = after in words.adverbial or (
        after.endswith("ly") and after not in words.not_adverbs
    )
    return not (ends and is_adverb)


@cache
def _counterparts() -> dict[str, str]:
    pairs = swap_words().pairs
    both = {**pairs, **{female: male for male, female in pairs.items()}}
    if len(both) != 2 * len(pairs) or _ELSEWHERE.keys() & both.keys():
        raise ValueError("the pairs of the swap are not one to one")
    return both


@cache
def _females() -> frozenset[str]:
    return frozenset((*swap_words().pairs.values(), "her", "hers"))


@cache
def _folds() -> dict[str, str]:
    """Map both words of a pair to one, and the four pronouns to one."""
    folds = {female: male for male, female in swap_words().pairs.items()}
    return {**folds, **dict.fromkeys(_ELSEWHERE, _PRONOUN)}


@cache
def _forms() -> dict[str, tuple[str, Callable[[str], str]]]:
    """Map each word, in each casing that is kept, to its lower case and the way back."""
    casings = (str.lower, str.upper, str.capitalize)
    return {casing(word): (word, casing) for word in swappable_words() for casing in casings}
