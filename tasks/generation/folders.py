"""Model folders: found, checked and identified before anything of them is loaded.

A model folder is untrusted input. Weights are read from safetensors alone, code that comes with a
model is never run, and what is wrong is said before a tensor is made.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError, safe_open

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from schemas.recipe_file import is_model_path

STARTER_FOLDER = Path(__file__).resolve().parent.parent / "starter"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_CARDS = ("README.md", "MODEL_CARD.md")
_DEFAULT_CONTEXT = 2048
_LAYER_KEYS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_CONTEXT_KEYS = (
    "max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length",
    "max_decoder_position_embeddings",
)  # fmt: skip
_POSITIONS_BEHIND_PADDING = frozenset((
    "camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta",
    "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod",
))  # fmt: skip
"""Types that count positions from behind the padding token's id: the first ones are never used."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model's files, checked.

    Args:
        path: Folder that holds them.
        id: What the model is called: `starter`, the hub id, or the folder's name.
        revision: Commit of a hub model, else None.
        config: Content of `config.json`.
        weights: The safetensors files in name order; empty when they were not asked for.
    """

    path: Path
    id: str
    revision: str | None
    config: Mapping[str, Any]
    weights: tuple[Path, ...]

    @property
    def context_length(self) -> int:
        """Positions that the model has; 2,048 when it does not say."""
        text_config = self.config.get("text_config")
        unused = 0
        if self.config.get("model_type") in _POSITIONS_BEHIND_PADDING:
            unused = int(self.config.get("pad_token_id") or 0) + 1
        for source in (self.config, text_config if isinstance(text_config, dict) else {}):
            for key in _CONTEXT_KEYS:
                if isinstance(source.get(key), int) and source[key] > unused:
                    return int(source[key]) - unused
        return _DEFAULT_CONTEXT

    @property
    def weights_sha256(self) -> str:
        """SHA-256 over the bytes of all weight files in name order; "" when they are not here."""
        stats = [(path, path.stat()) for path in self.weights]
        stamps = tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats)
        return _hash_files(stamps) if stamps else ""

    @property
    def licence(self) -> str:
        """The licence that the model card's front matter names, else `unknown`."""
        for name in _CARDS:
            card = self.path / name
            if card.is_file():
                matter = _front_matter(card.read_text(encoding="utf-8", errors="replace"))
                return str(matter.get("license_name") or matter.get("license") or "unknown")
        return "unknown"


@lru_cache(maxsize=8)
def _hash_files(stamps: tuple[tuple[Path, int, int], ...]) -> str:
    """Hash files one after the other; a run asks often, and weights take minutes to read.

    Args:
        stamps: Path, bytes and time of change in nanoseconds of each: a changed file is read again.
    """
    digest = hashlib.sha256()
    for path, _, _ in stamps:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def find_model(model: TransformersModel, *, folder: Path, weights: bool = True) -> ModelFolder:
    """Find and check a model's files; a hub model is downloaded unless it is cached.

    Args:
        model: The model as the recipe names it.
        folder: Folder of the recipe, where a relative path starts.
        weights: Whether the weights are needed; without them a hub model's weights are not fetched.

    Raises:
        InputError: If the model does not exist (CS-M001), has no safetensors (CS-M002), is damaged
            or incomplete (CS-M003), or is of a kind that is not supported (CS-M004).
    """
    if model.name == "starter":
        return _check(STARTER_FOLDER, name="starter", revision=None, weights=weights)
    path = _local_folder(model.name, folder=folder)
    if path is not None:
        return _check(path, name=path.name, revision=None, weights=weights)
    path = _download(model, weights=weights)
    return _check(path, name=model.name, revision=path.name, weights=weights)


def _local_folder(name: str, *, folder: Path) -> Path | None:
    """Return the folder that `name` means, None when it is a hub id."""
    if not is_model_path(name, folder=folder):
        return None
    if (folder / name).is_dir():
        return (folder / name).resolve()
    raise InputError(
        f"there is no model folder {name!r}",
        code="CS-M001",
        place="model.name",
        hint="name `starter`, a hub id such as `owner/name`, or a folder beside the recipe",
    )


def _download(model: TransformersModel, *, weights: bool) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.md", "*.jinja", "*.model"]
    try:
        return Path(
            snapshot_download(
                model.name,
                revision=model.revision,
                allow_patterns=[*patterns, "model*.safetensors"] if weights else patterns,
                ignore_patterns=["*/*"],
            )
        )
    # Whatever the hub's client meets (network, name, access, offline mode) has the same remedy.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"the model {model.name!r} is neither a folder nor to be had from the hub: {reason[0]}",
            code="CS-M001",
            place="model.name",
            hint="check the name and the network, or give the path of a local folder",
        ) from error


def _check(path: Path, *, name: str, revision: str | None, weights: bool) -> ModelFolder:
    config = read_json(path / "config.json")
    tokenizer_file = path / "tokenizer_config.json"
    tokenizer = read_json(tokenizer_file) if tokenizer_file.is_file() else {}
    for content, file in ((config, "config.json"), (tokenizer, tokenizer_file.name)):
        if _names_code(content):
            raise InputError(
                "the model needs program code of its own, which is never run",
                code="CS-M004",
                place=str(path / file),
                hint="choose a model whose architecture transformers has built in",
            )
    files = _weight_files(path) if weights or revision is None else ()
    _check_layers(config, files)
    return ModelFolder(path, name, revision, config, files)


def _check_layers(config: Mapping[str, Any], files: Sequence[Path]) -> None:
    """Refuse more layers than there are tensors: building them could take hours."""
    num_tensors = 0
    for file in files:
        with safe_open(file, framework="numpy") as tensors:
            num_tensors += len(tensors.keys())
    for key in _LAYER_KEYS:
        layers = config.get(key)
        if files and isinstance(layers, int) and layers > num_tensors:
            raise damaged(
                f"{key} is {layers}, but the weights hold {num_tensors} tensors in all",
                place=files[0].parent / "config.json",
            )


def _names_code(content: Mapping[str, Any]) -> bool:
    """Tell whether a configuration, at any depth, names program code beside it or on the hub.

    `auto_map` names files of the model's author; an `..._implementation` with a slash names a
    repository of compiled kernels, which transformers fetches and runs when it can.
    """
    queue: list[tuple[str, Any]] = [("", content)]
    while queue:
        key, value = queue.pop()
        if isinstance(value, dict):
            if "auto_map" in value:
                return True
            kept = key if key.endswith("_implementation") else None
            queue += [(kept or str(name), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            queue += [(key, inner) for inner in value]
        elif key.endswith("_implementation") and "/" in str(value):
            return True
    return False


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a model folder.

    Raises:
        InputError: If the file is missing or is not a JSON object (CS-M003).
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise damaged(f"{path.name} is missing", place=path) from error
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(f"{path.name} is not readable JSON: {error}", place=path) from error
    if not isinstance(content, dict):
        raise damaged(f"{path.name} is not a JSON object", place=path)
    return content


def damaged(message: str, *, place: Path) -> InputError:
    """Say that a model's files are damaged or incomplete."""
    return InputError(
        message, code="CS-M003", place=str(place), hint="fetch the model's files again, all of them"
    )


def _weight_files(path: Path) -> tuple[Path, ...]:
    """Name the safetensors files that make up the model, each with an intact header and length."""
    index = path / "model.safetensors.index.json"
    names = _indexed_names(index) if index.is_file() else ["model.safetensors"]
    if not index.is_file() and not (path / names[0]).is_file():
        pickles = [file.name for pattern in _PICKLES for file in sorted(path.glob(pattern))]
        found = f"; {pickles[0]} is a pickle, which can run code when it is read" if pickles else ""
        raise InputError(
            f"there is no model.safetensors{found}",
            code="CS-M002",
            place=str(path),
            hint="convert the weights to safetensors, or choose a model that has them",
        )
    files = tuple(path / name for name in names)
    for file in files:
        if not file.is_file():
            raise damaged(f"{file.name} is missing", place=file)
        try:
            with safe_open(file, framework="numpy"):
                pass
        except (SafetensorError, OSError) as error:
            raise damaged(f"{file.name} is damaged: {error}", place=file) from error
    return files


def _indexed_names(index: Path) -> list[str]:
    places = read_json(index).get("weight_map")
    names = sorted({str(name) for name in places.values()}) if isinstance(places, dict) else []
    if not names or any(Path(name).name != name for name in names):
        raise damaged("the index names no weight files, or files outside its folder", place=index)
    return names


def _front_matter(text: str) -> Mapping[str, Any]:
    match = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
    try:
        content = yaml.safe_load(match.group(1)) if match else None
    except yaml.YAMLError:
        return {}
    return content if isinstance(content, dict) else {}
