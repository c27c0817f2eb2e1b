"""A tiny random model of every kind that the tests need, made once, in Hugging Face layout."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

END, PAD, TURN = "<|end|>", "<|pad|>", "<|turn|>"
CONTEXT = 128
CHAT_TEMPLATE = (
    "{% for m in messages %}<|turn|>{{ m.role }}\n{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, and three control tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {END: 0, PAD: 1, TURN: 2} | {byte: 3 + i for i, byte in enumerate(alphabet)}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[TURN],
        clean_up_tokenization_spaces=False,
    )


def write_model(folder: Path, *, kind: str = "llama", chat: bool = False) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        if kind == "llama":
            config = LlamaConfig(
                vocab_size=259,
                hidden_size=48,
                intermediate_size=96,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=CONTEXT,
                initializer_range=0.3,
                bos_token_id=None,
                eos_token_id=0,
                pad_token_id=1,
            )
            model = LlamaForCausalLM(config)
        else:
            model = GPT2LMHeadModel(
                GPT2Config(
                    vocab_size=259,
                    n_embd=48,
                    n_layer=2,
                    n_head=4,
                    n_positions=CONTEXT,
                    initializer_range=0.3,
                    bos_token_id=None,
                    eos_token_id=0,
                    pad_token_id=1,
                )
            )
    tokenizer = byte_tokenizer()
    if chat:
        tokenizer.chat_template = CHAT_TEMPLATE
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("gpt2"), kind="gpt2")


@pytest.fixture(scope="session")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("chatty"), chat=True)


@pytest.fixture
def new_llama(tmp_path: Path) -> Callable[[], Path]:
    """A model folder that a test may damage."""
    return lambda: write_model(tmp_path / "model")


@pytest.fixture(scope="session")
def tinystories(shared: Path) -> Path:
    return shared / "models" / "tinystories-656k"
