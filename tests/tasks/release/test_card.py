import re
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from datasets import ClassLabel
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard, DatasetCardData
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.manifest import Manifest
from schemas.recipe import Recipe
from schemas.row import RELEASED_SCHEMA, SCORES
from tasks.release.card import escape, render_card
from tasks.release.front_matter import features, front_matter, size_category


@pytest.fixture
def card(recipe: Recipe, manifest: Manifest) -> str:
    return render_card(recipe, manifest)


def split_card(card: str) -> tuple[dict[str, object], str]:
    _, front, body = card.split("---\n", 2)
    return yaml.safe_load(front), body


def test_the_front_matter_survives_yaml(recipe: Recipe, manifest: Manifest) -> None:
    front, _ = split_card(render_card(recipe, manifest))
    assert front == front_matter(recipe, manifest)
    assert "synthetic" in front["tags"]
    assert front["language"] == ["en"]
    assert front["size_categories"] == ["n<1K"]


def test_the_hubs_library_takes_the_card(card: str, recipe: Recipe, tmp_path: Path) -> None:
    """What `DatasetCard.validate` asks the hub's server is held here to its published lists."""
    path = tmp_path / "README.md"
    path.write_text(card, encoding="utf-8")
    loaded = DatasetCard.load(path)
    front, body = split_card(card)
    assert loaded.data.to_dict() == front
    assert loaded.text.strip() == body.strip()
    assert DatasetCard(str(loaded)).data.to_dict() == front

    data = loaded.data
    assert all(re.fullmatch("[a-z]{2,3}", tag) for tag in data.language)
    made = ["found", "crowdsourced", "expert-generated", "machine-generated", "other"]
    assert {*data.annotations_creators, *data.language_creators} <= set(made)
    assert data.multilinguality == ["monolingual"]
    assert data.source_datasets == ["original"]
    assert data.license == "unknown"


def test_datasets_takes_configs_and_class_labels(card: str, recipe: Recipe) -> None:
    data = DatasetCard(card).data
    (config,) = MetadataConfigs.from_dataset_card_data(data).values()
    assert [entry["split"] for entry in config["data_files"]] == list(recipe.splits)
    info = DatasetInfosDict.from_dataset_card_data(data)["default"]
    assert list(info.features) == RELEASED_SCHEMA.names
    assert info.features["label"] == ClassLabel(names=list(recipe.labels))
    assert info.features["clean_label"] == ClassLabel(names=list(recipe.labels))


def test_the_language_of_a_region_is_that_of_its_language(
    recipe: Recipe, manifest: Manifest
) -> None:
    front = front_matter(recipe.model_copy(update={"language": "pt-BR"}), manifest)
    assert (front["language"], front["language_details"]) == (["pt"], ["pt-BR"])


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (10**4, "10K<n<100K"),
        (10**5, "100K<n<1M"),
        (10**6 - 1, "100K<n<1M"),
        (10**6, "1M<n<10M"),
        (10**9, "1B<n<10B"),
        (10**12 - 1, "100B<n<1T"),
        (10**12, "n>1T"),
    ],
)
def test_sizes_are_the_hubs(rows: int, name: str) -> None:
    assert size_category(rows) == name
    assert f"'{name}'" in (DatasetCardData.__doc__ or "")


def test_licences_and_citations_stand_in_the_card(recipe: Recipe, manifest: Manifest) -> None:
    examples = {"path": "seeds.jsonl", "licence": "CC0-1.0", "citation": "Doe | 2020"}
    told = {"licence": "CC-BY-4.0", "citation": "@misc{mine}\n````\n# x"}
    whole = Recipe.model_validate(recipe.model_dump() | told | {"prompt": {"examples": examples}})
    front, body = split_card(render_card(whole, manifest))
    assert front["license"] == "cc-by-4.0"
    rights = body.split("## Licence")[1].split("## Limits")[0]
    assert "under **CC-BY-4.0**" in rights
    model, seeds = [line for line in rights.splitlines() if line.startswith("| ")][2:]
    assert model == (
        "| model that wrote the texts | `starter@0123456789ab` | apache-2.0 | not stated |"
    )
    assert seeds == r"| examples in the prompts | `seeds.jsonl` | CC0-1.0 | Doe \| 2020 |"
    assert rights.rstrip().endswith("`````bibtex\n@misc{mine}\n````\n# x\n`````")


def test_the_class_labels_are_the_recipes_in_order(recipe: Recipe, card: str) -> None:
    front, _ = split_card(card)
    (label,) = [f for f in front["dataset_info"]["features"] if f["name"] == "label"]
    names = label["dtype"]["class_label"]["names"]
    assert [names[str(code)] for code in range(len(names))] == list(recipe.labels)


def test_features_and_columns_table_are_the_released_schema(card: str) -> None:
    front, body = split_card(card)
    assert [f["name"] for f in front["dataset_info"]["features"]] == RELEASED_SCHEMA.names
    section = body.split("## Columns", 1)[1].split("The scores:")[0]
    assert re.findall(r"^\| `(\w+)`", section, re.M) == RELEASED_SCHEMA.names
    scores = body.split("The scores:", 1)[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", scores, re.M) == list(SCORES)


def test_the_contract_names_the_same_columns() -> None:
    contract = Path(__file__).resolve().parents[3].parent / "shared" / "contract.md"
    if not contract.exists():
        pytest.skip("the contract is not beside the repository")
    section = contract.read_text(encoding="utf-8").split("## 3.")[1].split("## 4.")[0]
    first = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = [name for cell in first for name in re.findall(r"`(\w+)`", cell)]
    # Columns beyond the contract, null where they do not apply: the label asked for of a row whose
    # label noise flipped, the importance weight of a text drawn without replacement, and what
    # texts that were drawn together share.
    further = {"clean_label", "weight", "draw_id"}
    assert [name for name in RELEASED_SCHEMA.names if name not in further] == named


def test_nothing_untrusted_is_markup(card: str) -> None:
    _, body = split_card(card)
    assert "<script" not in body
    assert not re.search(r"(?<!\\)\]\(", body)
    assert "https:/" not in body
    labels = body.split("## Labels")[1].split("\n## ")[0]
    rows = [line for line in labels.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 6
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_a_failed_release_says_so_first(recipe: Recipe, manifest: Manifest) -> None:
    failed = manifest.model_copy(update={"verdict": "fail"})
    assert "failed a gate" in render_card(recipe, failed).split("## Labels")[0]
    assert "failed a gate" not in render_card(recipe, manifest)


@settings(deadline=None, max_examples=200)
@given(st.text() | st.text("[]()<>|`*_\\:/w.W@$~a \n"))
def test_escaped_text_is_one_line_without_live_markup(text: str) -> None:
    escaped = escape(text)
    assert len(escaped.splitlines()) <= 1
    assert not re.search(r"[<>]", escaped)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]|~$@]", escaped)
    assert not re.search(r"://|www\.", escaped, re.IGNORECASE)


def test_a_type_that_datasets_cannot_name_is_not_guessed() -> None:
    assert features(pa.schema([pa.field("n", pa.int32())]), []) == [{"name": "n", "dtype": "int32"}]
    assert features(pa.schema([pa.field("m", pa.map_(pa.string(), pa.string()))]), []) == [
        {"name": "m", "dtype": "json"}
    ]
    assert features(pa.schema([pa.field("l", pa.list_(pa.string()))]), []) == [
        {"name": "l", "list": "string"}
    ]
