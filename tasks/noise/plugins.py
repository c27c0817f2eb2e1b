"""Operators that other packages register under the entry points `corpusmith.noise`."""

import operator
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

import numpy as np

from schemas.errors import InputError
from schemas.noise import Plugin
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings

GROUP = "corpusmith.noise"


class Replacement(NamedTuple):
    """One edit that a plug-in asks for: `text[start:end]` becomes `after`."""

    start: int
    end: int
    after: str


NoiseFunction = Callable[
    [list[str], list[float], list[int], dict[str, Any]], Sequence[Sequence[Replacement]]
]
"""`(texts, rates, rng_keys, options)` to the replacements of each text, from left to right.

`rng_keys` has a 64-bit number for each text, the only source of its randomness.
"""


def installed() -> dict[str, EntryPoint]:
    """Return the registered operators by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load_plugin(name: str) -> NoiseFunction:
    """Import an operator.

    Raises:
        InputError: `CS-R006` if no package registers it or it cannot be imported.
    """
    points = installed()
    if name not in points:
        names = ", ".join(sorted(points)) or "none"
        raise InputError(
            f"no installed package has the noise plug-in {name!r}",
            code="CS-R006",
            place="noise.steps",
            hint=f"installed plug-ins: {names}; a package registers one under `{GROUP}`",
        )
    try:
        function: NoiseFunction = points[name].load()
    # Importing runs the package's own code, which may raise anything.
    except Exception as error:
        raise _refused(name, f"cannot be imported: {error}") from error
    if not callable(function):
        raise _refused(name, f"is {type(function).__name__}, not a function")
    return function


def plugin(batch: TextBatch, dice: Dice, step: Plugin) -> Splices:
    """Ask a plug-in for its edits.

    Replacements that change nothing are left out. A text that would have no character left but
    white space stays as it is.

    Args:
        batch: The texts.
        dice: The draws; the plug-in gets the keys.
        step: The plug-in's name and options.

    Raises:
        InputError: `CS-R005` if the plug-in fails, or its replacements are no such, overlap, are
            out of order or leave their texts; `CS-R006` if there is none of that name.
    """
    function = load_plugin(step.name)
    texts: list[str] = batch.strings.to_arrow().to_pylist()
    try:
        found = function(texts, dice.rates.tolist(), dice.keys.tolist(), dict(step.options))
    # The plug-in is its author's program: it may raise anything.
    except Exception as error:
        raise _refused(step.name, f"failed: {type(error).__name__}: {error}") from error
    if not isinstance(found, Sequence) or len(found) != len(texts):
        raise _refused(step.name, f"did not answer with one list for each of {len(texts)} texts")
    rows: list[int] = []
    edits: list[Replacement] = []
    for row, (text, answer) in enumerate(zip(texts, found, strict=True)):
        own = _checked(answer, text, name=step.name)
        if _leaves_ink(text, own):
            edits.extend(own)
            rows.extend([row] * len(own))
    return _to_splices(batch, rows, edits)


def _checked(answer: Sequence[Any], text: str, *, name: str) -> list[Replacement]:
    """Return one text's replacements, those that change something."""
    if not isinstance(answer, Sequence):
        raise _refused(name, f"answered {answer!r} for a text, no list")
    edits: list[Replacement] = []
    for item in answer:
        try:
            start, end, after = item
            edit = Replacement(operator.index(start), operator.index(end), after)
            after.encode("utf-8")
        except (TypeError, ValueError, AttributeError):
            raise _refused(name, f"answered {item!r}, no (start, end, text)") from None
        if not 0 <= edit.start <= edit.end <= len(text):
            raise _refused(name, f"answered {edit} for a text of {len(text)} characters")
        # An insertion where another replacement ends could stand on either side of it.
        floor = edits[-1].end + (edit.start == edit.end) if edits else 0
        if edit.start < floor:
            raise _refused(name, f"answered {edit}, which overlaps the one before or precedes it")
        edits.append(edit)
    return [edit for edit in edits if text[edit.start : edit.end] != edit.after]


def _leaves_ink(text: str, edits: Sequence[Replacement]) -> bool:
    if not text.strip() or any(edit.after.strip() for edit in edits):
        return True
    left = np.array([not char.isspace() for char in text])
    for start, end, _ in edits:
        left[start:end] = False
    return bool(left.any())


def _to_splices(batch: TextBatch, rows: list[int], edits: list[Replacement]) -> Splices:
    numbers = np.array(rows, np.int64)
    first = batch.offsets[numbers]
    starts = np.array([edit.start for edit in edits], np.int64)
    ends = np.array([edit.end for edit in edits], np.int64)
    return Splices(
        numbers, first + starts, first + ends, Strings.of([edit.after for edit in edits])
    )


def _refused(name: str, what: str) -> InputError:
    return InputError(
        f"the noise plug-in {name!r} {what}",
        code="CS-R005",
        place="noise.steps",
        hint="this is a fault of the plug-in: tell its author, or take the step out",
    )
