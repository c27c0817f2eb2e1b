"""Sequence classifiers of transformers: texts, alone or in pairs, to one logit a class.

B texts, C classes.
"""

import inspect
from collections.abc import Sequence

import torch
from torch import Tensor

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.generation.folders import ModelFolder
from tasks.generation.loading import choose_device, choose_dtype, load_weights
from tasks.generation.scoring import failure
from tasks.generation.tokenisation import load_tokenizer


class SequenceClassifier:
    """A sequence classifier at work.

    Texts are one batch where the model has a token to pad with, and are read one by one where it
    has none, so that a logit depends on the texts of its call alone. Control tokens that stand in a
    text are read as plain text, and what exceeds the context is cut off.

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

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the C classes, in the order of the logits."""
        names = self._network.config.id2label
        return tuple(str(names[place]) for place in sorted(names))

    @property
    def problem_type(self) -> str | None:
        """What its configuration says of its head: transformers' `problem_type`."""
        named: str | None = self._network.config.problem_type
        return named

    def logits(self, texts: Sequence[str], beside: Sequence[str] | None = None) -> Tensor:
        """Return the logits of texts, float32 on the CPU, shape `(B, C)`.

        Args:
            texts: The texts.
            beside: The second part of each pair; the longer part is cut where both exceed the
                context. None reads the texts alone.

        Raises:
            RunError: If the memory does not suffice (CS-G002), or the model fails (CS-G001).
        """
        firsts, seconds = list(map(_whole, texts)), None
        if beside is not None:
            seconds = list(map(_whole, beside))
        size = len(firsts) if self._pads else 1
        try:
            parts = [
                self._read(firsts[at : at + size], seconds and seconds[at : at + size])
                for at in range(0, len(firsts), max(size, 1))
            ]
        except (RuntimeError, MemoryError) as error:
            raise failure(error) from error
        return torch.cat(parts) if parts else torch.zeros((0, len(self.labels)))

    @torch.inference_mode()
    def _read(self, texts: list[str], beside: list[str] | None) -> Tensor:
        inputs = self._tokenizer(
            texts,
            beside,
            padding=len(texts) > 1,
            truncation="longest_first",
            max_length=self._context_length,
            split_special_tokens=True,
            return_tensors="pt",
        )
        taken = {
            name: value.to(self._device) for name, value in inputs.items() if name in self._takes
        }
        logits_BC: Tensor = self._network(**taken).logits
        return logits_BC.float().cpu()


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
            f"a {'/'.join(map(str, named)) or kind or 'nameless'} model classifies no texts",
            code="CS-M004",
            place=str(folder.path / "config.json"),
            hint="choose a sequence classifier (a ...ForSequenceClassification class of"
            " transformers)",
        )


def _whole(text: str) -> str:
    """Replace lone surrogates, which are no text for any tokenizer."""
    return text.encode("utf-8", "replace").decode("utf-8")
