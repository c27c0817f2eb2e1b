"""Opens what steps on words need: the words of the corpus and users' lists of misspellings."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from schemas.noise_mixtures import RecipeStep, walk
from schemas.noise_words import Misspell, WordReplace
from schemas.recipe_file import check_inside
from tasks.noise.lexicon import Lexicon
from tasks.noise.misspell import read_misspellings
from tasks.noise.vocabulary import Vocabulary, VocabularyCounter


def needs_vocabulary(steps: Sequence[RecipeStep]) -> bool:
    """Tell whether a step, in a mixture or not, draws from the words of the corpus."""
    return any(isinstance(step, WordReplace) and step.words == "auto" for _, step in walk(steps))


def count_words(batches: Iterable[pa.StringArray | pa.ChunkedArray | Sequence[str]]) -> Vocabulary:
    """Count the words of a whole corpus.

    Args:
        batches: Its clean texts, batch by batch; how they are cut changes nothing.
    """
    counter = VocabularyCounter()
    for texts in batches:
        counter.add(texts)
    return counter.vocabulary()


def open_misspellings(steps: Sequence[RecipeStep], *, folder: Path) -> Mapping[str, Lexicon]:
    """Read the lists of misspellings that steps name.

    Args:
        steps: The steps, mixtures among them.
        folder: The recipe's folder, resolved, in which the lists must lie.

    Returns:
        Each list by the path that the steps give.

    Raises:
        InputError: If a path leaves the folder, or a list cannot be read.
    """
    paths = {step.path for _, step in walk(steps) if isinstance(step, Misspell) and step.path}
    return {
        path: read_misspellings(check_inside(folder, path, place="noise.steps"))
        for path in sorted(paths)
    }
