"""What noise must know of a table before it starts: its classes, its words, lists of the user's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from schemas.errors import InputError
from schemas.noise import LabelFlip
from schemas.noise_mixtures import walk
from schemas.noise_words import WordReplace
from tasks.noise.opening import open_misspellings
from tasks.noise.resources import OpenSteps, Tokenizer
from tasks.noise.streaming import TableNoise
from tasks.noise.table_columns import texts_of
from tasks.noise.vocabulary import VocabularyCounter

_MOST_CLASSES = 100_000


def check_labels_named(how: TableNoise) -> None:
    """Refuse steps that ask for labels where no column of labels is named.

    Raises:
        InputError: `CS-I001`.
    """
    if how.columns.label is not None:
        return
    asking = [step.kind for _, step in walk(how.noise.steps) if _asks_for_labels(step)]
    if how.noise.protect.label:
        asking.append("protect.label")
    if asking:
        raise InputError(
            f"{asking[0]} needs the labels of the rows",
            code="CS-I001",
            place="--label",
            hint="name their column with --label",
        )


def with_needs(
    how: TableNoise,
    batches: Callable[[], Iterable[pa.RecordBatch]],
    *,
    folder: Path,
    tokenizers: Mapping[str, Tokenizer],
) -> TableNoise:
    """Find what the steps need: the table is read once more where they need its labels or words.

    Args:
        how: The noise; its columns exist.
        batches: Reads the table from the start.
        folder: Where relative paths of the steps start, resolved.
        tokenizers: Those that steps ask for, by name.

    Raises:
        InputError: `CS-D003` if there are so many labels that they cannot be classes; if a list of
            the user's cannot be read.
    """
    steps = [step for _, step in walk(how.noise.steps)]
    opened = OpenSteps(
        how.noise.steps,
        tokenizers=tokenizers,
        misspellings=open_misspellings(how.noise.steps, folder=folder),
    )
    if any(isinstance(step, WordReplace) and step.words == "auto" for step in steps):
        counter = VocabularyCounter()
        first_row = 0
        for batch in batches():
            values = batch[how.columns.text]
            texts = texts_of(values, column=how.columns.text, first_row=first_row)
            counter.add(texts.drop_null())
            first_row += len(texts)
        opened = replace(opened, vocabulary=counter.vocabulary())
    classes = _find_classes(batches(), str(how.columns.label)) if how.flips_labels else ()
    return replace(how, opened=opened, classes=classes)


def _find_classes(batches: Iterable[pa.RecordBatch], column: str) -> tuple[str, ...]:
    classes: set[str] = set()
    for batch in batches:
        own = batch[column].cast(pa.string()).unique()
        classes.update(own.drop_null().to_pylist())
        if len(classes) > _MOST_CLASSES:
            raise InputError(
                f"the column {column} holds more than {_MOST_CLASSES:,} labels",
                code="CS-D003",
                place=f"--label {column}",
                hint="name the column of the classes",
            )
    return tuple(sorted(classes))


def _asks_for_labels(step: object) -> bool:
    if isinstance(step, LabelFlip) or getattr(step, "labels", None) is not None:
        return True
    return bool(getattr(step, "needs_labels", False))
