"""Workers of a Ray cluster: one that stands, or one on this machine that ends with the run."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil
from secrets import token_hex
from typing import Any

from flows import policies
from flows.cluster_faults import no_room, require_answer, unreachable, workers_lost
from flows.crews import Cluster
from flows.runners import Runner

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A model without a GPU of its own may share one, as it does without workers.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_ENVIRONMENT_HERE = {
    # Off, it makes a cluster listen on the loopback address alone, on Linux too.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Else Ray writes a token of its own into the user's home.
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": token_hex(32),
}
_OBJECT_STORE_BYTES = 100 * 2**20
"""Only references to files travel; Ray would take a third of the memory."""


@contextmanager
def ray_cluster(runner: Runner, *, gpus: float, model_here: bool) -> Iterator[Cluster]:
    """Open the workers of a Ray cluster.

    Args:
        runner: Which cluster, and how much of it.
        gpus: That each model is given.
        model_here: Whether it works in the flow's own thread.

    Raises:
        RunError: CS-W004 if the cluster cannot be reached or has no room for the model, or a task
            has lost one worker after the other.
    """
    os.environ.update(_ENVIRONMENT if runner.address else _ENVIRONMENT | _ENVIRONMENT_HERE)
    import ray
    from prefect_ray import RayTaskRunner  # type: ignore[import-untyped]
    from prefect_ray.context import remote_options  # type: ignore[import-untyped]
    from ray.exceptions import RayError

    if runner.address is not None:
        require_answer(runner)
    start = {} if runner.address is not None else _start_here(runner, gpus)
    start |= {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        with _handler_of_sigterm_kept():
            task_runner = RayTaskRunner(runner.address, start).__enter__()
    except (RayError, OSError, RuntimeError) as error:
        raise unreachable(runner, error) from error
    try:
        models = runner.workers or _count_models(runner, gpus, ray.cluster_resources())  # type: ignore[no-untyped-call]
        given = _given_to_models(gpus)
        yield Cluster(
            task_runner,
            model=None if model_here else partial(remote_options, **given),
            drop=_drop,
            ahead=policies.models_ahead(models, limited=None in (runner.address, runner.workers)),
        )
    except RayError as error:
        raise workers_lost(error) from error
    finally:
        task_runner.__exit__(None, None, None)
        ray.shutdown()


def _start_here(runner: Runner, gpus: float) -> dict[str, Any]:
    processors = len(os.sched_getaffinity(0))
    start: dict[str, Any] = {
        "address": "local",
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
    }
    if gpus:
        places = {} if runner.workers is None else {"num_gpus": ceil(runner.workers * gpus)}
        return start | places
    models = runner.workers or min(processors, policies.MOST_MODELS)
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, processors // models)))
    return start | {
        "num_cpus": models,
        "num_gpus": 0,
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": threads}},
    }


def _count_models(runner: Runner, gpus: float, room: dict[str, float]) -> int:
    models = int(room.get("GPU", 0) // gpus if gpus else room.get("CPU", 0))
    if models == 0:
        raise no_room(runner, f"{room.get('GPU', 0):g} GPUs, and a model is given {gpus:g}")
    return models


def _given_to_models(gpus: float) -> dict[str, Any]:
    """Say what a task of the model is given beside a processor.

    Ray keeps as many processes as there are processors, and gives a task to any of them: without
    GPUs all do everything, each with its copy of the model. On GPUs the model has processes of its
    own, which an environment of their own gives them; and Ray would end them with their first task.
    """
    if not gpus:
        return {}
    environment = {"env_vars": {"OMP_NUM_THREADS": "1"}}
    return {"num_gpus": gpus, "max_calls": 0, "runtime_env": environment}


def _drop(futures: list[Any]) -> None:
    import ray

    _, left = ray.wait(futures, num_returns=len(futures), timeout=0) if futures else ([], [])
    for one in left:
        # A process that generates hears nothing else.
        ray.cancel(one, force=True)
    if left:
        ray.wait(left, num_returns=len(left), timeout=policies.SECONDS_TO_DROP)


@contextmanager
def _handler_of_sigterm_kept() -> Iterator[None]:
    """Keep this process's way of being interrupted; Ray puts one of its own in the place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
