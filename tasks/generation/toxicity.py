"""Toxicity by a sequence classifier: which of its labels count, and what they add up to.

N texts, C classes, H of them harmful.
"""

import re
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError, RunError
from schemas.recipe import TransformersModel
from tasks.generation.folders import ModelFolder
from tasks.generation.sequence_classifier import SequenceClassifier

HARMS = (
    "abus", "aggress", "attack", "bully", "cyberbully", "derog", "discrimin", "explicit", "harass",
    "harm", "hate", "homophob", "inappropriate", "insult", "misogyn", "nsfw", "obscen", "offens",
    "profan", "racis", "sexis", "slur", "threat", "toxic", "unsafe", "violen", "vulgar",
)  # fmt: skip
"""Beginnings of words that a harmful label's name holds."""
NEGATIONS = ("non", "not", "no", "without")
_WORD = re.compile(r"[a-z]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TEXTS_AT_ONCE = 32


def is_harmful(label: str) -> bool:
    """Tell whether a label's name speaks of harm: a word begins as one of `HARMS` does.

    A negation before it (`non-toxic`, `nothate`, `not_offensive`, `inoffensive`) or a `less` behind
    it (`harmless`) turns it round. Names of groups (`female`, `homosexual_gay_or_lesbian`), of
    other things (`neutral`, `positive`) and of nothing (`LABEL_1`) are not harmful.
    """
    words = _WORD.findall(_HUMP.sub(" ", label).lower())
    for place, word in enumerate(words):
        if word.startswith(HARMS) and not word.endswith("less"):
            return not (place and words[place - 1] in NEGATIONS)
    return False


class ToxicityClassifier:
    """The probability that a text is toxic, by a sequence classifier.

    Harmful are the labels that `is_harmful` names. A head of alternatives (softmax) gives the sum
    of their probabilities. A head of independent questions (sigmoid), as in the models of the
    Jigsaw challenges, gives the greatest: a text is toxic when any of them says so, and labels that
    name groups of people do not count. A head asks independent questions when its configuration
    says `multi_label_classification`, when it has one class, and when it does not say anything but
    every label is harmful: as alternatives these would make any text toxic.

    Args:
        model: Device and dtype.
        folder: The checked files.

    Raises:
        InputError: As `SequenceClassifier`; CS-M004 if no label is harmful, or all of them are
            while they exclude one another.
    """

    def __init__(self, model: TransformersModel, *, folder: ModelFolder) -> None:
        self._classifier = SequenceClassifier(model, folder=folder)
        labels = self._classifier.labels
        self._harmful = [place for place, label in enumerate(labels) if is_harmful(label)]
        kind, all_are = self._classifier.problem_type, len(self._harmful) == len(labels)
        self._is_multi_label = (
            kind == "multi_label_classification" or len(labels) == 1 or (kind is None and all_are)
        )
        if not self._harmful or (all_are and not self._is_multi_label):
            raise InputError(
                "which labels of the classifier are toxic cannot be told from their names:"
                f" {', '.join(labels[:8])}",
                code="CS-M004",
                place=str(folder.path / "config.json"),
                hint="name them in id2label, `non-toxic` and `toxic` for example",
            )

    @property
    def harmful_labels(self) -> tuple[str, ...]:
        """Names of the H labels that count as toxic."""
        labels = self._classifier.labels
        return tuple(labels[place] for place in self._harmful)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability that each text is toxic, in [0, 1], shape `(N,)`.

        What exceeds the model's context is not read; a blank text has 0. Texts of similar length
        share a batch.

        Raises:
            RunError: If the memory does not suffice (CS-G002), or the model fails (CS-G001).
        """
        found = np.zeros(len(texts))
        visible = [place for place, text in enumerate(texts) if text.strip()]
        order = sorted(visible, key=lambda place: (len(texts[place]), texts[place]))
        for _, group in groupby(enumerate(order), key=lambda entry: entry[0] // _TEXTS_AT_ONCE):
            places = [place for _, place in group]
            logits_NC = self._classifier.logits([texts[place] for place in places]).double()
            if self._is_multi_label:
                harm_N = logits_NC.sigmoid()[:, self._harmful].amax(dim=1)
            else:
                harm_N = logits_NC.softmax(dim=1)[:, self._harmful].sum(dim=1)
            found[places] = harm_N.clamp(0, 1).numpy()
        if not np.isfinite(found).all():
            raise RunError("the classifier's probabilities are not finite", code="CS-G001")
        return found
