"""What the figures of diversity mean to someone who wants to train on the corpus."""

from collections.abc import Sequence

from schemas.audit import Estimate, Finding, Group, Metric
from tasks.audit.corpus import Corpus
from tasks.audit.diversity_groups import Groups
from tasks.audit.excerpts import MOST_ROWS, printable
from tasks.audit.shown_rows import shown_row
from tasks.quality.openings import openings

SAME_TEXT = 2.0
"""A Vendi score of so little, of `ENOUGH` texts or more, is a corpus that says one thing."""
ENOUGH = 50
COMMON_OPENING = 0.1
"""Share of one opening of three words from which it is named."""
NARROW_LABEL = 0.5
"""Part of the median label's Vendi score below which a label is named."""
_COMPARED = {
    "vendi_score": "texts that a sample amounts to",
    "self_bleu": "resemblance of each to all others",
    "distinct_2": "different pairs of words among all",
    "compression_ratio": "times that a compressor makes them shorter",
    "opening_3_entropy": "variety of the first three words",
}
"""What is compared, as a sentence says it."""
_OPENING = 3


def findings(
    metrics: Sequence[Metric], *, corpus: Corpus, labels: Groups | None
) -> tuple[Finding, ...]:
    """Say what stands out; rows that show it are the first of the file.

    Args:
        metrics: Every metric of the section.
        corpus: What they were measured on.
        labels: The labels' own figures, if the data have labels.
    """
    by_name = {metric.name: metric for metric in metrics}
    found = (
        _one_text(by_name["vendi_score"], corpus=corpus),
        _below_reference(by_name),
        _common_opening(by_name[f"opening_{_OPENING}_top_share"], corpus=corpus),
        _narrow_label(labels, corpus=corpus),
    )
    return tuple(finding for finding in found if finding is not None)


def _one_text(metric: Metric, *, corpus: Corpus) -> Finding | None:
    vendi = metric.estimate
    if vendi is None or vendi.n < ENOUGH or vendi.value > SAME_TEXT:
        return None
    return Finding(
        name="one_text",
        group=Group.DIVERSITY,
        metric=metric.name,
        what=f"A sample of {vendi.n} texts amounts to {vendi.value:.1f} different ones (Vendi "
        "score): the corpus says the same thing over and over.",
        action="Do not train on this. Vary the prompts (attributes, examples, labels), sample at a "
        "higher temperature, and turn on the gate for near duplicates.",
        evidence=tuple(shown_row(corpus, place) for place in range(min(3, len(corpus)))),
    )


def _below_reference(by_name: dict[str, Metric]) -> Finding | None:
    worse = [by_name[name] for name in _COMPARED if _is_worse(by_name[name])]
    if not worse:
        return None
    figures = ", ".join(
        f"{_COMPARED[metric.name]} {_value(metric.estimate):.3g} against "
        f"{_value(metric.baseline):.3g}"
        for metric in worse
    )
    return Finding(
        name="less_varied_than_reference",
        group=Group.DIVERSITY,
        metric="vendi_score",
        what=f"The texts are less varied than as many of the reference: {figures}.",
        action="Ask for more kinds of text: more attributes and examples in the prompt, a higher "
        "temperature or top_p, several strategies; then compare again. The tables show which "
        "labels and openings are to blame.",
    )


def _is_worse(metric: Metric) -> bool:
    """Tell whether the interval lies wholly on the worse side of the baseline's."""
    own, other = metric.estimate, metric.baseline
    if own is None or other is None:
        return False
    if own.low is None or own.high is None or other.low is None or other.high is None:
        return False
    return own.high < other.low if metric.better == "higher" else own.low > other.high


def _value(estimate: Estimate | None) -> float:
    return 0.0 if estimate is None else estimate.value


def _common_opening(metric: Metric, *, corpus: Corpus) -> Finding | None:
    share = metric.estimate
    if share is None or share.n < ENOUGH or (share.low or 0.0) < COMMON_OPENING:
        return None
    if metric.baseline is not None and not _is_worse(metric):
        return None
    found = openings(corpus.words, _OPENING)
    if found is None or not found.commonest:
        return None
    top = found.commonest[0]
    places = found.texts_of_top.tolist()
    return Finding(
        name="common_opening",
        group=Group.DIVERSITY,
        metric=metric.name,
        what=f"{top.count:,} of {found.num_texts:,} texts ({found.top_share:.0%}) begin with "
        f'"{top.words}".',
        action="Take the phrase out of the template and the examples, or give examples that begin "
        "otherwise; a model trained on this learns to expect it.",
        rows=top.count,
        evidence=tuple(shown_row(corpus, place, phrase=top.words) for place in places[:MOST_ROWS]),
    )


def _narrow_label(labels: Groups | None, *, corpus: Corpus) -> Finding | None:
    least = None if labels is None else labels.least_varied
    if labels is None or least is None or corpus.labels is None or least[1] >= NARROW_LABEL:
        return None
    group, ratio = least
    scores = [each.vendi for each in labels.measured if each.vendi is not None]
    middle = (group.vendi or 0.0) / ratio
    narrow = sum(score < NARROW_LABEL * middle for score in scores)
    places = [place for place, label in enumerate(corpus.labels) if label == group.name]
    return Finding(
        name="narrow_label",
        group=Group.DIVERSITY,
        severity="note",
        what=f"{labels.sizes.rows} texts of the label {printable(group.name)} amount to "
        f"{group.vendi:.1f} different ones (Vendi score), those of the median label to "
        f"{middle:.1f}; {narrow} of {len(scores)} labels have less than half the median.",
        action="Read the texts of this label. Describe it more broadly and give it more varied "
        "examples, then replace its rows.",
        rows=group.rows,
        evidence=tuple(shown_row(corpus, place) for place in places[:MOST_ROWS]),
    )
