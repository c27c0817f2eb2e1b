"""Where the work on shards is done; the rows are the same, whoever makes them.

Every task reads and writes whole files of the run's folder, which all workers share, and only
references to them travel.
"""

from importlib.util import find_spec
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from schemas.base import Frozen
from schemas.errors import InputError

Kind = Literal["threads", "ray", "dask"]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Runner(Frozen):
    """Where the work on shards is done."""

    kind: Kind = "threads"
    """`threads` of this process, or the workers of a `ray` or `dask` cluster."""
    address: str | None = None
    """The cluster: `ray://HOST:PORT` or `HOST:PORT` of Ray, `tcp://HOST:PORT` of Dask. Without it
    one is started on this machine, and ends with the run."""
    workers: Annotated[int, Field(ge=1)] | None = None
    """Models at work at once, each in a process of its own. Without it as many as the cluster has
    room for; on this machine at most 4 without GPUs."""
    gpus_per_worker: Annotated[float, Field(ge=0)] | None = None
    """GPUs that each model is given; without it 1 where the model runs on one, else none."""

    def gpus(self, device: str) -> float:
        """Return the GPUs that each model is given, when it computes on `device`."""
        if self.gpus_per_worker is not None:
            return self.gpus_per_worker
        return float(device.startswith("cuda"))


THREADS = Runner()


def check_runner(runner: Runner) -> None:
    """See that a runner can work before anything is begun.

    Raises:
        InputError: CS-I001 for settings that contradict each other; CS-W004 when its package is
            missing, or its workers could not reach the run's Prefect server.
    """
    if runner.kind == "threads":
        if runner != THREADS:
            raise _wrong(runner, "threads have no address, workers or GPUs", "--runner ray")
        return
    if find_spec(f"prefect_{runner.kind}") is None:
        raise InputError(
            f"the package of the runner {runner.kind!r} is not installed",
            code="CS-W004",
            place=f"--runner {runner.kind}",
            hint=f'pip install "corpusmith[{runner.kind}]"',
        )
    if runner.address is None:
        return
    from prefect.settings import PREFECT_API_URL

    host, _ = host_and_port(runner)
    served_at = PREFECT_API_URL.value()
    if host not in _LOOPBACK and (served_at is None or urlsplit(served_at).hostname in _LOOPBACK):
        raise InputError(
            "workers on other machines cannot reach a Prefect server on the loopback address",
            code="CS-W004",
            place=f"--address {runner.address}",
            hint="start `prefect server start --host 0.0.0.0` and set PREFECT_API_URL to "
            "http://THIS-MACHINE:4200/api",
        )


def host_and_port(runner: Runner) -> tuple[str, int]:
    """Read the address of a cluster.

    Raises:
        InputError: CS-I001 if it is none.
    """
    address = str(runner.address)
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        if parts.hostname is not None and parts.port is not None:
            return parts.hostname, parts.port
    except ValueError:
        pass  # a port that is no number
    example = "ray://HOST:10001" if runner.kind == "ray" else "tcp://HOST:8786"
    raise _wrong(runner, "that is no address of a cluster", f"--address {example}")


def _wrong(runner: Runner, message: str, example: str) -> InputError:
    place = f"--runner {runner.kind}"
    if runner.address is not None:
        place += f" --address {runner.address}"
    return InputError(message, code="CS-I001", place=place, hint=f"as in {example}")
