"""A tiny random model of every kind that the tests need, made once, in Hugging Face layout."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    BartConfig,
    BertConfig,
    BloomConfig,
    DistilBertConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MT5Config,
    PreTrainedTokenizerFast,
    RobertaConfig,
    T5Config,
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


MASK, CLS, SEP, UNK = "<|mask|>", "<|cls|>", "<|sep|>", "<|unk|>"
_BART_LIKE = {
    "vocab_size": 262,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": CONTEXT,
    "init_std": 0.5,
    "pad_token_id": 1,
    "bos_token_id": 3,
    "eos_token_id": 0,
    "decoder_start_token_id": 0,
    "forced_eos_token_id": None,
    "tie_word_embeddings": False,
}
_T5_LIKE = {
    "vocab_size": 262,
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 2,
    "initializer_factor": 2.0,
    "pad_token_id": 1,
    "eos_token_id": 0,
    "decoder_start_token_id": 1,
}
_DECODER = {
    "vocab_size": 262,
    "hidden_size": 32,
    "initializer_range": 0.4,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": 1,
}
_BERT_LIKE = {
    "vocab_size": 262,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.4,
    "pad_token_id": 1,
}
FAMILY_CONFIGS = {
    "t5": lambda: T5Config(**_T5_LIKE),
    "mt5": lambda: MT5Config(**_T5_LIKE, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
    "bart": lambda: BartConfig(**_BART_LIKE),
    "bart-forced": lambda: BartConfig(**_BART_LIKE),
    "bloom": lambda: BloomConfig(**_DECODER, n_layer=2, n_head=2),
    "mistral": lambda: MistralConfig(
        **_DECODER,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        sliding_window=6,
        max_position_embeddings=CONTEXT,
    ),
    "bert": lambda: BertConfig(**_BERT_LIKE),
    "roberta": lambda: RobertaConfig(
        **_BERT_LIKE | {"max_position_embeddings": CONTEXT + 2}, bos_token_id=3, eos_token_id=0
    ),
    "distilbert": lambda: DistilBertConfig(
        vocab_size=262,
        dim=32,
        n_layers=2,
        n_heads=2,
        hidden_dim=48,
        max_position_embeddings=CONTEXT,
        initializer_range=0.4,
        pad_token_id=1,
    ),
}
_MASKED = ("bert", "roberta", "distilbert")


def encoder_tokenizer(*, opens: bool) -> PreTrainedTokenizerFast:
    """One token a byte; a text ends with a token of the model's own and may open with one."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    controls = {END: 0, PAD: 1, MASK: 2, CLS: 3, SEP: 4, UNK: 5}
    vocabulary = controls | {byte: 6 + place for place, byte in enumerate(alphabet)}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    last = SEP if opens else END
    core.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}" if opens else f"$A {END}",
        special_tokens=[(CLS, 3), (last, controls[last])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=PAD,
        mask_token=MASK,
        cls_token=CLS,
        sep_token=SEP,
        unk_token=UNK,
        clean_up_tokenization_spaces=False,
    )


@pytest.fixture(scope="session")
def family_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny random model of a type: a key of `FAMILY_CONFIGS`."""
    made: dict[str, Path] = {}

    def write(kind: str) -> Path:
        config = FAMILY_CONFIGS[kind]()
        automatic = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        automatic = AutoModelForMaskedLM if kind in _MASKED else automatic
        folder = tmp_path_factory.mktemp(kind)
        with torch.random.fork_rng():
            torch.manual_seed(11)
            model = automatic.from_config(config)
        if kind == "bart-forced":
            model.generation_config.forced_bos_token_id = 3
        model.save_pretrained(folder)
        encoder_tokenizer(opens=kind in _MASKED).save_pretrained(folder)
        return folder

    def folder_of(kind: str) -> Path:
        if kind not in made:
            made[kind] = write(kind)
        return made[kind]

    return folder_of


@pytest.fixture(scope="session")
def word_piece() -> PreTrainedTokenizerFast:
    """A tokenizer like BERT's: lower case, words and `##` pieces, unknown characters."""
    words = "the old card is not here dog cat can t ##s ##ing ##ed play ' . , ! ( ) - a 我 爱 你 他"
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words.split()]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    core = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece(prefix="##")
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
