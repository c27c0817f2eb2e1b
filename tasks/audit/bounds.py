"""From gates to the bounds of one dataset: what is allowed of it, and beside its reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from schemas.audit import Estimate, GateOutcome, Metric
from schemas.audit_gates import AuditFile
from schemas.bounds import Bound


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the reference has itself is allowed: bounds give way to its interval.

    A reference without a single case allows none, however wide its interval is.
    """


@dataclass(frozen=True, slots=True)
class Excess:
    """Bounds lie this far beyond the interval of the reference's figure."""

    bound: Bound


@dataclass(frozen=True, slots=True)
class Multiple:
    """Bounds are multiples of the reference's figure."""

    bound: Bound


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that an audit has without a gates file.

    Args:
        reason: Why its bounds lie where they do.
        alone: What is allowed of any dataset; None where only a reference can tell.
        beside: What a reference changes; the sides that it names take the place of those of
            `alone`.
        fewest: Observations without which the figure is not held against a dataset.
        asked: Key of the gates file without which there is nothing to hold the figure against.
    """

    reason: str
    alone: Bound | None = None
    beside: Allowed | Excess | Multiple | None = None
    fewest: int = 1
    asked: Literal["language"] | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one dataset is held against.

    Args:
        by_metric: Bound of each metric; None where its gate is off.
        idle: Metrics whose gate has no bound for this dataset: nothing was asked for, there is no
            reference to compare with, or there are too few observations.
    """

    by_metric: Mapping[str, Bound | None]
    idle: frozenset[str]

    @property
    def off(self) -> frozenset[str]:
        """Metrics whose gates are off."""
        return frozenset(name for name, bound in self.by_metric.items() if bound is None)

    def with_idle(
        self, outcomes: tuple[GateOutcome, ...], metrics: Mapping[str, Metric]
    ) -> tuple[GateOutcome, ...]:
        """Add the gates without a bound, in the order of the metrics.

        All audits by one gates file thus have the same gates, whatever they are given.
        """
        judged = {one.metric: one for one in outcomes}
        unset = GateOutcome(metric="", level="unmeasured", observed=None, bound="")
        found = []
        for name, metric in metrics.items():
            if name in judged:
                found.append(judged[name])
            elif name in self.idle:
                observed = metric.estimate.value if metric.estimate else None
                found.append(unset.model_copy(update={"metric": name, "observed": observed}))
        return tuple(found)


def bounds_of(
    metrics: Mapping[str, Metric], *, defaults: Mapping[str, Gate], wishes: AuditFile
) -> Bounds:
    """Return the bounds of a dataset: those of the gates file, else the default ones.

    Args:
        metrics: What was measured, by name.
        defaults: Gates by metric.
        wishes: The gates file; its bounds hold as they are written.
    """
    own: dict[str, Bound | None] = dict(wishes.gates)
    idle = set()
    for name, gate in defaults.items():
        if name in own or name not in metrics:
            continue
        is_asked = gate.asked is None or getattr(wishes, gate.asked) is not None
        bound = bound_beside(gate, metrics[name]) if is_asked else None
        if bound is None:
            idle.add(name)
        else:
            own[name] = bound
    return Bounds(own, frozenset(idle))


def bound_beside(gate: Gate, metric: Metric) -> Bound | None:
    """Return what a gate allows of a metric, given the reference's figure; None if anything."""
    if metric.estimate is not None and metric.estimate.n < gate.fewest:
        return None
    sides = _sides(gate.alone)
    if metric.baseline is not None:
        sides |= _moved(sides, gate, metric.baseline)
    return _bound(sides)


def _moved(alone: Mapping[str, float], gate: Gate, reference: Estimate) -> dict[str, float]:
    low, high = reference.low, reference.high
    least = reference.value if low is None else low
    most = reference.value if high is None else high
    match gate.beside:
        case None:
            return {}
        case Allowed():
            if reference.value == 0:
                return {}
            return {
                side: max(value, most) if side.endswith("above") else min(value, least)
                for side, value in alone.items()
            }
        case Excess(bound):
            return {
                side: most + value if side.endswith("above") else least - value
                for side, value in _sides(bound).items()
            }
        case Multiple(bound):
            return {side: reference.value * value for side, value in _sides(bound).items()}
        case _:
            assert_never(gate.beside)


def _sides(bound: Bound | None) -> dict[str, float]:
    return {} if bound is None else bound.model_dump(exclude_none=True)


def _bound(sides: Mapping[str, float]) -> Bound | None:
    if not sides:
        return None
    # Three digits: a bound is something to be read, and stands in the report.
    rounded = {side: float(f"{value:.3g}") for side, value in sides.items()}
    # What the reference moves may pass the side that stays; a metric warns before it fails.
    if {"warn_above", "fail_above"} <= rounded.keys():
        rounded["fail_above"] = max(rounded["warn_above"], rounded["fail_above"])
    if {"warn_below", "fail_below"} <= rounded.keys():
        rounded["warn_below"] = max(rounded["warn_below"], rounded["fail_below"])
    return Bound.model_validate(rounded)
