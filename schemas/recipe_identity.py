"""A recipe written out in full, and the hashes by which runs tell whether it is the same one."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from schemas.recipe import Recipe
from schemas.yaml_source import FLOAT

_DECIDES_NO_SHARD = (
    ("model", "batch_size"),
    ("model", "concurrency"),
    ("model", "timeout_seconds"),
    ("model", "retries"),
    ("model", "api_key_env"),
    ("model", "price"),
)
_NEVER_DECIDES_A_ROW = (*_DECIDES_NO_SHARD, ("model", "device"), ("shard_size",))


class _Dumper(yaml.SafeDumper):
    """Quotes whatever either YAML 1.1 or 1.2 would not read as text."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # Outside double quotes a line break of any kind is folded, and comes back as another one.
    style = None if text.splitlines() == [text] else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))


def resolved_yaml(recipe: Recipe) -> str:
    """Write a recipe with every default shown; loading it gives an equal recipe.

    Gates that are off read `off`.
    """
    data = recipe.model_dump(mode="json")
    for holder in (data, data["gates"]):
        if holder.get("audit", ()) is None:
            holder["audit"] = "off"
    for gates in (gates for gates in data["gates"].values() if gates != "off"):
        gates.update({name: "off" for name, bound in gates.items() if bound is None})
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def recipe_sha256(recipe: Recipe, *, contents: Mapping[str, str]) -> str:
    """Hash everything that decides the rows of a release.

    Batch size, device and shard size are left out, and how an endpoint is asked: its key, price,
    requests in flight, timeouts and retries. The order of labels, attributes, strategies and
    splits counts, because it decides quotas at ties and the order of the prompt's lines.

    Args:
        recipe: The recipe, defaults applied.
        contents: SHA-256 of what the recipe only names (`template`, `examples`, `weights`, ...).

    Returns:
        64 hexadecimal digits.
    """
    return _digest(recipe, contents, left_out=_NEVER_DECIDES_A_ROW)


def work_key(recipe: Recipe, *, contents: Mapping[str, str]) -> str:
    """Hash everything that decides the shard files of a run, so that a later run may reuse them.

    Beyond `recipe_sha256` the shard size and the device count: files of another cut or of another
    device's arithmetic are not reused. Only the batch size is left out, and how an endpoint is
    asked.

    Args:
        recipe: The recipe, defaults applied.
        contents: As for `recipe_sha256`, and whatever else a shard depends on (package version,
            resolved device and dtype).
    """
    return _digest(recipe, contents, left_out=_DECIDES_NO_SHARD)


def _digest(
    recipe: Recipe, contents: Mapping[str, str], *, left_out: Iterable[tuple[str, ...]]
) -> str:
    data: dict[str, Any] = recipe.model_dump(mode="json")
    for *parents, key in left_out:
        holder = data
        for parent in parents:
            holder = holder[parent]
        holder.pop(key, None)
    text = json.dumps(
        {"recipe": data, "contents": dict(sorted(contents.items()))}, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()
