"""A disk that is full at any stage, or read-only: one block says so, and the run goes on later."""

import pkgutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.usefixtures("prefect_api")]

RECIPE: dict[str, Any] = {"rows": 16, "shard_size": 8, "good": 40, "bad": 16}
STAGES = [
    "tasks.preflight.opening.open_workspace",
    "tasks.plan_rows.first_round",
    "tasks.prompting.rendering.PromptWriter.write",
    "tasks.generate_texts.generate_candidates",
    "tasks.score_rows.score_candidates",
    "tasks.select_rows.select_shards",
    "tasks.plan_rows.next_round",
    "tasks.arrange_rows.arrange",
    "tasks.inject_noise.noise_rows",
    "tasks.validate_dataset.judge",
    "tasks.release.assembly.write_report",
    "tasks.release.draft.publish_folder",
]
"""Engine functions; what is written once they have begun does not reach the disk."""


@pytest.fixture
def disk(mount_disk: Callable[[str], Path]) -> Path:
    return mount_disk("20m")


@contextmanager
def before(target: str, act: Callable[[], None]) -> Iterator[list[str]]:
    """Do something before the first call of an engine function; yield what was called."""
    owner, _, name = target.rpartition(".")
    holder = pkgutil.resolve_name(owner)
    function, called = getattr(holder, name), []

    def disturbed(*args: Any, **kwargs: Any) -> Any:
        if not called:
            called.append(target)
            act()
        return function(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, name, disturbed)
        yield called


def fill(disk: Path) -> None:
    """Take the last byte of a disk."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        for size in (1 << 16, 1 << 12, 1):
            with suppress(OSError):  # the disk is full
                while ballast.write(b"x" * size):
                    pass


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_disk_that_is_full_at_any_stage(
    disk: Path,
    scripted: Any,
    run_here: Any,
    wanted: str,
    assert_whole: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = scripted(**RECIPE), disk / "out"
    for target in STAGES:
        with before(target, lambda: fill(disk)) as called:
            code, _ = run_here(path, out)
        assert called == [target]
        said = capsys.readouterr().err
        assert code == 3, target
        assert said.startswith("error[CS-O004]: no space left while writing"), (target, said)
        assert f"where: {out}" in said, target
        assert "to do: free some space" in said, target
        assert "Traceback" not in said, target
        # Only where the last rename was the last thing that found room does the release stand.
        published = list((out / "scripted").glob("2*"))
        assert not published or target.endswith("publish_folder"), target
        assert not list(out.rglob(".tmp-*")), target
        (disk / "ballast").unlink()
    # What cannot be written any more is left as it is.
    remount(disk, "ro")
    code, _ = run_here(path, out)
    assert code == 2
    assert capsys.readouterr().err.startswith("error[CS-O001]: cannot write: Read-only file system")
    remount(disk, "rw")
    code, release = run_here(path, out)
    assert code == 0
    assert_whole(release, wanted)


def test_read_only_output_is_refused_before_anything_is_made(
    disk: Path, scripted: Any, run_here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    remount(disk, "ro")
    code, _ = run_here(scripted(**RECIPE), disk / "out")
    assert code == 2
    assert capsys.readouterr().err.startswith("error[CS-O001]: cannot write: Read-only file system")
