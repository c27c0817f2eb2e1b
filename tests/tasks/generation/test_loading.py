import json
import warnings

import pytest
import torch

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.generation import loading
from tasks.generation.folders import find_model
from tasks.generation.loading import choose_device, choose_dtype, compute_of, describe, load_model
from tasks.generation.masked_network import MaskedNetwork
from tasks.generation.network import Network, Probe
from tasks.generation.protocol import Compute
from tasks.generation.seq2seq_network import Seq2SeqNetwork

CPU = torch.device("cpu")


def load(path, **options):
    model = TransformersModel(name=str(path), device="cpu", **options)
    return load_model(model, folder=find_model(model, folder=path), end_id=None)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:97", "mps"])
def test_a_device_that_is_not_there_is_refused(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(InputError) as caught:
        choose_device(name)
    assert caught.value.code == "CS-M005"


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, False, "cuda"), (True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_automatic_device_is_the_fastest_there_is(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(cuda))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == expected


@pytest.mark.parametrize("has", [True, False])
def test_the_automatic_dtype_is_bfloat16_only_on_a_gpu_that_has_it(monkeypatch, has):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has)
    cuda = torch.device("cuda")
    assert choose_dtype("auto", device=CPU) == torch.float32
    assert choose_dtype("auto", device=cuda) == (torch.bfloat16 if has else torch.float32)
    assert choose_dtype("float16", device=cuda) == torch.float16
    if has:
        assert choose_dtype("bfloat16", device=cuda) == torch.bfloat16
    else:
        with pytest.raises(InputError, match="bfloat16") as caught:
            choose_dtype("bfloat16", device=cuda)
        assert caught.value.code == "CS-M005"


def test_a_model_is_loaded_tested_and_silent(llama, capfd):
    loaded = load(llama)
    assert loaded.probe.pads_left
    assert loaded.end_ids == (0,)
    # Keys and values of 2 layers, 2 heads of 12 numbers, 4 bytes each.
    assert loaded.probe.cache_bytes == 2 * 2 * 2 * 12 * 4
    assert capfd.readouterr() == ("", "")


def test_a_model_that_bears_no_padding_is_loaded_with_a_warning(llama, monkeypatch):
    monkeypatch.setattr(loading, "probe", lambda *_, **__: Probe(False, 1))
    with pytest.warns(UserWarning, match="does not bear padding"):
        assert not load(llama).probe.pads_left
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.undo()
        load(llama)


def test_a_model_is_described_for_the_manifest(llama):
    folder = find_model(TransformersModel(name=str(llama)), folder=llama)
    info = describe(folder, device=CPU, dtype=torch.bfloat16)
    assert (info.backend, info.device, info.dtype) == ("transformers", "cpu", "bfloat16")
    assert info.reference == f"{llama.name}@{folder.weights_sha256[:12]}"


def test_a_card_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Card {device.index}")
    assert compute_of(torch.device("cuda:1")).device == "cuda:1 (Card 1)"
    assert compute_of(CPU) == Compute("cpu", num_threads=torch.get_num_threads())


@pytest.mark.parametrize(
    ("kind", "family", "network"),
    [
        ("mistral", "decoder", Network),
        ("t5", "encoder_decoder", Seq2SeqNetwork),
        ("bart", "encoder_decoder", Seq2SeqNetwork),
        ("bert", "masked", MaskedNetwork),
        ("roberta", "masked", MaskedNetwork),
    ],
)
def test_every_family_is_loaded_tested_and_silent(family_model, capfd, kind, family, network):
    folder = family_model(kind)
    capfd.readouterr()
    loaded = load(folder)
    assert (loaded.family, loaded.probe.pads_left) == (family, True)
    assert isinstance(loaded.network, network)
    assert loaded.probe.cache_bytes > 0
    assert (
        describe(
            find_model(TransformersModel(name=str(folder)), folder=folder),
            device=CPU,
            dtype=torch.float32,
        ).family
        == family
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("forced", "expected"), [("bart", (0,)), ("bart-forced", (0, 3)), ("t5", (1,))]
)
def test_a_reply_opens_as_the_models_own_settings_say(family_model, forced, expected):
    assert load(family_model(forced)).network.decoder_prompt == expected


@pytest.mark.parametrize(
    ("kind", "cls"), [("bert", MaskedNetwork), ("t5", Seq2SeqNetwork), ("bart", Seq2SeqNetwork)]
)
def test_an_encoder_that_padding_disturbs_is_loaded_with_a_warning(
    family_model, monkeypatch, kind, cls
):
    name = "read" if cls is MaskedNetwork else "encode"
    heeding = getattr(cls, name)

    def ignoring(self, input_BT, *, mask_BT=None, mask_PS=None, **more):
        masks = {"mask_BT": None} if cls is MaskedNetwork else {"mask_PS": None}
        return heeding(self, input_BT, **masks, **more)

    monkeypatch.setattr(cls, name, ignoring)
    with pytest.warns(UserWarning, match="does not bear padding"):
        assert not load(family_model(kind)).probe.pads_left


def test_a_model_that_does_not_run_as_its_family_does_is_refused(family_model, monkeypatch):
    def fails(self, *_, **__):
        raise AttributeError("no past_key_values")

    monkeypatch.setattr(Network, "forward", fails)
    with pytest.raises(InputError, match="no past_key_values") as caught:
        load(family_model("mistral"))
    assert caught.value.code == "CS-M004"


def test_an_encoder_decoder_model_without_a_start_token_is_refused(family_model, tmp_path):
    for file in family_model("t5").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    for name in ("config.json", "generation_config.json"):
        content = json.loads((tmp_path / name).read_text("utf-8"))
        content.pop("decoder_start_token_id", None)
        (tmp_path / name).write_text(json.dumps(content), "utf-8")
    with pytest.raises(InputError, match="decoder_start_token_id") as caught:
        load(tmp_path)
    assert caught.value.code == "CS-M003"


@pytest.mark.parametrize(
    ("named", "expected"), [(50_256, (7,)), (-1, (7,)), ([3, 99_999], (3,)), (None, (7,))]
)
def test_end_tokens_that_the_model_does_not_have_end_nothing(new_llama, named, expected):
    folder = new_llama()
    for name in ("config.json", "generation_config.json"):
        path = folder / name
        content = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps({**content, "eos_token_id": named}))
    model = TransformersModel(name=str(folder), device="cpu")
    loaded = load_model(model, folder=find_model(model, folder=folder), end_id=7)
    assert loaded.end_ids == expected
