"""Train the starter model: `python -m tasks.starter.train --data DIR --out tasks/starter`.

`DIR` holds `banking77`, `clinc150` and `snips` as their authors publish them. A run that is stopped
goes on from its last checkpoint when started again with the same settings.
"""

import argparse
import hashlib
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from transformers import PreTrainedTokenizerFast

from tasks.quality.fingerprints import FingerprintIndex
from tasks.starter.batches import heldout_batches, training_batches
from tasks.starter.corpus import (
    LABELS_FILE,
    Library,
    data_files,
    describe_prompt,
    load_descriptions,
    plain_name,
    read_split,
)
from tasks.starter.model import count_parameters, export_model, train_tokenizer, write_json
from tasks.starter.trainer import Trainer, TrainSettings

CHECKPOINT = "last.pt"
_FORMAT_LINES = (
    "Intent:",
    "\nIntent:",
    "Message:",
    "\nMessage:",
    "\nExample:",
    "Noisy:",
    "\nForm: question",
    "\nForm: request",
    "\nLength: short",
    "\nLength: medium",
    "\nLength: long",
)


def make_tokenizer(library: Library, *, vocabulary_size: int) -> PreTrainedTokenizerFast:
    """Train the tokenizer on the training utterances, the descriptions and the formats' lines."""

    def texts() -> Iterator[str]:
        for label, text in library.utterances:
            yield describe_prompt(text)
            yield f" {plain_name(label)}"
        for ways in library.descriptions.values():
            for way in ways:
                yield from (f" {way}",) * 20
        for line in _FORMAT_LINES:
            yield from (line,) * 1000

    return train_tokenizer(texts(), vocabulary_size=vocabulary_size)


def train(
    settings: TrainSettings, *, data: Path, out: Path, checkpoints: Path, device: str = "auto"
) -> Trainer:
    """Train, and export the best averaged weights to `out` each time the held-out loss improves.

    Args:
        settings: What decides the weights.
        data: Folder of the three sets.
        out: Folder of the model files, `training_index.npy` and `training.json`.
        checkpoints: Folder of the checkpoint to go on from and to write.
        device: `cpu`, `cuda`, or `auto`: CUDA if there is one.

    Returns:
        The trainer after its last step.

    Raises:
        FileNotFoundError: If a file of the data is missing.
        ValueError: If the checkpoint was made with other settings.
    """
    descriptions = load_descriptions()
    library = Library.of(read_split(data, "train"), descriptions)
    heldout = Library.of(read_split(data, "heldout"), descriptions)
    tokenizer = make_tokenizer(library, vocabulary_size=settings.vocabulary_size)
    settings = replace(settings, vocabulary_size=len(tokenizer))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    trainer = Trainer(settings, device=device)
    if (checkpoints / CHECKPOINT).exists():
        trainer.load(checkpoints / CHECKPOINT)
    out.mkdir(parents=True, exist_ok=True)
    index = FingerprintIndex.of_texts(text for _, text in library.utterances)
    index.save(out / "training_index.npy")
    _run(trainer, library=library, heldout=heldout, tokenizer=tokenizer, folders=(out, checkpoints))
    write_json(out / "training.json", training_record(trainer, data=data, num_indexed=len(index)))
    return trainer


def _run(
    trainer: Trainer,
    *,
    library: Library,
    heldout: Library,
    tokenizer: PreTrainedTokenizerFast,
    folders: tuple[Path, Path],
) -> None:
    settings, progress = trainer.settings, trainer.progress
    out, checkpoints = folders
    judged = heldout_batches(
        heldout, tokenizer=tokenizer, plan=settings.plan, num_texts=settings.num_heldout_texts
    )
    batches = training_batches(library, tokenizer=tokenizer, plan=settings.plan, skip=progress.step)
    losses: list[float] = []
    with _progress_bar() as bar:
        row = bar.add_task("training", total=1.0)
        while not trainer.is_over:
            progress.epoch, batch = next(batches)
            losses.append(trainer.step(batch))
            bar.update(row, completed=trainer.share_done, description=f"loss {losses[-1]:.3f}")
            if progress.step % settings.validate_every and trainer.share_done < 1.0:
                continue
            if trainer.validate(judged, train_loss=float(np.mean(losses))):
                export_model(trainer.average, tokenizer=tokenizer, folder=out)
            losses.clear()
            trainer.save(checkpoints / CHECKPOINT)
            bar.console.print(f"epoch {progress.epoch} {progress.history[-1]}")


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(soft_wrap=True))


def training_record(trainer: Trainer, *, data: Path, num_indexed: int) -> dict[str, object]:
    """Collect what happened in a run: settings, counts, seconds, machine, data, losses."""
    files = [*data_files(data, "train"), *data_files(data, "heldout"), LABELS_FILE]
    return {
        "settings": asdict(trainer.settings),
        "progress": asdict(trainer.progress),
        "num_parameters": count_parameters(trainer.model),
        "num_fingerprints": num_indexed,
        "precision": trainer.precision,
        "hardware": {
            "device": trainer.device,
            "processor": _processor(),
            "num_cores": os.cpu_count(),
            "num_threads": torch.get_num_threads(),
            "capability": torch.backends.cpu.get_cpu_capability(),
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
            "numpy": np.__version__,
        },
        "data_sha256": {
            f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> None:
    """Read the command line and train."""
    defaults = TrainSettings()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of the three sets")
    parser.add_argument("--out", type=Path, default=Path("tasks/starter"))
    parser.add_argument("--checkpoints", type=Path, default=Path("starter_checkpoints"))
    parser.add_argument("--minutes", type=float, default=defaults.minutes)
    parser.add_argument("--steps", type=int, default=defaults.num_steps)
    parser.add_argument("--dropout", type=float, default=defaults.dropout)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    args = parser.parse_args()
    settings = TrainSettings(
        num_steps=args.steps,
        minutes=args.minutes,
        seed=args.seed,
        dropout=args.dropout,
        plan=replace(defaults.plan, seed=args.seed),
    )
    train(
        settings,
        data=args.data,
        out=args.out,
        checkpoints=args.checkpoints,
        device=args.device,
    )


if __name__ == "__main__":
    main()
