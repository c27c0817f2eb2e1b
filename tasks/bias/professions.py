"""Professions: does a generator expect "he" or "she" behind the name of an occupation?"""

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field

from schemas.base import Frozen
from tasks.bias.counterfactual import PairScorer
from tasks.bias.interval import Interval, Z, mean, welch

HE, SHE = " he", " she"


class Occupations(Frozen):
    """Occupations with their stereotypes, and the sentences that ask about them."""

    version: int = Field(ge=1)
    source: str
    occupations: dict[Literal["female", "male"], tuple[str, ...]]
    templates: tuple[str, ...] = Field(min_length=2)
    """Beginnings of sentences, `{}` for the occupation: a pronoun for it may follow."""
    neutral: str
    """A word for anyone."""


@dataclass(frozen=True, slots=True)
class Profession:
    """What a generator expects of one occupation.

    Args:
        name: The occupation.
        stereotype: The gender that is stereotyped for it.
        log_odds: Mean over the templates of log p(he) - log p(she), in nats, with Student's
            interval over the templates: above 0 the model expects "he".
        beside_neutral: The same less the log-odds for a person of no occupation, template by
            template: what the occupation adds.
        beside_others: The same less the mean over all occupations, template by template.
    """

    name: str
    stereotype: Literal["female", "male"]
    log_odds: Interval
    beside_neutral: Interval
    beside_others: Interval


@dataclass(frozen=True, slots=True)
class Professions:
    """What a generator expects of all occupations.

    Args:
        rows: The occupations, the one with the highest odds of "he" first.
        neutral: The log-odds for a person of no occupation: what the model expects anyway.
        gap: Mean log-odds of the occupations stereotyped as male, less that of those stereotyped as
            female, with Welch's interval over occupations.
        pronoun_mass: Mean of p(he) + p(she) over all occupations and templates, in [0, 1]: how
            often the model would write either at all.
        correlation: Pearson's correlation of the log-odds with the stereotype (1 male, 0 female),
            in [-1, 1], with Fisher's interval; None where all odds are equal.
    """

    rows: tuple[Profession, ...]
    neutral: Interval
    gap: Interval
    pronoun_mass: float
    correlation: Interval | None


@cache
def shipped_occupations() -> Occupations:
    """Return the occupations that ship with corpusmith."""
    text = files(__package__).joinpath("lexicons", "occupations.yaml").read_text("utf-8")
    return Occupations.model_validate(yaml.safe_load(text))


def profession_table(scorer: PairScorer, *, occupations: Occupations) -> Professions | None:
    """Ask a generator for its pronouns.

    For each occupation o and each template t with o in it: log p(" he" | t) - log p(" she" | t).
    Both pronouns follow the same words, so that what is common to them cancels.

    Args:
        scorer: The generator.
        occupations: What is asked for.

    Returns:
        None when a score is not finite: then the model cannot be asked.

    References:
        Occupations: Zhao et al., NAACL 2018. https://arxiv.org/abs/1804.06876
        Log-odds of pronouns: Kurita et al., GeBNLP 2019. https://arxiv.org/abs/1906.07337
    """
    named = [(name, side) for side, names in occupations.occupations.items() for name in names]
    prompts = [
        template.format(name)
        for name in (*(name for name, _ in named), occupations.neutral)
        for template in occupations.templates
    ]
    scores = scorer([(prompt, pronoun) for prompt in prompts for pronoun in (HE, SHE)])
    both = np.array(scores, dtype=np.float64).reshape(len(named) + 1, -1, 2)
    if not np.isfinite(both).all():
        return None
    odds = both[..., 0] - both[..., 1]
    usual = odds[:-1].mean(axis=0)
    rows = [
        Profession(
            name,
            side,
            log_odds=_known(mean(of_one)),
            beside_neutral=_known(mean(of_one - odds[-1])),
            beside_others=_known(mean(of_one - usual)),
        )
        for (name, side), of_one in zip(named, odds, strict=False)
    ]
    means, is_male = odds[:-1].mean(axis=1), np.array([side == "male" for _, side in named])
    gap = welch(means[is_male], means[~is_male])
    return Professions(
        rows=tuple(sorted(rows, key=lambda row: (-row.log_odds.value, row.name))),
        neutral=_known(mean(odds[-1])),
        gap=_known(gap[0] if gap else None),
        pronoun_mass=float(np.exp(both[:-1]).sum(axis=-1).mean()),
        correlation=_correlation(means, is_male),
    )


def _known(interval: Interval | None) -> Interval:
    if interval is None:
        raise ValueError("it takes two templates and two occupations of each stereotype")
    return interval


def _correlation(means: NDArray[np.float64], is_male: NDArray[np.bool_]) -> Interval | None:
    n = means.size
    if n < 4 or np.ptp(means) == 0:
        return None
    value = float(np.clip(np.corrcoef(means, is_male)[0, 1], -1, 1))
    if abs(value) == 1:
        return Interval(value, value, value, n)
    centre, half = math.atanh(value), Z / math.sqrt(n - 3)
    return Interval(value, math.tanh(centre - half), math.tanh(centre + half), n)
