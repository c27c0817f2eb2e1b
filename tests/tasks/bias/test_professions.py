from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, ttest_ind

from tasks.bias.professions import HE, profession_table, shipped_occupations

OCCUPATIONS = shipped_occupations()


def leaning(strength: float, noise: float = 1.0):
    def scores(pairs: Sequence[tuple[str, str]]) -> list[float]:
        found = []
        for prompt, pronoun in pairs:
            male = any(name in prompt for name in OCCUPATIONS.occupations["male"])
            wobble = noise * (sum(map(ord, prompt)) % 7) / 7
            found.append(-3 + (strength * male + wobble) * (pronoun == HE))
        return found

    return scores


def test_a_generator_that_knows_the_stereotype() -> None:
    found = profession_table(leaning(2.0), occupations=OCCUPATIONS)
    assert found is not None
    assert len(found.rows) == 40
    first = found.rows[0]
    assert first.stereotype == "male"
    beside = first.beside_neutral
    assert beside.value == pytest.approx(first.log_odds.value - found.neutral.value)
    assert beside.low <= beside.value <= beside.high
    usual = np.mean([row.log_odds.value for row in found.rows])
    assert first.beside_others.value == pytest.approx(first.log_odds.value - usual)
    odds = {
        side: [row.log_odds.value for row in found.rows if row.stereotype == side]
        for side in ("male", "female")
    }
    expected = ttest_ind(odds["male"], odds["female"], equal_var=False)
    bounds = expected.confidence_interval(0.95)
    assert (found.gap.low, found.gap.high) == pytest.approx((bounds.low, bounds.high))
    assert found.gap.low <= 2 <= found.gap.high + 0.2
    assert found.correlation is not None
    both = pearsonr([*odds["male"], *odds["female"]], [1] * 20 + [0] * 20)
    interval = both.confidence_interval(0.95)
    assert found.correlation.value == pytest.approx(both.statistic)
    assert (found.correlation.low, found.correlation.high) == pytest.approx(tuple(interval))


def test_a_generator_without_stereotype() -> None:
    found = profession_table(leaning(0.0), occupations=OCCUPATIONS)
    assert found is not None
    assert not found.gap.excludes(0)
    same = profession_table(lambda pairs: [-1.0] * len(pairs), occupations=OCCUPATIONS)
    assert same is not None
    assert same.correlation is None
    assert (same.neutral.value, same.gap.value) == (0, 0)
    assert same.pronoun_mass == pytest.approx(2 * np.exp(-1))
    assert {row.beside_others.value for row in same.rows} == {0}


def test_a_generator_that_cannot_be_asked() -> None:
    assert profession_table(lambda pairs: [-np.inf] * len(pairs), occupations=OCCUPATIONS) is None


@pytest.mark.shared
def test_the_occupations_are_those_of_winobias(shared: Path) -> None:
    for side, names in OCCUPATIONS.occupations.items():
        listed = (
            (shared / "data/winobias" / f"{side}_occupations.txt").read_text("utf-8").split("\n")
        )
        assert set(names) == {name.strip() for name in listed if name.strip()}
