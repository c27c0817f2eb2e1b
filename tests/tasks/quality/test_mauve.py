import math
from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.fingerprints import normalise_text
from tasks.quality.mauve import divergence_curve, embed_texts, mauve, mauve_of_counts

COUNTS = st.integers(1, 6).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 9), min_size=k, max_size=k)] * 2)
).filter(lambda pair: all(map(sum, pair)))  # fmt: skip


def kl(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a)


def area_by_definition(first: list[int], second: list[int], c: float, num_lambdas: int) -> float:
    """Term by term as Pillutla et al. define the curve; trapezoids from (0, 1) to (1, 0)."""
    p = [count / sum(first) for count in first]
    q = [count / sum(second) for count in second]
    points = [(0.0, 1.0), (1.0, 0.0)]
    for step in range(1, num_lambdas + 1):
        weight = step / (num_lambdas + 1)
        mixture = [weight * a + (1 - weight) * b for a, b in zip(p, q, strict=True)]
        points.append((math.exp(-c * kl(q, mixture)), math.exp(-c * kl(p, mixture))))
    points.sort(key=lambda point: (point[0], -point[1]))
    return sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(points))


@settings(deadline=None, max_examples=60)
@given(COUNTS, st.floats(0.5, 8), st.integers(1, 30))
def test_the_area_is_that_of_the_definition(
    pair: tuple[list[int], list[int]], c: float, num_lambdas: int
) -> None:
    first, second = map(np.array, pair)
    found = mauve_of_counts(first, second, scale=c, num_lambdas=num_lambdas)
    assert found == pytest.approx(area_by_definition(*pair, c, num_lambdas), abs=1e-9)
    swapped = mauve_of_counts(second, first, scale=c, num_lambdas=num_lambdas)
    assert found == pytest.approx(swapped, abs=1e-9)
    assert 0 < found <= 1 + 1e-12


def test_equal_shares_have_1() -> None:
    assert mauve_of_counts(np.array([3, 1, 0]), np.array([6, 2, 0])) == pytest.approx(1)


def test_disjoint_samples_have_one_over_the_central_binomial() -> None:
    found = mauve_of_counts(np.array([4, 0]), np.array([0, 9]), num_lambdas=20_000)
    assert found == pytest.approx(1 / math.comb(10, 5), rel=1e-5)


def test_two_overlapping_coins_have_the_integral() -> None:
    """P is fair and Q always heads, so y is a function of x that scipy can integrate."""
    from scipy.integrate import quad

    def y_dx(weight: float) -> float:
        # R = (1 - w / 2, w / 2) with P's weight w: KL(Q|R) = -log(1 - w / 2).
        y = (4 * (1 - weight / 2) * weight / 2) ** 2.5
        return float(y * 2.5 * (1 - weight / 2) ** 4)

    expected = quad(y_dx, 0, 1)[0]
    # From w = 1, where R is P, on the height is 1.
    expected += 0.5**5
    found = mauve_of_counts(np.array([5, 5]), np.array([7, 0]), num_lambdas=20_000)
    assert found == pytest.approx(expected, rel=1e-4)


def test_smoothing_adds_to_each_count() -> None:
    first, second = np.array([3, 0, 1]), np.array([0, 2, 2])
    doubled = mauve_of_counts(2 * first + 1, 2 * second + 1)
    assert mauve_of_counts(first, second, smoothing=0.5) == pytest.approx(doubled)
    assert doubled > mauve_of_counts(first, second)


def test_a_larger_scale_judges_harder() -> None:
    p, q = np.array([0.6, 0.4]), np.array([0.4, 0.6])
    mild, hard = (divergence_curve(p, q, scale=scale) for scale in (1.0, 10.0))
    assert (hard[1:-1] < mild[1:-1]).all()


def test_a_histogram_needs_a_text() -> None:
    with pytest.raises(ValueError, match="without texts"):
        mauve_of_counts(np.array([0, 0]), np.array([1, 0]))
    with pytest.raises(ValueError, match="without texts"):
        mauve(np.zeros((0, 3)), np.zeros((2, 3)))


def test_clusters_that_lie_apart_are_found() -> None:
    """Four clumps: the value must be that of their known counts."""
    rng = np.random.default_rng(0)
    clumps = np.repeat(np.eye(4) * 100, [10, 30, 20, 20], axis=0)
    rows = clumps + rng.normal(size=(80, 4))
    first, second = rows[[*range(0, 30), *range(40, 50)]], rows[[*range(30, 40), *range(50, 80)]]
    found = mauve(first, second, num_clusters=4)
    counts = np.array([10, 20, 10, 0]), np.array([0, 10, 10, 20])
    assert found.num_clusters == 4
    assert found.value == pytest.approx(mauve_of_counts(*counts))


def test_neither_roles_nor_order_matter() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(60, 3)), rng.normal(size=(50, 3)) + 0.5
    found = astuple(mauve(first, second, num_clusters=8))
    assert astuple(mauve(second, first, num_clusters=8)) == pytest.approx(found)
    mixed = mauve(first[::-1], rng.permutation(second), num_clusters=8)
    assert astuple(mixed) == pytest.approx(found)


def test_equal_rows_are_one_cluster() -> None:
    found = mauve(np.ones((30, 2)), np.ones((25, 2)))
    assert (found.value, found.num_clusters) == (1.0, 1)
    assert mauve(np.ones((1, 2)), np.ones((1, 2))).standard_error is None


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    rng = np.random.default_rng(2)
    clumps = np.eye(5) * 1000
    p, q = [0.4, 0.3, 0.2, 0.1, 0.0], [0.1, 0.2, 0.3, 0.3, 0.1]

    def draw() -> tuple[float, float]:
        sides = [clumps[rng.choice(5, 150, p=shares)] for shares in (p, q)]
        found = mauve(*sides, num_clusters=5)
        assert found.standard_error is not None
        return found.value, found.standard_error

    values, errors = np.array([draw() for _ in range(150)]).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.15)


def test_texts_of_one_topic_lie_together() -> None:
    texts = ["the cat sat on the mat", "a cat on a mat", "rates of the bank", "bank rates rose"]
    texts = [*map(normalise_text, texts * 3), ""]
    embedded = embed_texts(texts)
    assert embedded.shape[0] == len(texts)
    assert embedded.shape[1] <= 64
    assert np.linalg.norm(embedded, axis=1)[:-1] == pytest.approx(1)
    assert not embedded[-1].any()
    assert embedded[0] @ embedded[1] > embedded[0] @ embedded[2]


@pytest.mark.parametrize("texts", [["", ""], ["word"], ["word", "word"], ["one", "two words"]])
def test_few_words_can_be_embedded(texts: list[str]) -> None:
    embedded = embed_texts(texts)
    assert len(embedded) == len(texts)
    assert np.isfinite(embedded).all()
