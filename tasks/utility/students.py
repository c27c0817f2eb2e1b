"""The classifiers that learn: a linear one, which needs nothing but scikit-learn."""

import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from schemas.evaluation import StudentKind
from tasks.quality.threads import one_blas_thread
from tasks.utility.rows import LabelledTexts
from tasks.utility.scores import Codes, Reals

MOST_CHARS = 4000
"""Characters of a text that count: its first."""
MOST_FEATURES = 50_000
"""Words and pairs of words at most, and as many runs of characters: the commonest."""
MOST_WEIGHTS = 4_000_000
"""Features times labels; the solver keeps some 25 numbers for each."""
INVERSE_PENALTY = 4.0
MOST_STEPS = 200


class Graduate(Protocol):
    """A student that has learnt."""

    def probabilities(self, texts: Sequence[str]) -> Reals:
        """Return the probability of each of K labels, shape `(N, K)`; each row sums to 1."""


class Student(Protocol):
    """A classifier that can be trained any number of times."""

    @property
    def kind(self) -> StudentKind:
        """Name and settings."""

    @property
    def draws_lots(self) -> bool:
        """Whether another seed makes another classifier of the same rows."""

    def learn(self, rows: LabelledTexts, *, num_labels: int, seed: int) -> Graduate:
        """Train on rows, of one label at least; nothing is kept from earlier times."""


class LinearStudent:
    """Logistic regression on TF-IDF of words, pairs of words and runs of characters.

    Texts are lower-cased. A word is a run of letters and digits, or one other character that is no
    space; runs of 2 to 5 characters lie within a word and the spaces around it. The weight of a
    feature is (1 + ln tf) (1 + ln((1 + N) / (1 + df))); words and runs each make a vector of
    length 1. The regression minimises the log-loss summed over the rows plus |w|^2 / (2 C), C = 4.
    """

    draws_lots = False

    @property
    def kind(self) -> StudentKind:
        """Name and settings."""
        return StudentKind(
            name="linear",
            settings={
                "classifier": "logistic regression (L-BFGS)",
                "inverse penalty C": INVERSE_PENALTY,
                "steps at most": MOST_STEPS,
                "features": "TF-IDF (sublinear) of words, pairs of words, and 2 to 5 characters",
                "features of either kind at most": MOST_FEATURES,
                "features times labels at most": MOST_WEIGHTS,
                "characters of a text at most": MOST_CHARS,
            },
        )

    def learn(self, rows: LabelledTexts, *, num_labels: int, seed: int) -> Graduate:
        """Train on rows; the seed changes nothing."""
        from sklearn.linear_model import LogisticRegression

        vectorizer = _vectorizer(num_labels)
        features = vectorizer.fit_transform(_cut(rows.texts))
        known = np.unique(rows.codes)
        if known.size == 1:
            return _LinearGraduate(vectorizer, None, known, num_labels)
        classifier = LogisticRegression(C=INVERSE_PENALTY, max_iter=MOST_STEPS)
        with one_blas_thread(), warnings.catch_warnings():
            # A solution that 200 steps did not polish further is as good a student.
            warnings.simplefilter("ignore")
            classifier.fit(features, rows.codes)
        return _LinearGraduate(vectorizer, classifier, known, num_labels)


class _LinearGraduate:
    def __init__(
        self, vectorizer: Any, classifier: Any | None, known: Codes, num_labels: int
    ) -> None:
        self._vectorizer, self._classifier = vectorizer, classifier
        self._known, self._num_labels = known, num_labels

    def probabilities(self, texts: Sequence[str]) -> Reals:
        found = np.zeros((len(texts), self._num_labels))
        if self._classifier is None:
            found[:, self._known] = 1.0
        else:
            features = self._vectorizer.transform(_cut(texts))
            found[:, self._known] = self._classifier.predict_proba(features)
        return found


def open_student(name: str) -> Student:
    """Return the kind of student that `--student` names.

    Raises:
        InputError: If it is neither `linear` nor a folder of a model that can be one.
    """
    if name == "linear":
        return LinearStudent()
    from tasks.utility.encoder import EncoderStudent

    return EncoderStudent.of_folder(name)


def _vectorizer(num_labels: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    most = min(MOST_FEATURES, MOST_WEIGHTS // (2 * num_labels))
    words = TfidfVectorizer(
        ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", sublinear_tf=True, max_features=most
    )
    runs = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=most
    )
    return make_union(words, runs)


def _cut(texts: Sequence[str]) -> list[str]:
    # What follows thousands of spaces counts too.
    return [text.strip()[:MOST_CHARS] for text in texts]
