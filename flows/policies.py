"""How the flows run: retries, waiting times, workers. These numbers stand nowhere else."""

from typing import Any, ParamSpec, TypeVar

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from schemas.errors import CorpusmithError

P = ParamSpec("P")
R = TypeVar("R")

RETRIES = 2
RETRY_SECONDS = exponential_backoff(backoff_factor=2)
WORKERS = 4
"""Tasks at work at once beside the one that generates."""
MOST_MODELS = 4
"""Copies of a model on a machine without GPUs, unless more are asked for: each takes its memory."""
SECONDS_TO_DROP = 5.0
"""How long a run that ends waits for the workers that it has stopped."""
PROGRESS_SECONDS = 5.0
"""Least time between two updates of the progress artifact: each is a call to the server."""


def worth_retrying(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Tell whether a failed task may succeed when it runs again."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, CorpusmithError):
        return error.retryable
    return isinstance(error, ConnectionError | TimeoutError)


def patient(task: Task[P, R]) -> Task[P, R]:
    """Give a task this project's retries: twice, for errors that may pass, with growing pauses."""
    return task.with_options(
        retries=RETRIES, retry_delay_seconds=RETRY_SECONDS, retry_condition_fn=worth_retrying
    )


def models_ahead(models: int, *, limited: bool) -> int:
    """Return the shards that are given to so many models before the first answer is awaited.

    Answers are awaited in the order of shards: with one in hand and another in wait for each model,
    a slow shard holds up no other model.

    Args:
        models: How many may be at work.
        limited: Whether the cluster itself lets no more of them work at once.
    """
    return 2 * models if limited else models - 1
