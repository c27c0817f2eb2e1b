"""The front matter of the dataset card: what hubs and `datasets.load_dataset` read."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from schemas.manifest import Manifest
from schemas.recipe import Recipe
from schemas.row import RELEASED_SCHEMA
from tasks.release.rights import hub_licence

_UNITS = ("", "K", "M", "B", "T")


def front_matter(recipe: Recipe, manifest: Manifest) -> dict[str, Any]:
    """Build the front matter: what `datasets.load_dataset` and the hub read.

    The files hold label names as strings; the declared `class_label` makes `datasets` read them as
    a ClassLabel.
    """
    return {
        "pretty_name": recipe.name,
        **_language(recipe.language),
        **hub_licence(recipe.licence),
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "multilinguality": ["monolingual"],
        "source_datasets": ["original"],
        "task_categories": ["text-classification"],
        "size_categories": [size_category(manifest.rows.accepted)],
        "tags": ["synthetic", "corpusmith"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*.parquet"}
                    for split in recipe.splits
                    if manifest.splits[split]
                ],
            }
        ],
        "dataset_info": {"features": features(RELEASED_SCHEMA, tuple(recipe.labels))},
    }


def features(schema: pa.Schema, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Describe a schema in the words of `dataset_info`; the label columns become class labels.

    Args:
        schema: Released columns.
        labels: The classes, in the recipe's order: that of the integer codes.
    """
    names = {str(code): label for code, label in enumerate(labels)}
    return [
        {"name": field.name, "dtype": {"class_label": {"names": names}}}
        if field.name in ("label", "clean_label")
        else _feature(field)
        for field in schema
    ]


def _feature(field: pa.Field) -> dict[str, Any]:
    kind = field.type
    if pa.types.is_map(kind):
        # `datasets` knows no map type; as JSON it reads the column as a list of [key, value] pairs.
        return {"name": field.name, "dtype": "json"}
    if pa.types.is_list(kind):
        return {"name": field.name, "list": _element(kind.value_type)}
    if pa.types.is_struct(kind):
        return {"name": field.name, "struct": [_feature(part) for part in kind.fields]}
    return {"name": field.name, "dtype": scalar(kind)}


def _element(kind: pa.DataType) -> str | list[dict[str, Any]]:
    if pa.types.is_struct(kind):
        return [_feature(part) for part in kind.fields]
    return scalar(kind)


def scalar(kind: pa.DataType) -> str:
    """Name a scalar type as `datasets` does."""
    return {pa.float32(): "float32", pa.float64(): "float64"}.get(kind, str(kind))


def size_category(rows: int) -> str:
    """Name the hub's class of size: `n<1K`, `1K<n<10K`, ..., `100B<n<1T`, `n>1T`."""
    exponent = 3
    while rows >= 10**exponent and exponent < 12:
        exponent += 1
    if rows >= 10**12:
        return "n>1T"
    return "n<1K" if exponent == 3 else f"{_power(exponent - 1)}<n<{_power(exponent)}"


def _power(exponent: int) -> str:
    return f"{10 ** (exponent % 3)}{_UNITS[exponent // 3]}"


def _language(tag: str) -> dict[str, list[str]]:
    """Say the language as the hub does, which knows no regions; a longer tag stands beside it."""
    primary, _, rest = tag.partition("-")
    return {"language": [primary], **({"language_details": [tag]} if rest else {})}
