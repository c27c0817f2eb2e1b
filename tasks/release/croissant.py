"""Croissant 1.0: what the release is, holds and rests on, as JSON-LD that dataset tools read.

Written by hand, for it is one dictionary; the tests read it with MLCommons' own library.

References:
    Akhtar et al., Croissant: A Metadata Format for ML-Ready Datasets, 2024.
    https://arxiv.org/abs/2403.19546; https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from schemas.manifest import FileEntry, Manifest
from schemas.recipe import Recipe
from schemas.row import RELEASED_SCHEMA, SCORES
from tasks.release.croissant_context import CONTEXT
from tasks.release.responsible_ai import responsible_ai
from tasks.release.rights import Ingredient, citation, ingredients, spdx_url

Node = dict[str, Any]
CROISSANT = "croissant.json"
PARQUET = "application/x-parquet"
_FILES = "parquet-files"


def render_croissant(recipe: Recipe, manifest: Manifest, data: Sequence[FileEntry]) -> str:
    """Write the release's `croissant.json`.

    It describes the rows and the files that hold them. Rejected candidates are no part of the
    dataset, so that a copy of the release without them still fits the description.

    Args:
        recipe: The resolved recipe.
        manifest: The release's manifest; its files are not needed yet.
        data: The files under `data/`.
    """
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        **_about(recipe, manifest),
        **responsible_ai(recipe, manifest),
        "distribution": [*map(_file_object, data), _file_set()],
        "recordSet": [_splits(manifest), _labels(recipe), _rows(recipe, manifest)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _about(recipe: Recipe, manifest: Manifest) -> Node:
    return {
        "name": recipe.name,
        "description": (
            f"A synthetic text corpus of {manifest.rows.accepted} rows in {len(recipe.labels)} "
            "classes, written by a language model. README.md is its card."
        ),
        "url": "README.md",
        "version": _semantic(manifest.version),
        "identifier": manifest.version,
        "dateCreated": manifest.created,
        "datePublished": manifest.created,
        "inLanguage": recipe.language,
        "keywords": ["synthetic", "text-classification", "corpusmith"],
        "license": _licence(recipe.licence),
        "citeAs": citation(recipe, manifest),
        "creator": {
            "@type": "sc:Organization",
            "name": f"corpusmith {manifest.packages.get('corpusmith', '')}".strip(),
            "description": "The program that made the corpus; its publisher is not named.",
        },
        "isBasedOn": [_ingredient(part) for part in ingredients(recipe, manifest)],
        "isLiveDataset": False,
    }


def _semantic(version: str) -> str:
    """Say a version, `20261121T081500Z-abc123def456`, in the form that Croissant asks for."""
    date, time, recipe = version[:8], version[9:15], version[17:]
    return f"{int(date)}.{int(time)}.0+{recipe}"


def _licence(licence: str | None) -> str | Node:
    if licence is None:
        return {
            "@type": "sc:CreativeWork",
            "name": "not set",
            "description": "Whoever publishes the corpus chooses its licence; see README.md.",
        }
    return spdx_url(licence) or licence


def _ingredient(part: Ingredient) -> Node:
    terms = None if part.licence is None else spdx_url(part.licence) or part.licence
    known = {"license": terms, "citation": part.citation, "url": part.url}
    return {
        "@type": "sc:CreativeWork",
        "name": part.name,
        "description": part.role,
        **{key: value for key, value in known.items() if value is not None},
    }


def _file_object(entry: FileEntry) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": entry.path,
        "name": entry.path,
        "contentUrl": entry.path,
        "contentSize": f"{entry.bytes} B",
        "encodingFormat": PARQUET,
        "sha256": entry.sha256,
    }


def _file_set() -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": _FILES,
        "name": _FILES,
        "description": "Every row of every split.",
        "encodingFormat": PARQUET,
        "includes": "data/*.parquet",
    }


def _splits(manifest: Manifest) -> Node:
    held = [split for split, rows in manifest.splits.items() if rows]
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The parts of the dataset.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_field("splits/name", "sc:Text", "name of the split")],
        "data": [{"splits/name": split} for split in held],
    }


def _labels(recipe: Recipe) -> Node:
    return {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "description": "The classes, in the order of their integer codes.",
        "dataType": "sc:Enumeration",
        "key": {"@id": "labels/name"},
        "field": [
            _field("labels/code", "sc:Integer", "place of the class, from 0"),
            _field("labels/name", "sc:Text", "what stands in the column `label`"),
            _field("labels/meaning", "sc:Text", "what a text of the class says or wants"),
        ],
        "data": [
            {"labels/code": code, "labels/name": name, "labels/meaning": label.description}
            for code, (name, label) in enumerate(recipe.labels.items())
        ],
    }


def _rows(recipe: Recipe, manifest: Manifest) -> Node:
    names = "|".join(split for split, rows in manifest.splits.items() if rows)
    split = {
        **_field("rows/split", "sc:Text", "the split, which the name of the file tells"),
        "source": {
            "fileSet": {"@id": _FILES},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"data/({names})-.+[.]parquet$"},
        },
    }
    return {
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        "description": f"The rows of {recipe.name}, one text each.",
        "key": {"@id": "rows/id"},
        "field": [split, *map(_column, RELEASED_SCHEMA)],
    }


def _field(identity: str, kind: str | list[str], meaning: str) -> Node:
    return {
        "@type": "cr:Field",
        "@id": identity,
        "name": identity.rpartition("/")[2],
        "description": meaning,
        "dataType": kind,
    }


def _column(column: pa.Field) -> Node:
    """Describe a column: its value, or the values inside its structs."""
    name, kind = column.name, column.type
    meaning = column.metadata[b"description"].decode()
    if pa.types.is_nested(kind):
        return _nested(name, meaning, kind)
    # No `references` to the table of labels: readers would join, and could not stream any more.
    types = ["sc:Text", "cr:Label"] if name == "label" else _data_type(kind)
    return {**_field(f"rows/{name}", types, meaning), "source": _source(name)}


def _nested(column: str, meaning: str, kind: pa.DataType) -> Node:
    parts = [
        {
            **_field(f"rows/{column}/{name}", _data_type(part), SCORES.get(name, name)),
            "source": {**_source(column), "transform": {"jsonPath": path}},
        }
        for name, path, part in _parts(kind)
    ]
    node = {
        "@type": "cr:Field",
        "@id": f"rows/{column}",
        "name": column,
        "description": meaning,
        "subField": parts,
    }
    return node if pa.types.is_struct(kind) else {**node, "repeated": True}


def _parts(kind: pa.DataType) -> list[tuple[str, str, pa.DataType]]:
    """Name each value of a struct, where a reader finds it, and its type."""
    if pa.types.is_map(kind):
        # What reads Parquet sees a list of pairs.
        return [("key", "[0]", kind.key_type), ("value", "[1]", kind.item_type)]
    struct = kind.value_type if pa.types.is_list(kind) else kind
    return [(part.name, part.name, part.type) for part in struct.fields]


def _source(column: str) -> Node:
    return {"fileSet": {"@id": _FILES}, "extract": {"column": column}}


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
