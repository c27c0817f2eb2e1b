"""Every wrong input through the command itself: its code, one block on stderr, nothing written."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from filelock import FileLock

from flows.cli import run

ROOT = Path(__file__).resolve().parents[3]
TABLE: dict[str, Any] = yaml.safe_load((ROOT / "tests/bad_inputs/cases.yaml").read_text("utf-8"))
STARTER = ROOT / "tasks" / "starter"
RECIPE = """\
name: bad
rows: 12
labels:
  greeting: says hello
  farewell: says goodbye
model: {backend: scripted, name: script.jsonl}
"""
SCRIPT = '{"text": "hello to everyone here"}\n'
BLOCK = re.compile(r"error\[(CS-[A-Z]\d{3})\]: (\S.*)\n(?:  where: (\S.*)\n)?  to do: (\S.*)\n\Z")


def snapshot(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.is_symlink()
        for path in folder.rglob("*")
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a good recipe beside its script."""
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "script.jsonl").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refuse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Run a command that must fail without a trace; return its code and place."""
    folder = Path.cwd()
    before = snapshot(folder)
    exit_code = run(arguments)
    out, err = capsys.readouterr()
    assert exit_code == 2, err
    assert out == ""
    found = BLOCK.match(err)
    assert found is not None, err
    assert all(part is None or part.isprintable() for part in found.groups())
    assert snapshot(folder) == before
    return found[1], found[3] or ""


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_a_bad_recipe_template_or_examples_file(
    case: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in {**TABLE["base"], **case.get("files", {})}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name, digits in case.get("bytes", {}).items():
        (tmp_path / name).write_bytes(bytes.fromhex(str(digits)))
    for name in (*case.get("remove", ()), *case.get("links", ())):
        (tmp_path / name).unlink()
    for name in case.get("folders", ()):
        (tmp_path / name).mkdir()
    for name, target in case.get("links", {}).items():
        (tmp_path / name).symlink_to(target)
    monkeypatch.chdir(tmp_path)
    overrides = [part for item in case.get("set", ()) for part in ("--set", item)]
    code, place = refuse(["generate", "recipe.yaml", *overrides], capsys)
    assert code == case["code"]
    assert case["place"].replace("\0", "") in place


class Case(NamedTuple):
    name: str
    arguments: list[str]
    code: str
    place: str
    prepare: Callable[[Path], object] = lambda home: None


def generate(*more: str) -> list[str]:
    return ["generate", "recipe.yaml", *more]


def with_model(*more: str) -> list[str]:
    return generate("--set", "model={name: model}", *more)


def writes(name: str, content: str | bytes) -> Callable[[Path], object]:
    def write(home: Path) -> None:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def model(**changes: bytes | None) -> Callable[[Path], object]:
    """Lay a copy of the starter model beside the recipe, with files replaced or left out."""

    def lay(home: Path) -> None:
        folder = home / "model"
        folder.mkdir()
        for pattern in ("*.json", "*.safetensors"):
            for path in STARTER.glob(pattern):
                shutil.copy(path, folder)
        for name, content in changes.items():
            path = folder / name.replace("__", ".")
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)

    return lay


def config(**changes: object) -> bytes:
    return json.dumps({**json.loads((STARTER / "config.json").read_text()), **changes}).encode()


def index(*names: str) -> bytes:
    return json.dumps({"weight_map": dict.fromkeys("ab", *names)}).encode()


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nname: *c\n"
FLAGS = [
    Case("no-recipe", ["generate"], "CS-I001", "corpusmith generate"),
    Case("no-command", ["--set", "rows=1"], "CS-I001", "--set"),
    Case("unknown-command", ["genrate", "recipe.yaml"], "CS-I001", "corpusmith"),
    Case("unknown-option", generate("--rezume", "auto"), "CS-I001", "--rezume"),
    Case("option-of-another-command", ["check", "recipe.yaml", "-n", "3"], "CS-I001", "-n"),
    Case("two-recipes", generate("other.yaml"), "CS-I001", "corpusmith generate"),
    Case("no-rows", ["preview", "recipe.yaml", "-n", "0"], "CS-I001", "--rows"),
    Case("negative-rows", ["preview", "recipe.yaml", "-n", "-3"], "CS-I001", "--rows"),
    Case("rows-a-word", ["preview", "recipe.yaml", "-n", "ten"], "CS-I001", "--rows"),
    Case("rows-a-fraction", ["preview", "recipe.yaml", "-n", "1.5"], "CS-I001", "--rows"),
    Case("too-many-rows", ["preview", "recipe.yaml", "-n", "1001"], "CS-I001", "--rows"),
    Case("bad-resume", generate("--resume", "maybe"), "CS-I001", "--resume"),
    Case("bad-runner", generate("--runner", "slurm"), "CS-I001", "--runner"),
    Case("set-without-value", generate("--set"), "CS-I001", "--set"),
    Case("set-not-unicode", generate("--set", "name=\udcff"), "CS-I001", "--set"),
    Case("flag-with-value", generate("--quiet=yes"), "CS-I001", "--quiet"),
    Case("init-nowhere", ["init"], "CS-I001", "corpusmith init"),
    Case("init-where-a-recipe-is", ["init", "."], "CS-I002", "."),
    Case("init-on-a-file", ["init", "script.jsonl"], "CS-I002", "script.jsonl"),
    Case("init-below-a-file", ["init", "script.jsonl/x"], "CS-O001", "script.jsonl/x"),
    Case("nothing-to-resume", generate("--resume", "always"), "CS-O003", "out/bad"),
    Case("out-nowhere", generate("--out", "nowhere://bucket/x"), "CS-U003", "nowhere://bucket/x"),
    Case("out-with-a-key", generate("--out", "s3://key:word@bucket"), "CS-U003", "s3://..."),
    Case("out-is-a-file", generate("--out", "script.jsonl"), "CS-O001", "script.jsonl"),
    Case("out-with-a-null", generate("--out", "a\0b"), "CS-I001", "--out"),
    Case("corpus-is-a-file", generate("--out", "."), "CS-O001", "bad", writes("bad", "x")),
    Case("out-not-writable", generate("--out", "/proc/corpora"), "CS-O001", "/proc/corpora"),
    Case(
        "recipe-of-2-MiB", generate(), "CS-R001", "recipe.yaml", writes("recipe.yaml", "#" * 2**21)
    ),
    Case("recipe-is-a-bomb", generate(), "CS-R002", "recipe.yaml:1", writes("recipe.yaml", BOMB)),
    Case(
        "recipe-is-binary",
        generate(),
        "CS-R001",
        "recipe.yaml",
        writes("recipe.yaml", b"\x89P\xff"),
    ),
    Case("recipe-with-a-null", ["check", "a\0b"], "CS-I001", "corpusmith check"),
    Case("recipe-is-a-pipe", ["check", "fifo"], "CS-R001", "fifo", lambda h: os.mkfifo(h / "fifo")),
    Case("recipe-misspelt", ["check", "recipe.yml"], "CS-R001", "recipe.yml"),
    Case("rows-a-fraction-in-recipe", generate("--set", "rows=1.5"), "CS-R005", "--set rows"),
    Case(
        "negative-share", generate("--set", "labels.greeting.share=-1"), "CS-R005", "--set labels"
    ),
    Case("no-share", generate("--set", "labels.greeting.share=0"), "CS-R005", "--set labels"),
    Case(
        "share-not-a-number", generate("--set", "labels.greeting.share=.nan"), "CS-R005", "labels"
    ),
    Case("split-of-a-path", generate("--set", "splits={../x: 1}"), "CS-R005", "--set splits"),
    Case("script-missing", generate("--set", "model.name=no.jsonl"), "CS-M001", "--set model.name"),
    Case("script-empty", generate(), "CS-M003", "script.jsonl", writes("script.jsonl", "\n")),
    Case(
        "script-not-json", generate(), "CS-M003", "script.jsonl:1", writes("script.jsonl", "hello")
    ),
    Case(
        "script-with-a-typo",
        generate(),
        "CS-M003",
        "script.jsonl:2",
        writes("script.jsonl", SCRIPT + '{"txt": "x"}'),
    ),
]
MODELS = [
    Case("no-folder", generate("--set", "model={name: ./model}"), "CS-M001", "--set model"),
    Case("hub-id-offline", with_model(), "CS-M001", "--set model"),
    Case("no-config", with_model(), "CS-M003", "config.json", model(config__json=None)),
    Case("config-not-json", with_model(), "CS-M003", "config.json", model(config__json=b"{,}")),
    Case("config-a-list", with_model(), "CS-M003", "config.json", model(config__json=b"[]")),
    Case(
        "needs-its-own-code",
        with_model(),
        "CS-M004",
        "config.json",
        model(config__json=config(auto_map={"AutoModel": "evil.Model"})),
    ),
    Case(
        "tokenizer-needs-its-own-code",
        with_model(),
        "CS-M004",
        "tokenizer_config.json",
        model(tokenizer_config__json=b'{"auto_map": {"AutoTokenizer": ["evil.T", null]}}'),
    ),
    Case("no-weights", with_model(), "CS-M002", "model", model(model__safetensors=None)),
    Case(
        "only-a-pickle",
        with_model(),
        "CS-M002",
        "model",
        model(model__safetensors=None, pytorch_model__bin=b"\x80\x04N."),
    ),
    Case("weights-empty", with_model(), "CS-M003", "safetensors", model(model__safetensors=b"")),
    Case(
        "weights-truncated",
        with_model(),
        "CS-M003",
        "model.safetensors",
        model(model__safetensors=(STARTER / "model.safetensors").read_bytes()[:4096]),
    ),
    Case(
        "weights-outside",
        with_model(),
        "CS-M003",
        "index.json",
        model(
            model__safetensors=None,
            **{"model__safetensors__index__json": index("../x.safetensors")},
        ),
    ),
    Case(
        "weights-missing",
        with_model(),
        "CS-M003",
        "part.safetensors",
        model(
            model__safetensors=None,
            **{"model__safetensors__index__json": index("part.safetensors")},
        ),
    ),
    Case(
        "linked-out-of-the-folder",
        with_model(),
        "CS-R008",
        "--set model",
        lambda home: (home / "model").symlink_to("/usr"),
    ),
    Case(
        "encoder-alone",
        with_model(),
        "CS-M004",
        "model",
        model(config__json=b'{"model_type": "bert", "architectures": ["BertModel"]}'),
    ),
    Case(
        "unknown-architecture",
        with_model(),
        "CS-M004",
        "model",
        model(config__json=config(model_type="llamma")),
    ),
    Case(
        "no-tokenizer",
        with_model(),
        "CS-M003",
        "model",
        model(tokenizer__json=None, tokenizer_config__json=None),
    ),
    Case(
        "prompt-over-the-context",
        generate("--set", "model={}", "--set", "strategies=[{kind: greedy, length: {max: 5000}}]"),
        "CS-P008",
        "recipe.yaml",
    ),
    Case(
        "device-of-another-machine",
        with_model("--set", "model.device=mps"),
        "CS-M005",
        "--set",
        model(),
    ),
]


@pytest.mark.parametrize("case", FLAGS, ids=lambda case: case.name)
def test_a_bad_option_folder_or_script(
    case: Case, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.prepare(home)
    code, place = refuse(case.arguments, capsys)
    assert code == case.code
    assert case.place in place


@pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)
def test_a_bad_model(case: Case, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case.prepare(home)
    code, place = refuse(case.arguments, capsys)
    assert code == case.code
    assert case.place in place


def test_a_device_that_is_not_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    code, place = refuse(generate("--set", "model={device: cuda}"), capsys)
    assert (code, place) == ("CS-M005", "--set model={device: cuda}")


@pytest.fixture
def held(home: Path) -> Iterator[Path]:
    """The output folder of `home`, held as by another run."""
    folder = home / "out" / "bad"
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        yield folder


def test_a_folder_that_another_run_holds(held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse(generate(), capsys) == ("CS-O002", "out/bad")


def test_the_base_is_good(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(home)
    assert run(["check", "recipe.yaml", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["rows"] == 12
    assert err == ""
    assert snapshot(home) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "missing.yaml"], "CS-R001"),
        (["genrate"], "CS-I001"),
        (["generate", "recipe.yaml", "--set", "rows=0"], "CS-R005"),
    ],
)
def test_a_process_of_its_own_says_the_same(
    arguments: list[str], code: str, home: Path, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-c", "from flows.cli import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    found = BLOCK.match(done.stderr)
    assert found is not None, done.stderr
    assert found[1] == code
    debugged = subprocess.run(
        [*command, "--debug"], capture_output=True, text=True, env=environment, check=False
    )
    assert debugged.returncode == 2
    assert "Traceback (most recent call last)" in debugged.stderr
    assert debugged.stderr.endswith(done.stderr)
