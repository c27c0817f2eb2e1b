"""The training loop of the starter model: one step, one validation, one checkpoint."""

import math
import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tasks.starter.batches import Batch, BatchPlan
from tasks.starter.model import IGNORED, new_model, starter_config, taught_loss

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides the weights, besides the data and the arithmetic of the machine.

    The rate warms up, then follows a cosine down to `final_rate_share` of its peak. The run is over
    after `num_steps` or `minutes`, whichever the schedule reaches first, or when the held-out loss
    has not improved for `patience` validations.
    """

    num_steps: int = 10_000
    minutes: float = 50.0
    seed: int = 7
    peak_rate: float = 2e-3
    final_rate_share: float = 0.02
    warmup_share: float = 0.02
    weight_decay: float = 0.05
    dropout: float = 0.1
    average_decay: float = 0.999
    validate_every: int = 400
    patience: int = 8
    num_heldout_texts: int = 1500
    width: int = 256
    num_layers: int = 4
    vocabulary_size: int = 4096
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    plan: BatchPlan = field(default_factory=lambda: BatchPlan(tokens_per_batch=2048))


@dataclass
class Progress:
    """How far a run has come; seconds add up over all its parts."""

    step: int = 0
    num_tokens: int = 0
    num_taught_tokens: int = 0
    epoch: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    best_loss: float = math.inf
    best_step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """A model in training, with the running average of its weights, which is what gets exported."""

    def __init__(self, settings: TrainSettings, *, device: str) -> None:
        """Start from the initial weights that `settings` decides; `auto` takes a trial."""
        self.settings = settings
        self.device = device
        self.precision: Precision = (
            fastest_precision(device) if settings.precision == "auto" else settings.precision
        )
        self.progress = Progress()
        config = starter_config(
            settings.vocabulary_size, width=settings.width, num_layers=settings.num_layers
        )
        self.model = new_model(config, seed=settings.seed, dropout=settings.dropout)
        self.average = new_model(config, seed=settings.seed)
        self.average.train(False)
        for model in (self.model, self.average):
            nn.Module.to(model, device)
        weights = [p for p in self.model.parameters() if p.ndim > 1]
        scales = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": weights, "weight_decay": settings.weight_decay},
                {"params": scales, "weight_decay": 0.0},
            ],
            lr=settings.peak_rate,
            betas=(0.9, 0.95),
            fused=True,
        )

    @property
    def share_done(self) -> float:
        """Share of the schedule that has passed, by steps or by time, whichever is more."""
        by_steps = self.progress.step / self.settings.num_steps
        by_time = self.progress.wall_seconds / (60 * self.settings.minutes)
        return min(1.0, max(by_steps, by_time))

    @property
    def is_over(self) -> bool:
        """Tell whether the schedule has ended or the held-out loss has stopped improving."""
        since_best = self.progress.step - self.progress.best_step
        stalled = since_best >= self.settings.patience * self.settings.validate_every
        return self.share_done >= 1.0 or (self.progress.best_step > 0 and stalled)

    def autocast(self) -> AbstractContextManager[object]:
        """Make the context in which the network computes."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.split(":")[0], torch.bfloat16)

    def step(self, batch: Batch) -> float:
        """Take one step of AdamW on `batch` and move the running average.

        Returns:
            Nats a taught token, before the step.
        """
        started, cpu_started = time.perf_counter(), time.process_time()
        tokens, targets = batch.tokens.to(self.device), batch.targets.to(self.device)
        num_taught = int((targets != IGNORED).sum())
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.share_done, settings=self.settings)
        with torch.random.fork_rng(), self.autocast():
            # One seed a step makes a resumed run drop the same entries as an unbroken one.
            torch.manual_seed(self.settings.seed * 1_000_003 + self.progress.step)
            self.model.train()
            loss = taught_loss(self.model, tokens=tokens, targets=targets) / num_taught
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._move_average()
        self.progress.step += 1
        self.progress.num_tokens += tokens.numel()
        self.progress.num_taught_tokens += num_taught
        self.progress.wall_seconds += time.perf_counter() - started
        self.progress.cpu_seconds += time.process_time() - cpu_started
        return float(loss.detach())

    @torch.no_grad()
    def _move_average(self) -> None:
        step = self.progress.step
        decay = min(self.settings.average_decay, (1 + step) / (10 + step))
        for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)

    @torch.no_grad()
    def validate(self, batches: Sequence[Batch], *, train_loss: float) -> bool:
        """Measure the averaged weights on held-out batches and note the loss in the history.

        Returns:
            Whether this is the best loss so far.
        """
        started, cpu_started = time.perf_counter(), time.process_time()
        total, count = 0.0, 0
        for batch in batches:
            tokens, targets = batch.tokens.to(self.device), batch.targets.to(self.device)
            with self.autocast():
                total += float(taught_loss(self.average, tokens=tokens, targets=targets))
            count += int((targets != IGNORED).sum())
        progress = self.progress
        progress.wall_seconds += time.perf_counter() - started
        progress.cpu_seconds += time.process_time() - cpu_started
        loss = total / count
        progress.history.append(
            {
                "step": progress.step,
                "wall_seconds": round(progress.wall_seconds, 1),
                "train_loss": round(train_loss, 4),
                "heldout_loss": round(loss, 4),
            }
        )
        if loss >= progress.best_loss:
            return False
        progress.best_loss, progress.best_step = loss, progress.step
        return True

    def save(self, path: Path) -> None:
        """Write a checkpoint that `load` can go on from, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        content = {
            "settings": asdict(self.settings),
            "progress": asdict(self.progress),
            "precision": self.precision,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        with temporary.open("wb") as handle:
            torch.save(content, handle)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint, in the precision it was made in.

        Raises:
            ValueError: If the checkpoint was made with other settings.
        """
        content: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        if content["settings"] != asdict(self.settings):
            raise ValueError(f"{path} was made with other settings; remove it or use its settings")
        self.progress = Progress(**content["progress"])
        self.precision = content["precision"]
        self.model.load_state_dict(content["model"])
        self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])


def rate_at(share_done: float, *, settings: TrainSettings) -> float:
    """Compute the learning rate after a share of the schedule in [0, 1]: warm-up, then cosine."""
    if share_done < settings.warmup_share:
        return (
            settings.peak_rate
            * (share_done + 0.1 * settings.warmup_share)
            / (1.1 * settings.warmup_share)
        )
    falling = (share_done - settings.warmup_share) / (1 - settings.warmup_share)
    cosine = 0.5 * (1 + math.cos(math.pi * falling))
    floor = settings.final_rate_share
    return settings.peak_rate * (floor + (1 - floor) * cosine)


def fastest_precision(device: str) -> Precision:
    """Choose bfloat16 where a product of two matrices takes less time in it than in float32."""
    seconds: dict[Precision, float] = {}
    kinds: tuple[tuple[Precision, torch.dtype], ...] = (
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
    )
    for name, dtype in kinds:
        left: Tensor = torch.ones(1024, 1024, dtype=dtype, device=device)
        trials = []
        for _ in range(4):
            started = time.perf_counter()
            float((left @ left)[0, 0])
            trials.append(time.perf_counter() - started)
        seconds[name] = min(trials)
    return "bfloat16" if seconds["bfloat16"] < seconds["float32"] else "float32"
