"""Workers of a Dask cluster: one that stands, or one on this machine that ends with the run."""

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from flows import policies
from flows.cluster_faults import no_room, require_answer, unreachable, workers_lost
from flows.crews import Cluster
from flows.runners import Runner

_MODEL = "model"
"""A resource of the workers on this machine: each has room for one model."""


@contextmanager
def dask_cluster(runner: Runner, *, gpus: float, model_here: bool) -> Iterator[Cluster]:
    """Open the workers of a Dask cluster.

    Args:
        runner: Which cluster, and how much of it.
        gpus: That each model is given: of a cluster that stands, the resource `GPU`.
        model_here: Whether it works in the flow's own thread.

    Raises:
        RunError: CS-W004 if the cluster cannot be reached or has no room for the model, or a task
            has lost one worker after the other.
    """
    from dask.base import annotate
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError
    from prefect_dask.task_runners import DaskTaskRunner

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if runner.address is None:
        task_runner = DaskTaskRunner(cluster_kwargs=_start_here(runner, gpus))
        wanted: dict[str, float] = {_MODEL: 1}
    else:
        require_answer(runner)
        task_runner = DaskTaskRunner(address=runner.address)
        wanted = {"GPU": gpus} if gpus else {}
    with task_runner:
        try:
            workers = task_runner.client.scheduler_info(n_workers=-1)["workers"].values()
        except (OSError, RuntimeError) as error:
            raise unreachable(runner, error) from error
        models = _count_models(workers, wanted)
        if models == 0:
            raise no_room(runner, f"{len(workers)} workers, and a model needs {wanted or 'one'}")
        models = min(models, runner.workers or models)
        try:
            yield Cluster(
                task_runner,
                model=None if model_here else partial(annotate, resources=wanted),
                drop=_drop,
                ahead=policies.models_ahead(
                    models, limited=None in (runner.address, runner.workers)
                ),
            )
        except (KilledWorker, CommClosedError, FutureCancelledError) as error:
            raise workers_lost(error) from error


def _start_here(runner: Runner, gpus: float) -> dict[str, Any]:
    processors = len(os.sched_getaffinity(0))
    models = runner.workers or (1 if gpus else min(processors, policies.MOST_MODELS))
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, processors // models)))
    return {
        "n_workers": models,
        # One for the model, one for prompts and scores beside it.
        "threads_per_worker": 2,
        "resources": {_MODEL: 1},
        # Ctrl-C reaches them as well, and what to do is for the flow to say.
        "preload": ["import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"],
        "memory_limit": 0,  # no limit: a large model would be taken for a leak
        "dashboard_address": None,
        "silence_logs": logging.CRITICAL,
        "env": {"OMP_NUM_THREADS": threads},
    }


def _count_models(workers: Collection[dict[str, Any]], wanted: dict[str, float]) -> int:
    return sum(
        min(
            (int(one["resources"].get(name, 0) // share) for name, share in wanted.items()),
            default=1,
        )
        for one in workers
    )


def _drop(futures: list[Any]) -> None:
    for one in futures:
        # What is at work goes on where the cluster does; it writes what the next run will need.
        one.cancel()
