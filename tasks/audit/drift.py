"""Drift: how far a release lies from the version before it."""

from schemas.audit import Group, Metric, Section, Table
from tasks.audit import fidelity
from tasks.audit.corpus import Corpus
from tasks.audit.fidelity_metrics import unmeasured

PREFIX = "drift_"
MEASURED = (
    "mauve",
    "two_sample_auc",
    "word_divergence",
    "length_ks",
    "unknown_word_share",
    "missing_word_share",
    "label_share_distance",
)
"""Metrics of fidelity that say something of two versions as well."""
SHOWN = "tell_tale_words"
"""Table of fidelity that does so."""
NO_PREVIOUS = "there is no version before this one"


def measure(*, corpus: Corpus, previous: Corpus | None) -> Section:
    """Compare a release with the version before it, as `fidelity` does with real texts.

    The baseline is what chance alone makes: one half of the previous version beside the other.
    There are no findings: a new version may well differ, so only a gate that the recipe asks for
    speaks against it.

    Args:
        corpus: The release.
        previous: The version before; None, or one without rows, leaves every metric unmeasured.
    """
    if previous is None or not len(previous):
        found = Section(group=Group.FIDELITY, metrics=unmeasured(NO_PREVIOUS))
    else:
        found = fidelity.measure(corpus=corpus, reference=previous)
    return Section(
        group=Group.DRIFT,
        metrics=tuple(_metric(metric) for metric in found.metrics if metric.name in MEASURED),
        tables=tuple(_table(table) for table in found.tables if table.name == SHOWN),
    )


def _metric(metric: Metric) -> Metric:
    return metric.model_copy(
        update={
            "name": PREFIX + metric.name,
            "group": Group.DRIFT,
            "title": _reworded(metric.title),
            "definition": _reworded(metric.definition),
        }
    )


def _table(table: Table) -> Table:
    return table.model_copy(
        update={
            "name": PREFIX + table.name,
            "group": Group.DRIFT,
            "title": _reworded(table.title),
            "caption": _reworded(table.caption),
            "columns": tuple(map(_reworded, table.columns)),
        }
    )


def _reworded(text: str) -> str:
    return text.replace("reference", "previous version")
