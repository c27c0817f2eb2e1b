"""Beginning or continuing a run, and opening what its tasks need: once a process, not a shard."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from schemas.models import OpenAIModel, VllmModel
from schemas.noise_mixtures import asks_for_tokenizer, walk
from schemas.noise_words import Misspell
from schemas.recipe import AnyModel, Recipe, TransformersModel
from schemas.recipe_identity import recipe_sha256, work_key
from tasks.generation.backends import Inspected, inspect_model
from tasks.generation.folders import STARTER_FOLDER, damaged
from tasks.generation.protocol import Backend
from tasks.generation.replay_log import take_over
from tasks.noise.opening import count_words, needs_vocabulary, open_misspellings
from tasks.noise.resources import OpenSteps, Tokenizer
from tasks.planning.plan import Plan
from tasks.planning.rounds import accepted_between
from tasks.planning.shards import TEMPORARY, combine, file_sha256, write_whole
from tasks.planning.workspace import RunFacts, Workspace, open_workspace, workspace_of
from tasks.preflight.checks import CheckedRecipe, local_model
from tasks.preflight.corruption import corrupt_texts
from tasks.preflight.ranking import label_question, open_ranked
from tasks.prompting.examples import Example, ExampleSet
from tasks.prompting.rendering import PromptWriter
from tasks.prompting.restoring import Restorer
from tasks.prompting.templates import Template
from tasks.quality.fingerprints import FingerprintIndex
from tasks.release.data_input import data_sha256
from tasks.release.manifest import package_versions
from tasks.release.outlet import Folder, Outlet, Place
from tasks.release.publish import later_than_all, latest, version_name

TRAINING_INDEX = "training_index.npy"
"""File beside a model's weights: fingerprints of its training texts, for the memorisation gate."""
_PACKAGES = ("prompts", "schemas", "tasks")


def run_facts(checked: CheckedRecipe) -> RunFacts:
    """State what a run of this recipe would be; its version and time are those of this moment."""
    recipe, info = checked.recipe, checked.model.info
    model = local_model(checked.loaded)
    if isinstance(model, TransformersModel | VllmModel) and info.revision is not None:
        # What a branch names may change while the run lasts; the commit does not.
        model = model.model_copy(update={"revision": info.revision})
    index = training_index(model)
    contents = {
        **checked.writer.contents,
        "weights": info.weights_sha256 or str(info.revision),
        "dtype": info.dtype,
        **{path: file_sha256(checked.loaded.folder / path) for path in _lists(recipe)},
        "known_texts": "none" if index is None else file_sha256(index),
        **{f"reward {name}": found.identity for name, found in checked.rewards.items()},
    }
    if (question := label_question(recipe)) is not None:
        contents["label_of"] = question.sha256
    audit_data = checked.loaded.audit_paths()
    contents |= {role: data_sha256(path) for role, path in audit_data.items()}
    own = {
        "device": info.device,
        "model": model.name,
        "program": _program_sha256(),
        "packages": combine(*sorted(package_versions().items())),
    }
    sha256 = recipe_sha256(recipe, contents=contents)
    now = datetime.now(UTC)
    return RunFacts(
        work_key=work_key(recipe, contents={**contents, **own}),
        recipe_sha256=sha256,
        inputs=contents,
        version=version_name(now, sha256),
        created=now.isoformat(timespec="seconds"),
        recipe=recipe,
        model=model,
        rewards={name: found.model for name, found in checked.rewards.items()},
        audit_data={role: str(path) for role, path in audit_data.items()},
    )


def nothing_new(home: Path, facts: RunFacts, outlet: Outlet | None = None) -> Place | None:
    """Find the release that this run would only make again; None if there is something to do.

    An unfinished run of the same recipe is something to do, and so is what a dead run left under
    temporary names: whoever holds the lock deletes it.

    Args:
        home: `OUT/NAME`, or the staging folder of a corpus that lives in a store.
        facts: What the run would be.
        outlet: Where releases go; the folder that `home` lies in when absent.
    """
    if workspace_of(home, facts).folder.is_dir() or any(home.glob(f"{TEMPORARY}*")):
        return None
    stands = outlet or Folder(home.parent)
    return stands.standing(home, recipe_sha256=facts.recipe_sha256)


def open_run(checked: CheckedRecipe, home: Path, facts: RunFacts, *, resume: str) -> Workspace:
    """Continue the unfinished run of a recipe, or begin one; call it only with `home` locked.

    A run at an endpoint that begins takes over the replies that failed runs of the same corpus paid
    for, unless it is to begin anew.

    Args:
        checked: The recipe.
        home: `OUT/NAME`.
        facts: What the run is. If it begins, its version comes after all that stand in `home`, and
            its parent is the newest release.
        resume: `auto`, `never` or `always`.
    """
    newest = latest(home.parent, home.name)
    # Where releases go to a store, the newest need not lie in `home`.
    known = () if newest is None else (newest.version,)
    began = later_than_all(home, datetime.fromisoformat(facts.created), known=known)
    place = {
        "version": version_name(began, facts.recipe_sha256),
        "parent": None if newest is None else newest.version,
    }
    workspace = open_workspace(home, facts.model_copy(update=place), resume=resume)
    if resume != "never" and isinstance(checked.recipe.model, OpenAIModel):
        take_over(workspace.kept_replies, workspace.replies)
    for path in _lists(checked.recipe):
        write_whole(workspace.lists / path, (checked.loaded.folder / path).read_bytes())
    inputs = {"template": asdict(checked.writer.template), "examples": None}
    if checked.writer.examples is not None:
        inputs["examples"] = asdict(checked.writer.examples)
    write_whole(workspace.inputs, json.dumps(inputs, ensure_ascii=False).encode())
    return workspace


@lru_cache(maxsize=1)
def prompt_writer(workspace: Workspace) -> PromptWriter:
    """Open the prompts of a run, from the template and the examples as they were at its start."""
    inputs = json.loads(workspace.inputs.read_text("utf-8"))
    recipe = workspace.facts.recipe
    examples = examples_of(workspace)
    template = Template(**inputs["template"])
    model = _inspected(workspace)
    restorer = Restorer.of(recipe, examples=examples, corrupt=corrupt_texts)
    return PromptWriter(recipe, Plan.of(recipe), template, examples, model.format_prompt, restorer)


def examples_of(workspace: Workspace) -> ExampleSet | None:
    """Read the few-shot examples of a run as they were at its start; None when it has none."""
    kept = json.loads(workspace.inputs.read_text("utf-8"))["examples"]
    if kept is None:
        return None
    pools = tuple(tuple(Example(*example) for example in pool) for pool in kept["pools"])
    return ExampleSet(pools, kept["per_row"], kept["seed"], kept["sha256"])


@lru_cache(maxsize=1)
def backend_of(workspace: Workspace) -> Backend:
    """Open the model of a run; it stays in memory for the shards to come."""
    facts = workspace.facts
    return open_ranked(
        facts.recipe,
        facts.model,
        folder=workspace.folder,
        rewards=facts.rewards,
        replay=workspace.replies,
    )


@lru_cache(maxsize=1)
def opened_steps(workspace: Workspace) -> OpenSteps:
    """Open what a run's noise steps need, once every row is accepted."""
    facts = workspace.facts
    recipe = facts.recipe
    texts = (
        accepted_between(workspace, start, start + recipe.shard_size, columns=["text"])["text"]
        for start in range(0, recipe.rows, recipe.shard_size)
    )
    return open_steps(recipe, facts.model, folder=workspace.lists.resolve(), texts=texts)


def open_steps(
    recipe: Recipe,
    model: AnyModel,
    *,
    folder: Path,
    texts: Iterable[pa.ChunkedArray],
) -> OpenSteps:
    """Open what a recipe's noise steps need: tokenizers, the corpus' words, lists of misspellings.

    Args:
        recipe: The recipe.
        model: Its model, with an absolute path in place of a relative one.
        folder: Where the paths of lists start.
        texts: The clean texts of the corpus; read only if a step asks for its words.
    """
    steps = recipe.noise.steps if recipe.noise else ()
    tokenizers: Mapping[str, Tokenizer] = {}
    if asks_for_tokenizer(steps):
        # Importing transformers takes seconds: only a recipe with steps on tokens pays.
        from tasks.generation.noise_tokenizer import open_tokenizers

        tokenizers = open_tokenizers(steps, model, folder=folder)
    vocabulary = count_words(texts) if needs_vocabulary(steps) else None
    return OpenSteps(steps, tokenizers, vocabulary, open_misspellings(steps, folder=folder))


def _lists(recipe: Recipe) -> list[str]:
    """Name the lists of misspellings that a recipe's noise steps read."""
    steps = recipe.noise.steps if recipe.noise else ()
    paths = {step.path for _, step in walk(steps) if isinstance(step, Misspell) and step.path}
    return sorted(paths)


@lru_cache(maxsize=1)
def _inspected(workspace: Workspace) -> Inspected:
    return inspect_model(workspace.facts.model, folder=workspace.folder)


def training_index(model: AnyModel) -> Path | None:
    """Find the fingerprints of a model's training texts beside its weights; None without them."""
    if isinstance(model, OpenAIModel):
        return None  # its name is the endpoint's, and no path of this machine
    folder = STARTER_FOLDER if model.name == "starter" else Path(model.name)
    path = folder / TRAINING_INDEX
    # A relative name is a hub id, and leads to no folder here.
    return path if folder.is_absolute() and path.is_file() else None


def known_texts(model: AnyModel, examples: ExampleSet | None) -> FingerprintIndex:
    """Index what no candidate may copy: every example, and the model's known training texts."""
    known = _training_texts(training_index(model))
    return known if examples is None else known | FingerprintIndex.of_texts(examples.texts())


@lru_cache(maxsize=1)
def _training_texts(path: Path | None) -> FingerprintIndex:
    if path is None:
        return FingerprintIndex.of_texts(())
    try:
        return FingerprintIndex.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(f"{path.name} is no index of training texts: {error}", place=path) from error


@lru_cache(maxsize=1)
def _program_sha256() -> str:
    """Hash corpusmith's own engine, so that shards made by other code are not reused."""
    root = Path(__file__).resolve().parents[2]
    files = sorted(path for name in _PACKAGES for path in (root / name).rglob("*.py"))
    return combine(*(file_sha256(path) for path in files))
