"""The metadata as MLCommons' own library reads it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlcroissant
import pyarrow as pa
import pytest

from schemas.manifest import AuditSummary, Manifest
from schemas.recipe import Recipe
from tasks.release.croissant import CROISSANT, render_croissant
from tasks.release.croissant_context import CONTEXT

# The library calls what rdflib and pandas want to be rid of.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]


@pytest.fixture
def document(release: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release / CROISSANT).read_text("utf-8"))
    return found


def read(release: Path) -> Any:
    return mlcroissant.Dataset(jsonld=release / CROISSANT)


def plain(value: Any) -> Any:
    """A record as Python has it: texts decoded, the paths of fields cut to their last part."""
    match value:
        case bytes():
            return value.decode()
        case dict():
            return {key.rpartition("/")[2]: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case _:
            return value


def test_it_is_valid_without_a_warning(release: Path) -> None:
    dataset = read(release)
    assert dataset.metadata.ctx.issues.report() == ""
    assert dataset.metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.0"


def test_the_library_reads_every_row_and_its_split(
    release: Path, released: Callable[[int], pa.Table]
) -> None:
    splits = ["train"] * 12 + ["validation"] * 6 + ["test"] * 6
    wanted = {}
    for row, split in zip(released(24).to_pylist(), splits, strict=True):
        pairs = [{"key": key, "value": value} for key, value in row["attributes"]]
        wanted[row["id"]] = {**row, "split": split, "attributes": pairs}
    found = {row["id"]: row for row in map(plain, read(release).records("rows"))}
    assert found == wanted


def test_a_split_can_be_chosen(release: Path) -> None:
    records = list(read(release).records("rows", filters={"rows/split": "test"}))
    assert [plain(record)["split"] for record in records] == ["test"] * 6


def test_splits_and_labels_are_tables(release: Path, recipe: Recipe) -> None:
    dataset = read(release)
    assert [plain(r)["name"] for r in dataset.records("splits")] == ["train", "validation", "test"]
    assert [plain(record) for record in dataset.records("labels")] == [
        {"code": code, "name": name, "meaning": label.description}
        for code, (name, label) in enumerate(recipe.labels.items())
    ]


def test_files_are_those_of_the_splits_with_their_hashes(
    release: Path, document: dict[str, Any]
) -> None:
    files = [node for node in document["distribution"] if node["@type"] == "cr:FileObject"]
    paths = sorted((release / "data").iterdir())
    assert [node["contentUrl"] for node in files] == [f"data/{path.name}" for path in paths]
    for node, path in zip(files, paths, strict=True):
        assert node["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert node["contentSize"] == f"{path.stat().st_size} B"


def test_a_swapped_file_is_noticed_by_the_library(release: Path, document: dict[str, Any]) -> None:
    """Rows read through one of the file objects are checked against its hash."""
    first = document["distribution"][0]["@id"]
    source = {"fileObject": {"@id": first}, "extract": {"column": "text"}}
    (rows,) = [node for node in document["recordSet"] if node["@id"] == "rows"]
    rows["field"] = [{**rows["field"][2], "source": source}]
    path = release / "one.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert len(list(mlcroissant.Dataset(jsonld=path).records("rows"))) == 6
    (release / first).write_bytes((release / "data/train-00000-of-00001.parquet").read_bytes())
    with pytest.raises(mlcroissant.GenerationError):
        list(mlcroissant.Dataset(jsonld=path).records("rows"))


def test_the_context_is_the_libraries() -> None:
    from mlcroissant._src.core.context import Context
    from mlcroissant._src.core.rdf import make_context

    assert make_context(Context()) == CONTEXT


def with_rights(recipe: Recipe) -> Recipe:
    examples = {"path": "seeds.jsonl", "licence": "cc0-1.0", "citation": "Doe 2020"}
    changes = {"licence": "ODbL-1.0", "citation": "@misc{mine}", "prompt": {"examples": examples}}
    return Recipe.model_validate(recipe.model_dump() | changes)


def test_rights_are_told_and_none_is_invented(recipe: Recipe, manifest: Manifest) -> None:
    unset = json.loads(render_croissant(recipe, manifest, ()))
    assert unset["license"]["name"] == "not set"
    assert unset["isBasedOn"] == [
        {
            "@type": "sc:CreativeWork",
            "name": "starter@0123456789ab",
            "description": "model that wrote the texts",
            "license": "https://spdx.org/licenses/Apache-2.0.html",
        }
    ]
    told = json.loads(render_croissant(with_rights(recipe), manifest, ()))
    assert told["license"] == "https://spdx.org/licenses/ODbL-1.0.html"
    assert told["citeAs"] == "@misc{mine}"
    assert told["isBasedOn"][1] == {
        "@type": "sc:CreativeWork",
        "name": "seeds.jsonl",
        "description": "examples in the prompts",
        "license": "https://spdx.org/licenses/CC0-1.0.html",
        "citation": "Doe 2020",
    }


def test_what_the_audit_found_is_pointed_to(recipe: Recipe, manifest: Manifest) -> None:
    plainly = json.loads(render_croissant(recipe, manifest, ()))
    assert plainly["rai:dataBiases"][0].startswith("Not measured")
    summary = AuditSummary(verdict="fix", reasons=("few voices",), gates={"warn": 1})
    audited = manifest.model_copy(update={"audit": summary})
    biases = json.loads(render_croissant(recipe, audited, ()))["rai:dataBiases"][0]
    assert "verdict is fix" in biases
    assert "report.html" in biases


def test_responsible_ai_reaches_the_library(release: Path) -> None:
    metadata = read(release).metadata
    assert "keyboard" in metadata.data_preprocessing_protocol[1]
    assert metadata.data_collection.startswith("Synthetic")
    assert len(metadata.data_biases) == 2
    assert metadata.creators[0].name == "corpusmith"
