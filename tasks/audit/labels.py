"""Labels: do they belong to the texts, how many are wrong, and which rows are most likely so?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from schemas.audit import Estimate, Evidence, Finding, Group, Metric, Section, Table
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import excerpt
from tasks.audit.label_leaks import measure_leaks
from tasks.audit.label_measures import AGREEMENT, CONFIDENT_LEARNING, NOISE
from tasks.audit.label_posterior import LabelPosterior, posterior_metrics
from tasks.quality.label_model import LabelModel, fit_label_model, labelled_rows
from tasks.quality.label_noise import LabelNoise, label_noise

LEAST_KAPPA = 0.1
"""Agreement of classifier and labels beyond chance (Cohen's kappa) without which the classifier
knows too little to judge a label."""
FEWEST_ROWS = 500
"""Rows without which labels are not said to be unrelated to the texts."""
MOST_WORDS = 30_000_000
"""Words of a corpus that is judged whole; of a greater one a sample is."""
MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a classifier says of one corpus; the noise is None where it knows too little."""

    model: LabelModel
    agreement: Estimate
    chance: float
    noise: LabelNoise | None


def measure(
    *, corpus: Corpus, reference: Corpus | None, posterior: LabelPosterior | None = None
) -> Section:
    """Measure how well the labels and texts of a corpus belong together.

    A reference with labels gives the baselines: the same measures of as many of its rows as the
    corpus has, or of all when it has fewer. A corpus of more than `MOST_WORDS` words is judged by a
    sample of its rows, and its metrics say so.

    Args:
        corpus: The rows to judge; `numbers["label_posterior"]` where the generator gave it.
        reference: Real rows of the same task; None when there are none.
        posterior: A generator that is asked for the labels of a sample of rows.
    """
    part = _within(corpus)
    real = None if reference is None else _within(reference.sample(len(part), key="labels"))
    judged, base = _judge(part), None if real is None else _judge(real)
    leaks = measure_leaks(corpus=part, reference=real)
    metrics = (*_metrics(judged, base), *leaks.metrics)
    if len(part) < len(corpus):
        metrics = tuple(_of_sample(metric, len(part)) for metric in metrics)
    return Section(
        group=Group.LABELS,
        metrics=(
            *metrics,
            *posterior_metrics(corpus=corpus, reference=reference, posterior=posterior),
        ),
        tables=(*_confusions(judged), *leaks.tables),
        findings=(*_findings(part, judged), *leaks.findings),
    )


def _within(corpus: Corpus) -> Corpus:
    """Return the corpus, or a sample of as many rows as have `MOST_WORDS` words on average."""
    num_words = len(corpus.words.codes)
    if num_words <= MOST_WORDS:
        return corpus
    return corpus.sample(max(len(corpus) * MOST_WORDS // num_words, 1), key="labels")


def _of_sample(metric: Metric, num_rows: int) -> Metric:
    if metric.estimate is None or metric.sampled is not None:
        return metric
    return metric.model_copy(update={"sampled": num_rows})


def _judge(corpus: Corpus) -> _Judged | str:
    """Return what a classifier says, or why there is none."""
    if corpus.labels is None:
        return "the data have no labels"
    rows = labelled_rows(corpus.words, corpus.labels)
    if rows.obstacle is not None:
        return rows.obstacle
    model = fit_label_model(corpus.words, rows)
    agreement = intervals.share(int(model.agrees.sum()), len(model.agrees))
    answered, asked = (
        np.bincount(classes, minlength=len(rows.classes)) / len(classes)
        for classes in (model.likely, rows.given)
    )
    # What answers that have no bearing on the labels would reach.
    chance = float(answered @ asked)
    kappa = (agreement.value - chance) / max(1 - chance, 1 / len(model.agrees))
    return _Judged(model, agreement, chance, label_noise(model) if kappa >= LEAST_KAPPA else None)


def _metrics(judged: _Judged | str, base: _Judged | str | None) -> Iterator[Metric]:
    found, real = _estimates(judged), _estimates(base)
    obstacle = judged if isinstance(judged, str) else None
    unknown = obstacle or "a classifier agrees with the labels hardly more often than by chance"
    yield AGREEMENT.metric(
        found.get(AGREEMENT.name), unmeasured=obstacle, baseline=real.get(AGREEMENT.name)
    )
    yield NOISE.metric(found.get(NOISE.name), unmeasured=unknown, baseline=real.get(NOISE.name))
    joint = found.get(CONFIDENT_LEARNING.name)
    part = isinstance(judged, _Judged) and joint and joint.n < len(judged.model.agrees)
    yield CONFIDENT_LEARNING.metric(
        joint,
        unmeasured=unknown,
        baseline=real.get(CONFIDENT_LEARNING.name),
        sampled=joint.n if joint and part else None,
    )


def _estimates(judged: _Judged | str | None) -> dict[str, Estimate]:
    """Return what was measured, by the metric's name."""
    if not isinstance(judged, _Judged):
        return {}
    found = {AGREEMENT.name: judged.agreement}
    if (noise := judged.noise) is not None:
        rate, (low, high) = noise.lapses, noise.joint_bounds
        found[NOISE.name] = Estimate(
            value=rate.rate, low=rate.low, high=rate.high, n=len(judged.model.agrees)
        )
        found[CONFIDENT_LEARNING.name] = Estimate(
            value=noise.joint_rate, low=low, high=high, n=len(judged.model.sample)
        )
    return found


def _confusions(judged: _Judged | str) -> Iterator[Table]:
    """Yield the greatest cells of the noise matrix, off its diagonal."""
    if isinstance(judged, str) or judged.noise is None:
        return
    classes, joint = judged.model.rows.classes, judged.noise.joint.copy()
    of_label = joint.sum(axis=1)
    np.fill_diagonal(joint, 0)
    cells = np.argsort(-joint, axis=None, kind="stable")[:MOST_ROWS]
    pairs = [divmod(int(cell), len(classes)) for cell in cells if joint.flat[cell] > 0]
    flagged = np.zeros(joint.shape, dtype=np.int64)
    suspects = judged.noise.suspects
    np.add.at(flagged, (judged.model.rows.given[suspects], judged.model.likely[suspects]), 1)
    yield Table(
        name="label_noise_matrix",
        group=Group.LABELS,
        title="Labels that stand for others",
        caption=(
            "The confident joint of confident learning: estimated rows that are given one label "
            "and would be answered with another. Labels that read alike stand here as well as "
            "wrong ones; the last column counts the rows that are singled out as mislabelled."
        ),
        columns=("given", "likely", "estimated rows", "share of the given label", "singled out"),
        rows=tuple(
            (
                classes[given],
                classes[likely],
                round(float(joint[given, likely]), 1),
                round(float(joint[given, likely] / of_label[given]), 4),
                int(flagged[given, likely]),
            )
            for given, likely in pairs
        ),
        left_out=int((joint > 0).sum()) - len(pairs),
    )


def _findings(corpus: Corpus, judged: _Judged | str) -> Iterator[Finding]:
    if isinstance(judged, str):
        return
    noise, num_rows = judged.noise, len(judged.model.agrees)
    if noise is None:
        if num_rows >= FEWEST_ROWS:
            yield _unrelated(judged)
        return
    lapses, worst = noise.lapses, noise.suspects
    if len(worst) == 0:
        return
    yield Finding(
        name="wrong_labels",
        group=Group.LABELS,
        metric=NOISE.name,
        what=(
            f"An estimated {lapses.rate:.1%} of the labels are wrong "
            f"(95 % interval {lapses.low:.1%} to {lapses.high:.1%})."
        ),
        action=(
            "Read the rows below, the worst first, and relabel or drop those that are wrong; the "
            "noise matrix shows which labels are taken for which. If one pair stands out, make the "
            "descriptions of its two labels differ more and generate those rows again."
        ),
        rows=len(worst),
        evidence=tuple(_evidence(corpus, judged.model, int(row)) for row in worst[:MOST_ROWS]),
    )


def _unrelated(judged: _Judged) -> Finding:
    agreement = judged.agreement
    return Finding(
        name="unrelated_labels",
        group=Group.LABELS,
        severity="fix",
        what=(
            f"A classifier gives {agreement.value:.1%} of {agreement.n} rows their own label, "
            f"hardly more than answers without bearing on the labels would ({judged.chance:.1%})."
        ),
        action=(
            "Look at ten rows of each label. If the label column is shifted, shuffled or ignored "
            "by the generator, mend that; if the labels cannot be told from single words, judge "
            "them with a stronger model."
        ),
        rows=agreement.n,
    )


def _evidence(corpus: Corpus, model: LabelModel, row: int) -> Evidence:
    place, classes = int(model.rows.places[row]), model.rows.classes
    return excerpt(
        corpus,
        place,
        note=(
            f"likely {classes[model.likely[row]]} ({model.confidence[row]:.2f}), "
            f"as given {model.self_confidence[row]:.2f}"
        ),
    )
