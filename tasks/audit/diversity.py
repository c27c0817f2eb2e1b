"""Diversity: does the corpus say many things, in many ways, as the reference does?"""

from collections import Counter
from collections.abc import Sequence

from schemas.audit import Cell, Group, Metric, Section, Table
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.audit.diversity_estimates import random_order, rows_of, size_of
from tasks.audit.diversity_findings import findings
from tasks.audit.diversity_groups import FEWEST_ROWS, Groups, measure_groups
from tasks.audit.diversity_measures import MEASURES, VENDI, Measure
from tasks.quality.ngram_shares import distinct_share
from tasks.quality.openings import openings
from tasks.quality.vocabulary_stats import vocabulary_stats

_SMALLEST_PART = 10
"""A reference of less than one part in so many does not shrink the sample of the corpus."""
_DISTINCT = ("distinct_1", "distinct_2", "distinct_3", "distinct_4")


def measure(*, corpus: Corpus, reference: Corpus | None) -> Section:
    """Measure the diversity of a corpus, of each label and of each strategy.

    Most figures change with the size of what they are measured on. So each is of a random sample of
    stated size, the same rows in every order of the corpus, and its baseline is of as many rows,
    words or characters of the reference; where the reference is the smaller one, it sets the size.

    Args:
        corpus: What is audited.
        reference: Real data to compare it with, if any.
    """
    pool = random_order(corpus)
    other = None if reference is None else random_order(reference)
    metrics = [_metric(each, pool=pool, other=other, num_rows=len(corpus)) for each in MEASURES]
    by_label = _groups(corpus.labels, pool=pool, column=pool.labels)
    strategies = corpus.columns.get("strategy")
    by_strategy = _groups(strategies, pool=pool, column=pool.columns.get("strategy"))
    tables = [_vocabulary([corpus] if reference is None else [corpus, reference])]
    tables += [_openings(corpus)]
    for groups, by in ((by_label, "label"), (by_strategy, "strategy")):
        metrics.append(_least_varied(groups, by=by))
        if groups is not None:
            tables.append(groups.table(f"diversity_by_{by}", by=by))
    return Section(
        group=Group.DIVERSITY,
        metrics=tuple(metrics),
        tables=tuple(tables),
        findings=findings(metrics, corpus=corpus, labels=by_label),
    )


def _metric(measured: Measure, *, pool: Corpus, other: Corpus | None, num_rows: int) -> Metric:
    size = min(size_of(pool, measured.basis), measured.most)
    theirs = 0 if other is None else size_of(other, measured.basis)
    compares = theirs >= max(measured.fewest, size / _SMALLEST_PART)
    size = min(size, theirs) if compares else size
    estimate = measured.estimate(pool, size) if size >= measured.fewest else None
    baseline = None
    if estimate is not None and other is not None and compares:
        baseline = measured.estimate(other, size)
    rows = rows_of(pool, measured.basis, size)
    return Metric(
        name=measured.name,
        group=Group.DIVERSITY,
        title=measured.title,
        unit=measured.unit,
        better=measured.better,
        estimate=estimate,
        unmeasured=None if estimate else _obstacle(measured, size),
        baseline=baseline,
        sampled=rows if estimate and rows < num_rows else None,
        definition=f"{measured.definition} Measured on {size:,} {measured.basis}.",
        source=measured.source,
    )


def _obstacle(measured: Measure, size: int) -> str:
    if size < measured.fewest:
        return f"it takes {measured.fewest:,} {measured.basis} at least, and there are {size:,}"
    return "no text has as many words"


def _groups(
    names: Sequence[str | None] | None, *, pool: Corpus, column: Sequence[str | None] | None
) -> Groups | None:
    if names is None or column is None:
        return None
    counts = Counter(name for name in names if name is not None)
    return measure_groups(pool, column=column, counts=counts)


def _least_varied(groups: Groups | None, *, by: str) -> Metric:
    estimate, unmeasured = None, None
    if groups is None:
        unmeasured = f"the data have no {by}"
    elif groups.least_varied is None:
        unmeasured = f"fewer than two values of {by} have {FEWEST_ROWS} rows"
    else:
        estimate = intervals.plain(groups.least_varied[1], n=len(groups.measured))
    return Metric(
        name=f"least_varied_{by}",
        group=Group.DIVERSITY,
        title=f"Variety of the least varied {by}, against the median one",
        unit="ratio",
        better="higher",
        estimate=estimate,
        unmeasured=unmeasured,
        definition=f"Least Vendi score of the texts of one {by} over the median of all, each of "
        "as many texts (the table says how many). No interval is defined.",
        source=VENDI.source,
    )


def _vocabulary(corpora: Sequence[Corpus]) -> Table:
    """Tell how large the vocabularies are, of all rows."""
    return Table(
        name="vocabulary",
        group=Group.DIVERSITY,
        title="Words of all rows",
        caption="Of every row, so these shares do not compare between corpora of different size; "
        "the metrics of the same name do.",
        columns=("corpus", "rows", "words", "different words", "hapax_share", "yule_k", *_DISTINCT),
        rows=tuple(_vocabulary_line(corpus) for corpus in corpora),
    )


def _vocabulary_line(corpus: Corpus) -> tuple[Cell, ...]:
    found = vocabulary_stats(corpus.words)
    shares = [distinct_share(corpus.words.ngrams(n)) for n in (1, 2, 3, 4)]
    counts = (len(corpus), found.num_tokens, found.num_types)
    return (corpus.name, *counts, found.hapax_share, found.yule_k, *shares)


def _openings(corpus: Corpus) -> Table:
    """List the commonest openings of all rows."""
    lines: list[tuple[Cell, ...]] = []
    for n in (1, 2, 3):
        found = openings(corpus.words, n)
        for opening in found.commonest if found else ():
            share = opening.count / found.num_texts if found else None
            lines.append((n, opening.words, opening.count, share))
    return Table(
        name="openings",
        group=Group.DIVERSITY,
        title="How texts begin",
        caption="The commonest first words of all rows, at most 20 of each number of words; shares "
        "are of the texts that have as many words.",
        columns=("number of words", "opening", "rows", "share"),
        rows=tuple(lines),
    )
