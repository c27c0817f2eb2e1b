"""How alike two texts are: the Jaccard similarity of their character 5-grams."""

from collections.abc import Set

from tasks.quality.fingerprints import normalise_text

SHINGLE_LENGTH = 5
"""Characters in a shingle: longer ones match less by chance, shorter ones forgive more."""


def shingles(text: str) -> frozenset[str]:
    """Return the distinct character 5-grams of a text, normalised; spaces count as characters.

    A text that is shorter than a 5-gram once it is normalised is one shingle as it is, so two texts
    without letters and digits are equal.
    """
    return shingles_of_normal(normalise_text(text))


def shingles_of_normal(normal: str) -> frozenset[str]:
    """Return the shingles of a text that `normalise_text` returned."""
    num_shingles = max(len(normal) - SHINGLE_LENGTH + 1, 1)
    return frozenset([normal[i : i + SHINGLE_LENGTH] for i in range(num_shingles)])


def jaccard(first: Set[str], second: Set[str]) -> float:
    """Return the size of the intersection over that of the union, 0 to 1; one set is not empty.

    References:
        Broder, SEQUENCES 1997. https://doi.org/10.1109/SEQUEN.1997.666900
    """
    num_shared = len(first & second)
    return num_shared / (len(first) + len(second) - num_shared)
