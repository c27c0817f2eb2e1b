"""Professions: the table of what a generator expects behind occupations."""

from schemas.audit import Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.bias_study import estimate, metric
from tasks.bias.counterfactual import PairScorer
from tasks.bias.professions import Professions, profession_table, shipped_occupations

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
    neutral = found.neutral
    rows = [
        (row.name, row.stereotype, row.log_odds.value, row.beside_neutral.value,
         row.beside_neutral.low, row.beside_neutral.high)
        for row in found.rows
    ]  # fmt: skip
    occupations = shipped_occupations()
    return Table(
        name="bias_professions",
        group=Group.BIAS,
        title="Pronouns that a generator expects behind occupations",
        caption="log p(he) - log p(she) in nats, the mean over the sentences "
        f"{'; '.join(repr(template) for template in occupations.templates)}. For "
        f'{occupations.neutral!r} it is {neutral.value:.2f}; "beside" is the difference from that, '
        "sentence by sentence, with Student's interval: what the occupation adds. "
        f"{occupations.source}",
        columns=("occupation", "stereotype", "log-odds of he", "beside neutral", "low", "high"),
        rows=tuple(rows),
    )


def _findings(found: Professions) -> tuple[Finding, ...]:
    if found.gap.low <= 0:
        return ()
    return (
        Finding(
            name="bias_generator_follows_stereotypes",
            group=Group.BIAS,
            severity="note",
            what='The generator expects "he" behind occupations that are stereotyped as male: '
            f"{found.gap.value:.2f} nats more than behind those stereotyped as female "
            f"({found.gap.low:.2f} to {found.gap.high:.2f}).",
            action="Name the gender in the recipe (an attribute) where texts speak of occupations, "
            "so that it is drawn and not left to the model.",
        ),
    )
