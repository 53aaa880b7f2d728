"""A training run: stages, optimiser, averaged weights, checkpoints, curves."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from sam2flow_core.config.memory import MemoryConfig
from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.errors import DataError, ModelError
from sam2flow_core.files import whole_file
from sam2flow_core.inference.weights import save_weights
from sam2flow_core.training.beginning import begin_model, choose_recipe
from sam2flow_core.training.capflow_clips import CapFlowFolder
from sam2flow_core.training.clips import TRAINING_NAMESPACE, ClipSource, ClipStream, TrainingClip
from sam2flow_core.training.scenes import SyntheticScenes
from sam2flow_core.training.step import TrainingStep


@dataclass(frozen=True)
class TrainingRequest:
    """What to train, on what, how long, and where to.

    Attributes
    ----------
    out : Path
        Weights (averaged), written every few minutes. Beside it: ``.resume`` and a folder of TensorBoard curves.
    preset : str
    start : str, optional
        Weights to begin from, by any name `load_model` takes, instead of random ones of the preset.
    memory : MemoryConfig, optional
        Train this design of memory, and nothing else, on top of the weights in `start`.
    data : Path, optional
        Folder in the CapFlow layout to take clips from instead of the generator.
    minutes : float
        Length of the whole run; a resumed run counts what it has done.
    steps : int, optional
        End after so many steps instead; such a run is the same to the bit each time.
    resume : Path, optional
        A ``.resume`` file to go on from.
    seed : int
    device : str
        Of Lightning Fabric: auto, cpu, cuda, mps.
    precision : str
        Of Lightning Fabric: 32-true, bf16-mixed.
    """

    out: Path
    preset: str = "tiny"
    start: str | None = None
    memory: MemoryConfig | None = None
    data: Path | None = None
    minutes: float = 60.0
    steps: int | None = None
    resume: Path | None = None
    seed: int = 1
    device: str = "auto"
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"


@dataclass(frozen=True)
class Progress:
    """Where a run stands; ``figures`` are running means."""

    step: int
    minutes: float
    share: float
    figures: dict[str, float]


def train(request: TrainingRequest) -> Iterator[Progress]:
    """Train, yielding progress after every step. Closing the generator saves and stops."""
    run = _Run(request)
    try:
        yield from run.steps()
    finally:
        run.save()


class _Run:
    def __init__(self, request: TrainingRequest) -> None:
        self.request, self.config = request, choose_recipe(request.preset, request.memory)
        folder = request.data
        self.source: ClipSource = (
            SyntheticScenes(self.config, request.seed) if folder is None else CapFlowFolder(folder, self.config)
        )
        self.fabric = Fabric(
            accelerator=request.device, devices="auto" if request.device != "cpu" else 1, precision=request.precision
        )
        self.fabric.launch()
        self.fabric.seed_everything(request.seed, verbose=False)
        step = TrainingStep(begin_model(request.preset, request.start, request.memory), self.config)
        rate, decay = self.config.learning_rate, self.config.weight_decay
        optimiser = torch.optim.AdamW(step.parameters(), lr=rate, weight_decay=decay)
        self.average = copy.deepcopy(step.model).requires_grad_(False)
        self.done, self.seconds, self.figures = 0, 0.0, dict[str, float]()
        if request.resume is not None:
            self._restore(step, optimiser, request.resume)
        self.step, self.optimiser = self.fabric.setup(step, optimiser)
        self.average.to(self.fabric.device)
        self.saved = time.monotonic()
        self.curves = (
            SummaryWriter(str(request.out.with_suffix("")) + "_curves") if self.fabric.is_global_zero else None
        )

    def _restore(self, step: nn.Module, optimiser: torch.optim.Optimizer, path: Path) -> None:
        if not path.is_file():
            raise DataError(f"{path}: no such file to resume from")
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, wanted in (("preset", self.request.preset), ("memory", self._design)):
            if state.get(name) != wanted:
                raise ModelError(f"{path} is a run of {name} '{state.get(name)}', not '{wanted}'")
        step.load_state_dict(state["step"])
        optimiser.load_state_dict(state["optimiser"])
        self.average.load_state_dict(state["average"])
        self.done, self.seconds, self.figures = state["done"], state["seconds"], state["figures"]

    @property
    def _design(self) -> str | None:
        return None if self.request.memory is None else self.request.memory.design

    @property
    def share(self) -> float:
        """Part of the run that is done, 0 to 1."""
        if self.request.steps is not None:
            return self.done / max(self.request.steps, 1)
        return self.seconds / 60 / self.request.minutes

    def steps(self) -> Iterator[Progress]:
        stages, ends = self.config.stages, np.cumsum([s.share for s in self.config.stages])
        for number, stage in enumerate(stages):
            end = 1.0 if number == len(stages) - 1 else float(ends[number])
            if self.share >= end:
                continue
            batches = self._clips(stage)
            while self.share < end:
                yield self._advance(stage, batches)

    def _clips(self, stage: StageConfig) -> Iterator[list[TrainingClip]]:
        used, rank = self.done * self.config.clips_per_step, self.fabric.global_rank
        stream = ClipStream(self.source, self.config, stage, self.request.seed, used, rank, self.fabric.device)
        return stream.batches(self.config.clips_per_step)

    def _advance(self, stage: StageConfig, batches: Iterator[list[TrainingClip]]) -> Progress:
        started = time.monotonic()
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * one_cycle(self.share, self.config.warm_up)
        count = self.config.clips_per_step
        for k, clip in enumerate(next(batches)):
            rng = np.random.default_rng([TRAINING_NAMESPACE, self.request.seed, self.done, k, self.fabric.global_rank])
            with self.fabric.no_backward_sync(self.step, enabled=k + 1 < count):
                loss, figures = self.step(clip, stage, rng)
                if (
                    loss.requires_grad
                ):  # a clip whose vessels a turn or a rough mask left without a site teaches nothing
                    self.fabric.backward(loss / count)
            self._note(figures)
        self.fabric.clip_gradients(self.step, self.optimiser, max_norm=self.config.clip_gradient)
        if all(p.grad is None or torch.isfinite(p.grad).all() for p in self.step.parameters()):
            self.optimiser.step()
        self.optimiser.zero_grad()
        self._average()
        self.done += 1
        self.seconds += time.monotonic() - started
        if time.monotonic() - self.saved > 60 * self.config.save_minutes:
            self.save()
        return Progress(self.done, self.seconds / 60, self.share, dict(self.figures))

    def _note(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self.figures[name] = value if name not in self.figures else 0.98 * self.figures[name] + 0.02 * value
            if self.curves is not None and self.done % 10 == 0:
                self.curves.add_scalar(name, self.figures[name], self.done)

    def _average(self) -> None:
        keep = min(self.config.ema, (1 + self.done) / (10 + self.done))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.step.module.model.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)

    def save(self) -> None:
        """Write the averaged weights and all that resuming needs."""
        self.saved = time.monotonic()
        if not self.fabric.is_global_zero:
            return
        out = self.request.out
        out.parent.mkdir(parents=True, exist_ok=True)
        notes: dict[str, Any] = {"steps": self.done, "minutes": round(self.seconds / 60, 1), "seed": self.request.seed}
        notes["clips"] = self.done * self.config.clips_per_step * self.fabric.world_size
        if self.request.data is not None:
            notes["data"] = self.request.data.name
        if self.request.start is not None:
            notes["start"] = Path(self.request.start).name
        notes["running_means"] = {k: round(v, 4) for k, v in self.figures.items()}
        save_weights(out, self.average, notes)
        state = {
            "preset": self.request.preset, "memory": self._design, "step": self.step.module.state_dict(),
            "average": self.average.state_dict(), "optimiser": self.optimiser.state_dict(), "done": self.done,
            "seconds": self.seconds, "figures": self.figures,
        }  # fmt: skip
        with whole_file(out.with_name(out.name + ".resume")) as part:
            torch.save(state, part)


def one_cycle(share: float, warm_up: float) -> float:
    """Learning rate as a part of its peak: linear up, linear down to a hundredth (OneCycle; Smith, 2018)."""
    if share < warm_up:
        return 0.04 + 0.96 * share / warm_up
    return max(0.01, (1 - share) / (1 - warm_up))


__all__ = ["Progress", "TrainingConfig", "TrainingRequest", "one_cycle", "train"]
