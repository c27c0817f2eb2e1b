"""Which operators each text meets, in what order, and how often each one edits it.

Keys follow the tree of steps: step n of the recipe draws by `fold(key, n)`, member m of a mixture
by `fold(mixture's key, m + 1)`, and the mixture itself by `fold(mixture's key, 0)`. A step that is
added at the end of a list changes no key of those before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.noise import LabelFlip, MixtureStep, OneOf, Operator, RecipeStep, Step
from tasks.noise.dice import Dice
from tasks.noise.strings import Mask
from tasks.planning.streams import U64, fold, uniforms

_OWN = 0
_HOW_MANY = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One operator's turn.

    Args:
        step: The operator.
        dice: Its draws; the rate is 0 for a text that it does not meet.
    """

    step: Operator
    dice: Dice


@dataclass(frozen=True, slots=True)
class _Texts:
    """N texts on their way down the tree.

    Args:
        keys: Key of each text at this place in the tree, shape `(N,)`.
        is_met: Which of them come this far, shape `(N,)`.
        names: The labels there are, L of them; None when the texts have none.
        numbers: Which of them each text has, shape `(N,)`.
    """

    keys: U64
    is_met: Mask
    names: tuple[str, ...] | None
    numbers: NDArray[np.intp]

    def meeting(self, step: Step) -> Mask:
        """Tell which texts a step with its `labels` meets."""
        if step.labels is None:
            return self.is_met
        is_named = np.array([name in step.labels for name in self._known_names()], np.bool_)
        return self.is_met & is_named[self.numbers]

    def rates(self, step: Operator) -> NDArray[np.float64]:
        """Return the rate of an operator for each text."""
        if not step.needs_labels:
            return np.where(self.is_met, step.rate_of(None), 0.0)
        by_name = np.array([step.rate_of(name) for name in self._known_names()], np.float64)
        return np.where(self.is_met, by_name[self.numbers], 0.0)

    def _known_names(self) -> tuple[str, ...]:
        if self.names is None:
            raise ValueError("a noise step asks for labels and the texts have none")
        return self.names


def take_turns(
    steps: Sequence[RecipeStep], *, keys: U64, labels: Sequence[str] | None
) -> Iterator[Turn]:
    """Unfold a tree of steps into the operators' turns; a step on labels has none.

    Args:
        steps: The steps of a recipe.
        keys: One key a text, shape `(N,)`.
        labels: Label of each text, for steps that ask for it.

    Raises:
        ValueError: If a step asks for labels and there are none.
    """
    names, numbers = None, np.zeros(keys.size, np.intp)
    if labels is not None:
        found, numbers = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
        names = tuple(found.tolist())
    everyone = np.ones(keys.size, np.bool_)
    for place, step in enumerate(steps):
        yield from _turns_of(step, _Texts(fold(keys, place), everyone, names, numbers))


def choose_members(step: MixtureStep, keys: U64) -> Mask:
    """Draw which members of a mixture each text meets.

    Every member draws an exponential waiting time for each text, at the speed of its weight, and
    those that come first are met. So a member that is added only takes texts from the others and
    moves none between them.

    Args:
        step: The mixture, M members.
        keys: Its key for each text, shape `(N,)`.

    Returns:
        Shape `(N, M)`.

    References:
        Efraimidis and Spirakis, Weighted random sampling with a reservoir, Information Processing
        Letters 97 (2006). https://doi.org/10.1016/j.ipl.2005.11.003
    """
    num_members = len(step.steps)
    own = fold(keys, _OWN)
    waiting = -np.log(uniforms(own[:, None], np.arange(1, num_members + 1)))
    if isinstance(step, OneOf):
        counts = np.ones(keys.size, np.int64)
        waiting /= np.array(step.weights or [1.0] * num_members)
    else:
        least, most = step.bounds
        counts = least + (uniforms(own, _HOW_MANY) * (most - least + 1)).astype(np.int64)
    places = np.argsort(np.argsort(waiting, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(places < counts[:, None])


def _turns_of(step: RecipeStep, texts: _Texts) -> Iterator[Turn]:
    if isinstance(step, LabelFlip):
        return
    if not isinstance(step, MixtureStep):
        yield Turn(step, Dice(texts.keys, texts.rates(step)))
        return
    is_met = choose_members(step, texts.keys) & texts.meeting(step)[:, None]
    for place, member in enumerate(step.steps):
        below = fold(texts.keys, place + 1)
        yield from _turns_of(member, _Texts(below, is_met[:, place], texts.names, texts.numbers))
