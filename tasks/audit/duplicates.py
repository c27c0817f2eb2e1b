"""Duplicates: rows that repeat one another, disagree on their label, or stand in two splits."""

from dataclasses import dataclass

from schemas.audit import Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.duplicate_findings import (
    find_conflicting_labels,
    find_copies,
    find_near_duplicates,
    find_same_meanings,
    find_split_overlap,
)
from tasks.audit.duplicate_rows import (
    MOST_OTHER_LETTERS,
    NEAR_SIMILARITY,
    DuplicateRows,
    Leaks,
    Meanings,
    compare_meanings,
    find_leaks,
)
from tasks.audit.intervals import share
from tasks.quality.semantic_duplicates import SIMILARITY, Embed

_NO_TEXT = "no row holds a text"
_NO_LABELS = "the rows have no labels"
_ONE_SPLIT = "there are not two splits"
_OTHER_LETTERS = (
    f"more than {MOST_OTHER_LETTERS:.0%} of the rows hold letters beyond a-z, which this measure"
    " ignores: see duplicate_rate"
)
_REPEATS = (
    " Counted are rows less groups: what goes when one row of each group stays. Rows without a text"
    " are left out. The interval takes rows for independent."
)
_OUTVOTED = (
    " Counted are the rows whose label is not the most frequent one of their group: the fewest that"
    " must change for equal rows to agree."
)
_LEE = "Lee et al., ACL 2022. https://arxiv.org/abs/2107.06499"
_BRODER = "Broder, SEQUENCES 1997. https://doi.org/10.1109/SEQUEN.1997.666900"
_DEERWESTER = (
    "Deerwester et al., JASIS 1990."
    " https://doi.org/10.1002/(SICI)1097-4571(199009)41:6%3C391::AID-ASI1%3E3.0.CO;2-9"
)


@dataclass(frozen=True, slots=True)
class _Measure:
    """What a metric is, apart from its figures."""

    name: str
    title: str
    definition: str
    source: str = _LEE


_EXACT = _Measure(
    "exact_duplicate_rate",
    "Rows that repeat another byte for byte",
    "Share of rows whose text equals an earlier one's." + _REPEATS,
)
_EQUAL = _Measure(
    "duplicate_rate",
    "Rows that repeat another but for case and punctuation",
    "Share of rows whose normalised text (NFKC, case folded, one space for whatever stands between"
    " letters and digits) equals an earlier one's; copies byte for byte are among them. A text"
    " without letters and digits is compared as it is." + _REPEATS,
)
_FOLDED = _Measure(
    "folded_duplicate_rate",
    "Rows that repeat another in a-z and 0-9",
    "Share of rows whose text equals an earlier one's once in lower case and with every run of"
    " characters outside a-z and 0-9 made one space, none at the ends; copies byte for byte are"
    " among them. A text of which nothing is left is compared as it is." + _REPEATS,
)
_NEAR = _Measure(
    "near_duplicate_rate",
    "Rows that are all but a copy of another",
    "Share of rows that repeat another up to small edits: groups are the rows that a chain of pairs"
    f" connects whose sets of character 5-grams have a Jaccard similarity of {NEAR_SIMILARITY:g} or"
    " more, normalised; copies are among them. Pairs are sought by MinHash (one exactly at the"
    " threshold is missed with probability below 0.001) and checked exactly; among thousands alike"
    " to one template each is compared with its neighbours only." + _REPEATS,
    _BRODER,
)
_MEANING = _Measure(
    "semantic_duplicate_rate",
    "Rows that say the same as another",
    "Share of the rows of a sample that have another row in it with a similarity of"
    f" {SIMILARITY:g} or more; copies and near duplicates are among them. With a sentence model the"
    " similarity is the cosine of its vectors; without one the mean of two cosines, of TF-IDF"
    " weights of words and of their projection on 128 singular vectors, which finds other orders of"
    " words and exchangeable words but no free paraphrase. It grows with the size of the sample.",
    _DEERWESTER,
)
_CONFLICT = _Measure(
    "conflicting_label_rate",
    "Labels that a copy of the row contradicts",
    "Share of labelled rows in conflict with rows of equal normalised text." + _OUTVOTED,
)
_NEAR_CONFLICT = _Measure(
    "near_conflicting_label_rate",
    "Labels that a near duplicate of the row contradicts",
    "Share of labelled rows in conflict within a group of near_duplicate_rate." + _OUTVOTED,
    _BRODER,
)
_OVERLAP = _Measure(
    "split_overlap_rate",
    "Held-out rows that another split holds",
    "Share of the rows outside the training split (train, else the largest) whose normalised text"
    " stands in another split as well.",
)
_NEAR_OVERLAP = _Measure(
    "near_split_overlap_rate",
    "Held-out rows with a near duplicate in another split",
    "Share of the rows outside the training split whose group of near_duplicate_rate has a row in"
    " another split; copies are among them.",
    _BRODER,
)


def measure(*, corpus: Corpus, reference: Corpus | None, embed: Embed | None) -> Section:
    """Find the rows that repeat one another.

    The baseline of a rate is that of as many rows of the reference, since rates of duplicates grow
    with the number of rows; a smaller reference is set against as many rows of the corpus in a
    table.

    Args:
        corpus: What is audited.
        reference: Real rows to compare with.
        embed: Embeds texts for duplicates in meaning; None compares their words.
    """
    found = DuplicateRows.of(corpus)
    if len(found) == 0:
        return Section(group=Group.DUPLICATES, metrics=_unmeasured())
    real = None if reference is None else DuplicateRows.of(reference)
    real = None if real is None or len(real) == 0 else real
    size = len(found) if real is None else min(len(found), len(real))
    meanings = compare_meanings(found.corpus, size=size, embed=embed)
    leaks = find_leaks(found)
    baselines: dict[str, Estimate] = {}
    if real is not None:
        alike = compare_meanings(real.corpus, size=size, embed=embed)
        baselines[_MEANING.name] = share(int(alike.alike.sum()), len(alike.corpus))
    if real is not None and len(real) >= len(found):
        baselines |= _rates(_first(real, size))
    rates = _rates(found)
    metrics = (
        *(_metric(m, rates.get(m.name), baselines, why) for m, why in _WHOLE),
        _metric(
            _MEANING,
            share(int(meanings.alike.sum()), len(meanings.corpus)),
            baselines,
            sampled=len(meanings.corpus) if len(meanings.corpus) < len(found) else None,
        ),
        *_overlaps(leaks),
    )
    tables = () if real is None or len(real) >= len(found) else (_equal_rows(found, real),)
    return Section(
        group=Group.DUPLICATES,
        metrics=metrics,
        tables=tables,
        findings=_findings(found, meanings, leaks, {m.name: m for m in metrics}),
    )


_WHOLE = (
    (_EXACT, _NO_TEXT),
    (_EQUAL, _NO_TEXT),
    (_FOLDED, _OTHER_LETTERS),
    (_NEAR, _NO_TEXT),
    (_CONFLICT, _NO_LABELS),
    (_NEAR_CONFLICT, _NO_LABELS),
)


def _first(real: DuplicateRows, size: int) -> DuplicateRows:
    return DuplicateRows(real.corpus.sample(size, key="duplicates"))


def _rates(found: DuplicateRows) -> dict[str, Estimate]:
    """Estimate what is measured on every row, by the metric's name."""
    rates = {
        _EXACT.name: share(found.exact.num_repeats, len(found)),
        _EQUAL.name: share(found.equal.num_repeats, len(found)),
        _NEAR.name: share(found.near.groups.num_repeats, len(found)),
    }
    if found.folded is not None:
        rates[_FOLDED.name] = share(found.folded.num_repeats, len(found))
    if found.conflicts is not None and found.near_conflicts is not None:
        labelled = found.conflicts.num_valued
        rates[_CONFLICT.name] = share(found.conflicts.num_outvoted, labelled)
        rates[_NEAR_CONFLICT.name] = share(found.near_conflicts.num_outvoted, labelled)
    return rates


def _metric(
    measured: _Measure,
    estimate: Estimate | None,
    baselines: dict[str, Estimate],
    why: str = "",
    sampled: int | None = None,
) -> Metric:
    return Metric(
        name=measured.name,
        group=Group.DUPLICATES,
        title=measured.title,
        unit="share",
        better="lower",
        estimate=estimate,
        unmeasured=why if estimate is None else None,
        baseline=baselines.get(measured.name),
        sampled=sampled,
        definition=measured.definition,
        source=measured.source,
    )


def _overlaps(leaks: Leaks | None) -> tuple[Metric, Metric]:
    if leaks is None:
        return _metric(_OVERLAP, None, {}, _ONE_SPLIT), _metric(_NEAR_OVERLAP, None, {}, _ONE_SPLIT)
    n = len(leaks.held_out)
    return (
        _metric(_OVERLAP, share(int(leaks.copied.sum()), n), {}),
        _metric(_NEAR_OVERLAP, share(int(leaks.near.sum()), n), {}),
    )


def _unmeasured() -> tuple[Metric, ...]:
    measures = (*(m for m, _ in _WHOLE), _MEANING, _OVERLAP, _NEAR_OVERLAP)
    return tuple(_metric(measured, None, {}, _NO_TEXT) for measured in measures)


def _equal_rows(found: DuplicateRows, real: DuplicateRows) -> Table:
    """Set a smaller reference against as many rows of the corpus."""
    size = len(real)
    own, theirs = _rates(_first(found, size)), _rates(real)
    return Table(
        name="duplicates_at_equal_n",
        group=Group.DUPLICATES,
        title="Duplicates among as many rows as the reference has",
        caption=(
            f"The reference has {size:,} rows with a text. Rates of duplicates grow with the number"
            f" of rows, so a random {size:,} rows of {found.corpus.name} stand beside it."
        ),
        columns=("measure", found.corpus.name, real.corpus.name),
        rows=tuple(
            (measured.title, own[measured.name].value, theirs[measured.name].value)
            for measured, _ in _WHOLE
            if measured.name in own and measured.name in theirs
        ),
    )


def _findings(
    found: DuplicateRows, meanings: Meanings, leaks: Leaks | None, metrics: dict[str, Metric]
) -> tuple[Finding, ...]:
    candidates = (
        find_copies(found, metrics[_EQUAL.name]),
        find_near_duplicates(found, metrics[_NEAR.name]),
        find_conflicting_labels(found),
        None if leaks is None else find_split_overlap(found, leaks),
        find_same_meanings(meanings, metrics[_MEANING.name]),
    )
    return tuple(finding for finding in candidates if finding is not None)
