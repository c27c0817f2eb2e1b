"""What each operator was asked to do beside what it did."""

from schemas.noise import NoiseConfig, RatedStep
from tasks.noise.catalogue import meaning_of, unit_of
from tasks.noise.counts import NoiseCounts
from tasks.report.noise_findings import OperatorFindings


def operator_findings(noise: NoiseConfig, counts: NoiseCounts) -> tuple[OperatorFindings, ...]:
    """Describe the operators in the order of the steps, then those that other steps brought.

    What a rate counts is the operator's own business (letters that a keyboard has, gaps between
    words), so the measured rate is over all characters, or all words, of the clean texts: the same
    for every operator, and seldom more than what was asked.

    Args:
        noise: The settings.
        counts: What was done.
    """
    asked: dict[str, list[float]] = {}
    for step in noise.steps:
        if isinstance(step, RatedStep):
            rates = asked.setdefault(step.kind, [])
            if not step.needs_labels:
                rates.append(step.rate_of(None))
    kinds = [*asked, *sorted(counts.edits.keys() - asked.keys())]
    return tuple(_describe(kind, tuple(asked.get(kind, ())), counts) for kind in kinds)


def _describe(kind: str, asked: tuple[float, ...], counts: NoiseCounts) -> OperatorFindings:
    unit = unit_of(kind)
    num_units = counts.characters if unit == "character" else counts.words
    return OperatorFindings(
        kind=kind,
        meaning=meaning_of(kind),
        unit=unit,
        asked=asked,
        measured=counts.edits[kind] / num_units if num_units else None,
        edits=counts.edits[kind],
        texts=counts.texts[kind],
    )
