"""Noise for examples that a `noisy_channel` restores: which steps it may have, and their use."""

from collections.abc import Sequence

from schemas.errors import InputError
from schemas.noise_mixtures import Plugin, TokenDelete, TokenReplace, walk
from schemas.noise_words import Misspell, WordReplace
from schemas.recipe_file import LoadedRecipe
from schemas.strategies import NoisyChannel
from tasks.noise.plugins import load_plugin
from tasks.noise.texts import noise_batch
from tasks.planning.streams import U64
from tasks.prompting.restoring import corrupting


def corrupt_texts(
    texts: Sequence[str], *, strategy: NoisyChannel, keys: U64, labels: Sequence[str]
) -> list[str]:
    """Apply the strategy's `noise` to texts: `prompting.restoring.Corrupt`."""
    noised = noise_batch(texts, keys=keys, steps=strategy.noise, labels=labels).texts
    damaged: list[str] = noised.to_pylist()
    return damaged


def check_corruption(loaded: LoadedRecipe) -> None:
    """Refuse noise that needs more than a text: the corpus is not there yet when prompts are made.

    Raises:
        InputError: CS-R007 for a step that draws from the corpus' words, a tokenizer or a list; as
            `load_plugin` for a plug-in that is missing.
    """
    for index, strategy in corrupting(loaded.recipe).items():
        for path, step in walk(strategy.noise):
            key = ("strategies", index, "noise", *path)
            if isinstance(step, Plugin):
                try:
                    load_plugin(step.name)
                except InputError as error:
                    error.place = loaded.place((*key, "name"))
                    raise
            if (needed := _needed(step)) is not None:
                raise InputError(
                    f"{step.kind} needs {needed}, which a noisy channel does not have",
                    code="CS-R007",
                    place=loaded.place(key),
                    hint="choose a step that needs nothing but the text, or put it into the"
                    " recipe's own noise",
                )


def _needed(step: object) -> str | None:
    """Say what a step needs beside the text; None for nothing."""
    match step:
        case TokenReplace() | TokenDelete():
            return "a tokenizer"
        case WordReplace(words="auto"):
            return "the words of the corpus"
        case Misspell(path=str()):
            return "a list of misspellings"
        case _:
            return None
