"""Wrong labels: known noise on the classes, the true ones kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.noise import LabelFlip, RecipeStep
from tasks.noise.strings import Ints
from tasks.planning.streams import U64, fold, uniforms

_WHETHER = 0


@dataclass(frozen=True, slots=True)
class FlippedLabels:
    """Labels of N rows after noise.

    Args:
        labels: The labels now.
        clean_labels: The label that was, null where it is still the same.
    """

    labels: pa.StringArray
    clean_labels: pa.StringArray


def transition_matrix(step: LabelFlip, classes: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability of each label given the one before, shape `(L, L)`.

    A label that the step does not meet, or that has no row in its matrix, keeps its own.

    Args:
        step: Uniform or with a matrix.
        classes: All labels, L of them; their order decides which draw gives which label.

    References:
        Patrini et al., Making deep neural networks robust to label noise, CVPR 2017.
        https://arxiv.org/abs/1609.03683
    """
    num = len(classes)
    places = {name: place for place, name in enumerate(classes)}
    matrix = np.eye(num)
    if step.matrix is not None:
        for name, row in step.matrix.items():
            matrix[places[name]] = 0.0
            for target, probability in row.items():
                matrix[places[name], places[target]] = probability
    elif num > 1:
        rate = step.rate or 0.0
        matrix = np.full((num, num), rate / (num - 1))
        np.fill_diagonal(matrix, 1.0 - rate)
    if step.labels is not None:
        is_kept = np.array([name not in step.labels for name in classes])
        matrix[is_kept] = np.eye(num)[is_kept]
    return matrix


def flip_labels(
    labels: Sequence[str] | pa.StringArray,
    *,
    keys: U64,
    step: LabelFlip,
    classes: Sequence[str],
) -> FlippedLabels:
    """Draw a new label for each row from the row of its label in the transition matrix.

    A row's draw is `uniforms(fold(key, 0), 0)`; its label is kept when that lies below the
    probability of keeping it, so a higher rate changes every label that a lower one changes.

    Args:
        labels: Labels of N rows.
        keys: One key a row for this step, shape `(N,)`.
        step: Uniform or with a matrix.
        classes: All labels, the order of the recipe.

    Raises:
        ValueError: If a label is none of `classes`.
    """
    codes = _codes(labels, classes)
    flipped = _draw(codes, keys=keys, step=step, classes=classes)
    return _named(codes, flipped, classes)


def flip_in_turn(
    labels: Sequence[str] | pa.StringArray,
    *,
    keys: U64,
    steps: Sequence[RecipeStep],
    classes: Sequence[str],
) -> FlippedLabels:
    """Apply the label steps among `steps` in order, each to what the one before left.

    Args:
        labels: True labels of N rows.
        keys: One key a row, shape `(N,)`; step n draws by `fold(key, n)`, as steps on texts do.
        steps: Steps of a recipe; those on texts are passed over.
        classes: All labels, the order of the recipe.

    Raises:
        ValueError: If a label is none of `classes`.
    """
    codes = _codes(labels, classes)
    flipped = codes
    for number, step in enumerate(steps):
        if isinstance(step, LabelFlip):
            flipped = _draw(flipped, keys=fold(keys, number), step=step, classes=classes)
    return _named(codes, flipped, classes)


def _codes(labels: Sequence[str] | pa.StringArray, classes: Sequence[str]) -> Ints:
    found = pa.array(labels, pa.string()).dictionary_encode()
    places = {name: place for place, name in enumerate(classes)}
    names = found.dictionary.to_pylist()
    if unknown := [name for name in names if name not in places]:
        raise ValueError(f"{unknown[0]!r} is not among the labels")
    codes = np.array([places[name] for name in names], np.int64)
    return np.asarray(codes[found.indices.to_numpy()])


def _draw(codes: Ints, *, keys: U64, step: LabelFlip, classes: Sequence[str]) -> Ints:
    matrix = transition_matrix(step, classes)
    draws = uniforms(fold(keys, _WHETHER), 0)
    flipped = codes.copy()
    for place in np.unique(codes).tolist():
        # The label itself first: the cumulative sums then begin with the probability to keep it.
        targets = np.array([place, *(other for other in range(len(classes)) if other != place)])
        ends = np.cumsum(matrix[place, targets])
        last = int(np.flatnonzero(matrix[place, targets])[-1])
        own = np.flatnonzero(codes == place)
        found = np.searchsorted(ends, draws[own], side="right")
        flipped[own] = targets[np.minimum(found, last)]
    return flipped


def _named(codes: Ints, flipped: Ints, classes: Sequence[str]) -> FlippedLabels:
    names = pa.array(classes, pa.string())
    is_same = codes == flipped
    return FlippedLabels(names.take(pa.array(flipped)), names.take(pa.array(codes, mask=is_same)))
