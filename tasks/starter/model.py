"""The starter model's shape, its tokenizer and the files that `transformers` loads.

B sequences, T positions, N taught positions, V vocabulary.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
PADDING = "<|pad|>"
VOCABULARY_SIZE = 4096
MAX_POSITIONS = 512
IGNORED = -100
"""Target value of the positions that the loss leaves out."""


def train_tokenizer(
    texts: Iterable[str], *, vocabulary_size: int = VOCABULARY_SIZE
) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer that loses nothing: `decode(encode(x)) == x` for any text.

    The end-of-text token also opens and pads nothing; padding, on the left, has its own token. No
    special token is added to a text.

    Args:
        texts: What the merges are learned from.
        vocabulary_size: Number of tokens, with the 256 bytes and the two special tokens.
    """
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=2,
        special_tokens=[END_OF_TEXT, PADDING],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer=trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=PADDING,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=MAX_POSITIONS,
    )


def starter_config(vocabulary_size: int, *, width: int = 256, num_layers: int = 4) -> LlamaConfig:
    """Describe the network: heads of 64, gated layers 2.75 times as wide, tied embeddings."""
    return LlamaConfig(
        vocab_size=vocabulary_size,
        hidden_size=width,
        intermediate_size=width * 11 // 4,
        num_hidden_layers=num_layers,
        num_attention_heads=max(1, width // 64),
        max_position_embeddings=MAX_POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
    )


def new_model(config: LlamaConfig, *, seed: int, dropout: float = 0.0) -> LlamaForCausalLM:
    """Make an untrained model in float32.

    Args:
        config: Shape of the network.
        seed: Seed of the initial weights; the state of the global generator is left as it was.
        dropout: Probability of dropping an entry of the embeddings and of every block's output
            while training, in [0, 1). Llama has no such layers, so they hang on the modules as
            hooks and the saved model does not know them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)

    def drop(module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return nn.functional.dropout(output, dropout, module.training)

    if dropout > 0:
        for name, module in model.named_modules():
            if name.endswith(("embed_tokens", "o_proj", "down_proj")):
                module.register_forward_hook(drop)
    return model


def taught_loss(model: LlamaForCausalLM, *, tokens: Tensor, targets: Tensor) -> Tensor:
    """Sum the cross-entropy over the taught positions; logits are made for no others.

    Args:
        model: The network.
        tokens: Input ids, shape `(B, T)`, padded on the right.
        targets: Id of the token after each position, shape `(B, T)`; `IGNORED` where not taught.

    Returns:
        A scalar: nats, summed over the N taught positions.
    """
    hidden = model.model(input_ids=tokens, use_cache=False).last_hidden_state
    places = (targets.flatten() != IGNORED).nonzero()[:, 0]
    # Few different sizes: on a processor every new one costs the compilation of its kernels.
    spare = nn.functional.pad(places, (0, -len(places) % 128))
    wanted = targets.flatten()[spare]
    wanted[len(places) :] = IGNORED
    logits = model.lm_head(hidden.flatten(0, 1)[spare])
    return nn.functional.cross_entropy(
        logits.float(), wanted, ignore_index=IGNORED, reduction="sum"
    )


def count_parameters(model: nn.Module) -> int:
    """Count the weights; tied ones count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def export_model(
    model: LlamaForCausalLM, *, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    """Write weights (float16), configuration, generation settings and tokenizer into `folder`.

    Every file is replaced as a whole, so a reader never sees half of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: value.detach().to("cpu", torch.float16).contiguous()
        for name, value in model.state_dict().items()
        if name != "lm_head.weight"
    }
    temporary = folder / "model.safetensors.tmp"
    save_file(state, temporary, metadata={"format": "pt"})
    temporary.chmod(0o644)
    temporary.replace(folder / "model.safetensors")
    config = {**model.config.to_dict(), "dtype": "float16", "architectures": ["LlamaForCausalLM"]}
    write_json(folder / "config.json", config)
    ends = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    write_json(folder / "generation_config.json", ends)
    tokenizer.save_pretrained(folder)


def write_json(path: Path, content: object) -> None:
    """Write `content` as indented JSON, whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as handle:
        handle.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
