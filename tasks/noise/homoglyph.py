"""Letters of another script that look the same."""

# That these letters are confused is the point.
# ruff: noqa: RUF001

from functools import cache

from tasks.noise.alternatives import Alternatives, replace_characters
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices

# One line a shape: Latin, then Greek or Cyrillic (or both), alike in upright sans-serif type.
_SHAPES = (
    *("AΑА", "BΒВ", "CС", "EΕЕ", "HΗН", "IΙІ", "JЈ", "KΚК", "MΜМ", "NΝ", "OΟО", "PΡР", "SЅ"),
    *("TΤТ", "XΧХ", "YΥҮ", "ZΖ", "QԚ", "WԜ", "ΓГ", "ΦФ", "ΠП"),
    *("aа", "cс", "dԁ", "eе", "hһ", "iі", "jј", "oοо", "pр", "qԛ", "sѕ", "vν", "wԝ", "xх", "yу"),
    *("κк", "πп", "φф"),
)


def look_alikes() -> dict[str, str]:
    """Return the letters of other scripts that look like each letter."""
    return {letter: shape.replace(letter, "") for shape in _SHAPES for letter in shape}


def homoglyph(batch: TextBatch, dice: Dice) -> Splices:
    """Replace letters by look-alikes of another script, each with the text's rate.

    The units are Latin, Greek and Cyrillic letters that stand alone: one that carries a combining
    mark is left as it is. Every look-alike is equally likely.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Boucher et al., IEEE S&P 2022. https://arxiv.org/abs/2106.09898; the idea of confusable
        characters: Unicode Technical Standard 39. https://unicode.org/reports/tr39/
    """
    return replace_characters(batch, dice, _alternatives())


@cache
def _alternatives() -> Alternatives:
    return Alternatives.of(look_alikes())
