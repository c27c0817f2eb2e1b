"""Texts from the starter model, by the `generate` of transformers: the one place that calls it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Sampling:
    """How a text is drawn: temperature first, then the nucleus; `temperature=0` is greedy."""

    top_p: float = 0.9
    temperature: float = 0.8
    max_new_tokens: int = 64
    batch_size: int = 200


GREEDY = Sampling(temperature=0.0)


def load_starter(folder: Path) -> tuple[LlamaForCausalLM, PreTrainedTokenizerBase]:
    """Load the model, in float32 and for inference, and its tokenizer from a local folder."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    model.train(False)
    return model, tokenizer


def complete(
    prompts: Sequence[str],
    *,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    sampling: Sampling,
    seed: int,
) -> list[str]:
    """Complete each prompt once.

    Args:
        prompts: Texts that end where the answer starts.
        model: The model, as `load_starter` gives it.
        tokenizer: Its tokenizer, which pads on the left.
        sampling: How tokens are drawn.
        seed: Seed of the whole call; a text depends on the batch it is drawn in. The state of the
            global generator is left as it was.

    Returns:
        The answers in the order of the prompts, without the outer white space.
    """
    options: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        # Without `top_k=0` the library would keep the 50 most probable tokens only.
        options = {
            "do_sample": True,
            "top_k": 0,
            "top_p": sampling.top_p,
            "temperature": sampling.temperature,
        }
    answers: list[str] = []
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        for start in range(0, len(prompts), sampling.batch_size):
            chunk = list(prompts[start : start + sampling.batch_size])
            inputs = tokenizer(chunk, return_tensors="pt", padding=True)
            tokens = model.generate(  # type: ignore[misc]
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                max_new_tokens=sampling.max_new_tokens,
                **options,
            )
            new = tokens[:, inputs["input_ids"].shape[1] :]
            answers += tokenizer.batch_decode(new, skip_special_tokens=True)
    return [answer.strip() for answer in answers]
