"""A model's family is told by its configuration, and what it cannot do is said at once."""

import json
from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.manifest import ModelInfo
from schemas.recipe import Recipe
from tasks.generation.families import check_family, family_of
from tasks.generation.folders import ModelFolder

EXAMPLES = {"path": "examples.jsonl", "per_row": 1}
TOKEN_KINDS = ["greedy", "temperature", "top_k", "nucleus", "min_p", "typical"]


def folder_of(**config) -> ModelFolder:
    return ModelFolder(Path("model"), "model", None, config, ())


def recipe_of(*strategies, examples=EXAMPLES, **model) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "x",
            "rows": 4,
            "labels": {"a": "says a"},
            "prompt": {"template": "rewrite", "examples": examples},
            "model": model,
            "strategies": list(strategies) or [{"kind": "nucleus"}],
        }
    )


@pytest.mark.parametrize(
    ("config", "family"),
    [
        ({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, "decoder"),
        ({"model_type": "llama"}, "decoder"),
        ({"model_type": "bert", "architectures": ["BertLMHeadModel"]}, "decoder"),
        ({"model_type": "bert", "is_decoder": True}, "decoder"),
        ({"model_type": "bert"}, "masked"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "masked"),
        ({"model_type": "distilbert", "architectures": ["DistilBertForMaskedLM"]}, "masked"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "encoder_decoder"),
        ({"model_type": "bart", "is_encoder_decoder": True}, "encoder_decoder"),
        ({"model_type": "bart", "architectures": ["BartForCausalLM"]}, "decoder"),
    ],
)
def test_the_family_is_told_by_the_classes_named_or_by_the_type(config, family):
    assert family_of(folder_of(**config)) == family


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": ["bert"]},
        {"model_type": "bert", "architectures": ["BertModel"]},
        {"model_type": "bert", "architectures": [["BertForMaskedLM"]]},
        {"model_type": "vit", "architectures": ["ViTForImageClassification"]},
        {"model_type": "t5", "architectures": ["T5EncoderModel"], "is_encoder_decoder": True},
        {"model_type": "llama", "architectures": ["LlamaForSequenceClassification"]},
        {
            "model_type": "whisper",
            "architectures": ["WhisperForConditionalGeneration"],
            "is_encoder_decoder": True,
        },
    ],
)
def test_what_writes_no_text_is_refused(config):
    with pytest.raises(InputError, match="is not supported") as caught:
        family_of(folder_of(**config))
    assert caught.value.code == "CS-M004"


@pytest.mark.parametrize(
    ("kind", "family"),
    [("t5", "encoder_decoder"), ("bart", "encoder_decoder"), ("mt5", "encoder_decoder"),
     ("bert", "masked"), ("roberta", "masked"), ("distilbert", "masked"),
     ("bloom", "decoder"), ("mistral", "decoder")],
)  # fmt: skip
def test_models_as_transformers_saves_them_are_recognised(family_model, kind, family):
    config = json.loads((family_model(kind) / "config.json").read_text("utf-8"))
    assert family_of(folder_of(**config)) == family


def test_positions_that_are_never_used_do_not_count(family_model):
    for kind in ("bert", "roberta", "distilbert", "bart"):
        config = json.loads((family_model(kind) / "config.json").read_text("utf-8"))
        assert folder_of(**config).context_length == 128


@pytest.mark.parametrize(
    ("family", "prompt", "reply", "fits"),
    [
        ("decoder", 60, 40, True),
        ("decoder", 60, 41, False),
        ("encoder_decoder", 100, 99, True),
        ("encoder_decoder", 101, 1, False),
        ("encoder_decoder", 1, 100, False),
        ("masked", 100, 1000, True),
        ("masked", 101, 1, False),
    ],
)
def test_each_family_has_its_own_room(family, prompt, reply, fits):
    info = ModelInfo(id="m", weights_sha256="", backend="x", context_length=100, family=family)
    assert info.holds(prompt=prompt, reply=reply) == fits


@pytest.mark.parametrize(
    ("family", "strategy", "code"),
    [
        ("encoder_decoder", {"kind": "contrastive"}, "CS-M006"),
        ("masked", {"kind": "contrastive"}, "CS-M006"),
        ("masked", {"kind": "beam"}, "CS-M006"),
        ("masked", {"kind": "diverse_beam"}, "CS-M006"),
        ("masked", {"kind": "stochastic_beam"}, "CS-M006"),
        ("masked", {"kind": "noisy_channel"}, "CS-M006"),
        ("masked", {"kind": "arithmetic"}, "CS-M006"),
        ("masked", {"kind": "nucleus", "best_of": {"n": 2}}, "CS-M006"),
        ("masked", {"kind": "nucleus", "length": {"max": 9}}, "CS-R007"),
        ("masked", {"kind": "greedy", "stop": ["."]}, "CS-R007"),
    ],
)
def test_what_a_family_cannot_do_is_refused_where_it_stands(family, strategy, code):
    recipe = recipe_of({"kind": "nucleus"}, strategy)
    check_family(recipe, "decoder")
    with pytest.raises(InputError) as caught:
        check_family(recipe, family)
    assert caught.value.code == code
    assert caught.value.place.startswith("strategies.1")
    assert caught.value.hint


@pytest.mark.parametrize("family", ["encoder_decoder", "masked"])
def test_token_strategies_are_for_every_family(family):
    check_family(recipe_of(*({"kind": kind} for kind in TOKEN_KINDS)), family)
    if family == "encoder_decoder":
        check_family(recipe_of({"kind": "beam"}, {"kind": "stochastic_beam"}), family)


@pytest.mark.parametrize(
    ("examples", "place"),
    [
        (None, "prompt"),
        ({**EXAMPLES, "per_row": 0}, "prompt"),
        ({**EXAMPLES, "draw": "mixed"}, "prompt.examples.draw"),
    ],
)
def test_a_masked_model_needs_texts_of_the_rows_own_labels(examples, place):
    recipe = recipe_of(examples=examples)
    check_family(recipe, "decoder")
    with pytest.raises(InputError) as caught:
        check_family(recipe, "masked")
    assert (caught.value.code, caught.value.place) == ("CS-R007", place)


def test_a_mask_rate_is_for_masked_models():
    recipe = recipe_of(mask_rate=0.5)
    check_family(recipe, "masked")
    for family in ("decoder", "encoder_decoder"):
        check_family(recipe_of(), family)
        with pytest.raises(InputError) as caught:
            check_family(recipe, family)
        assert (caught.value.code, caught.value.place) == ("CS-R007", "model.mask_rate")
