"""What the safety measures found in one corpus."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import Count
from tasks.quality.injections import Injection, Trick, find_injections
from tasks.quality.lexicon_match import PhraseHits, find_phrases
from tasks.quality.safety_lexicons import LEXICON, Entry

SPEAKING = tuple(trick for trick in Trick if trick is not Trick.HIDDEN_TEXT)
HIDING = (Trick.HIDDEN_TEXT,)


@dataclass(frozen=True)
class Scan:
    """A corpus and what was found in it.

    Args:
        corpus: The corpus.
        phrases: Where phrases of `LEXICON` stand.
        injections: What looks like an injection, by row.
    """

    corpus: Corpus
    phrases: PhraseHits
    injections: list[Injection]

    @classmethod
    def of(cls, corpus: Corpus) -> "Scan":
        """Search a corpus."""
        phrases = find_phrases(corpus.words, [entry.phrase for entry in LEXICON])
        return cls(corpus, phrases, find_injections(corpus.strings))

    @cached_property
    def phrase_rows(self) -> dict[int, set[int]]:
        """Rows of each phrase."""
        rows: dict[int, set[int]] = {}
        for phrase, row in zip(
            self.phrases.phrases.tolist(), self.phrases.texts.tolist(), strict=True
        ):
            rows.setdefault(phrase, set()).add(row)
        return rows

    def count_phrases(self, chosen: Callable[[Entry], bool]) -> Count:
        """Count the rows with a phrase of some entries."""
        rows = [rows for phrase, rows in self.phrase_rows.items() if chosen(LEXICON[phrase])]
        return Count(len(set().union(*rows)), len(self.corpus))

    def count_tricks(self, tricks: Iterable[Trick]) -> Count:
        """Count the rows with some kinds of injection."""
        chosen = set(tricks)
        rows = {found.text for found in self.injections if found.trick in chosen}
        return Count(len(rows), len(self.corpus))


def is_any(entry: Entry) -> bool:
    """Tell that an entry is on the list."""
    return True


def is_strong_profanity(entry: Entry) -> bool:
    """Tell whether an entry is profanity that a newspaper would mask."""
    return entry.kind == "profanity" and entry.severity == "strong"


def is_slur(entry: Entry) -> bool:
    """Tell whether an entry degrades a group."""
    return entry.kind == "slur"
