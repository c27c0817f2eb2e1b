"""A student for those who have one: an encoder of transformers, fine-tuned whole on the CPU or GPU.

B texts of a batch, T tokens, K labels.
"""

import inspect
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from schemas.errors import InputError, RunError
from schemas.evaluation import StudentKind
from schemas.recipe import TransformersModel
from tasks.generation.folders import ModelFolder, damaged, find_model
from tasks.generation.loading import choose_device
from tasks.generation.memory import is_out_of_memory
from tasks.generation.tokenisation import load_tokenizer
from tasks.utility.rows import LabelledTexts
from tasks.utility.scores import Codes, Reals

LEARNING_RATE = 5e-5
"""The highest of those that Devlin et al. 2019 try, https://arxiv.org/abs/1810.04805."""
NUM_EPOCHS = 3
FEWEST_STEPS = 200
"""Steps however few rows there are: of few rows, more epochs (Mosbach et al. 2021,
https://arxiv.org/abs/2006.04884)."""
BATCH_SIZE = 16
MOST_TOKENS = 128
WARM_UP = 0.1
"""Part of the steps over which the learning rate grows; then it falls to 0 in a straight line."""
_WEIGHT_DECAY = 0.01
_MOST_GRADIENT = 1.0
_BATCH_ASKED = 64


class EncoderStudent:
    """An encoder with a new linear head, all of it trained by AdamW on the cross-entropy.

    The seed decides the head's first weights, dropout and the order of the rows. On a CPU equal
    seeds give equal students, as far as the number of threads is the same.

    Args:
        folder: The encoder's checked files.
    """

    draws_lots = True

    def __init__(self, folder: ModelFolder) -> None:
        self._folder = folder
        self._tokenizer = load_tokenizer(folder.path)
        self._tokenizer.padding_side = "right"
        self._length = min(MOST_TOKENS, folder.context_length)

    @classmethod
    def of_folder(cls, name: str) -> "EncoderStudent":
        """Open a local folder; nothing is trained yet.

        Raises:
            InputError: If there is no such folder (CS-M001), it holds no safetensors (CS-M002), is
                damaged (CS-M003), or its model classifies no texts (CS-M004).
        """
        from transformers.models.auto.modeling_auto import (
            MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as KNOWN,
        )

        path = Path(name)
        if not path.is_dir():
            raise InputError(
                f"there is no model folder {name!r}",
                code="CS-M001",
                place=f"--student {name}",
                hint="write `linear`, or a local folder with config.json and model.safetensors",
            )
        folder = find_model(TransformersModel(name=str(path.resolve())), folder=path)
        if folder.config.get("model_type") not in KNOWN:
            raise InputError(
                f"a {folder.config.get('model_type')} model cannot learn to classify texts",
                code="CS-M004",
                place=str(path / "config.json"),
                hint="choose an encoder such as BERT, RoBERTa or DeBERTa",
            )
        student = cls(folder)
        if student._tokenizer.pad_token_id is None:
            raise InputError(
                "the model has no token to pad texts with",
                code="CS-M004",
                place=str(path / "tokenizer_config.json"),
                hint="choose an encoder such as BERT, RoBERTa or DeBERTa",
            )
        return student

    @property
    def kind(self) -> StudentKind:
        """Name and settings."""
        return StudentKind(
            name=self._folder.id,
            settings={
                "classifier": "encoder with a linear head, all weights trained (AdamW)",
                "weights, SHA-256": self._folder.weights_sha256,
                "learning rate": LEARNING_RATE,
                "epochs": NUM_EPOCHS,
                "steps at least": FEWEST_STEPS,
                "rows a step": BATCH_SIZE,
                "tokens of a text at most": self._length,
            },
        )

    def learn(self, rows: LabelledTexts, *, num_labels: int, seed: int) -> "EncoderGraduate":
        """Fine-tune a fresh copy of the encoder on rows.

        Raises:
            InputError: If the weights do not fit the configuration (CS-M003).
            RunError: If the memory does not suffice (CS-G002), or the model fails (CS-G001).
        """
        device = choose_device("auto")
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = _load(self._folder, num_labels)
            try:
                graduate = EncoderGraduate(
                    network.to(device), self._tokenizer, self._length, device
                )
                _train(graduate, rows, np.random.default_rng(seed))
            except (RuntimeError, MemoryError) as error:
                raise _failure(error) from error
        return graduate


class EncoderGraduate:
    """A fine-tuned encoder.

    Args:
        network: A sequence classifier of transformers.
        tokenizer: Its tokenizer.
        length: Tokens of a text that count.
        device: Where the network is.
    """

    def __init__(self, network: Any, tokenizer: Any, length: int, device: torch.device) -> None:
        self.network, self._tokenizer, self._length = network, tokenizer, length
        self.device = device
        self._takes = inspect.signature(network.forward).parameters

    def probabilities(self, texts: Sequence[str]) -> Reals:
        """Return the probability of each of K labels, shape `(N, K)`."""
        self.network.eval()
        found = [
            self.logits(texts[start : start + _BATCH_ASKED]).softmax(dim=-1).cpu().double().numpy()
            for start in range(0, len(texts), _BATCH_ASKED)
        ]
        return np.concatenate(found)

    @torch.inference_mode()
    def logits(self, texts: Sequence[str]) -> Tensor:
        """Return the logits of a batch, shape `(B, K)`, without a gradient."""
        return self.forward(texts)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the logits of a batch, shape `(B, K)`."""
        inputs = self._tokenizer(
            # Halves of surrogate pairs are no text for any tokenizer.
            [text.encode("utf-8", "replace").decode() for text in texts],
            padding=True,
            truncation=True,
            max_length=self._length,
            split_special_tokens=True,
            return_tensors="pt",
        )
        taken = {
            name: value.to(self.device) for name, value in inputs.items() if name in self._takes
        }
        logits_BK: Tensor = self.network(**taken).logits
        return logits_BK.float()


def _failure(error: Exception) -> RunError:
    if is_out_of_memory(error):
        return RunError(
            "out of memory while a student was trained",
            code="CS-G002",
            hint="use a smaller encoder, or the linear student",
        )
    return RunError(f"the model failed: {error}", code="CS-G001", retryable=True)


def _load(folder: ModelFolder, num_labels: int) -> Any:
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    library: Any = logging
    level = library.get_verbosity()
    # What it reports as new or left over is checked below; its bar would cut through ours.
    library.set_verbosity(library.CRITICAL)
    library.disable_progress_bar()
    try:
        network, report = AutoModelForSequenceClassification.from_pretrained(
            folder.path,
            num_labels=num_labels,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    # A wrong configuration fails anywhere inside the model's class; the remedy is the same.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise damaged(f"the model cannot be loaded: {reason[0]}", place=folder.path) from error
    finally:
        library.set_verbosity(level)
    prefix = f"{network.base_model_prefix}."
    # A head is new; so may be the layer before it, which training on words alone leaves out.
    lacking = [
        name for name in report["missing_keys"] if name.startswith(prefix) and "pooler" not in name
    ]
    if lacking:
        message = f"{len(lacking)} weights of the encoder are missing, the first is {lacking[0]}"
        raise damaged(message, place=folder.path)
    return network


def _train(graduate: EncoderGraduate, rows: LabelledTexts, generator: np.random.Generator) -> None:
    network = graduate.network.train()
    num_steps = max(FEWEST_STEPS, NUM_EPOCHS * math.ceil(len(rows) / BATCH_SIZE))
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=LEARNING_RATE, weight_decay=_WEIGHT_DECAY
    )
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / (WARM_UP * num_steps), (num_steps - step) / num_steps),
    )
    for _, places in zip(range(num_steps), _batches(len(rows), generator), strict=False):
        logits_BK = graduate.forward([rows.texts[place] for place in places.tolist()])
        wanted_B = torch.from_numpy(rows.codes[places]).to(graduate.device)
        torch.autograd.backward([torch.nn.functional.cross_entropy(logits_BK, wanted_B)])
        torch.nn.utils.clip_grad_norm_(network.parameters(), _MOST_GRADIENT)
        optimiser.step()
        rates.step()
        optimiser.zero_grad()


def _batches(num_rows: int, generator: np.random.Generator) -> Iterator[Codes]:
    """Yield places of rows for ever, epoch after epoch, each in another order."""
    while True:
        order = generator.permutation(num_rows)
        yield from (order[start : start + BATCH_SIZE] for start in range(0, num_rows, BATCH_SIZE))
