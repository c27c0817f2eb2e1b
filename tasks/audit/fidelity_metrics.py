"""The metrics of fidelity: what each one is called, means and comes from."""

from dataclasses import dataclass
from typing import Literal

from schemas.audit import Estimate, Group, Metric
from tasks.audit.fidelity_figures import Comparison, estimates
from tasks.quality.two_sample import FEWEST_TEXTS


@dataclass(frozen=True)
class _Definition:
    """What stays the same of a metric.

    Args:
        measured_on: All rows drawn, those that are compared text by text, or those whose nearest
            reference is sought.
        needs: What lacks when it could not be measured.
    """

    title: str
    unit: Literal["share", "score", "bits", "words"]
    better: Literal["lower", "higher", "neither"]
    measured_on: Literal["drawn", "compared", "sought"]
    needs: str
    definition: str
    source: str


_FEW = f"fewer than {FEWEST_TEXTS} rows on a side, or no word that two texts share"
_NO_WORDS = "one side has no words"
_BASELINE = "The baseline is the other half of the reference, with as many rows."

_DEFINITIONS = {
    "mauve": _Definition(
        "MAUVE, on embeddings of words",
        "score",
        "higher",
        "compared",
        f"fewer than {FEWEST_TEXTS} rows on a side",
        "Area under the divergence curve exp(-5 KL) of the two histograms over k-means clusters "
        "(k = n / 10) of the texts, embedded by TF-IDF and truncated SVD (64 directions): 1 where "
        "the histograms are equal, near 0 where they share nothing. Not comparable with published "
        "values, which embed by GPT-2. At most the first 512 words. Interval by the jackknife, "
        "given the clusters. "
        + _BASELINE,
        "Pillutla et al., NeurIPS 2021, https://arxiv.org/abs/2102.01454; JMLR 2023, "
        "https://jmlr.org/papers/v24/23-0023.html",
    ),
    "two_sample_accuracy": _Definition(
        "Texts that a classifier gives to the right side",
        "share",
        "lower",
        "compared",
        _FEW,
        "Share of the texts of both sides, as many of each, that a logistic regression on TF-IDF "
        "of words and pairs of words (at most the first 512 of a text) assigns to their own side, "
        "each by a fit to the other four folds: 0.5 is guessing, 1 tells them all apart. Wilson "
        "interval of half as many rows, for the folds overlap. " + _BASELINE,
        "Lopez-Paz and Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545",
    ),
    "two_sample_auc": _Definition(
        "Chance that a classifier ranks a text of this set above one of the reference",
        "score",
        "lower",
        "compared",
        _FEW,
        "Area under the ROC curve of the same classifier on texts it never saw, mean of five "
        "folds, interval by DeLong with the variance doubled for the overlap of the folds: 0.5 "
        "where nothing can be told. " + _BASELINE,
        "Lopez-Paz and Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545; DeLong et al., "
        "Biometrics 1988, https://doi.org/10.2307/2531595",
    ),
    "two_sample_p_value": _Definition(
        "p-value of the classifier test",
        "score",
        "neither",
        "compared",
        _FEW,
        "Probability of at least this AUC if both sides came from one distribution (one-sided, "
        "normal limit of Mann-Whitney). Small for any difference where rows are many. "
        + _BASELINE,
        "Lopez-Paz and Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545",
    ),
    "word_divergence": _Definition(
        "Divergence of the words",
        "bits",
        "lower",
        "drawn",
        _NO_WORDS,
        "Jensen-Shannon divergence of the relative frequencies of normalised words, 0 to 1 bit. "
        "Biased upward, so read it beside the baseline. Interval to first order, over texts. "
        + _BASELINE,
        "Lin, IEEE Transactions on Information Theory 1991, https://doi.org/10.1109/18.61115",
    ),
    "word_pair_divergence": _Definition(
        "Divergence of the pairs of words",
        "bits",
        "lower",
        "drawn",
        "one side has no pairs of words",
        "Jensen-Shannon divergence of the relative frequencies of pairs of neighbouring "
        "normalised words, 0 to 1 bit. Biased upward, so read it beside the baseline. Interval to "
        "first order, over texts. " + _BASELINE,
        "Lin, IEEE Transactions on Information Theory 1991, https://doi.org/10.1109/18.61115",
    ),
    "length_distance": _Definition(
        "Distance of the lengths",
        "words",
        "lower",
        "drawn",
        _NO_WORDS,
        "Wasserstein-1 distance of the lengths in words: by how many a text must change on "
        "average to give the reference's lengths. Interval to first order. " + _BASELINE,
        "Ramdas et al., Entropy 2017, https://arxiv.org/abs/1509.02237",
    ),
    "length_ks": _Definition(
        "Greatest gap between the cumulative lengths",
        "score",
        "lower",
        "drawn",
        _NO_WORDS,
        "Kolmogorov-Smirnov statistic of the lengths in words, 0 to 1. Interval to first order. "
        + _BASELINE,
        "Hodges, Arkiv för Matematik 1958, https://doi.org/10.1007/BF02589501",
    ),
    "nearest_rouge_l": _Definition(
        "Likeness to the nearest reference text (ROUGE-L)",
        "score",
        "neither",
        "sought",
        _NO_WORDS,
        "Mean over texts of the greatest ROUGE-L F1 with one reference text, exact over all "
        "pairs, at most the first 512 words. Far below the baseline: unlike anything real; far "
        "above: copied. " + _BASELINE,
        "Lin, ACL Workshop 2004, https://aclanthology.org/W04-1013",
    ),
    "nearest_bleu": _Definition(
        "Likeness to the nearest reference text (BLEU-4)",
        "score",
        "neither",
        "sought",
        _NO_WORDS,
        "Mean over texts of the greatest sentence BLEU-4 with one reference text, exact over all "
        "pairs, an order without a match counting 0.1 matches. " + _BASELINE,
        "Papineni et al., ACL 2002, https://aclanthology.org/P02-1040; Chen and Cherry, WMT "
        "2014, https://aclanthology.org/W14-3346",
    ),
    "unknown_word_share": _Definition(
        "Words that the reference never uses",
        "share",
        "neither",
        "drawn",
        _NO_WORDS,
        "Share of the words of this set, every occurrence counting, that never occur in as many "
        "rows of the reference. Interval over texts of both. " + _BASELINE,
        "",
    ),
    "missing_word_share": _Definition(
        "Words of the reference that this set never uses",
        "share",
        "lower",
        "drawn",
        _NO_WORDS,
        "Share of the words of the reference, every occurrence counting, that never occur in as "
        "many rows of this set. Interval over texts of both. " + _BASELINE,
        "",
    ),
    "label_share_distance": _Definition(
        "Distance of the label shares",
        "share",
        "lower",
        "drawn",
        "one side has no labels",
        "Total variation distance: the part of the rows that would have to carry another label "
        "to give the reference's shares. Interval to first order. " + _BASELINE,
        "",
    ),
}  # fmt: skip


def unmeasured(reason: str) -> tuple[Metric, ...]:
    """Return every metric without a figure, for one reason."""
    return tuple(_metric(name, None, None, None, reason) for name in _DEFINITIONS)


def metrics(
    found: Comparison, baseline: Comparison | None, *, whole: tuple[int, int]
) -> tuple[Metric, ...]:
    """Return every metric of a comparison.

    Args:
        found: The dataset against one half of the reference.
        baseline: The other half against that half; None for a reference of one row.
        whole: Rows of the dataset and of the reference.
    """
    sizes = {
        "drawn": len(found.sample),
        "compared": len(found.compared),
        "sought": len(found.nearest.rouge_l),
    }
    figures = estimates(found)
    baselines = estimates(baseline) if baseline else {}
    stated = []
    for name, definition in _DEFINITIONS.items():
        size = sizes[definition.measured_on]
        sampled = size if size < max(whole) else None
        stated.append(_metric(name, figures[name], baselines.get(name), sampled))
    return tuple(stated)


def _metric(
    name: str,
    estimate: Estimate | None,
    baseline: Estimate | None,
    sampled: int | None,
    reason: str = "",
) -> Metric:
    definition = _DEFINITIONS[name]
    return Metric(
        name=name,
        group=Group.FIDELITY,
        title=definition.title,
        unit=definition.unit,
        better=definition.better,
        estimate=estimate,
        unmeasured=None if estimate else reason or definition.needs,
        baseline=baseline,
        sampled=sampled if estimate else None,
        definition=definition.definition,
        source=definition.source,
    )
