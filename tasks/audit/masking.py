"""Personal data masked in all that leaves an audit: page, twin and what a terminal shows.

It is one pass over what was found, so that no room can forget it. Masks keep the length of what
they hide: the spans of a row stay right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import regex

from schemas.audit import Audit, Evidence, Finding, Group, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_CHARS
from tasks.quality.fingerprints import normalise_text
from tasks.quality.pii import Hit, find_personal_data, mask_end, mask_spans, mask_text

_WORD = regex.compile(r"(?:[\p{L}\p{N}]\p{M}*+)++")
_MOST_WORDS = 12
"""Words of a value that are looked at; an e-mail address of more is known by these."""
_ENOUGH_WORDS = 3
_ENOUGH_DIGITS = 6

Words = tuple[str, ...]


class _Kind(Enum):
    """What a shown string is: it decides what may stand in it."""

    WHOLE = "a text that is shown to its end"
    CUT = "the beginning of a text, which may end within a value"
    PROSE = "a sentence, a note or a cell: it may quote values without their punctuation"
    NUMBER = "an id of digits: a row's number may look like a phone number of some country"


_Shown = tuple[_Kind, str]


def mask_audit(audit: Audit, corpora: Sequence[Corpus], *, region: str | None) -> Audit:
    """Mask the personal data in every text, note, cell and id of an audit, and say so in it.

    What `find_personal_data` finds is masked, reserved values included; so are halves of values
    where a text was cut, and in sentences and cells what is left of the corpora's values once
    they are normalised: "jo doe acme de" among n-grams.

    Args:
        audit: What was found.
        corpora: The datasets that it was found in.
        region: Country whose national phone numbers count ("US").
    """
    gathered = _Masks()
    _audit(audit, gathered)
    masks = _Masks(_replacements(gathered.asked, corpora, region))
    masked = _audit(audit, masks)
    return _with_table(masked, _statement(len(masks.changed), len(masks.asked)))


def leave_as_is(audit: Audit) -> Audit:
    """Say in an audit that it shows personal data as they are."""
    return _with_table(audit, _statement(None, 0))


def mask_section(section: Section, corpora: Sequence[Corpus], *, region: str | None) -> Section:
    """Mask one section that is shown outside an audit, as `mask_audit` does."""
    gathered = _Masks()
    _section(section, gathered)
    return _section(section, _Masks(_replacements(gathered.asked, corpora, region)))


@dataclass
class _Masks:
    """What becomes of each shown string; it notes what it is asked for."""

    of: Mapping[_Shown, str] = field(default_factory=dict)
    asked: dict[_Shown, None] = field(default_factory=dict)
    changed: set[_Shown] = field(default_factory=set)

    def __call__(self, kind: _Kind, text: str) -> str:
        shown = kind, text
        self.asked[shown] = None
        if (masked := self.of.get(shown, text)) != text:
            self.changed.add(shown)
        return masked

    def prose(self, text: str) -> str:
        return self(_Kind.PROSE, text)

    def name(self, text: str | None) -> str | None:
        if text is None:
            return None
        return self(_Kind.NUMBER if text.isdecimal() else _Kind.WHOLE, text)


def _audit(audit: Audit, masks: _Masks) -> Audit:
    return audit.model_copy(
        update={
            "reasons": tuple(map(masks.prose, audit.reasons)),
            "bands": tuple(
                band.model_copy(
                    update={"why": masks.prose(band.why), "action": masks.prose(band.action)}
                )
                for band in audit.bands
            ),
            "sections": tuple(_section(section, masks) for section in audit.sections),
            "sample": tuple(_evidence(row, masks) for row in audit.sample),
        }
    )


def _section(section: Section, masks: _Masks) -> Section:
    return section.model_copy(
        update={
            "tables": tuple(_table(table, masks) for table in section.tables),
            "findings": tuple(_finding(finding, masks) for finding in section.findings),
        }
    )


def _table(table: Table, masks: _Masks) -> Table:
    return table.model_copy(
        update={
            "columns": tuple(map(masks.prose, table.columns)),
            "rows": tuple(
                tuple(masks.prose(cell) if isinstance(cell, str) else cell for cell in row)
                for row in table.rows
            ),
        }
    )


def _finding(finding: Finding, masks: _Masks) -> Finding:
    return finding.model_copy(
        update={
            "what": masks.prose(finding.what),
            "action": masks.prose(finding.action),
            "evidence": tuple(_evidence(row, masks) for row in finding.evidence),
        }
    )


def _evidence(row: Evidence, masks: _Masks) -> Evidence:
    kind = _Kind.CUT if row.chars > len(row.text) else _Kind.WHOLE
    other = row.other
    if other is not None:
        # How long the other text is, no evidence says.
        other = masks(_Kind.CUT if len(other) >= MOST_CHARS else _Kind.WHOLE, other)
    return row.model_copy(
        update={
            "id": masks.name(row.id),
            "text": masks(kind, row.text),
            "label": None if row.label is None else masks.prose(row.label),
            "note": masks.prose(row.note),
            "other": other,
            "other_id": masks.name(row.other_id),
        }
    )


def _replacements(
    asked: Mapping[_Shown, None], corpora: Sequence[Corpus], region: str | None
) -> dict[_Shown, str]:
    """Mask each of the strings by what it is."""
    numbers = [shown for shown in asked if shown[0] is _Kind.NUMBER]
    others = [shown for shown in asked if shown[0] is not _Kind.NUMBER]
    masks = {**_by_pattern(numbers, None), **_by_pattern(others, region)}
    cut = {shown: mask_end(masks.get(shown, shown[1])) for shown in others if shown[0] is _Kind.CUT}
    prose = [shown for shown in others if shown[0] is _Kind.PROSE]
    words = {word for _, text in prose for word, _, _ in _words(text)}
    runs = {run for corpus in corpora for run in _runs(corpus, words, region)}
    quoted = {shown: _mask_runs(masks.get(shown, shown[1]), runs) for shown in prose if runs}
    return {**masks, **cut, **quoted}


def _by_pattern(shown: Sequence[_Shown], region: str | None) -> dict[_Shown, str]:
    masks: dict[_Shown, str] = {}
    # Where values touch, the next one shows only when the first is masked.
    while True:
        hits: dict[_Shown, list[Hit]] = {}
        for hit in find_personal_data([masks.get(one, one[1]) for one in shown], region=region):
            hits.setdefault(shown[hit.text], []).append(hit)
        if not hits:
            return masks
        masks.update({one: mask_text(masks.get(one, one[1]), hits[one]) for one in hits})
        shown = list(hits)


def _runs(corpus: Corpus, shown: set[str], region: str | None) -> Iterator[Words]:
    """Yield the words in a row of a corpus's values that are shown and would give a value away."""
    seen = set()
    for hit in find_personal_data(corpus.strings, region=region):
        value = tuple(normalise_text(corpus.strings[hit.text][hit.start : hit.end]).split())
        if value in seen:
            continue
        seen.add(value)
        size = min(len(value), _MOST_WORDS)
        for start in range(size):
            for end in range(start + 1, size + 1):
                if value[end - 1] not in shown:
                    break
                if value[start:end] == value or _gives_away(value[start:end]):
                    yield value[start:end]


def _gives_away(run: Words) -> bool:
    digits = sum(map(str.isdecimal, "".join(run)))
    return len(run) >= _ENOUGH_WORDS or digits >= _ENOUGH_DIGITS


def _words(text: str) -> list[tuple[str, int, int]]:
    """Return the normalised words of a text and where they stand."""
    return [(normalise_text(m[0]), m.start(), m.end()) for m in _WORD.finditer(text)]


def _mask_runs(text: str, runs: set[Words]) -> str:
    """Mask the runs of words that stand in a text: the longest at each place."""
    words, place, spans = _words(text), 0, []
    while place < len(words):
        sizes = range(min(_MOST_WORDS, len(words) - place), 0, -1)
        found = (n for n in sizes if tuple(word for word, _, _ in words[place : place + n]) in runs)
        size = next(found, 0)
        if size:
            spans.append((words[place][1], words[place + size - 1][2]))
        place += size or 1
    return mask_spans(text, spans)


def _with_table(audit: Audit, table: Table) -> Audit:
    sections = (
        section.model_copy(update={"tables": (*section.tables, table)})
        if section.group is table.group
        else section
        for section in audit.sections
    )
    return audit.model_copy(update={"sections": tuple(sections)})


def _statement(masked: int | None, shown: int) -> Table:
    how = (
        "Personal data are shown as they are (`--show-personal-data`): keep this report to "
        "those who may see them."
        if masked is None
        else "Personal data in the texts, ids, notes and cells of this report are masked, at most "
        "two characters at either end of a value left. `corpusmith audit "
        "--show-personal-data` shows them as they are."
    )
    return Table(
        name="masked_texts",
        group=Group.PRIVACY,
        title="Personal data in this report",
        caption=f"{how} Names and postal addresses are not looked for.",
        columns=("different texts, ids, notes and cells", "masked"),
        rows=() if masked is None else ((shown, masked),),
    )
