"""What Prefect shows of a run that did not make a release: one name for each thing to do about it.

| state | type | what happened |
| --- | --- | --- |
| `GateFailed` | failed | a gate refused the corpus, or the audit blocks it |
| `Shortfall` | failed | the budget was spent before every row was accepted |
| `BadInput` | failed | the recipe, or something it names, is wrong; nothing was written |
| `Failed` | failed | the run could not go on; the same call resumes it |
| `Crashed` | crashed | Prefect's own: the process was killed, or lost its machine |
| `Unchanged` | completed | the release of this recipe stands already; nothing was made |
"""

import logging
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.logs import say
from schemas.errors import CorpusmithError, GateError, InputError
from tasks.release.outlet import Place

GATE_FAILED = "GateFailed"
SHORTFALL = "Shortfall"
BAD_INPUT = "BadInput"
FAILED = "Failed"
UNCHANGED = "Unchanged"


def failure(error: CorpusmithError) -> State[Any]:
    """Name the state of a run that ended in an error; who calls the flow gets the error itself."""
    say(
        "run.failed",
        f"{error.code}: {error.message}",
        level=logging.ERROR,
        code=error.code,
        place=error.place,
        hint=error.hint,
    )
    lines = (f"{error.code}: {error.message}", error.place, error.hint)
    message = "\n".join(line for line in lines if line)
    return Failed(name=_name(error), message=message, data=error)


def unchanged(release: Place) -> State[Place]:
    """Name the state of a run that had nothing to do; who calls the flow gets the release."""
    name = str(release).rpartition("/")[2]
    say("run.unchanged", f"nothing new beside {name}", release=str(release))
    message = f"made of the same recipe, model and versions already: {release}"
    return Completed(name=UNCHANGED, message=message, data=release)


def _name(error: CorpusmithError) -> str:
    if isinstance(error, InputError):
        return BAD_INPUT
    if isinstance(error, GateError):
        return SHORTFALL if error.code == "CS-V002" else GATE_FAILED
    return FAILED
