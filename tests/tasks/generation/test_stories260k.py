"""A model whose story is published: llama2.c's stories260K, converted, tells it word for word.

llama2.c rotates neighbouring pairs of a head's dimensions, transformers the two halves, so the rows
of the query and key matrices change places. Layout: `run.c` of karpathy/llama2.c.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, processors
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from schemas.recipe import TransformersModel
from schemas.strategies import Greedy, Length
from tasks.generation.protocol import Request
from tasks.generation.transformers_backend import TransformersBackend

pytestmark = pytest.mark.shared

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
NUM_TOKENS = 256
STORY = """\
Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One \
day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, \
"I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she said, "I'm sorry, mom. I didn't know what to do." Her mom \
said, "Don't worry, Lily. We can help you."""
"""`./run stories260K.bin -z tok512.bin -t 0.0`, from doc/stories260K.md of karpathy/llama2.c."""


class Weights:
    """The floats of a checkpoint, taken off in the order in which they stand."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        self.header = struct.unpack_from("7i", content)
        self._floats = torch.from_numpy(np.frombuffer(content, np.float32, offset=28).copy())
        self._taken = 0

    def take(self, *shape: int) -> Tensor:
        start = self._taken
        self._taken += int(np.prod(shape))
        return self._floats[start : self._taken].view(shape)


def halves(matrices: Tensor, head_size: int) -> Tensor:
    """Put each head's even rows before its odd ones, shape `(layers, rows, columns)`."""
    layers, rows, columns = matrices.shape
    heads = matrices.view(layers, rows // head_size, head_size // 2, 2, columns)
    return heads.transpose(2, 3).reshape(layers, rows, columns)


def convert_model(path: Path) -> LlamaForCausalLM:
    weights = Weights(path)
    width, hidden, layers, heads, kv_heads, vocabulary, context = weights.header
    head = width // heads
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=1,
        # The training texts follow one another, each behind the opening token.
        eos_token_id=1,
        pad_token_id=None,
    )
    model = LlamaForCausalLM(config)
    state = {"model.embed_tokens.weight": weights.take(vocabulary, width)}
    stacks = {
        "input_layernorm": weights.take(layers, width),
        "self_attn.q_proj": halves(weights.take(layers, width, width), head),
        "self_attn.k_proj": halves(weights.take(layers, kv_heads * head, width), head),
        "self_attn.v_proj": weights.take(layers, kv_heads * head, width),
        "self_attn.o_proj": weights.take(layers, width, width),
        "post_attention_layernorm": weights.take(layers, width),
        "mlp.gate_proj": weights.take(layers, hidden, width),
        "mlp.down_proj": weights.take(layers, width, hidden),
        "mlp.up_proj": weights.take(layers, hidden, width),
    }
    for name, stack in stacks.items():
        for layer, weight in enumerate(stack):
            state[f"model.layers.{layer}.{name}.weight"] = weight
    state["model.norm.weight"] = weights.take(width)
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model


def read_pieces(path: Path) -> list[str]:
    """Read the pieces of the vocabulary; what follows in score comes later."""
    content, place, pieces = path.read_bytes(), 4, []
    while place < len(content):
        _, length = struct.unpack_from("fi", content, place)
        place += 8 + length
        pieces.append(content[place - length : place].decode())
    return [UNKNOWN, BEGIN, END, *(piece.replace(" ", "\u2581") for piece in pieces[3:])]


def convert_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    ids = {piece: place for place, piece in enumerate(read_pieces(path))}
    # The order of the ids is that of the scores, and the better score is merged first.
    merges = [
        (piece[:cut], piece[cut:])
        for piece in ids
        for cut in range(1, len(piece))
        if piece[:cut] in ids and piece[cut:] in ids
    ]
    core = Tokenizer(
        models.BPE(vocab=ids, merges=merges, unk_token=UNKNOWN, byte_fallback=True, fuse_unk=True)
    )
    core.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    core.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", left=1),
        ]
    )
    core.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, ids[BEGIN])]
    )
    wrap: Any = PreTrainedTokenizerFast
    wrapped: PreTrainedTokenizerFast = wrap(
        tokenizer_object=core, unk_token=UNKNOWN, bos_token=BEGIN, eos_token=BEGIN
    )
    return wrapped


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = shared / "models" / "stories260k"
    made = tmp_path_factory.mktemp("models") / "stories260k"
    convert_model(source / "stories260K.bin").save_pretrained(made)
    convert_tokenizer(source / "tok512.bin").save_pretrained(made)
    assert (made / "model.safetensors").is_file()
    return made


@pytest.fixture(scope="module")
def backend(folder: Path) -> TransformersBackend:
    return TransformersBackend(
        TransformersModel(name=str(folder), device="cpu", dtype="float32"), folder=folder
    )


def request(row: int, prompt: str, max_tokens: int) -> Request:
    greedy = Greedy(length=Length(max=max_tokens))
    return Request(row=row, attempt=0, seed=row, label="story", prompt=prompt, strategy=greedy)


def test_generate_tells_the_published_story(folder: Path) -> None:
    """The conversion is right, whatever our engine does."""
    model: Any = LlamaForCausalLM.from_pretrained(folder)
    tokenizer: Any = PreTrainedTokenizerFast.from_pretrained(folder)
    prompt = tokenizer("", return_tensors="pt", return_token_type_ids=False)
    assert prompt["input_ids"].tolist() == [[1]]
    told = model.generate(**prompt, max_new_tokens=NUM_TOKENS, do_sample=False, pad_token_id=0)
    assert tokenizer.decode(told[0], skip_special_tokens=True) == STORY


def test_the_backend_tells_the_published_story(backend: TransformersBackend) -> None:
    (told,) = backend.generate([request(0, "", NUM_TOKENS)])
    assert told.text == STORY
    assert (told.num_tokens, told.finish_reason) == (NUM_TOKENS, "length")


def test_the_story_is_told_in_company_and_from_any_word(backend: TransformersBackend) -> None:
    beginnings = ["", "Once upon a time,", STORY.partition(" One day")[0]]
    requests = [request(row, text, 60) for row, text in enumerate(beginnings)]
    for reply in backend.generate(requests):
        told = f"{beginnings[reply.request.row]} {reply.text}".strip()
        assert STORY.startswith(told)
        assert reply.num_tokens == 60
