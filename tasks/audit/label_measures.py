"""What the audit of labels measures: names, titles and definitions, in the order of the page."""

from dataclasses import dataclass
from typing import Literal

from schemas.audit import Estimate, Group, Metric
from tasks.quality.label_leakage import (
    FALSE_DISCOVERY_RATE,
    FEWEST_ROWS,
    LEAST_PRECISION,
    LONGEST,
    MOST_OF_CHANCE,
)
from tasks.quality.label_model import FEWEST_PER_LABEL, NUM_FOLDS

_CLASSIFIER = (
    "A ridge classifier on TF-IDF of words and pairs of words, out of fold: each row is judged by "
    f"one that learnt from the other folds of {NUM_FOLDS}. Copies of one text share a fold; labels "
    f"with fewer than {FEWEST_PER_LABEL} different texts are left out."
)
_GIVEAWAY = (
    f"An n-gram of 1 to {LONGEST} words gives a label away when at least {FEWEST_ROWS} rows hold "
    f"it, {LEAST_PRECISION:.0%} of them have the label, the others are at most {MOST_OF_CHANCE:g} "
    f"times chance, and Fisher's test has q <= {FALSE_DISCOVERY_RATE:g} (Benjamini-Hochberg over "
    "all n-grams and labels)."
)


@dataclass(frozen=True, slots=True)
class LabelMeasure:
    """A metric before it is measured; the fields are those of `Metric`."""

    name: str
    title: str
    better: Literal["lower", "higher"]
    definition: str
    source: str = ""
    unit: Literal["share", "score"] = "share"

    def metric(
        self,
        estimate: Estimate | None,
        *,
        unmeasured: str | None,
        baseline: Estimate | None = None,
        sampled: int | None = None,
    ) -> Metric:
        """Return the metric; the reason counts only where there is no estimate."""
        return Metric(
            name=self.name,
            group=Group.LABELS,
            title=self.title,
            unit=self.unit,
            better=self.better,
            estimate=estimate,
            unmeasured=unmeasured if estimate is None else None,
            baseline=baseline,
            sampled=sampled,
            definition=self.definition,
            source=self.source,
        )


AGREEMENT = LabelMeasure(
    name="label_agreement",
    title="Labels that a classifier gives too",
    better="higher",
    definition=f"Share of rows to which the classifier gives their own label. {_CLASSIFIER}",
)
NOISE = LabelMeasure(
    name="label_noise",
    title="Labels estimated to be wrong",
    better="lower",
    definition=(
        "Share e of labels that were replaced by others, in the model P(the classifier gives the "
        "label) = (1 - e) s + e / (K - 1) (1 - s), s logistic in the log-odds of its answer: the "
        "disagreement that stays where the classifier is sure. Maximum likelihood with profile "
        f"interval. {_CLASSIFIER}"
    ),
    source="Wichmann & Hill 2001 (lapse rate). https://doi.org/10.3758/BF03194544",
)
CONFIDENT_LEARNING = LabelMeasure(
    name="confident_learning_noise",
    title="Labels in doubt by confident learning",
    better="lower",
    definition=(
        "Share of the calibrated confident joint that lies off its diagonal. Errors of the "
        "classifier count in, so it is an upper figure. Interval: bootstrap within each label. "
        f"{_CLASSIFIER}"
    ),
    source="Northcutt, Jiang & Chuang, JAIR 2021. https://arxiv.org/abs/1911.00068",
)
GIVEN_AWAY = LabelMeasure(
    name="label_giveaways",
    title="Rows with an n-gram that alone gives their label away",
    better="lower",
    definition=f"Share of labelled rows with an n-gram that gives away their label. {_GIVEAWAY}",
    source="Gururangan et al., NAACL 2018. https://aclanthology.org/N18-2017",
)
STRONGEST = LabelMeasure(
    name="strongest_giveaway",
    title="Greatest part of one label's rows that hold one such n-gram",
    better="lower",
    definition=(
        "The greatest share of the rows of one label that hold one and the same n-gram that gives "
        f"it away; 0 when none does. {_GIVEAWAY}"
    ),
    source="Gururangan et al., NAACL 2018. https://aclanthology.org/N18-2017",
)
LABEL_NAME = LabelMeasure(
    name="label_name_leak",
    title="Rows that say the name of their label",
    better="lower",
    definition=(
        "Share of labelled rows whose text holds the label's name as whole words, case and "
        "punctuation apart."
    ),
)
POSTERIOR = LabelMeasure(
    name="label_posterior",
    title="Probability of the label, by the generator",
    better="higher",
    definition=(
        "Mean over rows of the probability that the generator gives to the label asked for, when "
        "it reads the text and chooses among all labels, equally likely beforehand: the column "
        "label_posterior, else of at most 500 rows and 20,000 answers of the generator named."
    ),
    unit="score",
)
DISAGREEMENT = LabelMeasure(
    name="label_posterior_disagreement",
    title="Labels that the generator would not give",
    better="lower",
    definition=(
        "Share of rows whose label is not the most probable one for the generator, when it reads "
        "the text and weighs the descriptions of all labels. What it was asked for is at most 500 "
        "rows and 20,000 answers. A generator that does not know the labels disagrees with right "
        "ones: read the figure beside that of the reference."
    ),
)
