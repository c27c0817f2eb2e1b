"""From a checked model folder to a model in memory: on a device, in a dtype, tried out."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, assert_never

import torch

from schemas.errors import InputError
from schemas.manifest import Family, ModelInfo
from schemas.recipe import TransformersModel
from tasks.generation.cpu_linear import use_onednn
from tasks.generation.families import family_of
from tasks.generation.folders import ModelFolder, damaged
from tasks.generation.masked_network import MaskedNetwork, probe_masked
from tasks.generation.network import Network, Probe, probe
from tasks.generation.protocol import Compute
from tasks.generation.seq2seq_network import Seq2SeqNetwork, probe_seq2seq

AnyNetwork = Network | Seq2SeqNetwork | MaskedNetwork


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to decode.

    Args:
        network: What computes, reduced to what its family's engine needs.
        device: Where it runs.
        dtype: What it computes in.
        end_ids: Tokens that end a text.
        probe: What its trial run showed.
        family: How it writes.
    """

    network: AnyNetwork
    device: torch.device
    dtype: torch.dtype
    end_ids: tuple[int, ...]
    probe: Probe
    family: Family = "decoder"

    @property
    def chooser(self) -> torch.device:
        """Where tokens are chosen: Apple's GPU has no float64 noise and no 64-bit hashes."""
        return torch.device("cpu") if self.device.type == "mps" else self.device


def choose_device(name: str) -> torch.device:
    """Resolve `auto` (CUDA, else Apple's GPU, else the CPU) or check that a named device is there.

    Raises:
        InputError: If the device is not available (CS-M005).
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        name = "mps" if name == "cpu" and torch.backends.mps.is_available() else name
    device = torch.device(name)
    missing = {
        "cuda": device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count(),
        "mps": device.type == "mps" and not torch.backends.mps.is_available(),
    }
    if missing.get(device.type, False):
        raise InputError(
            f"the device {name!r} is not available here",
            code="CS-M005",
            place="model.device",
            hint="set model.device to `auto` or `cpu`",
        )
    return device


def choose_dtype(name: str, *, device: torch.device) -> torch.dtype:
    """Resolve `auto` (bfloat16 on a GPU that has it, else float32) or check a named dtype.

    Raises:
        InputError: If the GPU does not compute in it (CS-M005).
    """
    has_bfloat16 = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" and has_bfloat16 else torch.float32
    if name == "bfloat16" and not has_bfloat16:
        raise InputError(
            "this GPU does not compute in bfloat16",
            code="CS-M005",
            place="model.dtype",
            hint="set model.dtype to `auto`, `float16` or `float32`",
        )
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def load_model(model: TransformersModel, *, folder: ModelFolder, end_id: int | None) -> LoadedModel:
    """Load the weights and test the model.

    Args:
        model: Device and dtype asked for.
        folder: The checked files.
        end_id: The tokenizer's end-of-text token, used when the model's own files name none.

    Raises:
        InputError: If the device or dtype is not there (CS-M005), the architecture is not supported
            (CS-M004) or the weights do not fit the configuration (CS-M003).
    """
    device = choose_device(model.device)
    dtype = choose_dtype(model.dtype, device=device)
    family = family_of(folder)
    weights = load_weights(_auto_class(family), folder, dtype=dtype).to(device).eval()
    use_onednn(weights)
    network, trial = _try_out(weights, folder, family=family, dtype=dtype)
    if not trial.pads_left:
        warnings.warn(
            f"{folder.id} does not bear padding: only prompts of equal length share a batch",
            stacklevel=2,
        )
    end_ids = _end_ids(weights, end_id, vocabulary_size=network.vocabulary_size)
    return LoadedModel(network, device, dtype, end_ids, trial, family)


def _end_ids(weights: Any, end_id: int | None, *, vocabulary_size: int) -> tuple[int, ...]:
    """Find the tokens that end a text: the generation's, else the model's, else the tokenizer's.

    Configurations may name tokens that the model does not have; those end nothing.
    """
    generation = weights.generation_config.eos_token_id if weights.can_generate() else None
    for named in (generation, weights.config.eos_token_id, end_id):
        ids = named if isinstance(named, (list, tuple)) else (named,)
        known = tuple(i for i in ids if isinstance(i, int) and 0 <= i < vocabulary_size)
        if known:
            return known
    return ()


def _try_out(
    weights: Any, folder: ModelFolder, *, family: Family, dtype: torch.dtype
) -> tuple[AnyNetwork, Probe]:
    """Reduce a model to what decoding needs, and run it once.

    Raises:
        InputError: If the model does not run as its family does (CS-M004).
    """
    device = weights.device
    try:
        match family:
            case "decoder":
                network = Network(weights)
                return network, probe(network, device=device, dtype=dtype)
            case "encoder_decoder":
                opening = _decoder_prompt(weights, folder)
                seq2seq = Seq2SeqNetwork(weights, decoder_prompt=opening)
                return seq2seq, probe_seq2seq(seq2seq, device=device, dtype=dtype)
            case "masked":
                masked = MaskedNetwork(weights)
                return masked, probe_masked(masked, device=device, dtype=dtype)
            case _:
                assert_never(family)
    # A model with a cache or with inputs of its own kind fails anywhere; so does a full memory,
    # which is no fault of the model.
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise InputError(
            f"a {type(weights).__name__} does not run as its family does: {error}",
            code="CS-M004",
            place=str(folder.path / "config.json"),
            hint="choose a model of another type",
        ) from error


def _decoder_prompt(weights: Any, folder: ModelFolder) -> tuple[int, ...]:
    """Name the tokens that stand before every reply: the start token, and a forced opening."""
    settings = weights.generation_config
    start = settings.decoder_start_token_id
    start = getattr(weights.config, "decoder_start_token_id", None) if start is None else start
    start = settings.bos_token_id if start is None else start
    if not isinstance(start, int):
        raise damaged("the model names no decoder_start_token_id", place=folder.path)
    forced = settings.forced_bos_token_id
    return (start,) if forced is None else (start, int(forced))


def describe(folder: ModelFolder, *, device: torch.device, dtype: torch.dtype) -> ModelInfo:
    """Identify a model for the manifest."""
    return ModelInfo(
        id=folder.id,
        revision=folder.revision,
        weights_sha256=folder.weights_sha256,
        licence=folder.licence,
        backend="transformers",
        dtype=str(dtype).removeprefix("torch."),
        device=str(device),
        context_length=folder.context_length,
        family=family_of(folder),
    )


def compute_of(device: torch.device) -> Compute:
    """Name a device, with its card's name if it is a CUDA device, and count torch's threads."""
    card = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    return Compute(f"{device}{card}", num_threads=torch.get_num_threads())


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence transformers' progress bar and its report on weights, which is checked here."""
    from transformers.utils import logging

    library: Any = logging
    level, bar = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity(library.CRITICAL)
    library.disable_progress_bar()
    try:
        yield
    finally:
        library.set_verbosity(level)
        if bar:
            library.enable_progress_bar()


def _auto_class(family: Family) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    classes: dict[Family, Any] = {
        "decoder": AutoModelForCausalLM,
        "encoder_decoder": AutoModelForSeq2SeqLM,
        "masked": AutoModelForMaskedLM,
    }
    return classes[family]


def load_weights(auto_class: Any, folder: ModelFolder, *, dtype: torch.dtype) -> Any:
    """Load a checked folder's safetensors, all of them and nothing else, onto the CPU.

    Args:
        auto_class: The class of transformers that picks the model's class.
        folder: The checked files.
        dtype: What the weights become.

    Raises:
        InputError: If the weights do not fit the configuration (CS-M003).
    """
    try:
        with _quietly():
            loaded: Any = auto_class.from_pretrained(
                folder.path,
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    # A wrong configuration fails anywhere inside the model's class; the remedy is the same.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise damaged(f"the model cannot be loaded: {reason[0]}", place=folder.path) from error
    network, report = loaded
    for problem in ("missing_keys", "mismatched_keys"):
        if names := sorted(map(str, report[problem])):
            raise damaged(
                f"the weights do not fit config.json: {len(names)} {problem.replace('_', ' ')}, "
                f"the first is {names[0]}",
                place=folder.path,
            )
    return network
