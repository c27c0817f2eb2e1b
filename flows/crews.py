"""Who does the work on shards: threads of this process, or the workers of a cluster."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar, assert_never, cast

from prefect import Task
from prefect.futures import PrefectFuture, wait
from prefect.task_runners import TaskRunner

from flows import policies
from flows.runners import Runner, check_runner
from schemas.errors import RunError
from schemas.models import OpenAIModel
from schemas.shard import FileRef
from tasks.generate_texts import generate_texts
from tasks.planning.shards import combine
from tasks.planning.workspace import Workspace
from tasks.release.manifest import package_versions

P = ParamSpec("P")
R = TypeVar("R")
Claim = Callable[[], FileRef]
"""Waits for what was begun, and returns it or raises its error."""


class Crew(Protocol):
    """Who does the work of one run."""

    ahead: int
    """Shards that the model is given before the answer to the first of them is awaited."""

    def submit(self, task: Task[P, R], *arguments: Any) -> PrefectFuture[R]:
        """Begin a task on a shard beside the flow."""

    def generate(self, folder: Path, prompts: FileRef) -> Claim:
        """Let the model answer one shard, now or beside the flow."""

    def settle(self, futures: Iterable[PrefectFuture[Any]]) -> None:
        """See that nothing is at work any more: a run that ends gives its folder free."""


class Threads:
    """Threads of this process; the model works in the flow's own, which an interrupt reaches."""

    ahead = 0

    def submit(self, task: Task[P, R], *arguments: Any) -> PrefectFuture[R]:
        """Begin a task in another thread."""
        return cast("Task[..., R]", policies.patient(task)).submit(*arguments)

    def generate(self, folder: Path, prompts: FileRef) -> Claim:
        """Let the model answer one shard, here and now."""
        candidates = policies.patient(generate_texts)(folder, prompts)
        return lambda: candidates

    def settle(self, futures: Iterable[PrefectFuture[Any]]) -> None:
        """Wait until all have ended: no thread can be stopped."""
        wait(list(futures))


class Cluster:
    """Workers of a cluster; they see the same files as this process.

    Args:
        task_runner: Prefect's, begun.
        model: Entered while the model's tasks are submitted: what they are given of the cluster.
            None keeps the model in the flow's own thread.
        drop: Ends the tasks behind futures of the cluster, at work or not.
        ahead: Shards that the model is given before the answer to the first of them is awaited.
    """

    def __init__(
        self,
        task_runner: TaskRunner[Any],
        *,
        model: Callable[[], AbstractContextManager[Any]] | None,
        drop: Callable[[list[Any]], None],
        ahead: int,
    ) -> None:
        self._task_runner, self._model, self._drop = task_runner, model, drop
        self._at_the_model: list[PrefectFuture[FileRef]] = []
        self.ahead = 0 if model is None else ahead

    def submit(self, task: Task[P, R], *arguments: Any) -> PrefectFuture[R]:
        """Begin a task on a worker."""
        # A worker stands in another folder.
        absolute = [one.absolute() if isinstance(one, Path) else one for one in arguments]
        place = {"module": task.fn.__module__, "name": task.fn.__name__}
        parameters = {**place, "arguments": absolute, "versions": versions_sha256()}
        sent = policies.patient(Task(fn=run_by_name, name=task.name))
        return cast("PrefectFuture[R]", self._task_runner.submit(sent, parameters))

    def generate(self, folder: Path, prompts: FileRef) -> Claim:
        """Let the model of a worker answer one shard."""
        if self._model is None:
            return Threads().generate(folder, prompts)
        with self._model():
            future: PrefectFuture[FileRef] = self.submit(generate_texts, folder, prompts)
        self._at_the_model.append(future)

        def claim() -> FileRef:
            candidates = future.result()
            self._at_the_model.remove(future)
            return candidates

        return claim

    def settle(self, futures: Iterable[PrefectFuture[Any]]) -> None:
        """Drop what has not ended: a resumed run makes it again."""
        self._drop([cast("Any", one).wrapped_future for one in (*self._at_the_model, *futures)])
        self._at_the_model.clear()


def run_by_name(module: str, name: str, arguments: list[Any], versions: str) -> Any:
    """Run a task of this project in the process of a worker.

    It is sent there by its name. Sent as it is, its function would come with copies of the locks
    around it, which guard nothing.

    Raises:
        RunError: CS-W004 if other packages run here than in the flow: other rows might come of it.
    """
    if versions != versions_sha256():
        raise RunError(
            "a worker has other versions of Python, corpusmith or its packages than this process",
            code="CS-W004",
            hint="install the same ones on every machine; constraints.txt names them",
        )
    task: Task[..., Any] = getattr(import_module(module), name)
    return task.fn(*arguments)


@cache
def versions_sha256() -> str:
    """Hash the versions of everything that decides the rows."""
    return combine(*sorted(package_versions().items()))


def crew_of(runner: Runner, workspace: Workspace, *, device: str) -> AbstractContextManager[Crew]:
    """Call together who does the work of a run; a cluster that was started for it ends with it.

    The replies of an endpoint are asked for in this process alone, which keeps them and their price
    in one file: workers would not make it faster.

    Args:
        runner: Where the work is done.
        workspace: The run.
        device: What the model computes on: `cpu`, `cuda:0`, ...

    Raises:
        InputError: As `check_runner`.
        RunError: CS-W004, from within, if the cluster cannot be reached or has no room for the
            model, or a task has lost one worker after the other.
    """
    check_runner(runner)
    model_here = isinstance(workspace.facts.model, OpenAIModel)
    match runner.kind:
        case "threads":
            return nullcontext(Threads())
        case "ray":
            from flows.ray_cluster import ray_cluster

            return ray_cluster(runner, gpus=runner.gpus(device), model_here=model_here)
        case "dask":
            from flows.dask_cluster import dask_cluster

            return dask_cluster(runner, gpus=runner.gpus(device), model_here=model_here)
        case _:
            assert_never(runner.kind)
