"""The other gender: what a label classifier and a generator make of swapped texts."""

from dataclasses import dataclass

import numpy as np

from schemas.audit import Estimate, Evidence, Finding, Group, Metric, Section, Table
from tasks.audit import intervals
from tasks.audit.bias_classifier import LabelJudge
from tasks.audit.bias_study import MOST_EVIDENCE, Study, metric, percent
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import excerpt, printable
from tasks.bias.counterfactual import PairScorer, SwappedRows, likelihood_change, swap_rows
from tasks.bias.interval import ALPHA
from tasks.bias.lexicons import Lexicons

SWAPPED_SAMPLE = 5_000
"""Gendered rows that are swapped: each is classified twice."""
SCORED_SAMPLE = 500
"""Of those, rows whose likelihood a generator is asked for."""
TOLERATED_FLIPS = 0.01
"""Part of the predictions that may flip: any other word turns some that are near a tie."""
TOLERATED_LEAN = 0.02
"""Probability of a label by which the sides may differ. Of SST-2, banking77 and clinc150 no label
surely differs by more, though the classifier fitted to each flips 4.5 %, 4.9 % and 1.8 %."""

_CHANGE = (
    "Mean total variation distance between the label probabilities of a text and of its gender "
    "swap, over rows that hold gendered words with counterparts. 0: the classifier does not look.",
    "Garg et al. 2019, https://arxiv.org/abs/1809.10610",
)
_FLIPS = (
    "Share of those rows whose most probable label is another after the swap; Wilson interval.",
    "Garg et al. 2019, https://arxiv.org/abs/1809.10610",
)
_LIKELIHOOD = (
    "Mean of log p(female version) - log p(male version) in nats, over rows whose gendered words "
    "are all of one side. Above 0: the generator expects women in these texts.",
    "Nangia et al. 2020, https://arxiv.org/abs/2010.00133",
)


@dataclass(frozen=True)
class SwapSample:
    """Gendered rows of a corpus with their swaps."""

    corpus: Corpus
    rows: SwappedRows
    sampled: int | None
    """Rows of the sample; None when all gendered rows are there."""


def swap_sample(studied: Study) -> SwapSample:
    """Swap the rows that mention women or men, or `SWAPPED_SAMPLE` of them."""
    places = np.flatnonzero(studied.mentions.of_axis("gender").any(axis=1))
    corpus = studied.corpus
    # Sums of floating point depend on their order, which is not to be that of the rows.
    order = sorted(places.tolist(), key=lambda place: (corpus.strings[place], corpus.ids[place]))
    gendered = corpus.take(np.array(order, dtype=np.int64))
    sample = gendered.sample(SWAPPED_SAMPLE, key="bias swap")
    rows = swap_rows(sample.strings, gendered=gendered_words(studied.lexicons))
    return SwapSample(sample, rows, SWAPPED_SAMPLE if len(sample) < len(gendered) else None)


def gendered_words(lexicons: Lexicons) -> frozenset[str]:
    """Return the single words that the lexicon of gender knows."""
    return frozenset(
        words[0]
        for words, axis, group in lexicons.phrases()
        if axis == "gender" and group is not None and len(words) == 1
    )


def counterfactual_section(
    sample: SwapSample, *, judge: LabelJudge | str, scorer: PairScorer | None
) -> Section:
    """Report the counterfactual test.

    Args:
        sample: The swapped rows.
        judge: A label classifier and what it made of them, or why there is none.
        scorer: The generator.
    """
    metrics = (*_classifier_metrics(sample, judge), _likelihood_metric(sample, scorer))
    if isinstance(judge, str):
        return Section(group=Group.BIAS, metrics=metrics)
    return Section(
        group=Group.BIAS,
        metrics=metrics,
        tables=(_classes(judge),),
        findings=_told(sample, judge),
    )


def too_few(sample: SwapSample) -> str:
    """Say that no row can be swapped."""
    return (
        "could not be tested for lack of n: no row holds gendered words that have counterparts "
        f"({sample.rows.left_out} hold one that has none)"
    )


def _classifier_metrics(sample: SwapSample, judge: LabelJudge | str) -> list[Metric]:
    mean: tuple[Estimate | None, None] | str
    flips: tuple[Estimate | None, None] | str
    by = ""
    if isinstance(judge, str):
        mean = flips = judge
    else:
        change, by = judge.change, f" {_taught(judge)}"
        mean = intervals.mean(change.changes), None
        flips = intervals.share(int(change.flipped.sum()), len(change.flipped)), None
    found = [
        metric(
            "bias_swap_change",
            title="Change of label probabilities when gender is swapped",
            unit="share", better="lower", measured=mean, about=(_CHANGE[0] + by, _CHANGE[1]),
        ),
        metric(
            "bias_swap_flips",
            title="Predictions that flip when gender is swapped",
            unit="share", better="lower", measured=flips, about=(_FLIPS[0] + by, _FLIPS[1]),
        ),
    ]  # fmt: skip
    return [each.model_copy(update={"sampled": sample.sampled}) for each in found]


def _likelihood_metric(sample: SwapSample, scorer: PairScorer | None) -> Metric:
    measured: tuple[Estimate | None, None] | str = "no generator was given"
    rows = _one_sided(sample)
    if scorer is not None:
        # Rows with a word that has no counterpart are out already.
        changes = likelihood_change(swap_rows(rows.strings, gendered=frozenset()), scorer)
        measured = (intervals.mean(changes), None) if changes.size else too_few(sample)
    found = metric(
        "bias_swap_log_likelihood",
        title="What a generator expects: women above 0, men below",
        unit="nats",
        better="neither",
        measured=measured,
        about=_LIKELIHOOD,
    )
    some = sample.sampled is not None or len(rows) == SCORED_SAMPLE
    return found.model_copy(update={"sampled": len(rows) or None if some else None})


def _one_sided(sample: SwapSample) -> Corpus:
    places = np.array(sample.rows.places, dtype=np.int64)[sample.rows.sides != 0]
    return sample.corpus.take(places).sample(SCORED_SAMPLE, key="bias likelihood")


def _taught(judge: LabelJudge) -> str:
    return (
        "The classifier is a ridge regression on TF-IDF of words and pairs of words, fitted to the "
        f"labels of {judge.taught_by} ({judge.agreement.n:,} rows, of which it gives "
        f"{percent(judge.agreement.value)} their own label out of fold); rows that it was fitted "
        "to are judged by the one of another fold."
    )


def _classes(judge: LabelJudge) -> Table:
    rows = []
    for name, column in zip(judge.classes, judge.change.towards_female.T, strict=True):
        if column.size:
            found = intervals.mean(column)
            rows.append((name, found.value, found.low, found.high, found.n))
    rows.sort(key=lambda row: (-round(abs(float(row[1])), 9), str(row[0])))
    return Table(
        name="bias_swap_classes",
        group=Group.BIAS,
        title="Labels that a classifier gives to women and to men",
        caption="Mean probability of the label for the female version of a text, less that for the "
        "male version, with its 95 % interval. Above 0: the classifier gives the label to women. "
        f"Texts that name both are left out. {_taught(judge)}",
        columns=("label", "women less men", "low", "high", "texts"),
        rows=tuple(rows[:50]),
        left_out=max(0, len(rows) - 50),
    )


def _told(sample: SwapSample, judge: LabelJudge) -> tuple[Finding, ...]:
    change = judge.change
    flips = intervals.share(int(change.flipped.sum()), len(change.flipped))
    assert flips.low is not None
    leaning = _leaning(judge)
    if flips.low <= TOLERATED_FLIPS or leaning is None:
        return ()
    label, lean = leaning
    worst = np.argsort(-np.where(change.flipped, change.changes, -1), kind="stable")
    shown = [place for place in worst[:MOST_EVIDENCE].tolist() if change.flipped[place]]
    return (
        Finding(
            name="bias_classifier_looks_at_gender",
            group=Group.BIAS,
            severity="fix",
            what=f"A label classifier changes its mind on {percent(flips.value)} of "
            f"{flips.n:,} texts when only the gender of their words is swapped: to texts about "
            f"{'women' if lean > 0 else 'men'} it gives {printable(label)!r} with a probability "
            f"that is {100 * abs(lean):.1f} points higher.",
            action="Add the swapped copies of the mitigation table to the training data, then "
            "measure again.",
            rows=int(change.flipped.sum()),
            evidence=tuple(_shown(sample, place, float(change.changes[place])) for place in shown),
        ),
    )


def _leaning(judge: LabelJudge) -> tuple[str, float] | None:
    """Return the label that leans most to one side, if it surely leans more than is tolerated.

    Its probability for the female version less that for the male one, by a t-test with Bonferroni's
    correction for the number of labels.
    """
    from scipy.stats import t

    leans = judge.change.towards_female
    num_texts = len(leans)
    if num_texts < 2:
        return None
    reach = t.ppf(1 - ALPHA / 2 / len(judge.classes), num_texts - 1) / np.sqrt(num_texts)
    means = leans.mean(axis=0)
    sure = np.abs(means) - reach * leans.std(axis=0, ddof=1) > TOLERATED_LEAN
    if not sure.any():
        return None
    most = int(np.argmax(np.where(sure, np.abs(means), 0)))
    return judge.classes[most], float(means[most])


def _shown(sample: SwapSample, place: int, change: float) -> Evidence:
    return excerpt(
        sample.corpus,
        int(sample.rows.places[place]),
        text=sample.rows.texts[place],
        note=f"probabilities move by {percent(change)}",
        beside=(None, sample.rows.swapped[place]),
    )
