"""A tokenizer as the noise stage uses it: where tokens stand, and what each one writes."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.noise import RecipeStep, TokenStep
from schemas.noise_mixtures import walk
from schemas.recipe import AnyModel, TransformersModel
from tasks.generation.folders import STARTER_FOLDER, find_model
from tasks.generation.tokenisation import load_tokenizer

Ints = NDArray[np.int64]
_BETWEEN = "a"


class NoiseTokenizer:
    """A fast tokenizer (of the `tokenizers` library) behind the noise stage's protocol.

    Several threads may use it: shards are noised side by side, and the library's tokenizers refuse
    a second thread while a first one sets them up.

    Args:
        tokenizer: What `load_tokenizer` returned.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._lock = RLock()
        self._special = frozenset(tokenizer.all_special_ids)

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, added tokens included."""
        return len(self._tokenizer)

    def encode_with_offsets(self, texts: Sequence[str]) -> tuple[Ints, Ints, Ints, Ints]:
        """Split texts into tokens, no special ones added; places count code points.

        A tokenizer may leave the space before a word out of a token's place although the token
        writes it: then the place is widened by that space, so that place and text agree.
        """
        if not texts:
            nothing = np.empty(0, np.int64)
            return nothing, nothing, nothing, np.zeros(1, np.int64)
        with self._lock:
            encodings = self._tokenizer(
                list(texts), add_special_tokens=False, return_offsets_mapping=True
            )
            writes = self._writes
        counts = [len(own) for own in encodings["input_ids"]]
        ids = np.fromiter(chain.from_iterable(encodings["input_ids"]), np.int64)
        places = np.array([*chain.from_iterable(encodings["offset_mapping"])], np.int64)
        starts, ends = places.reshape(-1, 2).T
        writes_space = np.array([text.startswith(" ") for text in writes])[ids]
        first = np.repeat(np.cumsum([0, *map(len, texts)])[:-1], counts)
        is_wider = _leaves_space_out("".join(texts), starts + first, ends + first) & (starts > 0)
        return ids, starts - (writes_space & is_wider), ends, np.cumsum([0, *counts])

    def decode_token(self, token_id: int) -> str:
        """Return what a token writes within a text; "" for a special token or a piece of bytes."""
        with self._lock:
            return self._writes[token_id]

    @cached_property
    def _writes(self) -> list[str]:
        """What each token adds after another one: decoded alone, many lose their space."""
        (first,) = self._tokenizer(_BETWEEN, add_special_tokens=False)["input_ids"][:1] or (0,)
        alone = self._decode([[first]])[0]
        every = self._decode([[first, token_id] for token_id in range(self.vocabulary_size)])
        return [
            ""
            if token_id in self._special or not text.startswith(alone) or "\ufffd" in text
            else text[len(alone) :]
            for token_id, text in enumerate(every)
        ]

    def _decode(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        decoded: list[str] = self._tokenizer.batch_decode(
            sequences, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return decoded


def _leaves_space_out(text: str, starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Tell which tokens come right after a space that is in no token, and begin with none."""
    codes = np.frombuffer(f" {text} ".encode("utf-32-le"), "<u4")
    ends_before = np.concatenate([[0], ends[:-1]])
    # The space put in front moves every place by one.
    after_space = (codes[starts] == ord(" ")) & (codes[starts + 1] != ord(" "))
    return np.asarray(after_space & (ends_before < starts))


def open_tokenizers(
    steps: Sequence[RecipeStep], model: AnyModel, *, folder: Path
) -> Mapping[str, NoiseTokenizer]:
    """Open the tokenizers that noise steps ask for, by the name under which they do.

    Args:
        steps: Steps of a recipe.
        model: The recipe's model, whose tokenizer `model` stands for.
        folder: Folder of the recipe, where relative paths start.

    Raises:
        InputError: If a tokenizer is missing or damaged (CS-M001, CS-M003).
    """
    names = {step.tokenizer for _, step in walk(steps) if isinstance(step, TokenStep)}
    opened: dict[str, NoiseTokenizer] = {}
    for name in sorted(names):
        path = STARTER_FOLDER
        if name == "model" and isinstance(model, TransformersModel):
            path = find_model(model, folder=folder, weights=False).path
        opened[name] = NoiseTokenizer(load_tokenizer(path))
    return opened
