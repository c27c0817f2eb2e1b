"""A shard file that is damaged or swapped while the run is at work, between two of its stages."""

import pkgutil
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.usefixtures("prefect_api")]

RECIPE: dict[str, Any] = {"rows": 16, "shard_size": 8, "good": 40, "bad": 16}
READERS = [
    ("tasks.generate_texts.read_shard", "prompts"),
    ("tasks.score_rows.read_shard", "candidates"),
    ("tasks.select_rows.read_shard", "scored"),
    ("tasks.plan_rows.next_round", "selected"),
    ("tasks.arrange_rows.arrange", "scored"),
    ("tasks.inject_noise.accepted_between", "selected"),
    ("tasks.expectations.evidence.collect_evidence", "noised"),
    ("tasks.release.assembly._write_rows", "noised"),
]
"""A function that reads shards, and the stage that has written them."""


def truncate(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flip(path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def swap(path: Path, other: Path) -> None:
    """Put the shard of another row range under this name."""
    shutil.copyfile(other, path)


@contextmanager
def spoiling(
    out: Path, target: str, stage: str, damage: Callable[[Path, Path], None]
) -> Iterator[list[Path]]:
    """Damage a shard of a stage once, as the function that reads begins and two are there."""
    owner, _, name = target.rpartition(".")
    holder = pkgutil.resolve_name(owner)
    function, spoiled = getattr(holder, name), []

    def read(*args: Any, **kwargs: Any) -> Any:
        files = sorted(out.glob(f"*/.work-*/*/shard-*.{stage}.parquet"))
        if len(files) > 1 and not spoiled:
            spoiled.append(files[0])
            damage(*files[:2])
        return function(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, name, read)
        yield spoiled


def lose(path: Path, other: Path) -> None:
    path.unlink()


DAMAGES = [truncate, flip, swap, lose]


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(READERS)))
def test_what_is_not_as_it_was_written_never_reaches_a_release(
    place: int,
    moments: int,
    scripted: Any,
    run_here: Any,
    wanted: str,
    assert_whole: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, (target, stage) = scripted(**RECIPE), READERS[place]
    # Each of them at each place, or each at one place in turn.
    for damage in DAMAGES if moments > len(DAMAGES) else [DAMAGES[place % len(DAMAGES)]]:
        out = tmp_path / damage.__name__
        with spoiling(out, target, stage, damage) as spoiled:
            code, release = run_here(path, out)
        said = capsys.readouterr().err
        assert spoiled, target
        if code != 0:
            assert code == 3, (target, said)
            assert said.startswith("error[CS-W001]"), (target, said)
            assert "to do: run the same command again" in said
            assert "Traceback" not in said
            code, release = run_here(path, out)
        assert code == 0, target
        assert_whole(release, wanted)
