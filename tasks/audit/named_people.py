"""Names of people and places in a dataset, where Presidio is installed."""

from schemas.audit import Finding, Group, Metric, Section
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_ROWS, Count, excerpt
from tasks.quality.named_people import ENTITIES, Named, find_names, why_not
from tasks.quality.pii import mask_spans

SAMPLE_ROWS = 1_000
"""Rows that are read: a language model tags every word of them."""
_DEFINITION = (
    "Share of rows in which Presidio's English model finds the name of a person or a place, on a "
    "sample of rows. It finds names of the famous and of films as well, and misses others: an "
    "indication, no proof."
)


def measure(*, corpus: Corpus, language: str | None) -> Section:
    """Measure how many rows hold the name of a person or a place.

    Args:
        corpus: The dataset.
        language: What it should be written in; Presidio is asked in English only.
    """
    reason = why_not()
    if reason is None and language is not None and not language.startswith("en"):
        reason = "names are looked for in English texts only"
    if reason is not None or not len(corpus):
        return Section(group=Group.PRIVACY, metrics=(_metric(reason or "the corpus has no rows"),))
    sample = corpus.sample(SAMPLE_ROWS, key="names")
    by_row: dict[int, list[Named]] = {}
    for named in find_names(sample.strings):
        by_row.setdefault(named.text, []).append(named)
    sampled = len(sample) if len(sample) < len(corpus) else None
    metric = _metric(Count(len(by_row), len(sample)), sampled=sampled)
    return Section(
        group=Group.PRIVACY,
        metrics=(metric,),
        findings=(_finding(sample, by_row),) if by_row else (),
    )


def _metric(measured: Count | str, *, sampled: int | None = None) -> Metric:
    return Metric(
        name="named_people_rate",
        group=Group.PRIVACY,
        title="Rows with the name of a person or a place",
        unit="share",
        better="neither",
        estimate=None if isinstance(measured, str) else measured.estimate(),
        unmeasured=measured if isinstance(measured, str) else None,
        sampled=sampled,
        definition=_DEFINITION,
        source="Presidio, https://microsoft.github.io/presidio",
    )


def _finding(sample: Corpus, by_row: dict[int, list[Named]]) -> Finding:
    people = sum(any(one.kind == ENTITIES[0] for one in found) for found in by_row.values())
    return Finding(
        name="named_people",
        metric="named_people_rate",
        group=Group.PRIVACY,
        what=f"{len(by_row):,} of {len(sample):,} rows that were read name a person or a place, "
        f"{people:,} of them a person.",
        action="Read them: invented and famous names are harmless, names of private people are "
        "personal data.",
        rows=len(by_row),
        evidence=tuple(
            excerpt(
                sample,
                place,
                text=mask_spans(sample.strings[place], [(one.start, one.end) for one in found]),
                spans=[(one.start, one.end) for one in found],
                note=", ".join(sorted({one.kind.lower() for one in found})),
            )
            for place, found in list(by_row.items())[:MOST_ROWS]
        ),
    )
