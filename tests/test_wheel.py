"""The wheel works on its own: templates, recipes, schema and the starter model travel in it."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIP = ["-m", "pip", "--disable-pip-version-check", "--quiet"]


def run(*command: object, folder: Path, **environment: str) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    return next(folder.glob("corpusmith-*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_every_data_file_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("prompts", "recipes", "schemas", "tasks/starter", "tasks/report", "tasks/bias"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert str(path.relative_to(ROOT)) in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.slow
def test_the_wheel_runs_in_a_clean_environment_from_an_empty_folder(
    wheel: Path, tmp_path: Path
) -> None:
    environment, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    venv.create(environment, with_pip=True)
    python, corpusmith = environment / "bin" / "python", environment / "bin" / "corpusmith"
    lock = ROOT / "constraints.txt"
    # Compiling all that torch brings takes half a minute, of which two commands need little.
    run(python, *PIP, "install", "--no-compile", "--constraint", lock, wheel, folder=empty)
    recipe = Path(run(corpusmith, "init", "mine", folder=empty).strip())
    plan = json.loads(run(corpusmith, "check", recipe, "--json", folder=empty))
    assert plan["rows"] == sum(sum(row.values()) for row in plan["quotas"].values())
    shown = run(corpusmith, "preview", recipe, "-n", 2, "--json", folder=empty, HF_HUB_OFFLINE="1")
    rows = json.loads(shown)
    assert len(rows) == 2
    assert all(row["text"] for row in rows)
    assert sorted(path.name for path in empty.iterdir()) == ["mine"]
