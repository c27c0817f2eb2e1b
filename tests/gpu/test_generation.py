"""Generation on CUDA: the same laws, the same rows as on the CPU in float32."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from schemas.recipe import TransformersModel
from schemas.strategies import STRATEGY_CLASSES, Length, NoisyChannel
from tasks.decoding.sampling import fold, uniforms
from tasks.generation.backends import open_backend
from tasks.generation.protocol import Request

# The noisy channel decodes nothing itself: it ranks what the others wrote.
KINDS = [kind for kind in STRATEGY_CLASSES if kind is not NoisyChannel]

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("llama")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(
        models.BPE(vocab={"<|end|>": 0} | {b: 1 + i for i, b in enumerate(alphabet)}, merges=[])
    )
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|end|>").save_pretrained(path)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        config = LlamaConfig(
            vocab_size=257,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=128,
            initializer_range=0.3,
            eos_token_id=0,
        )
        LlamaForCausalLM(config).save_pretrained(path)
    return path


def texts(folder, **settings):
    backend = open_backend(TransformersModel(name=str(folder), **settings), folder=folder)
    requests = [
        Request(row, 0, row + 9, "x", "w" * (row % 11 + 1), kind(length=Length(max=20)))
        for row in range(40)
        for kind in [KINDS[row % len(KINDS)]]
    ]
    return {c.request.row: (c.text, c.error) for c in backend.generate(requests)}


def test_hashes_on_the_device_are_the_cpus():
    keys = torch.arange(1000) * 7919
    step_keys = fold(keys, torch.tensor(3))
    on_device = fold(keys.cuda(), torch.tensor(3, device="cuda"))
    assert torch.equal(on_device.cpu(), step_keys)
    assert torch.equal(uniforms(on_device, keys.cuda()).cpu(), uniforms(step_keys, keys))


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_float32_rows_are_the_cpus(folder, batch_size):
    expected = texts(folder, device="cpu", batch_size=8)
    assert texts(folder, device="cuda", dtype="float32", batch_size=batch_size) == expected


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_strict_rows_are_reproducible(folder, dtype):
    options = {"device": "cuda", "dtype": dtype, "deterministic": "strict"}
    assert texts(folder, **options) == texts(folder, **options)


def test_the_automatic_settings_run_on_the_device(folder):
    backend = open_backend(TransformersModel(name=str(folder)), folder=folder)
    assert backend.info.device == "cuda"
    assert all(error is None for _, error in texts(folder).values())
