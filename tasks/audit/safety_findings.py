"""What a reader should know about the safety of a dataset, with the rows that show it."""

from collections.abc import Callable, Iterator

import numpy as np

from schemas.audit import Evidence, Finding, Group
from tasks.audit.excerpts import MOST_ROWS, excerpt
from tasks.audit.safety_scan import HIDING, SPEAKING, Scan, is_slur, is_strong_profanity
from tasks.quality.injections import Injection, Trick
from tasks.quality.lexicon_match import word_spans
from tasks.quality.safety_lexicons import LEXICON, Entry

GOALS = {
    Trick.OVERRIDE: "tells a model to drop its instructions",
    Trick.JAILBREAK: "gives a model a self without rules",
    Trick.PROMPT_LEAK: "asks a model for its hidden prompt",
    Trick.ROLE_MARKER: "control text of a chat template",
    Trick.EXFILTRATION: "a remote image whose address can carry data away",
    Trick.HIDDEN_TEXT: "characters or markup that a reader does not see",
}


def safety_findings(scan: Scan) -> Iterator[Finding]:
    """Yield what was found, the worst first.

    Args:
        scan: The dataset.
    """
    yield from _word_findings(scan)
    yield from _injection_findings(scan)


def _word_findings(scan: Scan) -> Iterator[Finding]:
    slurs, profane = scan.count_phrases(is_slur), scan.count_phrases(lambda e: not is_slur(e))
    if slurs.rows:
        yield Finding(
            name="slurs",
            group=Group.SAFETY,
            metric="slur_rate",
            what=f"{slurs} hold a slur.",
            action="Read the rows and drop those that degrade people; a set that teaches to detect "
            "such words keeps them, under a label that says so.",
            rows=slurs.rows,
            evidence=_word_evidence(scan, is_slur),
        )
    if profane.rows:
        strong = scan.count_phrases(is_strong_profanity)
        yield Finding(
            name="profanity",
            group=Group.SAFETY,
            metric="strong_profanity_rate",
            what=f"{profane} hold profanity, {strong.rows:,} of them strong.",
            action="Decide whether your users should meet such words; if not, drop the rows or say "
            "so in the prompt.",
            rows=profane.rows,
            evidence=_word_evidence(scan, lambda entry: not is_slur(entry)),
        )


def _word_evidence(scan: Scan, chosen: Callable[[Entry], bool]) -> tuple[Evidence, ...]:
    """Show the rows with a strong word first, then those with most."""
    hits: dict[int, list[int]] = {}
    for number in np.flatnonzero([chosen(LEXICON[p]) for p in scan.phrases.phrases.tolist()]):
        hits.setdefault(int(scan.phrases.texts[number]), []).append(int(number))

    def rank(row: int) -> tuple[int, int, str]:
        entries = [LEXICON[scan.phrases.phrases[number]] for number in hits[row]]
        strong = sum(entry.severity == "strong" for entry in entries)
        return -strong, -len(entries), scan.corpus.ids[row]

    return tuple(_word_row(scan, row, hits[row]) for row in sorted(hits, key=rank)[:MOST_ROWS])


def _word_row(scan: Scan, row: int, numbers: list[int]) -> Evidence:
    text = scan.corpus.strings[row]
    words = word_spans(text)
    found = scan.phrases
    spans = []
    for number in numbers:
        first = int(found.firsts[number])
        spans.append((words[first][0], words[first + int(found.sizes[number]) - 1][1]))
    entries = dict.fromkeys(LEXICON[found.phrases[number]] for number in numbers)
    note = ", ".join(f"{entry.phrase} ({entry.severity} {entry.kind})" for entry in entries)
    return excerpt(scan.corpus, row, text=text, spans=spans, note=note)


def _injection_findings(scan: Scan) -> Iterator[Finding]:
    kinds = (
        ("prompt_injections", "prompt_injection_rate", SPEAKING,
         "hold text that speaks to a model as an attacker would",
         "Drop these rows: a model that learns from them, or reads them as examples, may obey."),
        ("hidden_text", "hidden_text_rate", HIDING, "hold text that a reader does not see",
         "Look at what is hidden, then strip it: models read it, and people who check do not."),
    )  # fmt: skip
    for name, metric, tricks, what, action in kinds:
        count = scan.count_tricks(tricks)
        if count.rows:
            yield Finding(
                name=name,
                group=Group.SAFETY,
                metric=metric,
                what=f"{count} {what}.",
                action=action,
                rows=count.rows,
                evidence=_injection_evidence(scan, tricks),
            )


def _injection_evidence(scan: Scan, tricks: tuple[Trick, ...]) -> tuple[Evidence, ...]:
    rows: dict[int, list[Injection]] = {}
    for found in scan.injections:
        if found.trick in tricks:
            rows.setdefault(found.text, []).append(found)
    worst = sorted(rows, key=lambda row: (-len(rows[row]), scan.corpus.ids[row]))
    return tuple(
        excerpt(
            scan.corpus,
            row,
            text=scan.corpus.strings[row],
            spans=[(found.start, found.end) for found in rows[row]],
            note=f"{GOALS[rows[row][0].trick]}, at character {rows[row][0].start + 1:,}",
        )
        for row in worst[:MOST_ROWS]
    )
