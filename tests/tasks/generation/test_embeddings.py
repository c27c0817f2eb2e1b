"""Sentence models through a stand-in for the package, and the word when it is missing."""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from schemas.errors import InputError, RunError
from tasks.generation.embeddings import open_embedder


class Sentences:
    """What `SentenceTransformer` is asked for, and vectors of a text's length."""

    opened: list[tuple[str, dict[str, Any]]]

    def __init__(self, name: str, **options: Any) -> None:
        if name == "nobody/nothing":
            raise OSError("no such model\nand more of it")
        type(self).opened.append((name, options))
        self.name = name

    def encode(self, texts: list[str], *, show_progress_bar: bool) -> np.ndarray:
        assert not show_progress_bar
        for text in texts:
            text.encode()
        scale = np.nan if self.name == "broken" else 1.0
        return np.array([[scale * len(text), 1.0] for text in texts])


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> type[Sentences]:
    module = ModuleType("sentence_transformers")
    Sentences.opened = []
    module.SentenceTransformer = Sentences  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    return Sentences


def test_the_name_is_handed_on_and_no_code_is_run(package):
    embed = open_embedder("some/model")
    ((name, options),) = package.opened
    assert name == "some/model"
    assert options == {"trust_remote_code": False, "model_kwargs": {"use_safetensors": True}}
    found = embed(["abc", "\ud800"])
    assert found.dtype == np.float32
    assert found.tolist() == [[3, 1], [1, 1]]


def test_a_model_that_cannot_be_opened_is_explained(package):
    with pytest.raises(InputError, match=r"no such model$") as caught:
        open_embedder("nobody/nothing")
    assert caught.value.code == "CS-M001"


def test_vectors_that_are_no_numbers_end_the_run(package):
    with pytest.raises(RunError, match="not finite"):
        open_embedder("broken")(["a"])


def test_without_the_package_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError) as caught:
        open_embedder("some/model")
    assert caught.value.code == "CS-M008"
    assert "corpusmith[embeddings]" in caught.value.hint
