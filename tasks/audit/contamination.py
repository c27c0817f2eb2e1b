"""Contamination: does the corpus hold rows of the set that a model will be tested on?"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Cell, Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.comparison import (
    COPY_DEFINITION,
    NEAR_DEFINITION,
    Comparison,
    missing,
    percent,
    rows_of,
)
from tasks.audit.corpus import Corpus
from tasks.audit.intervals import share
from tasks.quality.copies import CopyKind

NGRAMS = (8, 13)
"""Words in a row that count as overlap."""
NGRAM_SOURCE = (
    "Brown et al., Language models are few-shot learners, NeurIPS 2020, appendix C (13-grams), "
    "https://arxiv.org/abs/2005.14165"
)
_EVALUATION = "evaluation set"
_EXACT = (CopyKind.VERBATIM, CopyKind.NORMALISED)


def measure(*, corpus: Corpus, holdout: Corpus | None) -> Section:
    """Look for the rows of an evaluation set in a corpus.

    Args:
        corpus: What a model will be trained on; a column `split` is told apart in the table.
        holdout: What it will be tested on; shares the corpus's vocabulary.
    """
    reason = missing((corpus, "dataset"), (holdout, _EVALUATION))
    if reason is not None or holdout is None:
        return Section(group=Group.CONTAMINATION, metrics=tuple(_metrics(None, reason)))
    found = Comparison.of(corpus, holdout)
    return Section(
        group=Group.CONTAMINATION,
        metrics=tuple(_metrics(found, None)),
        tables=(_table(found),),
        findings=tuple(_findings(found)),
    )


def _metrics(found: Comparison | None, reason: str | None) -> Iterator[Metric]:
    yield _metric(
        "copied_holdout_rows",
        title="Evaluation rows that are in the dataset",
        definition="Share of evaluation rows of which the dataset holds a copy. "
        + COPY_DEFINITION.format(other="the other set"),
        estimate=None if found is None else _share_of(np.isin(found.copied.kinds, _EXACT)),
        reason=reason,
    )
    yield _metric(
        "near_copied_holdout_rows",
        title="Evaluation rows that are in the dataset with small changes",
        definition="Share of evaluation rows of which the dataset holds a near copy and no closer "
        "one. " + NEAR_DEFINITION.format(other="the other set"),
        estimate=None if found is None else _share_of(found.copied.kinds == CopyKind.NEAR),
        reason=reason,
    )
    for n in NGRAMS:
        overlap = None if found is None else _overlap(found, n)
        yield _metric(
            f"holdout_rows_sharing_{n}_words",
            title=f"Evaluation rows that share {n} words in a row with the dataset",
            definition=f"Of the evaluation rows with at least {n} words, the share that has {n} "
            "words in a row in common with the dataset; case and punctuation do not count.",
            estimate=overlap,
            reason=reason or f"no evaluation row has {n} words",
            source=NGRAM_SOURCE,
        )
    yield _metric(
        "rows_copied_from_holdout",
        title="Rows that are evaluation rows",
        definition="Share of the dataset's rows that copy an evaluation row, exactly or nearly.",
        estimate=None if found is None else _share_of(found.copies.kinds != CopyKind.NONE),
        reason=reason,
    )


def _metric(
    name: str,
    *,
    title: str,
    definition: str,
    estimate: Estimate | None,
    reason: str | None,
    source: str = "",
) -> Metric:
    return Metric(
        name=name,
        group=Group.CONTAMINATION,
        title=title,
        unit="share",
        better="lower",
        estimate=estimate,
        unmeasured=reason if estimate is None else None,
        definition=definition,
        source=source,
    )


def _share_of(rows: NDArray[np.bool_]) -> Estimate:
    return share(int(rows.sum()), rows.size)


def _overlap(found: Comparison, n: int) -> Estimate | None:
    long_enough = found.other.words.lengths >= n
    return _share_of(found.repeated.lengths[long_enough] >= n) if long_enough.any() else None


def _table(found: Comparison) -> Table:
    splits = found.corpus.columns.get("split")
    names = np.array(["all" if s is None else s for s in splits or ["all"] * len(found.corpus)])
    return Table(
        name="contamination_by_split",
        group=Group.CONTAMINATION,
        title="Rows that are also in the evaluation set",
        caption="Rows of the dataset that repeat an evaluation row: word for word, with small "
        "changes, or by a passage of 8 or 13 words in a row (copies included).",
        columns=("split", "rows", "copies", "near copies", "8 words", "13 words"),
        rows=tuple(_split_row(found, name, names == name) for name in np.unique(names).tolist()),
    )


def _split_row(found: Comparison, name: str, rows: NDArray[np.bool_]) -> tuple[Cell, ...]:
    kinds, lengths = found.copies.kinds[rows], found.passages.lengths[rows]
    counts = (rows.sum(), np.isin(kinds, _EXACT).sum(), (kinds == CopyKind.NEAR).sum())
    return (name, *map(int, counts), *(int((lengths >= n).sum()) for n in NGRAMS))


def _findings(found: Comparison) -> Iterator[Finding]:
    num_holdout = len(found.other)
    if num_copied := found.copied.count(*_EXACT):
        part = num_copied / num_holdout
        yield Finding(
            name="evaluation_rows_copied",
            group=Group.CONTAMINATION,
            metric="copied_holdout_rows",
            what=f"{num_copied:,} of {num_holdout:,} evaluation rows ({percent(part)}) are in the "
            "dataset word for word.",
            action="Remove these rows from the dataset: a model that has seen them scores higher "
            "on this evaluation set than it deserves.",
            rows=found.copies.count(*_EXACT),
            evidence=found.copy_evidence(*_EXACT),
        )
    if num_near := found.copied.count(CopyKind.NEAR):
        yield _near_finding(found, num_near, num_near / num_holdout)
    long = NGRAMS[-1]
    if num_rows := found.passage_places(long).size:
        part = num_rows / len(found.corpus)
        yield Finding(
            name="evaluation_passages_shared",
            group=Group.CONTAMINATION,
            metric=f"holdout_rows_sharing_{long}_words",
            what=f"{rows_of(num_rows)} ({percent(part)}) share {long} or more words in a row with "
            "an evaluation row, without being copies.",
            action="Read the marked passages. Remove rows whose passage gives the answer away; "
            "fixed phrases that both sets use are harmless.",
            rows=num_rows,
            evidence=found.passage_evidence(long),
        )


def _near_finding(found: Comparison, num_near: int, part: float) -> Finding:
    return Finding(
        name="evaluation_rows_nearly_copied",
        group=Group.CONTAMINATION,
        metric="near_copied_holdout_rows",
        what=f"{num_near:,} of {len(found.other):,} evaluation rows ({percent(part)}) are in the "
        "dataset with a few words changed.",
        action="Compare the pairs shown. Short questions of one domain are alike by chance; remove "
        "rows that were made from evaluation rows, or test on rows that have no near copy.",
        rows=found.copies.count(CopyKind.NEAR),
        evidence=found.copy_evidence(CopyKind.NEAR),
    )
