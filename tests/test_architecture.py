"""The house rules that a machine can hold: who imports whom, and how long things may grow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("flows", "tasks", "prompts", "schemas", "recipes")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NOUNS = {
    "audit", "bias", "decoding", "expectations", "generation", "noise", "planning", "preflight",
    "prompting", "quality", "release", "report", "starter", "utility",
}  # fmt: skip
VERBS = {path.stem for path in (ROOT / "tasks").glob("*.py")} - {"__init__"}
MEASURES = {"noise", "decoding", "quality", "bias"}
ONLY_IN = {
    "prefect": lambda path: path.parts[0] == "flows" or is_verb(path),
    "great_expectations": lambda path: path.parts[:2] == ("tasks", "expectations"),
    "torch": lambda path: path.parts[1] in {"decoding", "generation", "utility", "starter"},
    "transformers": lambda path: path.parts[1] in {"generation", "utility", "starter"},
}
LAYER = {"flows": 4, "tasks": 2, "recipes": 1, "prompts": 1, "schemas": 0}
MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 300, 40, 6


def relative(path: Path) -> Path:
    return path.relative_to(ROOT)


def is_verb(path: Path) -> bool:
    return len(path.parts) == 2 and path.parts[0] == "tasks"


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of every module that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(path: Path) -> int:
    return 3 if is_verb(path) and path.stem != "__init__" else LAYER[path.parts[0]]


def layer_of_module(name: str) -> int | None:
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return None
    if parts[0] == "tasks" and len(parts) > 1 and parts[1] in VERBS:
        return 3
    return LAYER[parts[0]]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(relative(path)))
def test_imports_point_downwards(path: Path) -> None:
    own = layer(relative(path))
    for name in imported(path):
        target = layer_of_module(name)
        assert target is None or target <= own, f"{relative(path)} imports {name}"
        if is_verb(relative(path)) and target == 3:
            pytest.fail(f"{relative(path)} imports the verb {name}")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(relative(path)))
def test_nouns_that_never_meet(path: Path) -> None:
    parts = relative(path).parts
    if parts[0] == "tasks" and len(parts) > 2 and parts[1] in MEASURES:
        for name in imported(path):
            other = name.split(".")[1] if name.startswith("tasks.") else ""
            assert other not in MEASURES - {parts[1]}, f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(relative(path)))
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    for name in imported(path):
        allowed = ONLY_IN.get(name.split(".")[0])
        assert allowed is None or allowed(relative(path)), f"{relative(path)} imports {name}"


def test_every_folder_of_tasks_is_known() -> None:
    found = {path.name for path in (ROOT / "tasks").iterdir() if path.is_dir()} - {"__pycache__"}
    assert found <= NOUNS


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(relative(path)))
def test_sizes(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = text.count("\n")
    assert lines <= (60 if is_verb(relative(path)) else MOST_LINES)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{relative(path)}:{node.lineno} {node.name}"
            assert node.end_lineno is not None
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert node.end_lineno - first.lineno + 1 <= MOST_FUNCTION_LINES, where
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = [a.arg for a in arguments if a.arg not in {"self", "cls"}]
            # The parameters of a command are its options, those of a flow its deployments'.
            is_command = path.parent.name in {"cli", "flows"} and node.name == path.stem
            assert len(names) <= MOST_PARAMETERS or is_command, where


def test_no_init_files_under_tests() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
