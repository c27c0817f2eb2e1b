"""Model folders are untrusted: every way in which one can be wrong has its own error."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import huggingface_hub.constants
import pytest

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.generation import folders
from tasks.generation.backends import inspect_model, open_backend
from tasks.generation.folders import find_model


def find(path: Path | str, *, folder: Path = Path("/"), weights: bool = True):
    return find_model(TransformersModel(name=str(path)), folder=folder, weights=weights)


def change_json(path: Path, **changes) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def test_a_good_folder_is_identified(llama):
    found = find(llama)
    assert found.id == llama.name
    assert (found.revision, found.context_length, found.licence) == (None, 128, "unknown")
    weights = (llama / "model.safetensors").read_bytes()
    assert found.weights_sha256 == hashlib.sha256(weights).hexdigest()


@pytest.mark.parametrize("name", ["models/mine", "./models/mine"])
def test_a_folder_is_found_beside_the_recipe_and_nowhere_else(llama, tmp_path, monkeypatch, name):
    beside = tmp_path / "recipes"
    (beside / "models").mkdir(parents=True)
    (beside / "models" / "mine").symlink_to(llama)
    monkeypatch.chdir(beside)
    assert find(name, folder=beside).path == llama.resolve()
    with pytest.raises(InputError):
        find(name, folder=tmp_path)


def test_weights_are_hashed_once_and_again_when_they_change(new_llama, monkeypatch):
    folder = new_llama()
    weights = folder / "model.safetensors"
    opened = []
    open_file = Path.open

    def spy(path, *args, **options):
        opened.append(path)
        return open_file(path, *args, **options)

    monkeypatch.setattr(Path, "open", spy)
    first = find(folder).weights_sha256
    assert find(folder).weights_sha256 == first
    assert opened.count(weights) == 1
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    stamp = weights.stat().st_mtime_ns + 10**9
    os.utime(weights, ns=(stamp, stamp))
    changed = find(folder).weights_sha256
    assert changed == hashlib.sha256(weights.read_bytes()).hexdigest() != first


def test_no_name_leads_to_the_home_folder(new_llama, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(new_llama().parent))
    (tmp_path / "recipe").mkdir()
    with pytest.raises(InputError) as caught:
        find("~/model", folder=tmp_path / "recipe")
    assert caught.value.code == "CS-M001"


def test_more_layers_than_tensors_are_refused_before_they_are_built(new_llama):
    folder = new_llama()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["num_hidden_layers"] = 10**6
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(InputError, match="num_hidden_layers is 1000000") as caught:
        find(str(folder))
    assert caught.value.code == "CS-M003"


def test_the_starter_is_the_projects_own_folder(llama, monkeypatch):
    monkeypatch.setattr(folders, "STARTER_FOLDER", llama)
    found = find("starter")
    assert (found.id, found.path) == ("starter", llama)
    assert Path(folders.__file__).parents[1].joinpath("starter").is_dir()


@pytest.mark.parametrize(
    "name", ["./no-such", "/no/such/folder", "~/no-such", "no such", "a/b/c", "../x", "..", "x/"]
)
def test_a_folder_that_is_not_there_is_refused(name, tmp_path):
    with pytest.raises(InputError) as caught:
        find(name, folder=tmp_path / "empty")
    assert caught.value.code in ("CS-M001", "CS-M003")
    assert caught.value.hint


def test_a_hub_model_without_network_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        find("nobody/no-such-model", folder=tmp_path)
    assert caught.value.code == "CS-M001"


def test_a_hub_model_is_fetched_without_pickles_and_named_by_its_commit(
    llama, monkeypatch, tmp_path
):
    asked = {}
    snapshot = tmp_path / "0123abcd"
    shutil.copytree(llama, snapshot)

    def fetch(name, **options):
        asked.update(options, name=name)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.chdir(tmp_path)
    model = TransformersModel(name="owner/model", revision="main")
    found = find_model(model, folder=tmp_path)
    assert (found.id, found.revision) == ("owner/model", "0123abcd")
    assert (asked["name"], asked["revision"]) == ("owner/model", "main")
    assert not any("bin" in pattern or "*.py" in pattern for pattern in asked["allow_patterns"])
    (snapshot / "model.safetensors").unlink()
    assert find_model(model, folder=tmp_path, weights=False).weights_sha256 == ""
    assert not any("safetensors" in pattern for pattern in asked["allow_patterns"])


def no_config(path):
    (path / "config.json").unlink()


def config_not_json(path):
    (path / "config.json").write_text('{"model_type": ')


def config_not_text(path):
    (path / "config.json").write_bytes(b"\xff\xfe\x00")


def config_a_list(path):
    (path / "config.json").write_text("[1]")


def config_too_deep(path):
    (path / "config.json").write_text("[" * 100_000)


def config_without_type(path):
    (path / "config.json").write_text("{}")


def unknown_type(path):
    change_json(path / "config.json", model_type="martian", architectures=["MartianForCausalLM"])


def speech(path):
    architectures = ["WhisperForConditionalGeneration"]
    change_json(
        path / "config.json",
        model_type="whisper",
        architectures=architectures,
        is_encoder_decoder=True,
    )


def encoder_alone(path):
    change_json(path / "config.json", model_type="bert", architectures=["BertModel"])


def own_code(path):
    change_json(path / "config.json", auto_map={"AutoModelForCausalLM": "evil.Model"})


def own_tokenizer_code(path):
    change_json(path / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.T", None]})


def only_pickle(path):
    (path / "model.safetensors").rename(path / "pytorch_model.bin")


def no_weights(path):
    (path / "model.safetensors").unlink()


def truncated_weights(path):
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def empty_weights(path):
    (path / "model.safetensors").write_bytes(b"")


def garbage_weights(path):
    (path / "model.safetensors").write_bytes(b"\x00" * 5000)


def missing_shard(path):
    (path / "model.safetensors").rename(path / "model-00001-of-00002.safetensors")
    places = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


def shard_outside(path):
    places = {"a": "../model.safetensors"}
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


def index_without_map(path):
    (path / "model.safetensors.index.json").write_text("{}")


def no_tokenizer(path):
    for file in path.glob("tokenizer*"):
        file.unlink()


def broken_tokenizer(path):
    (path / "tokenizer.json").write_text('{"version": "1.0"}')


FAULTS = {
    no_config: "CS-M003",
    config_not_json: "CS-M003",
    config_not_text: "CS-M003",
    config_a_list: "CS-M003",
    config_too_deep: "CS-M003",
    config_without_type: "CS-M004",
    unknown_type: "CS-M004",
    speech: "CS-M004",
    encoder_alone: "CS-M004",
    own_code: "CS-M004",
    own_tokenizer_code: "CS-M004",
    only_pickle: "CS-M002",
    no_weights: "CS-M002",
    truncated_weights: "CS-M003",
    empty_weights: "CS-M003",
    garbage_weights: "CS-M003",
    missing_shard: "CS-M003",
    shard_outside: "CS-M003",
    index_without_map: "CS-M003",
    no_tokenizer: "CS-M003",
    broken_tokenizer: "CS-M003",
}


@pytest.mark.parametrize("opener", [open_backend, inspect_model])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_folder_is_refused_before_anything_is_loaded(new_llama, fault, opener):
    folder = new_llama()
    fault(folder)
    with pytest.raises(InputError) as caught:
        opener(TransformersModel(name=str(folder), device="cpu"), folder=folder)
    assert caught.value.code == FAULTS[fault]
    assert caught.value.place
    assert caught.value.hint
    assert "\n" not in caught.value.message


def smaller_config(path):
    change_json(path / "config.json", num_hidden_layers=3)


def wider_config(path):
    change_json(path / "config.json", hidden_size=64)


def nonsense_config(path):
    change_json(path / "config.json", hidden_size="wide")


@pytest.mark.parametrize("fault", [smaller_config, wider_config, nonsense_config])
def test_weights_that_do_not_fit_the_configuration_are_refused(new_llama, fault, capfd):
    folder = new_llama()
    fault(folder)
    with pytest.raises(InputError) as caught:
        open_backend(TransformersModel(name=str(folder), device="cpu"), folder=folder)
    assert caught.value.code == "CS-M003"
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\ntags: [a]\n---\n# Model\n", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: own-1.0\n---\n", "own-1.0"),
        ("---\nlicense: [unclosed\n---\n", "unknown"),
        ("# No front matter\nlicense: mit\n", "unknown"),
        ("---\n- a list\n---\n", "unknown"),
        ("", "unknown"),
    ],
)
@pytest.mark.parametrize("name", ["README.md", "MODEL_CARD.md"])
def test_the_licence_is_the_model_cards(new_llama, name, card, licence):
    folder = new_llama()
    (folder / name).write_text(card)
    assert find(folder).licence == licence


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"n_positions": 77}, 77),
        ({"text_config": {"max_position_embeddings": 99}}, 99),
        ({"max_position_embeddings": "many"}, 2048),
        ({"max_position_embeddings": -1}, 2048),
        ({}, 2048),
    ],
)
def test_the_context_length_is_the_configurations(tmp_path, config, expected):
    found = folders.ModelFolder(tmp_path, "x", None, config, ())
    assert found.context_length == expected
