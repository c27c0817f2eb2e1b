"""How the flows run: retries, waiting times, workers. These numbers stand nowhere else."""

from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from schemas.errors import CorpusmithError

RETRIES = 2
RETRY_SECONDS = exponential_backoff(backoff_factor=2)
WORKERS = 4
"""Shards in flight: one generates, the others render, score or wait."""
PROGRESS_SECONDS = 5.0
"""Least time between two updates of the progress artifact: each is a call to the server."""


def worth_retrying(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Tell whether a failed task may succeed when it runs again."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, CorpusmithError):
        return error.retryable
    return isinstance(error, ConnectionError | TimeoutError)
