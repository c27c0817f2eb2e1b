"""Reward models: sequence classifiers that score a text in answer to a prompt."""

from collections.abc import Sequence

from schemas.recipe import TransformersModel
from tasks.generation.folders import ModelFolder
from tasks.generation.sequence_classifier import SequenceClassifier


class RewardModel:
    """A sequence classifier; its first logit is the score.

    The tokenizer gets the row's prompt and the text as a pair, and cuts the longer of the two where
    both exceed the context. A chat model's prompt comes with its control tokens, which are read as
    plain text. The candidates of a row are one batch where the model has a token to pad with, and
    are read one by one where it has none, so a score depends on them alone.

    Args:
        model: Device and dtype.
        folder: The checked files.

    Raises:
        InputError: As `SequenceClassifier`.
    """

    def __init__(self, model: TransformersModel, *, folder: ModelFolder) -> None:
        self._classifier = SequenceClassifier(model, folder=folder)

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the first logit, float32, of each pair of a prompt and a text.

        Raises:
            RunError: If the memory does not suffice (CS-G002), or the model fails (CS-G001).
        """
        prompts, texts = [prompt for prompt, _ in pairs], [text for _, text in pairs]
        scores: list[float] = self._classifier.logits(prompts, texts)[:, 0].tolist()
        return scores
