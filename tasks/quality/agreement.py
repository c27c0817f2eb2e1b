"""Label agreement: does a classifier that never saw a text give it the label it was asked for?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.quality.fingerprints import normalise_text

NUM_FOLDS = 5
FEWEST_PER_LABEL = 5
"""Texts that a label needs: one for every fold."""
INVERSE_REGULARISATION = 4.0
MOST_ITERATIONS = 1000
_SEED = 0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Outcome of a cross-validation over labelled texts.

    Args:
        agrees: For each text whether the classifier gave it its own label; None for a text that
            was left out because its label has fewer than `FEWEST_PER_LABEL`.
        chance: Part of the texts that have the most frequent label: what always answering it would
            reach; None when nothing was measured.
        reason: Why nothing was measured; None when something was.
    """

    agrees: tuple[bool | None, ...]
    chance: float | None
    reason: str | None


def label_agreement(texts: Sequence[str], labels: Sequence[str]) -> Agreement:
    """Compare each text's label with that of a classifier trained on other texts.

    Stratified 5-fold cross-validation, shuffled by a fixed seed: each text is classified once, by a
    classifier fitted to the other four folds. The classifier is a logistic regression (L2, C = 4,
    multinomial, at most 1,000 iterations of L-BFGS) on the TF-IDF (sublinear, L2-normalised) of
    words and pairs of words, in lower case and without punctuation.

    It is a measure of consistency: a low value says that texts of different labels read alike, or
    that labels and texts do not belong together. Labels that are consistently wrong agree too.

    Args:
        texts: The texts; their order decides the folds.
        labels: The label asked for, one for each text.

    Returns:
        Whether each agrees, or why nothing can be said: with fewer than two labels that have
        `FEWEST_PER_LABEL` texts.
    """
    counts = Counter(labels)
    kept = [place for place, label in enumerate(labels) if counts[label] >= FEWEST_PER_LABEL]
    kept_labels = [labels[place] for place in kept]
    words = [normalise_text(texts[place]) for place in kept]
    if len(set(kept_labels)) < 2:
        return Agreement((None,) * len(texts), None, _obstacle(len(counts)))
    agrees: list[bool | None] = [None] * len(texts)
    for place, given, asked in zip(kept, _classify(words, kept_labels), kept_labels, strict=True):
        agrees[place] = given == asked
    chance = max(Counter(kept_labels).values()) / len(kept)
    return Agreement(tuple(agrees), chance, None)


def _obstacle(num_labels: int) -> str:
    if num_labels < 2:
        return "there is only one label" if num_labels else "there are no rows"
    return f"fewer than two labels have {FEWEST_PER_LABEL} rows"


def _classify(words: list[str], labels: list[str]) -> list[str]:
    """Return the label that the other folds give to each text."""
    # Importing scikit-learn takes a second: only whoever measures pays.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    targets = np.array(labels)
    given = np.empty_like(targets)
    folds = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=_SEED)
    for learn, test in folds.split(words, targets):
        tfidf = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, tokenizer=_tokens, token_pattern=None
        )
        classifier = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=MOST_ITERATIONS)
        classifier.fit(tfidf.fit_transform([words[place] for place in learn]), targets[learn])
        given[test] = classifier.predict(tfidf.transform([words[place] for place in test]))
    return [str(label) for label in given]


def _tokens(words: str) -> list[str]:
    # A text without words is one empty word, so that no fold is without a vocabulary.
    return words.split() or [""]
