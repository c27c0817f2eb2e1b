"""Prompts to token ids and token ids to text, the same way wherever either is needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.errors import InputError
from tasks.generation.folders import damaged


def load_tokenizer(path: Path) -> Any:
    """Load the tokenizer of a checked model folder; nothing is fetched and no foreign code runs.

    Raises:
        InputError: If it is missing or damaged (CS-M003).
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    # Each tokenizer class fails in its own way on a bad file: the cause goes into the message.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise damaged(f"the tokenizer cannot be loaded: {reason[0]}", place=path) from error


class PromptCodec:
    """A tokenizer as generation uses it.

    With a chat template, prompts carry the control tokens that the template wrote; without one, a
    prompt is plain text: the tokenizer adds its opening token, and text that looks like a control
    token stays text.

    Args:
        tokenizer: The model's tokenizer.
        chat: Whether its chat template is heeded; a masked model is given the text itself.
    """

    def __init__(self, tokenizer: Any, *, chat: bool = True) -> None:
        self._tokenizer = tokenizer
        self.is_chat: bool = chat and bool(tokenizer.chat_template)
        # Chat formats also use tokens that are not declared special, `<tool_call>` for one. Some
        # tokenizers add runs of spaces too, which open nothing.
        added = {token.content for token in tokenizer.added_tokens_decoder.values()}
        controls = {token for token in {*added, *tokenizer.all_special_tokens} if token.strip()}
        self._controls = sorted(controls, key=lambda token: (-len(token), token))

    def format_prompt(self, text: str) -> str:
        """Wrap `text` as one user turn in the chat format, or return it when there is none.

        A control token that stands in `text` gets a space after its first character, so that no
        text can end its own turn or open another.

        Raises:
            InputError: If the tokenizer's template fails (CS-M003).
        """
        if not self.is_chat:
            return text
        for token in self._controls:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
                )
            )
        # The template is the model author's program: it may raise anything.
        except Exception as error:
            raise InputError(
                f"the model's chat template fails: {error}",
                code="CS-M003",
                place="model.name",
                hint="choose a model whose chat template takes a single user message",
            ) from error

    def encode(self, prompts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of prompts that `format_prompt` returned, as the model gets them."""
        if not prompts:
            return []
        # A lone surrogate is no text for any tokenizer; the row must not take the others with it.
        texts = [prompt.encode("utf-8", "replace").decode("utf-8") for prompt in prompts]
        encoded = self._tokenizer(
            texts,
            add_special_tokens=not self.is_chat,
            split_special_tokens=not self.is_chat,
            padding=False,
            truncation=False,
            return_attention_mask=False,
            verbose=False,
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def encode_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[list[int], list[int]]]:
        """Return the token ids of prompts and of the texts that go on from them.

        A prompt is encoded as for generation. A text is encoded behind the last line of its prompt,
        for tokenizers treat a text's start in their own ways, and that line's tokens are dropped.
        Where they change with what follows (a token reaches over the seam), it is encoded alone.

        Args:
            pairs: Prompts that `format_prompt` returned, and the texts behind them.
        """
        prompts = list(dict.fromkeys(prompt for prompt, _ in pairs))
        starts = dict(zip(prompts, self.encode(prompts), strict=True))
        tails = [(prompt[prompt.rstrip().rfind("\n") + 1 :], text) for prompt, text in pairs]
        ends = {tail: self._encode_behind(*tail) for tail in dict.fromkeys(tails)}
        return [
            (starts[prompt], ends[tail]) for (prompt, _), tail in zip(pairs, tails, strict=True)
        ]

    def _encode_behind(self, line: str, text: str) -> list[int]:
        before, both, alone = (self._encode_bare(part) for part in (line, line + text, text))
        return both[len(before) :] if both[: len(before)] == before else alone

    def _encode_bare(self, text: str) -> list[int]:
        encoded = self._tokenizer(
            text.encode("utf-8", "replace").decode("utf-8"),
            add_special_tokens=False,
            split_special_tokens=not self.is_chat,
            return_attention_mask=False,
            verbose=False,
        )
        return list(encoded["input_ids"])

    @property
    def opening_id(self) -> int | None:
        """The token that a text with nothing before it stands behind: the opening, or the end."""
        value: int | None = self._tokenizer.bos_token_id
        return self.end_id if value is None else value

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of `tokens` without special tokens, spaces as the model wrote them."""
        return str(
            self._tokenizer.decode(
                list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def decode_each(self, tokens: Sequence[int]) -> list[str]:
        """Return the text of each token by itself, control tokens included."""
        texts = self._tokenizer.batch_decode(
            [[token] for token in tokens], clean_up_tokenization_spaces=False
        )
        return [str(text) for text in texts]

    @property
    def tokenizer(self) -> Any:
        """The tokenizer itself."""
        return self._tokenizer

    @property
    def end_id(self) -> int | None:
        """The tokenizer's own end-of-text token."""
        value: int | None = self._tokenizer.eos_token_id
        return value
