"""Beginning or continuing a run, and opening what its tasks need: once a process, however many shards."""

from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from schemas.recipe import Model, TransformersModel
from schemas.recipe_identity import recipe_sha256, work_key
from tasks.generation.backends import open_backend
from tasks.generation.folders import STARTER_FOLDER
from tasks.generation.protocol import Backend
from tasks.planning.shards import combine, file_sha256
from tasks.planning.workspace import RunFacts, Workspace, open_workspace
from tasks.preflight.checks import CheckedRecipe
from tasks.prompting.examples import Examples
from tasks.prompting.rendering import PromptWriter
from tasks.prompting.templates import Template
from tasks.quality.fingerprints import FingerprintIndex
from tasks.release.publish import sweep, version_name

TRAINING_INDEX = "training_index.npy"
"""File beside a model's weights: fingerprints of its training texts, for the memorisation gate."""
_PACKAGES = ("prompts", "schemas", "tasks")


def run_facts(checked: CheckedRecipe) -> RunFacts:
    """State what a run of this recipe would be; its version and time are those of this moment."""
    recipe, model = checked.recipe, checked.model
    contents = {"template": checked.template.sha256, "weights": model.info.weights_sha256}
    if checked.examples is not None:
        contents["examples"] = checked.examples.sha256
    sha256 = recipe_sha256(recipe, contents=contents)
    own = {
        "device": model.info.device,
        "dtype": model.info.dtype,
        "model_folder": str(checked.loaded.folder),
        "program": _program_sha256(),
    }
    now = datetime.now(UTC)
    return RunFacts(
        work_key=work_key(recipe, contents={**contents, **own}),
        recipe_sha256=sha256,
        version=version_name(now, sha256),
        created=now.isoformat(timespec="seconds"),
        recipe=recipe,
        recipe_folder=checked.loaded.folder,
        model=model.info,
    )


def open_run(checked: CheckedRecipe, home: Path, *, resume: str) -> Workspace:
    """Continue the unfinished run of a recipe, or begin one; call it only with `home` locked.

    Half-made releases of runs that died are deleted.

    Args:
        checked: The recipe.
        home: `OUT/NAME`.
        resume: `auto`, `never` or `always`.
    """
    sweep(home)
    workspace = open_workspace(home, run_facts(checked), resume=resume)
    workspace.template.write_text(checked.template.source, encoding="utf-8")
    if checked.examples is not None:
        checked.examples.save(workspace.examples)
    return workspace


@lru_cache(maxsize=1)
def _program_sha256() -> str:
    """Hash corpusmith's own engine, so that shards made by other code are not reused."""
    root = Path(__file__).resolve().parents[2]
    files = sorted(path for name in _PACKAGES for path in (root / name).rglob("*.py"))
    return combine(version("corpusmith"), *(file_sha256(path) for path in files))
