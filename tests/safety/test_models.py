"""Model folders are untrusted: no pickle is read, no code of theirs runs."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from flows.cli import run

STARTER = Path(__file__).resolve().parents[2] / "tasks" / "starter"
PICKLES = ("pytorch_model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl")


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The folder that a payload makes."""
    mark = tmp_path / "the-payload-ran"
    pickle.loads(pickle.dumps(Payload(mark)))  # the payload works
    mark.rmdir()
    return mark


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for pattern in ("*.json", "*.safetensors"):
        for path in STARTER.glob(pattern):
            shutil.copy(path, folder)
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: a\nrows: 2\nlabels: {x: asks when a card arrives}\nmodel: {name: model}\n"
        "strategies: [{kind: greedy, length: {max: 4}}]\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("name", PICKLES)
def test_pickled_weights_are_refused_unread(
    name: str, recipe: Path, mark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = recipe.parent / "model"
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(pickle.dumps(Payload(mark)))
    assert run(["preview", str(recipe)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error[CS-M002]")
    assert f"{name} is a pickle" in err
    assert not mark.exists()


def test_pickles_beside_good_weights_are_not_read(
    recipe: Path, mark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = recipe.parent / "model"
    for name in (*PICKLES, "training_args.bin", "optimizer.pt", "tokenizer.pkl"):
        (model / name).write_bytes(pickle.dumps(Payload(mark)))
    for name in ("modeling_evil.py", "configuration_evil.py", "tokenization_evil.py"):
        (model / name).write_text(f"import os\nos.mkdir({str(mark)!r})\n", encoding="utf-8")
    assert run(["preview", str(recipe), "-n", "1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
    assert not mark.exists()


def test_a_pickled_index_of_training_texts_is_refused_unread(
    recipe: Path, mark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = np.array([Payload(mark)], dtype=object)
    np.save(recipe.parent / "model" / "training_index.npy", evil, allow_pickle=True)
    assert run(["preview", str(recipe), "-n", "1"]) == 2
    assert capsys.readouterr().err.startswith("error[CS-M003]")
    assert not mark.exists()


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}", "{% include 'x' %}", "{{ 1 / 0 }}"],
)
def test_a_hostile_chat_template_is_an_error_of_the_model(
    template: str, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recipe.parent / "model" / "tokenizer_config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "chat_template": template}), encoding="utf-8")
    assert run(["check", str(recipe)]) == 2
    assert capsys.readouterr().err.startswith("error[CS-M003]")


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"auto_map": {"AutoModelForCausalLM": "evil.Evil"}}),
        ("config.json", {"text_config": {"auto_map": {"AutoModel": "evil.Evil"}}}),
        ("config.json", {"attn_implementation": "someone/kernels"}),
        ("config.json", {"_attn_implementation": "someone/kernels:evil"}),
        ("config.json", {"attn_implementation": {"": "sdpa", "text_config": "paged|a/kernels"}}),
        ("config.json", {"text_config": {"experts_implementation": "someone/kernels"}}),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}),
    ],
    ids=json.dumps,
)
def test_a_model_that_names_code_is_refused(
    file: str, change: dict[str, object], recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recipe.parent / "model" / file
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    assert run(["preview", str(recipe)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[CS-M004]: the model needs program code of its own")
    assert f"  where: {path}\n" in err


def test_a_usual_attention_is_no_code(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recipe.parent / "model" / "config.json"
    content = {**json.loads(path.read_text("utf-8")), "attn_implementation": "sdpa"}
    path.write_text(json.dumps(content), "utf-8")
    assert run(["check", str(recipe)]) == 0
    assert "the recipe is right" in capsys.readouterr().out
