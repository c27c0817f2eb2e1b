"""How uncertain a figure of a whole corpus is: its spread when parts of the corpus are left out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUM_BLOCKS = 20
QUANTILE = 2.093024054408263
"""The 97.5 % quantile of Student's t with `NUM_BLOCKS - 1` degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Jackknifed:
    """A figure of a corpus with its standard error.

    Args:
        value: The figure of all N texts.
        standard_error: Null for fewer than `NUM_BLOCKS` texts, and where the figure is undefined
            without one of the blocks.
    """

    value: float
    standard_error: float | None


def block_jackknife(
    measure: Callable[[NDArray[np.bool_]], float | None], num_texts: int
) -> Jackknifed | None:
    """Measure a corpus, and again without each of `NUM_BLOCKS` = B blocks of its texts.

    Text i is in block i mod B, so the texts have to be in an order that has nothing to do with
    them. With t(b) the figure without block b, and t(.) their mean, the variance is
    (B - 1) / B * sum over b of (t(b) - t(.))^2, and `value +- QUANTILE * standard_error` is an
    interval of about 95 %.

    Texts count as independent draws from a source, and the interval is about the figure that
    samples *of this size* from it have on average: most measures of diversity change with the
    size. The variance tends to be too great rather than too small (Efron and Stein).

    Args:
        measure: Gives the figure of the texts that are True, shape `(N,)`; None where it is
            undefined.
        num_texts: N.

    Returns:
        None where the figure of all texts is undefined.

    References:
        Busing, Meijer and van der Leeden, Statistics and Computing 1999 (delete-m jackknife).
        https://doi.org/10.1023/A:1008800423698
        Efron and Stein, Annals of Statistics 1981. https://doi.org/10.1214/aos/1176345462
    """
    value = measure(np.ones(num_texts, dtype=np.bool_))
    if value is None:
        return None
    if num_texts < NUM_BLOCKS:
        return Jackknifed(value, None)
    blocks = np.arange(num_texts) % NUM_BLOCKS
    without: list[float] = []
    for block in range(NUM_BLOCKS):
        figure = measure(blocks != block)
        if figure is None:
            return Jackknifed(value, None)
        without.append(figure)
    variance = (NUM_BLOCKS - 1) * float(np.var(without))
    return Jackknifed(value, math.sqrt(variance))
