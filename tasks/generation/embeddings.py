"""Sentence embeddings by the package sentence-transformers, where it is installed."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError, RunError

Embed = Callable[[list[str]], NDArray[np.float32]]
"""Texts to one vector each, shape `(N, D)`."""


def open_embedder(name: str) -> Embed:
    """Open a sentence model.

    Weights are read from safetensors alone, and code that comes with a model is never run.

    Args:
        name: A local folder or a hub id; the package is given it as it is.

    Raises:
        InputError: CS-M008 if the package is not installed, CS-M001 if it cannot open the model.
    """
    package = _import_package()
    try:
        model: Any = package.SentenceTransformer(
            name, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )
    # Whatever is wrong with the name, the files or the network has the same remedy.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"the sentence model {name!r} cannot be opened: {reason[0]}",
            code="CS-M001",
            place="model.name",
            hint="give a local folder or the hub id of a sentence-transformers model that has"
            " safetensors",
        ) from error

    def embed(texts: list[str]) -> NDArray[np.float32]:
        # A lone surrogate is no text for any tokenizer.
        whole = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        try:
            found = np.asarray(model.encode(whole, show_progress_bar=False), dtype=np.float32)
        except (RuntimeError, MemoryError) as error:
            raise RunError(f"the sentence model failed: {error}", code="CS-G001") from error
        if not np.isfinite(found).all():
            raise RunError("the sentence model gave vectors that are not finite", code="CS-G001")
        return found

    return embed


def _import_package() -> Any:
    try:
        return import_module("sentence_transformers")
    except ImportError as error:
        raise InputError(
            f"sentence embeddings need the package sentence-transformers: {error}",
            code="CS-M008",
            place="--embeddings",
            hint="install it with `pip install 'corpusmith[embeddings]'`, or leave the option out"
            " and texts are compared by their words",
        ) from error
