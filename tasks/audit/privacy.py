"""Memorisation: does the corpus repeat the examples, or the real text that it was made from?"""

from collections.abc import Iterator

from schemas.audit import Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.comparison import (
    COPY_DEFINITION,
    NEAR_DEFINITION,
    PASSAGE_SOURCE,
    Comparison,
    missing,
    percent,
    rows_of,
)
from tasks.audit.corpus import Corpus
from tasks.audit.intervals import plain, share
from tasks.audit.nearness import nearness_finding, nearness_metrics
from tasks.quality.copies import CopyKind

PASSAGE = 8
"""Words in a row that are seldom shared by chance."""
_EXACT = (CopyKind.VERBATIM, CopyKind.NORMALISED)


def measure(
    *, corpus: Corpus, reference: Corpus | None, holdout: Corpus | None, examples: Corpus | None
) -> Section:
    """Look for the examples and the reference in a corpus.

    All corpora share a vocabulary.

    Args:
        corpus: Rows that a generator made.
        reference: Real text that it may have been trained or prompted with.
        holdout: Real text that it has not seen. What this has in common with the reference by
            chance is the baseline.
        examples: Rows that were shown in its prompts.
    """
    metrics: list[Metric] = []
    findings: list[Finding] = []
    compared: list[tuple[str, Comparison]] = []
    for name, target in (("examples", examples), ("reference", reference)):
        reason = missing((corpus, "dataset"), (target, _called(name)))
        if reason is not None or target is None:
            metrics += _metrics(name, None, None, reason)
            continue
        found, chance = Comparison.of(corpus, target), _by_chance(corpus, target, holdout)
        shares = list(_metrics(name, found, chance, None))
        metrics += shares
        findings += _findings(name, found, shares)
        compared.append((name, found))
    metrics += nearness_metrics(corpus=corpus, reference=reference, holdout=holdout)
    findings += nearness_finding(metrics)
    return Section(
        group=Group.PRIVACY,
        metrics=tuple(metrics),
        tables=(_table(compared),) if compared else (),
        findings=tuple(findings),
    )


def _called(name: str) -> str:
    return "examples file" if name == "examples" else "reference"


def _by_chance(corpus: Corpus, target: Corpus, holdout: Corpus | None) -> Comparison | None:
    if holdout is None or len(holdout) == 0:
        return None
    return Comparison.of(holdout.sample(len(corpus), key="chance"), target)


def _metrics(
    name: str, found: Comparison | None, chance: Comparison | None, reason: str | None
) -> Iterator[Metric]:
    """State the four figures of one target, each beside that of the holdout."""
    figures = zip(_described(name), _estimates(found), _estimates(chance), strict=True)
    for (metric, title, definition), estimate, baseline in figures:
        yield Metric(
            name=f"{metric}_of_{name}",
            group=Group.PRIVACY,
            title=title,
            unit="words" if metric == "longest_passage" else "share",
            better="lower",
            estimate=estimate,
            unmeasured=reason,
            baseline=baseline,
            definition=definition,
            source=PASSAGE_SOURCE if "passage" in metric else "",
        )


def _described(name: str) -> tuple[tuple[str, str, str], ...]:
    """Return name, title and definition of each figure, in the order of `_estimates`."""
    other = f"the {name}"
    return (
        (
            "copies",
            f"Rows that copy {other}",
            f"Share of rows that are copies. {COPY_DEFINITION.format(other=other)}",
        ),
        (
            "near_copies",
            f"Rows that copy {other} with small changes",
            "Share of rows that are near copies and no closer ones. "
            + NEAR_DEFINITION.format(other=other),
        ),
        (
            "passages",
            f"Rows that share {PASSAGE} words in a row with {other}",
            f"Share of rows with at least {PASSAGE} words in a row that also stand in a text of "
            f"{other}; case and punctuation do not count.",
        ),
        (
            "longest_passage",
            f"Longest passage shared with {other}",
            f"Most words in a row that a row has in common with a text of {other}.",
        ),
    )


def _estimates(found: Comparison | None) -> tuple[Estimate | None, ...]:
    if found is None:
        return (None,) * 4
    n = len(found.corpus)
    return (
        share(found.copies.count(*_EXACT), n),
        share(found.copies.count(CopyKind.NEAR), n),
        share(int((found.passages.lengths >= PASSAGE).sum()), n),
        plain(float(found.passages.lengths.max()), n),
    )


def _table(compared: list[tuple[str, Comparison]]) -> Table:
    return Table(
        name="repeated_text",
        group=Group.PRIVACY,
        title="What the rows repeat",
        caption="Rows that repeat a text of the examples or the reference: the same characters, "
        "the same words, most words in order, or a passage of 8 words in a row (copies included).",
        columns=("of", "rows", "verbatim", "same words", "near", "8 words", "longest passage"),
        rows=tuple(
            (
                name,
                len(found.corpus),
                found.copies.count(CopyKind.VERBATIM),
                found.copies.count(CopyKind.NORMALISED),
                found.copies.count(CopyKind.NEAR),
                int((found.passages.lengths >= PASSAGE).sum()),
                int(found.passages.lengths.max()),
            )
            for name, found in compared
        ),
    )


def _findings(name: str, found: Comparison, metrics: list[Metric]) -> Iterator[Finding]:
    copies, near, passages = metrics[:3]
    if count := found.copies.count(*_EXACT):
        yield Finding(
            name=f"copied_{name}",
            group=Group.PRIVACY,
            metric=copies.name,
            what=f"{rows_of(count)} ({percent(count / len(found.corpus))}) repeat a text of the "
            f"{name} word for word{_beside(copies)}.",
            action="Remove these rows: they add nothing to the real text and may disclose it. If "
            "there are many, raise the temperature or show other examples in each prompt.",
            rows=count,
            evidence=found.copy_evidence(*_EXACT),
        )
    if count := found.copies.count(CopyKind.NEAR):
        yield Finding(
            name=f"nearly_copied_{name}",
            group=Group.PRIVACY,
            metric=near.name,
            what=f"{rows_of(count)} ({percent(count / len(found.corpus))}) repeat a text of the "
            f"{name} with a few words changed{_beside(near)}.",
            action="Compare the pairs shown. Short texts of one domain are alike by chance; if "
            "these are not, generate with more varied prompts and drop the near copies.",
            rows=count,
            evidence=found.copy_evidence(CopyKind.NEAR),
        )
    if count := found.passage_places(PASSAGE).size:
        yield Finding(
            name=f"repeated_passages_of_{name}",
            group=Group.PRIVACY,
            metric=passages.name,
            what=f"{rows_of(count)} ({percent(count / len(found.corpus))}) share {PASSAGE} or more "
            f"words in a row with the {name}, without being copies.",
            action="Read the marked passages. Fixed phrases are harmless; names, numbers and whole "
            "sentences are memorised and should be removed.",
            rows=count,
            evidence=found.passage_evidence(PASSAGE),
        )


def _beside(metric: Metric) -> str:
    if metric.baseline is None:
        return ""
    return f", where {percent(metric.baseline.value)} of unseen real rows do"
