"""What a reader should know of a dataset beside its reference, with rows that show it."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Finding, Group
from tasks.audit.fidelity_evidence import (
    beside_nearest,
    count_unknown,
    evidence,
    listed,
    shown,
    unknown_in,
)
from tasks.audit.fidelity_figures import Comparison, distance_estimate
from tasks.audit.fidelity_tables import LabelFigures
from tasks.quality.divergences import Distance

MOST_EVIDENCE = 20
CLEAR_AUC = 0.7
"""A classifier that ranks as well as this is worth a note."""
SMALL_P = 0.001
CLEAR_EXCESS = 0.05
"""How far a share lies above its baseline: worth a note."""
CLEAR_LENGTH = 0.2
"""The same for the distance of the lengths, in mean lengths of the reference."""
LEVEL = 0.01
"""Chance that a finding is made where there is nothing, of labels any one of them."""
FAR_QUANTILE = 0.005
"""A length is far off where fewer real texts than this are as short, or as long."""
UNLIKE_QUANTILE = 0.05
CLEAR_UNLIKE = 0.1
"""Part of the rows below the likeness that all but 5 % of the real texts reach."""


def findings(
    found: Comparison, baseline: Comparison | None, by_label: Sequence[LabelFigures]
) -> tuple[Finding, ...]:
    """Return what was found.

    A figure must exceed its baseline beyond both intervals, by more than what a reader would
    shrug at: the other half of the reference, as the dataset, has no finding but by chance.
    """
    drawn = [
        _told_apart(found, baseline),
        _lengths(found, baseline),
        _missing_words(found, baseline),
        _unknown_words(found, baseline),
        _unlike(found, baseline),
        _label_shares(found, baseline),
        _labels_fall_short(by_label),
    ]
    return tuple(finding for finding in drawn if finding is not None)


def _told_apart(found: Comparison, baseline: Comparison | None) -> Finding | None:
    test = found.test
    if test is None or test.p_value > SMALL_P or test.auc < CLEAR_AUC:
        return None
    if baseline and baseline.test and baseline.test.auc >= test.auc:
        return None
    ours = [f.words for f in test.features if f.first_share > f.second_share]
    lacking = [f.words for f in test.features if f.first_share < f.second_share]
    order = np.argsort(-test.scores[: len(found.compared)], kind="stable")[:MOST_EVIDENCE]
    right = test.num_correct / test.n
    words = f": {listed(ours[:5], 5)} give it away" if ours else ""
    more = f", and too few texts say {listed(lacking[:5], 5)}" if lacking else ""
    return Finding(
        name="told_from_reference",
        group=Group.FIDELITY,
        metric="two_sample_auc",
        what=f"A classifier tells these texts from real ones {right:.1%} of the time, where "
        f"guessing is right half the time{words}{more}.",
        action="Look through the table of tell-tale words. Where they are a habit of the generator "
        "or its prompt, vary the prompt's wording and its examples, or use more real examples; "
        "where they are a matter of format, clean both sides alike.",
        evidence=tuple(
            evidence(found.compared, int(place), words=ours, note="among the easiest to tell")
            for place in order
        ),
    )


def _lengths(found: Comparison, baseline: Comparison | None) -> Finding | None:
    if found.lengths is None:
        return None
    distance = found.lengths.wasserstein
    other = baseline.lengths.wasserstein if baseline and baseline.lengths else None
    means = [float(side.words.lengths.mean()) for side in (found.sample, found.reference)]
    part = distance.value / max(means[1], 1.0)
    if part < CLEAR_LENGTH or not _is_beyond(distance, other):
        return None
    lengths, known = found.sample.words.lengths, found.reference.words.lengths
    least, most = np.quantile(known, [FAR_QUANTILE, 1 - FAR_QUANTILE])
    beyond = np.flatnonzero((lengths > most) | (lengths < least))
    far = np.abs(lengths[beyond] - means[1])
    order = beyond[np.argsort(-far, kind="stable")][:MOST_EVIDENCE]
    halves = [np.quantile(side, [0.25, 0.75]) for side in (lengths, known)]
    return Finding(
        name="lengths_differ",
        group=Group.FIDELITY,
        metric="length_ks",
        what=f"Texts have other lengths than real ones: {means[0]:.1f} words on average against "
        f"{means[1]:.1f}, and the middle half {_range(halves[0])} words against "
        f"{_range(halves[1])}.",
        action="Ask for the reference's lengths (`length` of a strategy, or the prompt), and show "
        "examples of every length.",
        rows=len(beyond) or None,
        evidence=tuple(
            evidence(found.sample, int(place), note=f"{lengths[place]} words") for place in order
        ),
    )


def _range(ends: NDArray[np.float64]) -> str:
    return f"{ends[0]:.0f} to {ends[1]:.0f}"


def _missing_words(found: Comparison, baseline: Comparison | None) -> Finding | None:
    if found.missing is None or not _exceeds(found.missing, baseline.missing if baseline else None):
        return None
    beside = (
        f" (another half of the reference lacks {baseline.missing.value:.1%})"
        if (baseline and baseline.missing)
        else ""
    )
    return Finding(
        name="vocabulary_falls_short",
        group=Group.FIDELITY,
        metric="missing_word_share",
        what=f"{found.missing.value:.1%} of the words in real texts never occur in as many texts "
        f"of this set{beside}: what people speak of, or how, is only partly covered.",
        action="Look through the words that only the reference uses; name their topics in the "
        "prompt or as attributes, sample at a higher temperature, and draw examples from more of "
        "the real set.",
    )


def _unknown_words(found: Comparison, baseline: Comparison | None) -> Finding | None:
    if found.unknown is None or not _exceeds(found.unknown, baseline.unknown if baseline else None):
        return None
    counts = count_unknown(found.sample, found.reference)
    order = np.argsort(-counts, kind="stable")[:MOST_EVIDENCE]
    return Finding(
        name="foreign_vocabulary",
        group=Group.FIDELITY,
        metric="unknown_word_share",
        what=f"{found.unknown.value:.1%} of the words of this set never occur in as many texts of "
        "the reference: another subject, another spelling, or noise.",
        action="Look through the words that only this set uses; if they are another subject, "
        "narrow the prompt, and if they are markup or misspellings, clean the texts.",
        rows=int((counts > 0).sum()),
        evidence=tuple(
            evidence(
                found.sample,
                int(place),
                note=f"words unknown to the reference: {counts[place]}",
                words=unknown_in(found.sample, found.reference, int(place)),
            )
            for place in order
        ),
    )


def _unlike(found: Comparison, baseline: Comparison | None) -> Finding | None:
    """Report rows less like any real text than all but 5 % of the real texts are."""
    if baseline is None:
        return None
    from scipy.stats import betabinom

    likeness, usual = found.nearest.rouge_l, baseline.nearest.rouge_l
    rank = max(1, int(UNLIKE_QUANTILE * len(usual)))
    bound = float(np.sort(usual)[rank - 1])
    places = np.flatnonzero(likeness < bound)
    part = len(places) / len(likeness)
    # How many of one distribution fall below the rank-th smallest of others, whatever it is.
    likely = betabinom.isf(LEVEL, len(likeness), rank, len(usual) - rank + 1)
    if part < CLEAR_UNLIKE or len(places) <= likely:
        return None
    order = places[np.argsort(likeness[places], kind="stable")][:MOST_EVIDENCE]
    return Finding(
        name="unlike_any_real_text",
        group=Group.FIDELITY,
        metric="nearest_rouge_l",
        what=f"{part:.1%} of the texts are less like any real text than 95% of the real "
        f"texts are (best ROUGE-L below {bound:.2f}).",
        action="Read the rows shown here: off-topic texts can be rejected by a row gate, odd forms "
        "by a clearer prompt.",
        rows=len(places),
        evidence=tuple(beside_nearest(found, int(place)) for place in order),
    )


def _label_shares(found: Comparison, baseline: Comparison | None) -> Finding | None:
    if found.labels is None or not _exceeds(found.labels, baseline.labels if baseline else None):
        return None
    ours, theirs = (set(side.labels or ()) - {None} for side in (found.sample, found.reference))
    lacking = sorted(label for label in theirs - ours if label)
    strange = sorted(label for label in ours - theirs if label)
    parts = [f"{found.labels.value:.1%} of the rows would need another label to match"]
    if lacking:
        parts.append(f"without a row here: {listed(lacking, 3)}")
    if strange:
        parts.append(f"unknown to the reference: {listed(strange, 3)}")
    return Finding(
        name="label_shares_differ",
        group=Group.FIDELITY,
        metric="label_share_distance",
        what=f"Labels have other shares than in the reference: {'; '.join(parts)}.",
        action="If the reference shows what the model will meet, set `share` of the labels to its "
        "shares; if the names differ only in spelling, rename them.",
    )


def _labels_fall_short(by_label: Sequence[LabelFigures]) -> Finding | None:
    if not by_label:
        return None
    # Of many labels some lie far off by chance: the level is divided among them (Bonferroni).
    bound = NormalDist().inv_cdf(1 - LEVEL / len(by_label))
    short = [f for f in by_label if f.excess >= CLEAR_EXCESS and f.z > bound]
    if not short:
        return None
    names = "; ".join(
        f'"{shown(f.label)}" lacks {f.missing.value:.0%} of the words of its real texts '
        f"(other half: {f.baseline_missing.value:.0%})"
        for f in short[:3]
        if f.missing and f.baseline_missing
    )
    return Finding(
        name="labels_fall_short",
        group=Group.FIDELITY,
        severity="note",
        what=f"Of {len(by_label)} labels with enough rows, {len(short)} cover fewer of their "
        f"words than real texts do: {names}.",
        action="Give these labels a fuller description, more varied examples or more rows.",
    )


def _is_beyond(distance: Distance, baseline: Distance | None) -> bool:
    """Tell whether the interval of a distance lies above that of its baseline."""
    low, other = distance_estimate(distance), distance_estimate(baseline)
    if low is None or low.low is None:
        return False
    return other is None or low.low > (other.value if other.high is None else other.high)


def _exceeds(share: Distance, baseline: Distance | None) -> bool:
    """Tell whether a share lies clearly above its baseline."""
    if baseline is None or not _is_beyond(share, baseline):
        return False
    return share.value - baseline.value >= CLEAR_EXCESS
