"""Masks that hold a model to an output's form: which tokens may come next on every lane.

B lanes, V vocabulary, W words of 32 bits that hold a mask (V / 32, rounded up).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from schemas.errors import InputError
from schemas.output import Output, grammar_of

_PROBE_STEPS = 32


class FormState:
    """How far one lane's text has come in its form. It depends on the lane's own tokens alone.

    Args:
        matcher: llguidance's matcher, at the beginning of the form.
        end_ids: Tokens that end a text.
    """

    __slots__ = ("_end_ids", "_ended", "_matcher")

    def __init__(self, matcher: Any, *, end_ids: frozenset[int]) -> None:
        self._matcher = matcher
        self._end_ids = end_ids
        self._ended = False

    @property
    def is_complete(self) -> bool:
        """Whether the text may end here: it has the form, or it can no longer get it."""
        return self.must_end or bool(self._matcher.is_accepting())

    @property
    def must_end(self) -> bool:
        """Whether nothing but an end token may follow; it then comes before `length.min`."""
        return self._ended or bool(self._matcher.is_stopped())

    @property
    def is_broken(self) -> bool:
        """Whether the form was left, or grew beyond its limits; the text must be rejected."""
        return bool(self._matcher.is_error())

    def accept(self, token: int) -> None:
        """Read the token that the lane chose; one that is not allowed breaks the form."""
        if token in self._end_ids:
            self._ended = True
        elif not self._ended:
            self._matcher.consume_token(token)

    @property
    def matcher(self) -> Any:
        """What computes the mask."""
        return self._matcher


class Constraint:
    """One form over one model's vocabulary. The form is compiled once; states are cheap copies.

    Args:
        output: The form.
        tokenizer: A fast tokenizer of transformers.
        vocabulary_size: V, the width of the model's logits; it may exceed the tokenizer's
            vocabulary, and the tokens beyond are never allowed.
        end_ids: Tokens that end a text, at least one below V.

    Raises:
        InputError: If the tokenizer is not a fast one, or no token ends a text (CS-M004).
    """

    def __init__(
        self, output: Output, *, tokenizer: Any, vocabulary_size: int, end_ids: Sequence[int]
    ) -> None:
        from llguidance import LLExecutor, LLMatcher

        ends = sorted({token for token in end_ids if token < vocabulary_size})
        if not ends:
            raise _unsuited("no token of the model ends a text")
        self._end_ids = frozenset(ends)
        self._vocabulary_size = vocabulary_size
        vocabulary = _vocabulary(tokenizer, size=vocabulary_size, end_id=ends[0])
        self._num_words = -(-vocabulary.vocab_size // 32)
        self._start = LLMatcher(vocabulary, grammar_of(output), log_level=0)
        if self._start.is_error():
            raise _unsuited(self._start.get_error().splitlines()[0][:200])
        self._executor = LLExecutor()
        self._ends = ends
        others = np.ones(self._num_words * 32, dtype=np.uint8)
        others[ends] = others[vocabulary_size:] = 0
        self._no_end_W = np.packbits(others, bitorder="little").view(np.int32)
        self._probe()

    def open(self) -> FormState:
        """Begin one lane's text."""
        return FormState(self._start.deep_copy(), end_ids=self._end_ids)

    def allowed(self, states: Sequence[FormState]) -> Tensor:
        """Say which tokens may come next.

        Every line allows at least one token: a lane that has ended, must end or has broken its form
        may only end.

        Returns:
            Shape `(B, V)`, bool, on the CPU, in the order of `states`.
        """
        words_BW = np.zeros((len(states), self._num_words), dtype=np.int32)
        going = [(state.matcher, lane) for lane, state in enumerate(states) if not state.must_end]
        if going:
            self._executor.unsafe_compute_mask_ptr(
                going, words_BW.ctypes.data, self._num_words * 4, len(states)
            )
        words_BW &= self._no_end_W
        # Asked for after the masks: making one can find out that a form leads nowhere.
        complete_B = np.array([state.is_complete for state in states], dtype=np.bool_)
        bits_BV = np.unpackbits(words_BW.view(np.uint8), axis=1, bitorder="little")
        allowed_BV = bits_BV[:, : self._vocabulary_size].view(np.bool_)
        allowed_BV[:, self._ends] = (complete_B | ~words_BW.any(axis=1))[:, None]
        return torch.from_numpy(allowed_BV)

    def _probe(self) -> None:
        """Follow the form for some tokens: a small vocabulary may lack a character that it needs.

        The library's mask then names another token, which the form refuses.
        """
        state = self.open()
        for _ in range(_PROBE_STEPS):
            allowed_V = self.allowed([state])[0]
            allowed_V[self._ends] = False
            if not allowed_V.any():
                return
            state.accept(int(allowed_V.to(torch.uint8).argmax()))
            if state.is_broken:
                raise _unsuited("its vocabulary cannot write the form")


def _vocabulary(tokenizer: Any, *, size: int, end_id: int) -> Any:
    from llguidance.hf import from_tokenizer
    from transformers import PreTrainedTokenizerFast

    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise _unsuited("its tokenizer is not a fast one")
    return from_tokenizer(tokenizer, n_vocab=max(size, len(tokenizer)), eos_token=end_id)


def _unsuited(reason: str) -> InputError:
    return InputError(
        f"prompt.output cannot be used with this model: {reason}",
        code="CS-M004",
        place="model.name",
        hint="choose a model with a fast tokenizer and an end-of-text token, or leave out the form",
    )
