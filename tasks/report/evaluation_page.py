"""The report of an evaluation as one page and its JSON twin."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from schemas.evaluation import Confusion, Evaluation, LabelScore
from tasks.planning.shards import write_whole
from tasks.report import evaluation_wording
from tasks.report.audit_page import LIMITS
from tasks.report.audit_view import Limits
from tasks.report.bounded_page import bounded_page, encodable_json
from tasks.report.evaluation_charts import learning_curve

_TEMPLATE = "evaluation.html.j2"


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label: the synthetic student's figures beside the real one's.

    Args:
        own: Of the synthetic student.
        real: Of the real one; None where there is none.
    """

    own: LabelScore
    real: LabelScore | None


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """What the page shows.

    Args:
        found: All of it.
        limits: What everything was cut to.
        labels: Those that the synthetic student tells worst first.
        labels_left_out: How many the page does not show.
        confusions: What the synthetic student confuses most.
        confusions_left_out: How many pairs the page does not show.
        curve: The drawing; empty without a real training set.
    """

    found: Evaluation
    limits: Limits
    labels: tuple[LabelRow, ...]
    labels_left_out: int
    confusions: tuple[Confusion, ...]
    confusions_left_out: int
    curve: Markup

    @property
    def says(self) -> object:
        """The words of an evaluation, for the template."""
        return evaluation_wording


def render_evaluation_page(found: Evaluation) -> str:
    """Render the report as one HTML document, under the same rules as an audit's.

    Args:
        found: What was measured. Names of labels and files are untrusted.

    Returns:
        The document, at most `bounded_page.MAX_BYTES` long in UTF-8. It says what it leaves out.
    """
    return bounded_page(_TEMPLATE, ({"f": _view(found, limits)} for limits in LIMITS))


def write_evaluation(found: Evaluation, folder: Path) -> None:
    """Write `evaluation.json` and `report.html` into an existing folder, each whole or absent.

    Raises:
        CorpusmithError: If they cannot be written.
    """
    page = render_evaluation_page(found).encode()
    write_whole(folder / "evaluation.json", encodable_json(found))
    write_whole(folder / "report.html", page)


def _view(found: Evaluation, limits: Limits) -> EvaluationView:
    own, real = found.score("tstr"), found.score("trtr")
    beside = {one.label: one for one in real.labels} if real else {}
    labels = sorted(own.labels if own else (), key=lambda one: (one.f1, one.label))
    pairs = own.confusions if own else ()
    shown = pairs[: min(limits.table_rows, 15)]
    return EvaluationView(
        found=found,
        limits=limits,
        labels=tuple(
            LabelRow(one, beside.get(one.label)) for one in labels[: 4 * limits.table_rows]
        ),
        labels_left_out=max(0, len(labels) - 4 * limits.table_rows),
        confusions=shown,
        confusions_left_out=(len(pairs) - len(shown) + (own.confusions_left_out if own else 0)),
        curve=learning_curve(found.curve, own.macro_f1) if found.curve and own else Markup(),
    )
