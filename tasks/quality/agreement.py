"""Label agreement: does a classifier that never saw a text give it the label it was asked for?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.quality.label_model import fit_label_model, labelled_rows
from tasks.quality.word_codes import encode_words


@dataclass(frozen=True, slots=True)
class Agreement:
    """Outcome of a cross-validation over labelled texts.

    Args:
        agrees: For each text whether the classifier gave it its own label; None for a text that
            was left out because its label has too few.
        chance: Part of the texts that have the most frequent label: what always answering it would
            reach; None when nothing was measured.
        reason: Why nothing was measured; None when something was.
    """

    agrees: tuple[bool | None, ...]
    chance: float | None
    reason: str | None


def label_agreement(texts: Sequence[str], labels: Sequence[str]) -> Agreement:
    """Compare each text's label with that of a classifier trained on other texts.

    5-fold cross-validation: each text is classified once, by the classifier of `fit_label_model`
    fitted to the other four folds. Equal texts share a fold, so none is classified by its copy.

    It is a measure of consistency: a low value says that texts of different labels read alike, or
    that labels and texts do not belong together. Labels that are consistently wrong agree too.

    Args:
        texts: The texts, in any order: it changes nothing.
        labels: The label asked for, one for each text.

    Returns:
        Whether each agrees, or why nothing can be said: with fewer than two labels that have
        `FEWEST_PER_LABEL` different texts.
    """
    words = encode_words(texts)
    rows = labelled_rows(words, labels)
    if rows.obstacle is not None:
        return Agreement((None,) * len(texts), None, rows.obstacle)
    agrees: list[bool | None] = [None] * len(texts)
    model = fit_label_model(words, rows)
    for place, agreed in zip(rows.places.tolist(), model.agrees.tolist(), strict=True):
        agrees[place] = agreed
    return Agreement(tuple(agrees), float(np.bincount(rows.given).max() / len(rows.given)), None)
