"""The models that an audit asks: a generator, a toxicity classifier, a sentence model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prompts import label_descriptions, read_template
from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.audit.label_posterior import LabelPosterior
from tasks.audit.toxicity import ToxicityModel
from tasks.bias.counterfactual import PairScorer
from tasks.generation.backends import open_backend
from tasks.generation.folders import find_model
from tasks.generation.protocol import TextScorer
from tasks.generation.rankers import joined
from tasks.prompting.templates import Question
from tasks.quality.semantic_duplicates import Embed

_STARTER = "starter"
_STARTERS_OPENING = "Message:"
"""What the texts of the starter model's training stand behind."""
MOST_CHARS = 2_000
"""Characters of a text that a question for its label holds: its first."""


@dataclass(frozen=True, slots=True)
class Judges:
    """Models at work; those that were not named are None.

    Args:
        scorer: Log-probability of continuations of prompts under the generator, nats.
        posterior: Probability of labels given a text, by the generator.
        toxicity: A toxicity classifier.
        embed: A sentence model.
    """

    scorer: PairScorer | None = None
    posterior: LabelPosterior | None = None
    toxicity: ToxicityModel | None = None
    embed: Embed | None = None


def open_judges(
    *, generator: str | None = None, toxicity: str | None = None, embeddings: str | None = None
) -> Judges:
    """Open the models that an audit was given.

    Each is a local folder or a hub id; the generator may be `starter`. Weights are read from
    safetensors alone, and code that comes with a model is never run.

    Args:
        generator: A decoder-only language model.
        toxicity: A sequence classifier.
        embeddings: A model of sentence-transformers.

    Raises:
        InputError: CS-M001 to CS-M005 if a model is missing, damaged or of another kind, CS-M008 if
            sentence-transformers is not installed.
    """
    reader = None
    if generator is not None:
        with _placed("--generator"):
            reader = Generator(generator)
    judge = None
    if toxicity is not None:
        with _placed("--toxicity"):
            judge = _open_toxicity(toxicity)
    embed = None
    if embeddings is not None:
        from tasks.generation.embeddings import open_embedder

        with _placed("--embeddings"):
            embed = open_embedder(embeddings)
    return Judges(
        scorer=None if reader is None else reader.score_pairs,
        posterior=None if reader is None else reader.label_probabilities,
        toxicity=judge,
        embed=embed,
    )


class Generator:
    """A language model that reads texts.

    The starter model has learned texts behind `Message:` and a space, so there it finds them here;
    any other model finds a text behind its opening token.

    Args:
        name: `starter`, a local folder or a hub id.

    Raises:
        InputError: CS-M001 to CS-M005.
    """

    def __init__(self, name: str) -> None:
        backend = open_backend(TransformersModel(name=name), folder=Path())
        if not isinstance(backend, TextScorer) or backend.info.family != "decoder":
            raise InputError(
                f"the model {backend.info.id!r} does not say how probable a text is",
                code="CS-M004",
                place="model.name",
                hint="name a decoder-only model",
            )
        self._format = backend.format_prompt
        self._score = backend.score_continuations
        self._is_starter = name == _STARTER

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return log p(continuation | prompt) of each pair, nats; see `TextScorer`."""
        if self._is_starter:
            pairs = [_behind_opening(*pair) for pair in pairs]
        return self._score(pairs)

    def label_probabilities(
        self, texts: Sequence[str], labels: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return p(label | text), all labels equally likely beforehand, shape `(N, L)`.

        It is proportional to the probability of the label's description behind the question about
        the text (`TextJudge.label_logprobs`). The description is the one that the starter model has
        learned where the labels are those of one of its datasets, else the label's name in words.
        Of a text the first `MOST_CHARS` characters are read; one that does not fit into the context
        gives NaN.
        """
        kind = "label_of_starter" if self._is_starter else "label_of"
        question = Question(kind, read_template(kind), f"prompts/{kind}.j2")
        described = describe_labels(labels)
        choices = [
            {"name": label, "description": told}
            for label, told in zip(labels, described, strict=True)
        ]
        asked = [
            self._format(question.render({"labels": choices, "text": text[:MOST_CHARS]}))
            for text in texts
        ]
        sums = self._score([joined(prompt, told) for prompt in asked for told in described])
        scores = np.array(sums, dtype=np.float64).reshape(len(texts), len(labels))
        scores[~np.isfinite(scores).all(axis=1)] = np.nan
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def describe_labels(labels: Sequence[str]) -> list[str]:
    """Say labels in words: as the starter model has learned them, else by their names.

    Descriptions of one dataset, when all labels are its own, or none: a label told in a sentence is
    no match for one told in a word.
    """
    known: dict[str, dict[str, str]] = {}
    for key, (first, *_) in label_descriptions().items():
        dataset, _, label = key.partition("/")
        known.setdefault(dataset, {})[label] = first
    for of_dataset in known.values():
        if all(label in of_dataset for label in labels):
            return [of_dataset[label] for label in labels]
    return [" ".join(label.replace("_", " ").split()) or label for label in labels]


def _behind_opening(prompt: str, text: str) -> tuple[str, str]:
    return (f"{_STARTERS_OPENING} {prompt}", text) if prompt else (_STARTERS_OPENING, f" {text}")


def _open_toxicity(name: str) -> ToxicityModel:
    model = TransformersModel(name=name)
    files = find_model(model, folder=Path())
    from tasks.generation.toxicity import ToxicityClassifier

    classifier = ToxicityClassifier(model, folder=files)
    return ToxicityModel(files.id, classifier.harmful_labels, classifier)


@contextmanager
def _placed(option: str) -> Iterator[None]:
    """Name the option where an error names a recipe's key."""
    try:
        yield
    except InputError as error:
        if error.place.startswith("model."):
            error.place = option
        raise
