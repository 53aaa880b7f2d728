"""A training run: stages, optimiser, averaged weights, checkpoints, curves."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from sam2flow_core.config.model import MemoryConfig
from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.files import make_parent, whole_file
from sam2flow_core.inference.pickled import fits, load_pickled, require_finite
from sam2flow_core.inference.weights import choose_device, save_weights, todays_name
from sam2flow_core.model.sam2flow import SAM2Flow, without_decoder
from sam2flow_core.training.averaging import follow_mean
from sam2flow_core.training.batch import gather_clips
from sam2flow_core.training.clips import TRAINING_NAMESPACE, ClipSource, ClipStream, TrainingClip
from sam2flow_core.training.filming import SyntheticScenes
from sam2flow_core.training.initial_weights import choose_recipe, choose_stages, initial_model
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
    recipe : TrainingConfig, optional
        Instead of the one of the preset.
    stage : str, optional
        Train by this stage of the recipe alone.
    scenes : Path, optional
        Where the generators' scenes are kept, so that runs that go on need not draw them again.
    develop : callable, optional
        Measures the averaged weights every few minutes (`DevelopmentConfig.minutes`); its figures are logged, and the
        weights whose ``shortfall`` is the least are kept beside `out`, as ``NAME.best.safetensors``.
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
    recipe: TrainingConfig | None = None
    stage: str | None = None
    scenes: Path | None = None
    develop: Callable[[SAM2Flow], dict[str, float]] | None = None


@dataclass(frozen=True)
class Progress:
    """Where a run stands; ``figures`` are running means."""

    step: int
    minutes: float
    share: float
    figures: Mapping[str, float]


def train(request: TrainingRequest) -> Iterator[Progress]:
    """Train, yielding progress after every step. Closing the generator saves and stops."""
    run = _Run(request)
    try:
        yield from run.steps()
    finally:
        try:
            run.save()
        finally:
            run.source.close()


def profile_run(request: TrainingRequest) -> str:
    """Say where the time of such a run would go, stage by stage; nothing is written."""
    from sam2flow_core.training.profiling import measure_clip_speed, profile_training

    config = request.recipe or choose_recipe(request.preset, request.memory)
    stages = choose_stages(config, request.stage)
    step = TrainingStep(initial_model(request.preset, request.start, request.memory, stages), config)
    source = _open_source(request, config)
    try:
        device = choose_device(request.device)
        drawn = measure_clip_speed(config, max(stages, key=lambda s: s.frames), stages[-1].sizes[0][0], 4, device)
        steps = profile_training(step.to(device), source, config, stages, request.seed)
        return "\n".join([*drawn.lines(), "", steps])
    finally:
        source.close()


def _open_source(request: TrainingRequest, config: TrainingConfig) -> ClipSource:
    if request.data is None:
        return SyntheticScenes(config, request.seed, request.scenes)
    from sam2flow_core.training.capflow_clips import CapFlowFolder  # reads pictures, which scenes do not need

    return CapFlowFolder(request.data, config)


class _Run:
    def __init__(self, request: TrainingRequest) -> None:
        self.request = request
        self.config = request.recipe or choose_recipe(request.preset, request.memory)
        if (
            request.device != "auto"
        ):  # which Fabric chooses; of another one it says in its own words that it is not there
            choose_device(request.device)
        self.source = _open_source(request, self.config)
        self.fabric = Fabric(accelerator=request.device, devices="auto" if request.device != "cpu" else 1)
        self.fabric.launch()
        self.fabric.seed_everything(request.seed, verbose=False)
        stages = choose_stages(self.config, request.stage)
        model = initial_model(request.preset, request.start, request.memory, stages)
        state = None if request.resume is None else load_pickled(request.resume)
        if request.resume is not None and state is not None:
            model = _as_saved(model, state, request.resume)
        step = TrainingStep(model, self.config)
        rate, decay = self.config.learning_rate, self.config.weight_decay
        optimiser = torch.optim.AdamW(step.parameters(), lr=rate, weight_decay=decay, fused=True)
        self.average = copy.deepcopy(step.model).requires_grad_(False)
        self.done, self.seconds, self.figures = 0, 0.0, dict[str, float]()
        self.least_shortfall = math.inf
        if request.resume is not None and state is not None:
            self._restore(step, optimiser, state, request.resume)
        self.step, self.optimiser = self.fabric.setup(step, optimiser)
        self.inner = optimiser
        self.average.to(self.fabric.device)
        self.weights = [p for p in step.parameters() if p.requires_grad]
        self.averaged: list[Tensor] = list(self.average.parameters())
        self.current: list[Tensor] = list(step.model.parameters())
        self.means = {k: torch.tensor(v, device=self.fabric.device) for k, v in self.figures.items()}
        self.saved = self.measured = time.monotonic()
        self.curves = (
            SummaryWriter(str(request.out.with_suffix("")) + "_curves") if self.fabric.is_global_zero else None
        )

    def _restore(self, step: nn.Module, optimiser: torch.optim.Optimizer, state: Mapping[str, Any], path: Path) -> None:
        for name, wanted in (("preset", self.request.preset), ("memory", self._design)):
            if state.get(name) != wanted:
                raise ModelError(f"{path} is a run of {name} '{state.get(name)}', not '{wanted}'")
        with fits(path):
            tensors = {
                part: {todays_name(name): value for name, value in state[part].items()} for part in ("step", "average")
            }
            for part in tensors.values():
                require_finite(path, part)
            step.load_state_dict(tensors["step"])
            optimiser.load_state_dict(state["optimiser"])
            self.average.load_state_dict(tensors["average"])
            self.done, self.seconds = max(0, int(state["done"])), max(0.0, float(state["seconds"]))
            self.figures = {str(name): float(value) for name, value in state["figures"].items()}
            self.least_shortfall = float(state.get("least_shortfall", math.inf))

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
        stages = choose_stages(self.config, self.request.stage)
        ends = np.cumsum([s.share for s in stages]) / sum(s.share for s in stages)
        for number, stage in enumerate(stages):
            end = 1.0 if number == len(stages) - 1 else float(ends[number])
            if self.share >= end:
                continue
            with closing(self._clips(stage)) as batches:
                while self.share < end:
                    yield self._advance(stage, batches)

    def _clips(self, stage: StageConfig) -> Generator[list[TrainingClip], None, None]:
        used, rank = self.done * self.config.clips_per_step, self.fabric.global_rank
        stream = ClipStream(self.source, self.config, stage, self.request.seed, used, rank, self.fabric.device)
        return stream.batches(self.config.clips_per_step)

    def _advance(self, stage: StageConfig, batches: Iterator[list[TrainingClip]]) -> Progress:
        started = time.monotonic()
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * one_cycle(self.share, self.config.warm_up)
        taught, figures = False, list[tuple[float, dict[str, Tensor]]]()
        clips = next(batches)
        for number, some in enumerate(self._at_once(clips)):
            draw = [number] if number else []
            rng = np.random.default_rng(
                [TRAINING_NAMESPACE, self.request.seed, self.done, self.fabric.global_rank, *draw]
            )
            loss, more = self.step(gather_clips(some), stage, rng)
            figures.append((len(some) / len(clips), more))
            if loss.requires_grad:  # clips whose vessels a turn or a rough mask left without a cell teach nothing
                self.fabric.backward(loss * figures[-1][0])
                taught = True
        if taught:
            self._descend()
        self._note(_mean_figures(figures))
        self.done += 1
        self.seconds += time.monotonic() - started
        if time.monotonic() - self.saved > 60 * self.config.save_minutes:
            self.save()
        if time.monotonic() - self.measured > 60 * self.config.development.minutes:
            self.develop()
        return Progress(self.done, self.seconds / 60, self.share, dict(self.figures))

    def _at_once(self, clips: list[TrainingClip]) -> list[list[TrainingClip]]:
        """The clips of a step as they go through the network."""
        most = self.config.clips_at_once_on_cpu if self.fabric.device.type == "cpu" else None
        count = most or len(clips)
        return [clips[first : first + count] for first in range(0, len(clips), count)]

    def _descend(self) -> None:
        """Change the weights by their gradients, and their mean with them; nothing here waits for the device."""
        norm = nn.utils.get_total_norm([p.grad for p in self.weights if p.grad is not None])
        nn.utils.clip_grads_with_norm_(self.weights, self.config.clip_gradient, norm)
        # The fused optimiser itself leaves out a step whose gradient is not finite.
        self.inner.grad_scale, self.inner.found_inf = None, (~torch.isfinite(norm)).float()  # type: ignore[attr-defined]
        self.optimiser.step()
        self.optimiser.zero_grad()
        follow_mean(self.averaged, self.current, self.done, self.config.ema)

    def _note(self, figures: dict[str, Tensor]) -> None:
        """Keep running means on the device, and look at them now and then: each look waits for it."""
        known = {name: mean for name, mean in self.means.items() if name in figures}
        if known:
            now = [figures[name].float() for name in known]
            torch._foreach_lerp_(list(known.values()), now, 0.02)
        for name in figures.keys() - known.keys():
            self.means[name] = figures[name].float().clone()
        if self.done % self.config.log_steps == 0 or figures.keys() - known.keys():
            self._look()

    def _look(self) -> None:
        names = sorted(self.means)
        self.figures = dict(zip(names, torch.stack([self.means[n] for n in names]).tolist(), strict=True))
        if self.curves is not None:
            for name in names:
                self.curves.add_scalar(name, self.figures[name], self.done)

    def develop(self) -> None:
        """Measure the averaged weights, where the request says how, and keep the best."""
        self.measured = time.monotonic()
        if self.request.develop is None or not self.fabric.is_global_zero:
            return
        figures = self.request.develop(self.average)
        if self.curves is not None:
            for name, value in figures.items():
                self.curves.add_scalar(f"development/{name}", value, self.done)
        shortfall = figures.get("shortfall", math.nan)
        if shortfall < self.least_shortfall:
            self.least_shortfall = shortfall
            best = self.request.out.with_suffix(".best.safetensors")
            save_weights(best, self.average, {"steps": self.done, "development": figures})

    def save(self) -> None:
        """Write the averaged weights and all that resuming needs."""
        self.saved = time.monotonic()
        if not self.fabric.is_global_zero:
            return
        if self.means:
            self._look()
        out = self.request.out
        make_parent(out)
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
            "seconds": self.seconds, "figures": self.figures, "least_shortfall": self.least_shortfall,
        }  # fmt: skip
        with whole_file(out.with_name(out.name + ".resume")) as part:
            torch.save(state, part)


def _as_saved(model: SAM2Flow, state: Mapping[str, Any], path: Path) -> SAM2Flow:
    """A network with the parts that the run had, which may have begun with weights that have fewer or more.

    Those in the box have no decoder, and had a motion memory once.
    """
    with fits(path):
        decodes = any(name.startswith("mask_decoder.") for name in state["average"])
        ages = state["average"].get("flow.motion_memory.time")
        remembered = 0 if ages is None else len(ages) - 1
    if model.config.use_flow and remembered != model.config.update.motion_memory_frames:
        update = replace(model.config.update, motion_memory_frames=remembered)
        model = SAM2Flow(replace(model.config, update=update)).train(model.training)
    return without_decoder(model) if model.config.mask.follows and not decodes else model


def _mean_figures(parts: list[tuple[float, dict[str, Tensor]]]) -> dict[str, Tensor]:
    """Means of figures over the parts of a step that know them, each part with its share."""
    if len(parts) == 1:
        return parts[0][1]
    names = {name for _, figures in parts for name in figures}
    found = {name: [(share, figures[name]) for share, figures in parts if name in figures] for name in names}
    return {
        name: torch.stack([s * f for s, f in some]).sum(0) / sum(s for s, _ in some) for name, some in found.items()
    }


def one_cycle(share: float, warm_up: float) -> float:
    """Learning rate as a part of its peak: linear up, linear down to a hundredth (OneCycle; Smith, 2018)."""
    if share < warm_up:
        return 0.04 + 0.96 * share / warm_up
    return max(0.01, (1 - share) / (1 - warm_up))


__all__ = ["Progress", "TrainingConfig", "TrainingRequest", "one_cycle", "profile_run", "train"]
