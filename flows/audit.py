"""The audit flow: a dataset in, a verdict with its report out."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import policies, states
from flows.artifacts import show_audit
from schemas.audit import Audit
from schemas.errors import CorpusmithError, GateError
from tasks.audit.reading import Choice
from tasks.audit.run import Request
from tasks.audit_dataset import audit_dataset
from tasks.release.fetch import local_copy, optional_copy
from tasks.release.outlet import Place
from tasks.release.publish import LATEST, latest

_COLUMNS = Choice()


@flow(name="audit", validate_parameters=True)
def audit(
    data: Place,
    out: Path,
    columns: Choice = _COLUMNS,
    reference: Place | None = None,
    holdout: Place | None = None,
    gates: Path | None = None,
) -> Path | State[Any]:
    """Audit a dataset.

    Args:
        data: A Parquet, CSV or JSON lines file, a folder of them, a release, or the folder of a
            corpus, `OUT/NAME`: then its newest release. Any of them by its path or its URI.
        out: Folder of the report; an older report in it is replaced.
        columns: The columns of texts and labels, of the other files as well.
        reference: Real data of the task, to compare with.
        holdout: Evaluation data that must not be in the dataset.
        gates: A gates file.

    Returns:
        The report's page; within Prefect the state that says how the run ended (`states`).

    Raises:
        InputError: If a file is wrong; nothing was measured.
        GateError: If the verdict is `block`; the report is written.
    """
    try:
        beside = optional_copy(reference), optional_copy(holdout)
        request = Request(newest(local_copy(data)), columns, *beside, gates=gates)
        found = policies.patient(audit_dataset)(request, out)
        show_audit(found, out, name=str(data).rstrip("/").rpartition("/")[2])
        if (error := refusal(found, out)) is not None:
            raise error
        return out / "report.html"
    except CorpusmithError as error:
        return states.failure(error)


def newest(data: Path) -> Path:
    """Return the newest good release where `data` is the folder of a corpus, else `data` itself."""
    if not (data / LATEST).is_file():
        return data
    named = latest(data.parent, data.name)
    return data if named is None else data / named.path


def refusal(audit: Audit, out: Path) -> GateError | None:
    """Return the error of an audit that blocks its dataset; None for any other."""
    if audit.verdict != "block":
        return None
    return GateError(
        audit.reasons[0],
        code="CS-V001",
        place=str(out / "report.html"),
        hint="the report shows the rows; mend the data, or move the bound with --gates FILE",
    )
