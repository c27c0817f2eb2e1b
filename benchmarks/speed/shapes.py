"""Models of known shapes with random weights, and the roofline of their decoding.

The shapes are those of the public configurations. The weights are random, so nothing is
downloaded; the last norm is scaled until the next-token distribution is about as peaked as a real
model's, for a flat one would make every truncation look slow.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_LOGIT_DEVIATION = 4.0
"""Standard deviation of the logits: some 3 nats of entropy over 50,000 tokens."""
_INITIALIZER_RANGE = 0.02


@dataclass(frozen=True)
class Shape:
    """A decoder-only model's size.

    Args:
        model_type: `llama` or `qwen3`.
        layers: Layers.
        hidden: Width.
        heads: Query heads.
        kv_heads: Key and value heads.
        head_dim: Width of a head.
        intermediate: Width of the gated layer.
        vocabulary: Token ids.
        tied: Whether the output projection is the embedding.
    """

    model_type: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool

    @property
    def step_parameters(self) -> int:
        """Weights that one decoding step reads and multiplies by: all but an untied embedding."""
        attention = self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)
        gated = 3 * self.hidden * self.intermediate
        return self.layers * (attention + gated) + self.hidden * self.vocabulary

    @property
    def cache_entries(self) -> int:
        """Keys and values of one token."""
        return 2 * self.layers * self.kv_heads * self.head_dim


SHAPES = {
    "smollm2-135m": Shape("llama", 30, 576, 9, 3, 64, 1536, 49_152, tied=True),
    "qwen3-0.6b": Shape("qwen3", 28, 1024, 16, 8, 128, 3072, 151_936, tied=True),
    "smollm2-1.7b": Shape("llama", 24, 2048, 32, 32, 64, 8192, 49_152, tied=True),
    "qwen3-8b": Shape("qwen3", 36, 4096, 32, 8, 128, 12_288, 151_936, tied=False),
    "tiny": Shape("llama", 2, 64, 4, 2, 16, 128, 512, tied=True),
}


@dataclass(frozen=True)
class Ceiling:
    """What the device can do at most, measured.

    Args:
        bytes_per_second: Bytes read and written by a large copy.
        flops: Operations of a large matrix product in the model's dtype.
    """

    bytes_per_second: float
    flops: float

    def tokens_per_second(
        self, shape: Shape, *, batch_size: int, context: float, item_bytes: int
    ) -> float:
        """Bound the decoding speed: `step >= max((W + B*L*kv) / bandwidth, 2*P*B / FLOPS)`.

        Args:
            shape: The model.
            batch_size: Sequences in a step (B).
            context: Mean number of tokens before the one decoded (L).
            item_bytes: Bytes of a weight and of a cache entry.
        """
        cache = batch_size * context * shape.cache_entries
        moved = item_bytes * (shape.step_parameters + cache)
        step = max(
            moved / self.bytes_per_second, 2 * shape.step_parameters * batch_size / self.flops
        )
        return batch_size / step


def write_model(shape: Shape, folder: Path, *, device: str, dtype: str, max_tokens: int) -> None:
    """Write a model folder with random weights and a word-level tokenizer.

    Args:
        shape: Its size.
        folder: An empty folder.
        device: Where the weights are drawn.
        dtype: What they are stored in.
        max_tokens: Longest context.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(
        shape.model_type,
        num_hidden_layers=shape.layers,
        hidden_size=shape.hidden,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        intermediate_size=shape.intermediate,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
        max_position_embeddings=max_tokens,
        initializer_range=_INITIALIZER_RANGE,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=1,
    )
    with torch.device(device):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    scale = _LOGIT_DEVIATION / (_INITIALIZER_RANGE * shape.hidden**0.5)
    model.model.norm.weight.data.fill_(scale)
    model.save_pretrained(folder)
    _write_tokenizer(folder, vocabulary=shape.vocabulary, max_tokens=max_tokens)


def _write_tokenizer(folder: Path, *, vocabulary: int, max_tokens: int) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<end>": 0, "<pad>": 1} | {f"w{token}": token for token in range(2, vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<end>",
        pad_token="<pad>",
        padding_side="left",
        model_max_length=max_tokens,
    ).save_pretrained(folder)


def measure_ceiling(*, device: str, dtype: str) -> Ceiling:
    """Time a large copy and a large matrix product on a device; the best of several."""
    import torch

    on_gpu = device.startswith("cuda")
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    kind = getattr(torch, dtype)
    source = torch.zeros((1 << 30) if on_gpu else (1 << 25), dtype=kind, device=device)
    target = torch.empty_like(source)
    size = 8192 if on_gpu else 1024
    square = torch.ones(size, size, dtype=kind, device=device)
    seconds = {"copy": float("inf"), "product": float("inf")}
    works = {"copy": lambda: target.copy_(source), "product": lambda: square @ square}
    for _ in range(8):
        for name, work in works.items():
            wait()
            started = time.perf_counter()
            work()
            wait()
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    return Ceiling(2 * source.nbytes / seconds["copy"], 2 * size**3 / seconds["product"])


def main() -> None:
    """Write a model folder and print the device's ceiling: `NAME FOLDER DEVICE DTYPE TOKENS`."""
    name, folder, device, dtype, max_tokens = sys.argv[1:]
    write_model(SHAPES[name], Path(folder), device=device, dtype=dtype, max_tokens=int(max_tokens))
    print(json.dumps(asdict(measure_ceiling(device=device, dtype=dtype))))


if __name__ == "__main__":
    main()
