"""The page `docs/noise-operators.md`, made from the schemas and the operators' docstrings."""

import re
import sys

from tasks.noise.catalogue import KindParameter, NoiseKind, catalogue

_LINK = re.compile(r"https?://[^\s,;)]*[^\s,;).]")
_HEAD = """\
# Noise operators

One line a kind, as `corpusmith noise --list` prints them; [how to use them](how-to/noise.md).
This page is made by `python -m tasks.noise.catalogue_page > docs/noise-operators.md`.

A kind with a rate takes `rate`, the probability that one unit is edited (or a mapping of labels to
rates, `default` for the others), or `level`: `light`, `medium` or `heavy`. Every kind takes
`labels`: only rows of these labels meet the step. Units are grapheme clusters, what a reader takes
for one character, or words: runs of them without white space. In every kind a rate of 0 changes
nothing, no text is emptied, and every edit is logged.

| kind | does | rate | parameters | source |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page in Markdown."""
    return _HEAD + "".join(map(_line, catalogue()))


def _line(kind: NoiseKind) -> str:
    cells = [
        f"`{kind.kind}`",
        kind.meaning,
        "yes" if kind.has_rate else "no",
        "<br>".join(map(_parameter, kind.parameters)),
        " ".join(_LINK.sub(r"<\g<0>>", source) for source in kind.sources),
    ]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _parameter(parameter: KindParameter) -> str:
    default = "" if parameter.is_required else f" (`{parameter.default}`)"
    if parameter.default is None and not parameter.is_required:
        default = " (none)"
    return f"`{parameter.name}`{default}: {parameter.meaning}"


if __name__ == "__main__":
    sys.stdout.write(page())
