"""What steps need besides their configuration: opened by the caller, never by an operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from schemas.noise import RecipeStep
from tasks.noise.lexicon import Lexicon
from tasks.noise.strings import Ints
from tasks.noise.vocabulary import Vocabulary


class Tokenizer(Protocol):
    """A tokenizer as the noise stage uses it."""

    def __hash__(self) -> int:
        """What is computed once for a tokenizer is kept under it."""
        ...

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, from 0."""
        ...

    def encode_with_offsets(self, texts: Sequence[str]) -> tuple[Ints, Ints, Ints, Ints]:
        """Split N texts into T tokens, without special ones, in the order in which they stand.

        Returns:
            Ids, first code point of each token counted in its text, one past its last (tokens that
            are pieces of one code point share it), all of shape `(T,)`; and where the tokens of
            each text begin, the end last, shape `(N + 1,)`.
        """
        ...

    def decode_token(self, token_id: int) -> str:
        """Return what a token writes between two others; "" if it is special or no whole text."""
        ...


@dataclass(frozen=True)
class OpenSteps:
    """Steps with what they need.

    Args:
        steps: Steps of a recipe.
        tokenizers: By the name under which a step asks for it.
        vocabulary: The words of the corpus, for steps that replace words by others of it.
        misspellings: Users' lists of misspellings, by the path that a step gives.
    """

    steps: Sequence[RecipeStep]
    tokenizers: Mapping[str, Tokenizer] = field(default_factory=dict)
    vocabulary: Vocabulary | None = None
    misspellings: Mapping[str, Lexicon] = field(default_factory=dict)

    def tokenizer(self, name: str) -> Tokenizer:
        """Return the tokenizer of that name.

        Raises:
            ValueError: If it was not opened.
        """
        if name not in self.tokenizers:
            raise ValueError(f"no tokenizer {name!r} was opened for the noise steps")
        return self.tokenizers[name]
