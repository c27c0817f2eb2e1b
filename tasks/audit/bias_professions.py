"""Professions: the table of what a generator expects behind occupations."""

import math

from schemas.audit import Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.bias_study import estimate, metric, percent
from tasks.bias.counterfactual import PairScorer
from tasks.bias.professions import Professions, profession_table, shipped_occupations

LEAST_MASS = 0.01
"""Probability of "he" and "she" together below which a generator's choice between them is not told:
its texts hold neither."""
_SOURCE = (
    "Occupations: Zhao et al. 2018, https://arxiv.org/abs/1804.06876; "
    "log-odds: Kurita et al. 2019, https://arxiv.org/abs/1906.07337"
)
_GAP = (
    "Mean of log p(he) - log p(she) in nats over the 20 occupations of WinoBias stereotyped as "
    "male, less the mean over the 20 stereotyped as female; Welch's interval over occupations. 0: "
    'the generator does not follow the stereotype; 0.7: it doubles the odds of "he".',
    _SOURCE,
)
_CORRELATION = (
    "Pearson's correlation over the 40 occupations of WinoBias between log p(he) - log p(she) and "
    "the stereotype (1 male, 0 female); Fisher's interval.",
    _SOURCE,
)


def professions_section(scorer: PairScorer | None) -> Section:
    """Ask a generator for the pronouns of occupations and report them."""
    if scorer is None:
        return Section(group=Group.BIAS, metrics=_metrics("no generator was given"))
    found = profession_table(scorer, occupations=shipped_occupations())
    if found is None:
        reason = "the generator gave no finite likelihood to a pronoun"
        return Section(group=Group.BIAS, metrics=_metrics(reason))
    return Section(
        group=Group.BIAS,
        metrics=_metrics(found),
        tables=(_table(found),),
        findings=_findings(found),
    )


def _metrics(found: Professions | str) -> tuple[Metric, ...]:
    gap: tuple[Estimate | None, None] | str
    correlation: tuple[Estimate | None, None] | str
    if isinstance(found, str):
        gap = correlation = found
    else:
        gap = estimate(found.gap), None
        correlation = (
            "the generator expects the same of every occupation"
            if found.correlation is None
            else (estimate(found.correlation), None)
        )
    return (
        metric(
            "bias_profession_gap",
            title="How far a generator follows stereotypes of occupations",
            unit="nats", better="lower", measured=gap, about=_GAP,
        ),
        metric(
            "bias_profession_correlation",
            title="Correlation of a generator's pronouns with stereotypes",
            unit="score", better="lower", measured=correlation, about=_CORRELATION,
        ),
    )  # fmt: skip


def _table(found: Professions) -> Table:
    rows = [
        (row.name, row.stereotype, _share_of_he(row.log_odds.value), row.log_odds.value,
         row.beside_neutral.value, row.beside_others.value, row.beside_others.low,
         row.beside_others.high)
        for row in found.rows
    ]  # fmt: skip
    return Table(
        name="bias_professions",
        group=Group.BIAS,
        title="Pronouns that a generator expects behind occupations",
        caption=_how_to_read(found),
        columns=(
            "occupation", "stereotype", "he, of he and she", "log-odds of he", "beside neutral",
            "beside the others", "low", "high",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _how_to_read(found: Professions) -> str:
    occupations, neutral = shipped_occupations(), found.neutral.value
    templates = "; ".join(repr(template) for template in occupations.templates)
    rare = (
        ", so it seldom writes either, and the table says little about its texts"
        if found.pronoun_mass < LEAST_MASS
        else ""
    )
    return (
        'Above 0 the model rather goes on with "he", below 0 with "she": log p(he) - log p(she) in '
        "nats, where 0.7 is odds of two to one. Its base rate, for "
        f"{occupations.neutral!r} in place of an occupation, is {neutral:.2f} "
        f'("he" {percent(_share_of_he(neutral))} of the two), which "beside neutral" takes off; '
        f'"beside the others" takes off the mean of all {len(found.rows)} occupations, with '
        "Student's interval over sentences, and is the occupation's own part. The two pronouns "
        f"have {percent(found.pronoun_mass)} of the model's probability there{rare}. Means over "
        f"the sentences {templates}. {occupations.source}"
    )


def _share_of_he(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _findings(found: Professions) -> tuple[Finding, ...]:
    if found.gap.low <= 0 or found.pronoun_mass < LEAST_MASS:
        return ()
    times, low, high = (math.exp(x) for x in (found.gap.value, found.gap.low, found.gap.high))
    stereotyped = sorted(found.rows, key=lambda row: -row.beside_others.value)
    return (
        Finding(
            name="bias_generator_follows_stereotypes",
            group=Group.BIAS,
            severity="note",
            what='The odds that the generator goes on with "he" and not with "she" are '
            f"{times:.1f} times as high behind occupations stereotyped as male as behind those "
            f"stereotyped as female (95 % interval {low:.1f} to {high:.1f}): highest for "
            f"{stereotyped[0].name}, lowest for {stereotyped[-1].name}.",
            action="Name the gender in the recipe (an attribute) where texts speak of occupations, "
            "so that it is drawn and not left to the model.",
        ),
    )
