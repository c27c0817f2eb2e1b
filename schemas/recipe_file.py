"""Loading a recipe: file and `--set` items in, a checked recipe or one clear error out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from schemas.errors import InputError
from schemas.json_schema import recipe_json_schema
from schemas.models import OpenAIModel, VllmModel
from schemas.overrides import apply_overrides
from schemas.recipe import Recipe, ScriptedModel, TransformersModel
from schemas.recipe_errors import recipe_error, shown, suggest
from schemas.uri import check_recipe_uri, is_uri
from schemas.yaml_source import MAX_BYTES, KeyPath, Source, dotted, parse_yaml

TEMPLATE: KeyPath = ("prompt", "template")
EXAMPLES: KeyPath = ("prompt", "examples", "path")
MODEL: KeyPath = ("model", "name")
REFERENCE: KeyPath = ("audit", "reference")
HOLDOUT: KeyPath = ("audit", "holdout")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe and where it came from.

    Args:
        recipe: The recipe, defaults and `--set` items applied.
        path: The file, as the user named it.
        folder: The file's folder, resolved; the recipe's relative paths start here.
        source: The values as they were written, with the place of every key.
        trusted_paths: Key paths set on the command line, where a path may be absolute.
        fetched: Copies of what the recipe names by a URI.
    """

    recipe: Recipe
    path: Path
    folder: Path
    source: Source
    trusted_paths: frozenset[KeyPath] = frozenset()
    fetched: Mapping[KeyPath, Path] = field(default_factory=dict)

    def place(self, key: KeyPath) -> str:
        """Name the place of a key, for an error."""
        return self.source.place_of(key)

    def inside(self, key: KeyPath, name: str) -> Path:
        """Resolve `name`, the value of `key`, to a path that the recipe may use.

        Raises:
            InputError: `CS-R008` if it leaves the recipe's folder.
        """
        return check_inside(self.folder, name, trusted=self.trusts(key), place=self.place(key))

    def trusts(self, key: KeyPath) -> bool:
        """Tell whether the value of a key was given on the command line."""
        return any(key[: len(path)] == path for path in self.trusted_paths)

    def uris(self) -> dict[KeyPath, str]:
        """Return what the recipe names by a URI: examples, and data of the audit.

        Raises:
            InputError: `CS-R008` if it is no URI that a recipe may read.
        """
        examples, audit = self.recipe.prompt.examples, self.recipe.audit
        named = {
            EXAMPLES: None if examples is None else examples.path,
            REFERENCE: None if audit is None else audit.reference,
            HOLDOUT: None if audit is None else audit.holdout,
        }
        found = {key: name for key, name in named.items() if name is not None and is_uri(name)}
        for key, uri in found.items():
            check_recipe_uri(uri, place=self.place(key))
        return found

    def _data(self, key: KeyPath, name: str) -> Path:
        """Resolve a path, or take the copy of a URI; until it is fetched, it stands for itself."""
        return self.fetched.get(key, Path(name)) if is_uri(name) else self.inside(key, name)

    def examples_path(self) -> Path | None:
        """Return the examples file, which need not exist; None when the recipe names none."""
        examples = self.recipe.prompt.examples
        return None if examples is None else self._data(EXAMPLES, examples.path)

    def audit_paths(self) -> dict[Literal["reference", "holdout"], Path]:
        """Return the data that the audit reads by role; they need not exist.

        Raises:
            InputError: `CS-R008` if one leaves the recipe's folder.
        """
        audit = self.recipe.audit
        paths: dict[Literal["reference", "holdout"], Path] = {}
        if audit is not None and audit.reference is not None:
            paths["reference"] = self._data(REFERENCE, audit.reference)
        if audit is not None and audit.holdout is not None:
            paths["holdout"] = self._data(HOLDOUT, audit.holdout)
        return paths

    def model_path(self) -> Path | None:
        """Return the local model folder or script; None for the starter, a hub id, an endpoint.

        Raises:
            InputError: `CS-R008` if it leaves the recipe's folder.
        """
        model = self.recipe.model
        match model:
            case ScriptedModel():
                return self.inside(MODEL, model.name)
            case OpenAIModel() | TransformersModel(name="starter") | VllmModel(name="starter"):
                return None
        path = self.inside(MODEL, model.name)
        return path if is_model_path(model.name, folder=self.folder) else None


def load_recipe(path: Path, *, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """Read, change and check a recipe.

    Args:
        path: A YAML file in UTF-8, at most 1 MiB.
        overrides: `--set` items, `KEY=VALUE`, applied in order.

    Raises:
        InputError: `CS-R001` if the file cannot be read, `CS-R002` if it is not YAML, `CS-R003` to
            `CS-R008` if the recipe is wrong, `CS-I001` if an override is malformed. The place names
            file, line and key path, or the override.
    """
    source = parse_yaml(read_recipe_text(path), name=str(path))
    if not isinstance(source.data, dict):
        what = "is empty" if source.data is None else "holds no keys at its top level"
        raise InputError(
            f"the recipe {what}",
            code="CS-R002",
            place=str(path),
            hint="start from `corpusmith init DIR`, which writes a working recipe",
        )
    source, trusted = apply_overrides(source, overrides)
    try:
        recipe = Recipe.model_validate(source.data)
    except ValidationError as error:
        raise recipe_error(error, source=source, json_schema=recipe_json_schema()) from None
    _refuse_booleans(source, recipe)
    loaded = LoadedRecipe(recipe, path, path.parent.resolve(), source, trusted)
    loaded.inside(TEMPLATE, recipe.prompt.template)
    loaded.examples_path()
    loaded.model_path()
    loaded.audit_paths()
    loaded.uris()
    return loaded


def is_model_path(name: str, *, folder: Path) -> bool:
    """Tell a model's path from a hub id (`name` or `organisation/name`).

    A path is what lies in `folder`, there or not, if it cannot be a hub id.

    Args:
        name: A model's name, not `starter`.
        folder: The recipe's folder, where a relative path starts.
    """
    return not _HUB_ID.fullmatch(name) or (folder / name).exists()


def check_inside(folder: Path, name: str, *, trusted: bool = False, place: str = "") -> Path:
    """Resolve a path of a recipe, symbolic links followed, and refuse one that leaves `folder`.

    A leading `~` is refused: it is never expanded, and whoever writes it means a home folder.

    Args:
        folder: The recipe's folder, resolved.
        name: A relative path; it need not exist.
        trusted: Whether the path was given on the command line, where it may be absolute.
        place: What an error names as its place.

    Returns:
        The absolute, resolved path.

    Raises:
        InputError: `CS-R008`.
    """
    absolute, home = Path(name).is_absolute(), name.startswith("~")
    try:
        resolved = (folder / name).resolve()
        resolved.exists()  # raises for a name that no file can have
    except (OSError, ValueError, RuntimeError):
        resolved = None
    if resolved is not None and trusted and absolute:
        return resolved
    if resolved is None or absolute or home or not resolved.is_relative_to(folder):
        raise InputError(
            f"the path {shown(name)} leaves the recipe's folder, or is no path",
            code="CS-R008",
            place=place,
            hint="keep the file beside the recipe, or give an absolute path with --set",
        )
    return resolved


def read_recipe_text(path: Path) -> str:
    """Read a recipe file as text.

    Raises:
        InputError: `CS-R001` if it cannot be read, is too large or is not UTF-8.
    """

    def unreadable(what: str, hint: str) -> InputError:
        return InputError(f"the recipe {what}", code="CS-R001", place=str(path), hint=hint)

    try:
        if path.is_dir():
            raise unreadable("is a folder", _nearby(path, path.name))
        if not path.exists():
            raise unreadable("does not exist", _nearby(path.parent, path.name))
        if not path.is_file():
            raise unreadable("is not a regular file", "name a YAML file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unreadable(
            f"cannot be read: {reason}", "check the path and its permissions"
        ) from None
    if len(content) > MAX_BYTES:
        raise unreadable("is larger than 1 MiB", "move long lists of texts into an examples file")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise unreadable(f"is not UTF-8 (line {line})", "save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise unreadable("starts with a byte order mark", "save it as UTF-8 without BOM")
    return text


def _nearby(folder: Path, name: str) -> str:
    files = sorted(p.name for p in folder.glob("*.y*ml") if p.is_file()) if folder.is_dir() else []
    if not files:
        return "write one with `corpusmith init DIR`"
    return f"{suggest(name, files)}YAML files there: {', '.join(files[:5])}"


def _refuse_booleans(source: Source, recipe: Recipe) -> None:
    """Refuse `true` where a number is wanted, which pydantic reads as 1."""
    for path, value in _leaves(source.data, ()):
        if isinstance(value, bool) and type(_value_at(recipe, path)) in (int, float):
            raise InputError(
                f"{path[-1]} must be a number, not {shown(value)}",
                code="CS-R005",
                place=source.place_of(path),
                hint=f"change {dotted(path)}",
            )


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value


def _value_at(value: Any, path: KeyPath) -> Any:
    for part in path:
        if isinstance(value, BaseModel) and isinstance(part, str):
            value = getattr(value, part, None)
        elif isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, tuple) and isinstance(part, int):
            value = value[part]
        else:
            return None
    return value
