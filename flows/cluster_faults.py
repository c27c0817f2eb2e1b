"""What can be wrong with a cluster, in the words of this project."""

import socket

from flows.runners import Runner, host_and_port
from schemas.errors import RunError

_SECONDS_TO_ANSWER = 10.0


def require_answer(runner: Runner) -> None:
    """Fail early where nobody listens: the libraries would go on trying for minutes.

    Raises:
        RunError: CS-W004 if nobody does.
    """
    try:
        socket.create_connection(host_and_port(runner), timeout=_SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise unreachable(runner, error) from error


def unreachable(runner: Runner, error: Exception) -> RunError:
    """Say that a cluster does not answer, or does not start on this machine."""
    where = "the cluster cannot be reached" if runner.address else "the cluster does not start"
    return RunError(
        f"{where}: {_first_line(error)}",
        code="CS-W004",
        place=_place(runner),
        hint="see that it runs and has this machine's versions of its packages; "
        "the same command resumes the run",
        retryable=True,
    )


def no_room(runner: Runner, room: str) -> RunError:
    """Say that no worker can take the model."""
    return RunError(
        f"no worker of the cluster can take the model: it has {room}",
        code="CS-W004",
        place=_place(runner),
        hint="add workers, or set --gpus-per-worker",
    )


def workers_lost(error: Exception) -> RunError:
    """Say that a task ended with its worker, again and again."""
    return RunError(
        f"workers of the cluster were lost: {_first_line(error)}",
        code="CS-W004",
        hint="their logs say why, most often memory: fewer workers on a machine, or a smaller "
        "batch; corpusmith must be installed on all. The same command resumes the run",
        retryable=True,
    )


def _place(runner: Runner) -> str:
    return f"--runner {runner.kind}" + (f" --address {runner.address}" if runner.address else "")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
