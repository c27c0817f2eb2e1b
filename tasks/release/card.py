"""The dataset card: YAML front matter for loaders and hubs, and a text for people."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import pyarrow as pa
import yaml

from schemas.manifest import AuditSummary, Manifest
from schemas.noise_mixtures import operator_kinds
from schemas.recipe import Recipe
from schemas.row import RELEASED_SCHEMA, SCORES
from tasks.release.front_matter import front_matter, scalar
from tasks.release.responsible_ai import LIMITS
from tasks.release.rights import citation, ingredients

_MARKUP = re.compile(r"([\\`*_\[\]|~$@]|(?<=:)/(?=/)|(?<=www)\.)", re.IGNORECASE)


def render_card(recipe: Recipe, manifest: Manifest) -> str:
    """Write the release's README.md.

    Names and descriptions come from the recipe and are untrusted: in the front matter they are YAML
    strings, in the text they are escaped so that none of them is markup, a link or HTML.

    Args:
        recipe: The resolved recipe.
        manifest: The release's manifest; its files are not needed yet.
    """
    front = yaml.safe_dump(front_matter(recipe, manifest), sort_keys=False, allow_unicode=True)
    sections = (
        _opening(recipe, manifest),
        _labels(recipe),
        _making(recipe, manifest),
        _gates(manifest),
        _columns(recipe),
        _LOADING.format(first=next(iter(recipe.splits))),
        _licence(recipe, manifest),
        _citation(recipe, manifest),
        "## Limits\n\n" + "".join(f"- {limit}\n" for limit in LIMITS),
    )
    return f"---\n{front}---\n\n" + "\n".join(sections)


def escape(text: str) -> str:
    """Make a text safe inside a line of Markdown: no markup, no HTML, no link, no line break."""
    plain = "".join(
        " " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text
    )
    entities = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(_MARKUP.sub(r"\\\1", entities).split())


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)


def _opening(recipe: Recipe, manifest: Manifest) -> str:
    verdict = (
        "It passed all of its gates."
        if manifest.verdict == "pass"
        else "**It failed a gate and is not a release:** keep it for inspection only."
    )
    splits = _table(
        ("split", "rows", "share asked"),
        (
            (escape(name), f"{manifest.splits[name]:,}", f"{share:.1%}")
            for name, share in recipe.splits.items()
        ),
    )
    return (
        f"# {escape(recipe.name)}\n\n"
        f"A synthetic text corpus of {manifest.rows.accepted:,} rows in {len(recipe.labels)} "
        f"classes (language: {escape(recipe.language)}). No text was written by a person: a "
        "language model was asked for each one. "
        f"Version `{manifest.version}`. {verdict}\n\n"
        f"{splits}"
    )


def _labels(recipe: Recipe) -> str:
    whole = sum(label.share for label in recipe.labels.values())
    rows = (
        (code, escape(name), f"{label.share / whole:.1%}", escape(label.description))
        for code, (name, label) in enumerate(recipe.labels.items())
    )
    return "## Labels\n\n" + _table(("code", "label", "share asked", "meaning"), rows)


def _making(recipe: Recipe, manifest: Manifest) -> str:
    counts = manifest.rows
    strategies = ", ".join(
        escape(kind) for kind in dict.fromkeys(s.kind for s in recipe.strategies)
    )
    if recipe.noise is None:
        noise = "No noise was added."
    else:
        kinds = ", ".join(map(escape, operator_kinds(recipe.noise.steps)))
        noise = (
            f"Noise ({kinds}) was put into {recipe.noise.share:.0%} of the rows; their clean text, "
            "true label and every edit are kept."
        )
    reasons = ((escape(why), f"{count:,}") for why, count in sorted(counts.rejected.items()))
    tail = "\n" + _table(("why rejected", "candidates"), reasons) if counts.rejected else ""
    return (
        "## How it was made\n\n"
        f"The model `{_code(manifest.model.reference)}` ({escape(manifest.model.backend)}) "
        f"answered rendered prompts; decoding: {strategies}. {noise} "
        "The recipe is in `recipe.yaml`, everything about the run in `manifest.json`.\n\n"
        f"Of {counts.generated:,} candidates {counts.accepted:,} were accepted; "
        f"{counts.requested:,} rows were asked for, {counts.shortfall:,} could not be filled. "
        f"{escape(manifest.determinism.statement)}\n{tail}"
    )


def _gates(manifest: Manifest) -> str:
    rows = (
        (
            escape(gate.name),
            "pass" if gate.passed else "**fail**",
            "not measured" if gate.observed is None else f"{gate.observed:.4g}",
            escape(gate.bound),
            escape(gate.meaning),
        )
        for gate in manifest.gates
    )
    gates = "## Gates\n\n" + _table(("gate", "verdict", "observed", "bound", "meaning"), rows)
    return gates if manifest.audit is None else gates + _audit(manifest.audit)


def _audit(audit: AuditSummary) -> str:
    reasons = "".join(f"1. {escape(reason)}\n" for reason in audit.reasons)
    return (
        f"\n## Audit\n\nIts verdict is **{audit.verdict}** (ship, fix or block); `report.html` and "
        f"`report.json` hold every measure.\n\n{reasons}"
    )


def _columns(recipe: Recipe) -> str:
    rows = (
        (f"`{field.name}`", _kind(field.type), escape(field.metadata[b"description"].decode()))
        for field in RELEASED_SCHEMA
    )
    scores = _table(
        ("score", "meaning"), ((f"`{name}`", escape(text)) for name, text in SCORES.items())
    )
    attributes = ", ".join(escape(name) for name in recipe.attributes)
    return (
        "## Columns\n\n"
        + _table(("column", "type", "meaning"), rows)
        + (f"\nAttributes: {attributes}.\n" if attributes else "")
        + f"\nThe scores:\n\n{scores}"
    )


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_map(kind):
        return "map of string to string"
    if pa.types.is_list(kind):
        return f"list of {_kind(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(field.name for field in kind.fields) + "}"
    return scalar(kind)


def _code(text: str) -> str:
    """Make a text safe inside backticks."""
    return " ".join(text.replace("`", "'").split())


def _licence(recipe: Recipe, manifest: Manifest) -> str:
    own = (
        f"The corpus is published under **{escape(recipe.licence)}**."
        if recipe.licence
        else "No licence is set yet: whoever publishes the corpus chooses it."
    )
    rows = [
        (
            part.role,
            f"`{_code(part.name)}`",
            "not stated" if part.licence is None else escape(part.licence),
            "not stated" if part.citation is None else escape(part.citation),
        )
        for part in ingredients(recipe, manifest)
    ]
    return (
        f"## Licence\n\n{own} What the texts were made with has terms of its own, which go with "
        "them; they are told here as far as they are known.\n\n"
        + _table(("made with", "name", "licence", "cite as"), rows)
    )


def _citation(recipe: Recipe, manifest: Manifest) -> str:
    text = citation(recipe, manifest)
    # A fence longer than any in the text: nothing inside can end it.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"## Citation\n\n{fence}bibtex\n{text}\n{fence}\n"


_LOADING = """## How to load

```python
import datasets, pandas, polars, duckdb

corpus = datasets.load_dataset("PATH")  # every split; `label` is a ClassLabel
attributes = dict(corpus["{first}"][0]["attributes"])
frame = pandas.read_parquet("PATH/data")
frame = polars.read_parquet("PATH/data/*.parquet")
table = duckdb.sql("select label, count(*) from 'PATH/data/*.parquet' group by label")
```

`PATH` is this folder. `datasets` needs version 5 or newer for the column `attributes`.
`sha256sum -c checksums.txt` checks every file.
"""
