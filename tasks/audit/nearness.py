"""Nearness: do the rows come closer to the real text that was seen than to text that was not?"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate, Finding, Group, Metric
from tasks.audit.comparison import missing
from tasks.audit.corpus import Corpus
from tasks.audit.intervals import Z, share
from tasks.quality.neighbour_distance import Closer, closer_neighbours, nearest_distances

ROWS = 5_000
"""Rows that are compared at most."""
SET_ROWS = 10_000
"""Rows of the reference and of the holdout that they are compared with at most."""
_KEY = "nearness"
_CLOSER_SOURCE = (
    "Platzer and Reutterer, Holdout-based empirical assessment of mixed-type synthetic data, 2021, "
    "https://arxiv.org/abs/2104.00635; Meehan et al., A non-parametric test to detect "
    "data-copying, AISTATS 2020, https://arxiv.org/abs/2004.05675"
)
_DISTANCE_SOURCE = (
    "Park et al., Data synthesis based on generative adversarial networks, PVLDB 2018 (distance to "
    "closest record), https://arxiv.org/abs/1806.03384"
)


def nearness_metrics(
    *, corpus: Corpus, reference: Corpus | None, holdout: Corpus | None
) -> Iterator[Metric]:
    """State which real texts the rows are closer to, and how close they come.

    Both are measured on a sample of `ROWS` rows.
    """
    rows = corpus.sample(ROWS, key=_KEY)
    sampled = len(rows) if len(rows) < len(corpus) else None
    yield _side(rows, reference, holdout, sampled)
    yield _closeness(rows, reference, holdout, sampled)


def _side(
    rows: Corpus, reference: Corpus | None, holdout: Corpus | None, sampled: int | None
) -> Metric:
    reason = missing((rows, "dataset"), (reference, "reference"), (holdout, "holdout"))
    closer = None if reason else _closer(rows, reference, holdout)
    num_decided = 0 if closer is None else closer.first + closer.second
    return Metric(
        name="closer_to_reference",
        group=Group.PRIVACY,
        title="Rows closer to the reference than to unseen real text",
        unit="share",
        better="neither",
        estimate=_share(closer) if closer and num_decided else None,
        unmeasured=None if num_decided else reason or "every row is as close to both sets",
        sampled=sampled,
        definition="Of the rows that are not as close to both, the share whose nearest neighbour "
        "in the reference is closer than that in the holdout, both cut to the same number of rows, "
        f"at most {SET_ROWS:,}. Nearness is the cosine of TF-IDF vectors of words and word pairs. "
        "0.5 is expected when both sets are drawn alike and neither was memorised. The interval "
        "counts rows with one nearest neighbour as one.",
        source=_CLOSER_SOURCE,
    )


def _closeness(
    rows: Corpus, reference: Corpus | None, holdout: Corpus | None, sampled: int | None
) -> Metric:
    reason = missing((rows, "dataset"), (reference, "reference"))
    own = None if reason else _distance(rows, reference)
    has_baseline = own is not None and missing((holdout, "holdout")) is None
    return Metric(
        name="distance_to_reference",
        group=Group.PRIVACY,
        title="Distance to the closest text of the reference",
        unit="score",
        better="neither",
        estimate=own,
        unmeasured=reason,
        baseline=_distance(holdout.sample(len(rows), key=_KEY), reference)
        if has_baseline and holdout is not None
        else None,
        sampled=sampled,
        definition="Median over the rows of 1 minus the greatest cosine with a text of the "
        f"reference (at most {SET_ROWS:,} of them), as TF-IDF vectors of words and word pairs: 0 "
        "for a copy, 1 for no word in common. The interval is that of order statistics.",
        source=_DISTANCE_SOURCE,
    )


def nearness_finding(metrics: Sequence[Metric]) -> Iterator[Finding]:
    """Say so when the rows are closer to the reference than chance allows."""
    metric = next(metric for metric in metrics if metric.name == "closer_to_reference")
    estimate = metric.estimate
    if estimate is None or estimate.low is None or estimate.low <= 0.5:
        return
    yield Finding(
        name="closer_to_reference",
        group=Group.PRIVACY,
        what=f"{100 * estimate.value:.0f} % of the rows are closer to the reference than to real "
        "text that was not seen; 50 % are expected.",
        action="Make sure that reference and holdout are random parts of one set. If they are, the "
        "generator repeats what it saw: train it for fewer steps, or show fewer examples.",
    )


def _share(closer: Closer) -> Estimate:
    """Estimate the share with the interval of as many independent rows as they are worth."""
    n = closer.first + closer.second
    value, worth = closer.first / n, max(round(closer.effective), 1)
    bounds = share(round(value * worth), worth)
    low, high = bounds.low or 0.0, 1.0 if bounds.high is None else bounds.high
    return Estimate(value=value, low=min(low, value), high=max(high, value), n=n)


def _closer(rows: Corpus, reference: Corpus | None, holdout: Corpus | None) -> Closer | None:
    if reference is None or holdout is None:
        return None
    size = min(len(reference), len(holdout), SET_ROWS)
    sets = (each.sample(size, key=_KEY).words for each in (reference, holdout))
    return closer_neighbours(rows.words, *sets)


def _distance(rows: Corpus, reference: Corpus | None) -> Estimate | None:
    if reference is None:
        return None
    target = reference.sample(SET_ROWS, key=_KEY)
    return _median(nearest_distances(rows.words, target.words)[0])


def _median(values: NDArray[np.float64]) -> Estimate:
    """Estimate a median with the interval of order statistics (normal approximation)."""
    ordered, n = np.sort(values), values.size
    half = Z * math.sqrt(n) / 2
    low, high = max(math.floor((n - 1) / 2 - half), 0), min(math.ceil((n - 1) / 2 + half), n - 1)
    return Estimate(
        value=float(np.median(ordered)), low=float(ordered[low]), high=float(ordered[high]), n=n
    )
