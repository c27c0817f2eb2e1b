"""Reward models: sequence classifiers of transformers that score a text in answer to a prompt.

B texts, C classes.
"""

import inspect
from collections.abc import Sequence

import torch

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.generation.folders import ModelFolder
from tasks.generation.loading import choose_device, choose_dtype, load_weights
from tasks.generation.scoring import failure
from tasks.generation.tokenisation import load_tokenizer


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
        InputError: If the device or dtype is not there (CS-M005), the architecture is not supported
            (CS-M004) or files are damaged (CS-M003).
    """

    def __init__(self, model: TransformersModel, *, folder: ModelFolder) -> None:
        from transformers import AutoModelForSequenceClassification

        check_classifier(folder)
        self._device = choose_device(model.device)
        dtype = choose_dtype(model.dtype, device=self._device)
        network = load_weights(AutoModelForSequenceClassification, folder, dtype=dtype)
        self._network = network.to(self._device).eval()
        self._takes = inspect.signature(network.forward).parameters
        self._tokenizer = load_tokenizer(folder.path)
        self._tokenizer.padding_side = "right"
        self._context_length = folder.context_length
        # Decoders find the last token of a text by their own padding token.
        pad_id = network.config.get_text_config().pad_token_id
        self._pads = pad_id is not None and pad_id == self._tokenizer.pad_token_id

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the first logit, float32, of each pair of a prompt and a text.

        Raises:
            RunError: If the memory does not suffice (CS-G002), or the model fails (CS-G001).
        """
        batches = [pairs] if self._pads else [[pair] for pair in pairs]
        try:
            return [score for batch in batches if batch for score in self._score(batch)]
        except (RuntimeError, MemoryError) as error:
            raise failure(error) from error

    @torch.inference_mode()
    def _score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        inputs = self._tokenizer(
            [_whole(prompt) for prompt, _ in pairs],
            [_whole(text) for _, text in pairs],
            padding=len(pairs) > 1,
            truncation="longest_first",
            max_length=self._context_length,
            split_special_tokens=True,
            return_tensors="pt",
        )
        taken = {
            name: value.to(self._device) for name, value in inputs.items() if name in self._takes
        }
        logits_BC = self._network(**taken).logits
        scores: list[float] = logits_BC[:, 0].float().tolist()
        return scores


def check_classifier(folder: ModelFolder) -> None:
    """Check that transformers has the model's class and that it classifies texts.

    Raises:
        InputError: If not (CS-M004).
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as KNOWN,
    )

    kind, named = folder.config.get("model_type"), folder.config.get("architectures") or ()
    known = KNOWN.get(kind) if isinstance(kind, str) else None
    if known is None or known not in named:
        raise InputError(
            f"a {'/'.join(map(str, named)) or kind or 'nameless'} model gives no rewards",
            code="CS-M004",
            place=str(folder.path / "config.json"),
            hint="choose a sequence classifier (a ...ForSequenceClassification class of"
            " transformers)",
        )


def _whole(text: str) -> str:
    """Replace lone surrogates, which are no text for any tokenizer."""
    return text.encode("utf-8", "replace").decode("utf-8")
