"""What ranks candidates, found when a recipe is checked and opened when it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError
from schemas.recipe import AnyModel, Recipe, TransformersModel
from schemas.recipe_file import LoadedRecipe, is_model_path
from schemas.strategies import LabelPosteriorScorer, NoisyChannel, RewardScorer, Scorer
from schemas.strategies_token import SAMPLED
from schemas.yaml_source import KeyPath, dotted
from tasks.generation.backends import Inspected, open_backend
from tasks.generation.folders import find_model
from tasks.generation.protocol import Backend, TextScorer
from tasks.generation.rankers import Questions, Ranker, Reward, TextJudge
from tasks.generation.ranking import RankedBackend, plain_strategy
from tasks.prompting.templates import Question, is_starter, load_question

_STARTERS_OPENING = "Message:"
"""What a text stands behind where the starter model has learned texts of any label."""


@dataclass(frozen=True)
class FoundReward:
    """A reward model whose files are in order.

    Args:
        model: The model with an absolute path or a commit.
        identity: SHA-256 of its weights; the commit where they are not here yet.
    """

    model: TransformersModel
    identity: str


def check_scorers(recipe: Recipe, *, place_of: Callable[[KeyPath], str] = dotted) -> None:
    """Refuse scorers that read texts with a model that only writes them.

    Args:
        recipe: The recipe.
        place_of: Names the place of a key, for an error.

    Raises:
        InputError: CS-R007.
    """
    for key, what in _judged(recipe):
        if not isinstance(recipe.model, TransformersModel):
            raise InputError(
                f"{what} reads texts with the model that wrote them, which the backend"
                f" {recipe.model.backend} does not",
                code="CS-R007",
                place=place_of(key),
                hint="use the backend transformers, or rank by logprob or a reward model",
            )


def _judged(recipe: Recipe) -> list[tuple[KeyPath, str]]:
    """List what ranks by the model's own reading of texts: its key and its name."""
    found: list[tuple[KeyPath, str]] = [
        (key, "label_posterior")
        for key, scorer in _scorers(recipe)
        if isinstance(scorer, LabelPosteriorScorer)
    ]
    for index, strategy in enumerate(recipe.strategies):
        if isinstance(strategy, NoisyChannel) and strategy.mode == "rerank":
            found.append((("strategies", index, "mode"), "rerank"))
    return found


def _scorers(recipe: Recipe) -> list[tuple[KeyPath, Scorer]]:
    return [
        (("strategies", index, "best_of", "scorer"), strategy.best_of.scorer)
        for index, strategy in enumerate(recipe.strategies)
        if isinstance(strategy, SAMPLED) and strategy.best_of is not None
    ]


def find_rewards(loaded: LoadedRecipe) -> dict[str, FoundReward]:
    """Find and check the files of every reward model that a recipe names, by that name.

    Raises:
        InputError: CS-R008 if a path leaves the recipe's folder; CS-M001 to CS-M004 if a model is
            missing, damaged, or no sequence classifier.
    """
    found: dict[str, FoundReward] = {}
    for key, scorer in _scorers(loaded.recipe):
        if isinstance(scorer, RewardScorer) and scorer.name not in found:
            try:
                found[scorer.name] = _find_reward(loaded, (*key, "name"), scorer.name)
            except InputError as error:
                if error.place.startswith("model."):
                    error.place = loaded.place((*key, "name"))
                raise
    return found


def _find_reward(loaded: LoadedRecipe, key: KeyPath, name: str) -> FoundReward:
    own = loaded.recipe.model
    model = TransformersModel(name=name)
    if isinstance(own, TransformersModel):
        model = own.model_copy(update={"name": name, "revision": None})
    if is_model_path(name, folder=loaded.folder):
        model = model.model_copy(update={"name": str(loaded.inside(key, name))})
    files = find_model(model, folder=loaded.folder, weights=False)
    # Importing transformers takes seconds: only a recipe with a reward model pays.
    from tasks.generation.sequence_classifier import check_classifier

    check_classifier(files)
    pinned = model.model_copy(update={"revision": files.revision})
    return FoundReward(pinned, files.weights_sha256 or str(files.revision))


def check_questions(loaded: LoadedRecipe, model: Inspected) -> None:
    """Refuse labels that leave no room in the context for a text that is asked about.

    Raises:
        InputError: CS-P008.
    """
    recipe = loaded.recipe
    if not (judged := _judged(recipe)):
        return
    asked = questions(recipe, format_prompt=model.format_prompt)
    longest_text = max(recipe.strategies[int(key[1])].length.max for key, _ in judged)
    question = model.count_tokens([asked.label_of("")])[0]
    answer = max(model.count_tokens(list(asked.descriptions.values())))
    if question + longest_text + answer > model.info.context_length:
        raise InputError(
            f"the question for a text's label takes {question + answer} tokens beside a text of up "
            f"to {longest_text}, and the model's context holds {model.info.context_length}",
            code="CS-P008",
            place=loaded.place(judged[0][0]),
            hint="shorten the labels' descriptions, rank by logprob, or lower length.max",
        )


def label_question(recipe: Recipe) -> Question | None:
    """Return the template that asks for a text's label; None when no strategy asks."""
    return load_question("label_of", recipe) if _judged(recipe) else None


def questions(recipe: Recipe, *, format_prompt: Callable[[str], str]) -> Questions:
    """Prepare how the recipe's model is asked about texts."""
    template = load_question("label_of", recipe)
    labels = [
        {"name": name, "description": label.description} for name, label in recipe.labels.items()
    ]
    shared = {"labels": labels, "language": recipe.language}
    return Questions(
        label_of=lambda text: format_prompt(template.render({**shared, "text": text})),
        alone=_STARTERS_OPENING if is_starter(recipe) else "",
        descriptions={
            name: " ".join(label.description.split()) for name, label in recipe.labels.items()
        },
    )


def open_ranked(
    recipe: Recipe,
    model: AnyModel,
    *,
    folder: Path,
    rewards: Mapping[str, TransformersModel],
    replay: Path | None = None,
) -> Backend:
    """Open a recipe's backend, with what ranks candidates if a strategy has any.

    Args:
        recipe: The recipe.
        model: Its model, with an absolute path in place of a relative one.
        folder: Where relative paths start.
        rewards: Its reward models by the names that it gives them.
        replay: File of an endpoint's replies that are paid already; None keeps none.

    Raises:
        InputError: As `open_backend`; CS-M004 if the model cannot read texts and a strategy asks.
    """
    backend = open_backend(model, folder=folder, replay=replay, usd=recipe.budget.usd)
    if all(plain_strategy(strategy) is strategy for strategy in recipe.strategies):
        return backend
    judge = None
    if judged := _judged(recipe):
        if not isinstance(backend, TextScorer):
            raise InputError(
                f"{judged[0][1]} reads texts with the model that wrote them, and this model cannot",
                code="CS-M004",
                place=dotted(judged[0][0]),
                hint="choose a decoder-only model, or rank by logprob or a reward model",
            )
        judge = TextJudge(backend, questions(recipe, format_prompt=backend.format_prompt))
    return RankedBackend(backend, rank=Ranker(judge, _open_rewards(rewards, folder)))


def _open_rewards(models: Mapping[str, TransformersModel], folder: Path) -> dict[str, Reward]:
    if not models:
        return {}
    from tasks.generation.reward import RewardModel

    return {
        name: RewardModel(model, folder=find_model(model, folder=folder))
        for name, model in models.items()
    }
