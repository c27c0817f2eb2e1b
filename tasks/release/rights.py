"""Whose terms a release comes under: its own, and those of the model and the examples behind it."""

import re
from dataclasses import dataclass

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from schemas.manifest import Manifest
from schemas.recipe import Recipe

HUB_LICENCES = {
    "apache-2.0", "mit", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd-2-clause", "bsd-3-clause",
    "bsd-3-clause-clear", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0",
    "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0",
    "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0",
    "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "isc", "lppl-1.3c",
    "ms-pl", "mpl-2.0", "osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib",
}  # fmt: skip
"""Licences of the Hugging Face hub whose name there is the SPDX identifier in lower case."""
_HUB_ID = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?")
_HUB_FAMILIES = {
    "AGPL-3.0": "agpl-3.0",
    "GPL-2.0": "gpl-2.0",
    "GPL-3.0": "gpl-3.0",
    "LGPL-2.1": "lgpl-2.1",
    "LGPL-3.0": "lgpl-3.0",
    "GFDL-1.3": "gfdl",
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
}


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Something that the texts were made with.

    Args:
        role: What it was to the texts.
        name: How the run named it.
        licence: Its licence as it states it; None when it states none.
        citation: How to cite it; None when nobody said.
        url: Its page; None when there is none that is known.
    """

    role: str
    name: str
    licence: str | None = None
    citation: str | None = None
    url: str | None = None


def ingredients(recipe: Recipe, manifest: Manifest) -> tuple[Ingredient, ...]:
    """List what the texts were made with: the model, and the examples if the prompts had any."""
    model, examples = manifest.model, recipe.prompt.examples
    of_hub = (
        model.backend in ("transformers", "vllm")
        and model.revision is not None
        and _HUB_ID.fullmatch(model.id) is not None
    )
    writer = Ingredient(
        role="model that wrote the texts",
        name=model.reference,
        licence=None if model.licence in ("", "unknown") else model.licence,
        url=f"https://huggingface.co/{model.id}" if of_hub else None,
    )
    if examples is None:
        return (writer,)
    shown = Ingredient(
        role="examples in the prompts",
        name=examples.path,
        licence=examples.licence,
        citation=examples.citation,
    )
    return (writer, shown)


def spdx_url(licence: str) -> str | None:
    """Return the page of a licence in the SPDX list; None for a name that the list does not have.

    Args:
        licence: A name in any spelling of case, as model cards have them.
    """
    try:
        known = canonicalize_license_expression(licence)
    except InvalidLicenseExpression:
        return None
    listed = " " not in known and not known.startswith("LicenseRef-")
    return f"https://spdx.org/licenses/{known}.html" if listed else None


def hub_licence(licence: str | None) -> dict[str, str]:
    """Say a licence in the front matter of a card as the hub takes it.

    The hub has a list of names of its own. For any other licence it wants `other`, a name, and a
    link to its text.

    Args:
        licence: SPDX identifier; None when the publisher has not chosen yet.
    """
    if licence is None:
        return {"license": "unknown"}
    if licence.lower() in HUB_LICENCES:
        return {"license": licence.lower()}
    family = _HUB_FAMILIES.get(licence.removesuffix("-only").removesuffix("-or-later"))
    if family is not None:
        return {"license": family}
    name = {"license": "other", "license_name": licence.removeprefix("LicenseRef-").lower()}
    url = spdx_url(licence)
    return name if url is None else {**name, "license_link": url}


def citation(recipe: Recipe, manifest: Manifest) -> str:
    """Return how to cite the corpus: as its recipe says, else a BibTeX entry without an author."""
    if recipe.citation is not None:
        return recipe.citation.strip()
    fields = {
        "title": f"{{{recipe.name}}}: a synthetic corpus",
        "year": manifest.created[:4],
        "version": manifest.version,
        "note": f"Texts written by {_plain(manifest.model.reference)}",
    }
    lines = "".join(f"  {key} = {{{value}}},\n" for key, value in fields.items())
    return f"@misc{{{recipe.name},\n{lines}}}"


def _plain(text: str) -> str:
    """Leave out of a name what would end a BibTeX field."""
    return " ".join("".join(char for char in text if char not in "{}\\").split())
