"""Families of models: told by a configuration alone, and what each can be asked for."""

from typing import assert_never

from schemas.errors import InputError
from schemas.manifest import Family
from schemas.recipe import DEFAULT_MASK_RATE, Recipe, TransformersModel
from schemas.strategies import (
    LabelPosteriorScorer,
    Length,
    NoisyChannel,
    Sampled,
    Strategy,
)
from tasks.generation.folders import ModelFolder
from tasks.generation.support import FAMILY_SUPPORT, MATRIX, in_order, lacking

_NAMES: dict[Family, str] = {
    "decoder": "a decoder-only model",
    "encoder_decoder": "an encoder-decoder model",
    "masked": "a masked model",
}
_COLUMNS: dict[str, Family] = {
    "decoder-only": "decoder",
    "encoder-decoder": "encoder_decoder",
    "masked": "masked",
}


def family_of(folder: ModelFolder) -> Family:
    """Tell a model's family from the classes that its configuration names.

    Where it names none, the model's type decides; types that can be both write into gaps unless
    the configuration says that they are decoders.

    Raises:
        InputError: If transformers has no such class, or it writes no text (CS-M004).
    """
    from transformers.models.auto import modeling_auto as known

    config = folder.config
    kind, named = config.get("model_type"), config.get("architectures") or ()
    families: list[tuple[Family, object]] = [
        ("masked", known.MODEL_FOR_MASKED_LM_MAPPING_NAMES),
        ("decoder", known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
    ]
    if config.get("is_encoder_decoder"):
        families = [("encoder_decoder", known.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES)]
    elif config.get("is_decoder"):
        families.reverse()
    for family, names in families:
        classes = _classes(names, kind)
        if classes.intersection(map(str, named) if named else classes):
            return family
    raise InputError(
        f"a {'/'.join(map(str, named)) or kind or 'nameless'} model is not supported",
        code="CS-M004",
        place=str(folder.path / "config.json"),
        hint="choose a model that writes text: a ...ForCausalLM, ...ForConditionalGeneration or "
        "...ForMaskedLM class of transformers",
    )


def check_family(recipe: Recipe, family: Family) -> None:
    """Check that a model of this family can do what the recipe asks for.

    Raises:
        InputError: If it does not have a strategy (CS-M006), or keys of the recipe have no meaning
            for it (CS-R007). The place is the key, its parts joined by dots.
    """
    mask_rate = recipe.model.mask_rate if isinstance(recipe.model, TransformersModel) else None
    if family != "masked" and mask_rate not in (None, DEFAULT_MASK_RATE):
        raise _contradiction(
            "mask_rate is for masked models, and this model is none",
            place="model.mask_rate",
            hint="leave mask_rate out, or choose a masked model (BERT, RoBERTa, ...)",
        )
    for number, strategy in enumerate(recipe.strategies):
        _check_strategy(strategy, family, place=f"strategies.{number}")
    if family == "masked":
        _check_source(recipe)


def columns_of(strategy: Strategy) -> list[str]:
    """Name the columns of the matrix where a strategy runs with all that it asks for."""
    return [column for column in MATRIX if _runs(strategy, column)]


def _runs(strategy: Strategy, column: str) -> bool:
    family = _COLUMNS.get(column)
    if family is None:
        return lacking(column, strategy) is None
    try:
        _check_strategy(strategy, family, place="")
    except InputError:
        return False
    return True


def _check_strategy(strategy: Strategy, family: Family, *, place: str) -> None:
    if strategy.kind not in FAMILY_SUPPORT[family]:
        raise _missing(
            f"{_NAMES[family]} has no {strategy.kind}",
            place=place,
            hint=f"it has {', '.join(in_order(FAMILY_SUPPORT[family]))}; a decoder-only model has "
            "all",
        )
    match family:
        case "decoder":
            return
        case "encoder_decoder":
            if _reads_labels(strategy):
                raise _missing(
                    f"an encoder-decoder model cannot judge labels, which {strategy.kind} asks for",
                    place=place,
                    hint="rank by logprob or a reward model, or choose a decoder-only model",
                )
        case "masked":
            if isinstance(strategy, Sampled) and strategy.best_of is not None:
                raise _missing(
                    "a masked model has no best_of", place=f"{place}.best_of", hint="leave it out"
                )
            if strategy.length != Length() or strategy.stop:
                raise _contradiction(
                    "a masked model keeps the length of the text that it rewrites",
                    place=place,
                    hint="leave out length and stop; model.mask_rate says how much is rewritten",
                )
        case _:
            assert_never(family)


def _reads_labels(strategy: Strategy) -> bool:
    if isinstance(strategy, NoisyChannel):
        return strategy.mode == "rerank"
    best_of = strategy.best_of if isinstance(strategy, Sampled) else None
    return best_of is not None and isinstance(best_of.scorer, LabelPosteriorScorer)


def _check_source(recipe: Recipe) -> None:
    """A masked model rewrites a text that it is given; the text's label carries over."""
    examples = recipe.prompt.examples
    if examples is None or examples.per_row == 0:
        raise _contradiction(
            "a masked model rewrites examples, but prompt.examples names none",
            place="prompt",
            hint="add prompt.examples with `per_row: 1`, and `template: rewrite`",
        )
    if examples.draw != "own":
        raise _contradiction(
            "a masked model rewrites examples, whose labels must be those of their rows",
            place="prompt.examples.draw",
            hint="set prompt.examples.draw to `own`",
        )


def _missing(message: str, *, place: str, hint: str) -> InputError:
    return InputError(message, code="CS-M006", place=place, hint=hint)


def _contradiction(message: str, *, place: str, hint: str) -> InputError:
    return InputError(message, code="CS-R007", place=place, hint=hint)


def _classes(names: object, kind: object) -> set[str]:
    """Name the classes that one of transformers' tables holds for a model type."""
    known = names.get(kind) if isinstance(names, dict) and isinstance(kind, str) else None
    return {known} if isinstance(known, str) else set(known or ())
