import re

import pytest

from schemas.manifest import Manifest
from schemas.recipe import Recipe
from tasks.release.rights import HUB_LICENCES, citation, hub_licence, ingredients, spdx_url


@pytest.mark.parametrize("licence", sorted(HUB_LICENCES))
def test_the_hubs_names_are_spdx_identifiers_in_lower_case(licence: str) -> None:
    assert (spdx_url(licence) or "").lower() == f"https://spdx.org/licenses/{licence}.html"
    assert hub_licence(licence) == {"license": licence}


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        (None, {"license": "unknown"}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("GPL-3.0-or-later", {"license": "gpl-3.0"}),
        ("GFDL-1.3-only", {"license": "gfdl"}),
        ("ODbL-1.0", {"license": "odbl"}),
        (
            "LGPL-2.0-only",
            {
                "license": "other",
                "license_name": "lgpl-2.0-only",
                "license_link": "https://spdx.org/licenses/LGPL-2.0-only.html",
            },
        ),
        ("LicenseRef-House-Rules", {"license": "other", "license_name": "house-rules"}),
    ],
)
def test_a_licence_in_the_hubs_words(licence: str | None, told: dict[str, str]) -> None:
    assert hub_licence(licence) == told
    link = told.get("license_link")
    assert link is None or re.match("https://", link)


@pytest.mark.parametrize("name", ["unknown", "llama3.2", "MIT AND ISC", "LicenseRef-X", "", "a b"])
def test_what_spdx_does_not_list_has_no_page(name: str) -> None:
    assert spdx_url(name) is None


def test_an_unknown_licence_is_no_licence(recipe: Recipe, manifest: Manifest) -> None:
    model = manifest.model.model_copy(update={"licence": "unknown"})
    (part,) = ingredients(recipe, manifest.model_copy(update={"model": model}))
    assert (part.licence, part.citation, part.url) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"id": "org/name", "revision": "0a1b"}, "https://huggingface.co/org/name"),
        ({"id": "org/name"}, None),
        ({"id": "a](b", "revision": "0a1b"}, None),
        ({"id": "gpt", "revision": "api.example.com", "backend": "openai"}, None),
    ],
)
def test_only_a_model_of_the_hub_has_a_page(
    changes: dict[str, str], url: str | None, recipe: Recipe, manifest: Manifest
) -> None:
    model = manifest.model.model_copy(update=changes)
    assert ingredients(recipe, manifest.model_copy(update={"model": model}))[0].url == url


def test_a_citation_names_no_author_unless_the_recipe_does(
    recipe: Recipe, manifest: Manifest
) -> None:
    model = manifest.model.model_copy(update={"id": "a}b\n{c"})
    text = citation(recipe, manifest.model_copy(update={"model": model}))
    assert text == (
        "@misc{mini,\n"
        "  title = {{mini}: a synthetic corpus},\n"
        "  year = {2026},\n"
        "  version = {20261121T081500Z-abc123def456},\n"
        "  note = {Texts written by ab c@0123456789ab},\n"
        "}"
    )
    assert citation(recipe.model_copy(update={"citation": " Doe 2026\n"}), manifest) == "Doe 2026"
