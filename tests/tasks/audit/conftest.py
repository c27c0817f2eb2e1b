"""What tests of the sections share: how grave a finding is, by the default gates."""

from collections.abc import Callable

import pytest

from schemas.audit import Section
from schemas.audit_gates import AuditFile
from tasks.audit.bounds import bounds_of
from tasks.audit.defaults import DEFAULT_GATES
from tasks.audit.verdict import settle
from tasks.expectations.audit_suite import judge_metrics

Severities = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def severities() -> Severities:
    """Severity of each finding of a section, by name, as the default gates settle it."""

    def settled(section: Section, *, language: str | None = None) -> dict[str, str]:
        metrics = {metric.name: metric for metric in section.metrics}
        bounds = bounds_of(metrics, defaults=DEFAULT_GATES, wishes=AuditFile(language=language))
        outcomes = judge_metrics(metrics, bounds.by_metric, title="made").outcomes
        (judged,) = settle([section], outcomes, off=frozenset())
        return {finding.name: finding.severity for finding in judged.findings}

    return settled
