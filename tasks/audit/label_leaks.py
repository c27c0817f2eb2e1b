"""Labels that their texts give away: by one n-gram, or by their own name."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from schemas.audit import Estimate, Evidence, Finding, Group, Metric, Section, Table
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_CHARS, MOST_ROWS, beginning, excerpt
from tasks.audit.label_measures import GIVEN_AWAY, LABEL_NAME, STRONGEST
from tasks.quality.label_leakage import Giveaways, giveaways, holds_label_name, words_of

NEARLY_ALL = 0.9
"""Share of rows given away, by its lower bound, that is said where there is no reference; real sets
have 8 % (SST-2), 43 % (banking77), 65 % (clinc150)."""
MANY_NAMES = 0.1
"""Share of rows that say their label's name, likewise; 2 % (banking77), 21 % (clinc150)."""
FAR_ABOVE = 0.1
"""By how much the share of a corpus may exceed that of the reference, bound to bound."""
_MOST_CONSIDERED = 2000


@dataclass(frozen=True, slots=True)
class _Named:
    """An n-gram that gives a label away, in words."""

    ngram: str
    label: str
    own: int
    holding: int
    of_label: int
    lift: float
    odds_ratio: float
    q_value: float
    place: int
    """The first row that holds it."""

    @property
    def coverage(self) -> float:
        """Share of the label's rows that hold it."""
        return self.own / self.of_label


@dataclass(frozen=True, slots=True)
class _Leaks:
    """What one corpus gives away."""

    given_away: Estimate
    strongest: Estimate
    label_name: Estimate
    named: tuple[_Named, ...]
    """Those that cover most of their label, the greatest first; none within another as good."""
    total: int
    own_name: NDArray[np.bool_]


def measure_leaks(*, corpus: Corpus, reference: Corpus | None) -> Section:
    """Measure how much of the labels one n-gram, or the label's own name, gives away.

    Args:
        corpus: The rows to judge.
        reference: As many real rows of the same task; None when there are none. Real sets have
            telling words too, so the same measures of it are the baselines.
    """
    leaks = _leaks(corpus)
    if isinstance(leaks, str):
        metrics = [m.metric(None, unmeasured=leaks) for m in (GIVEN_AWAY, STRONGEST, LABEL_NAME)]
        return Section(group=Group.LABELS, metrics=tuple(metrics))
    found = None if reference is None else _leaks(reference)
    real = found if isinstance(found, _Leaks) else None
    return Section(
        group=Group.LABELS,
        metrics=tuple(_metrics(leaks, real)),
        tables=tuple(_table(leaks, real)),
        findings=tuple(_findings(corpus, leaks, real)),
    )


def _leaks(corpus: Corpus) -> _Leaks | str:
    """Return what a corpus gives away, or why that was not measured."""
    if corpus.labels is None:
        return "the data have no labels"
    names = sorted({label for label in corpus.labels if label is not None})
    if not names:
        return "no row has a label"
    code_of = {name: code for code, name in enumerate(names)}
    labels = np.array([-1 if x is None else code_of[x] for x in corpus.labels], dtype=np.int64)
    found = giveaways(corpus.words, labels, num_labels=len(names))
    own_name = holds_label_name(corpus.words, labels, names)
    of_label = np.bincount(labels[labels >= 0], minlength=len(names))
    num_rows = int(of_label.sum())
    named = _named(corpus, found, names, of_label)
    best = named[0] if named else None
    return _Leaks(
        given_away=intervals.share(int(found.given_away.sum()), num_rows),
        strongest=intervals.share(best.own, best.of_label)
        if best
        else intervals.share(0, num_rows),
        label_name=intervals.share(int(own_name.sum()), num_rows),
        named=named,
        total=len(found.own),
        own_name=own_name,
    )


def _named(
    corpus: Corpus, found: Giveaways, names: list[str], of_label: NDArray[np.int64]
) -> tuple[_Named, ...]:
    """Put the n-grams that cover most of their label into words, without those within others."""
    vocabulary = corpus.words.vocabulary.words()
    order = np.lexsort((found.sizes, -found.own / of_label[found.labels]))[:_MOST_CONSIDERED]
    kept: dict[str, list[str]] = {}
    named = []
    for pair in order.tolist():
        label, start = int(found.labels[pair]), int(found.starts[pair])
        ngram = words_of(corpus.words, start=start, size=int(found.sizes[pair]), names=vocabulary)[
            :MOST_CHARS
        ]
        others = kept.setdefault(names[label], [])
        if any(f" {a} " in f" {b} " for other in others for a, b in _both(other, ngram)):
            continue
        others.append(ngram)
        named.append(
            _Named(
                ngram=ngram,
                label=names[label],
                own=int(found.own[pair]),
                holding=int(found.holding[pair]),
                of_label=int(of_label[label]),
                lift=float(found.lift[pair]),
                odds_ratio=float(found.odds_ratio[pair]),
                q_value=float(found.q_values[pair]),
                place=int(np.searchsorted(corpus.words.offsets, start, side="right")) - 1,
            )
        )
    return tuple(named)


def _both(first: str, second: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (first, second), (second, first)


def _metrics(leaks: _Leaks, real: _Leaks | None) -> Iterator[Metric]:
    for measure, name in (
        (GIVEN_AWAY, "given_away"),
        (STRONGEST, "strongest"),
        (LABEL_NAME, "label_name"),
    ):
        baseline = None if real is None else getattr(real, name)
        yield measure.metric(getattr(leaks, name), unmeasured=None, baseline=baseline)


def _table(leaks: _Leaks, real: _Leaks | None) -> Iterator[Table]:
    if not leaks.named:
        return
    in_real = {} if real is None else {(n.ngram, n.label): n.coverage for n in real.named}
    shown = leaks.named[:MOST_ROWS]
    yield Table(
        name="label_giveaways",
        group=Group.LABELS,
        title="N-grams that alone give a label away",
        caption=(
            "Those that most of their label's rows hold. Lift: share of the label among rows with "
            "the n-gram over its share of all rows. q: Fisher's test, Benjamini-Hochberg. "
            "Of an n-gram and a longer one around it, the one that covers more is shown. In the "
            "reference: its part there, empty where it does not give the label away."
        ),
        columns=(
            "n-gram", "label", "rows", "of the label", "part of the label",
            "lift", "odds ratio", "q", "in the reference",
        ),
        rows=tuple(
            (
                n.ngram, n.label, n.holding, n.own, round(n.coverage, 4), round(n.lift, 2),
                round(n.odds_ratio, 1), n.q_value, in_real.get((n.ngram, n.label)),
            )
            for n in shown
        ),
        left_out=leaks.total - len(shown),
    )  # fmt: skip


def _findings(corpus: Corpus, leaks: _Leaks, real: _Leaks | None) -> Iterator[Finding]:
    base = None if real is None else real.given_away
    if _exceeds(leaks.given_away, base, alone=NEARLY_ALL):
        yield Finding(
            name="label_giveaways",
            group=Group.LABELS,
            what=(
                f"In {leaks.given_away.value:.1%} of the rows one n-gram alone gives the label away"
                f"{_beside(base)}."
            ),
            action=(
                "A model trained on this can learn those words and little else. Generate the "
                "labels at the top of the table again with the words forbidden in the prompt, or "
                "with more varied attributes and examples."
            ),
            rows=round(leaks.given_away.value * leaks.given_away.n),
            evidence=tuple(_telling_rows(corpus, leaks.named)),
        )
    base = None if real is None else real.label_name
    if _exceeds(leaks.label_name, base, alone=MANY_NAMES):
        yield Finding(
            name="label_name_leak",
            group=Group.LABELS,
            what=(
                f"{leaks.label_name.value:.1%} of the rows say the name of their label"
                f"{_beside(base)}."
            ),
            action="Turn on the row gate `label_leak`, or drop these rows.",
            rows=int(leaks.own_name.sum()),
            evidence=tuple(
                _row(corpus, place, "says its label")
                for place in np.flatnonzero(leaks.own_name)[:MOST_ROWS].tolist()
            ),
        )


def _exceeds(own: Estimate, real: Estimate | None, *, alone: float) -> bool:
    """Tell whether a share is far above the reference's, or above `alone` where there is none."""
    assert own.low is not None
    if real is None or real.high is None:
        return own.low > alone
    return own.low > real.high + FAR_ABOVE


def _beside(real: Estimate | None) -> str:
    return "" if real is None else f"; in the reference it is {real.value:.1%}"


def _telling_rows(corpus: Corpus, named: tuple[_Named, ...]) -> Iterator[Evidence]:
    assert corpus.labels is not None
    own = [n for n in named if corpus.labels[n.place] == n.label]
    for n in own[:MOST_ROWS]:
        note = f"{n.own} of the {n.holding} rows with “{n.ngram}” are {n.label}"
        yield _row(corpus, n.place, note, ngram=n.ngram)


def _row(corpus: Corpus, place: int, note: str, *, ngram: str | None = None) -> Evidence:
    spans = [] if ngram is None else _spans(beginning(corpus.strings[place]), ngram)
    return excerpt(corpus, place, spans=spans, note=note)


def _spans(text: str, ngram: str) -> list[tuple[int, int]]:
    """Find an n-gram in a text as written; forms that only normalisation makes equal are missed."""
    words = r"[^\p{L}\p{N}\p{M}]+".join(regex.escape(word) for word in ngram.split())
    found = regex.finditer(
        rf"(?<![\p{{L}}\p{{N}}]){words}(?![\p{{L}}\p{{N}}\p{{M}}])", text, regex.I
    )
    return [match.span() for match in found]
