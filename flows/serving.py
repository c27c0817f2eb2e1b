"""Serving the main flow: a deployment of it, and a runner in this process that starts its runs."""

from collections.abc import Callable, Mapping
from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Schedule
from prefect.settings import PREFECT_UI_URL
from prefect.types.entrypoint import EntrypointType

from flows.generate import generate


def deployment_of(name: str, schedule: Schedule, parameters: Mapping[str, Any]) -> RunnerDeployment:
    """Describe the scheduled runs of one corpus.

    A run that comes due while the last one is still at work is cancelled: it could only wait for
    the folder.

    Args:
        name: The corpus; it names the deployment.
        schedule: When it runs.
        parameters: Of the flow `generate`, as JSON.
    """
    deployment = generate.to_deployment(
        name,
        schedule=schedule,
        parameters=dict(parameters),
        tags=["corpusmith", name],
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        # The module, not the file: runs start in other folders.
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(deployment, RunnerDeployment)
    return deployment


def serve_generate(
    name: str,
    schedule: Schedule,
    parameters: Mapping[str, Any],
    *,
    say: Callable[[str], None],
) -> None:
    """Start the runs of one corpus when they are due, until this process is stopped.

    Args:
        name: The corpus.
        schedule: When it runs.
        parameters: Of the flow `generate`, as JSON.
        say: Told what is served, and where it is shown.
    """
    deployment = deployment_of(name, schedule, parameters)
    say(f"{name}: serving generate/{name}, {schedule.cron} {schedule.timezone}; Ctrl-C stops it")
    say(f"{name}: its runs are shown at {PREFECT_UI_URL.value()}/deployments")
    serve(deployment, print_starting_message=False)
