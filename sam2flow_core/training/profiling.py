"""Where the time of training goes: drawing clips, and each part of a step."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.synthetic.random_draws import stream
from sam2flow_core.synthetic.record import SceneRecord, load_record, save_record
from sam2flow_core.training.bank import SceneBank, count_workers, draw_record
from sam2flow_core.training.batch import gather_clips
from sam2flow_core.training.clips import ClipSource, ClipStream
from sam2flow_core.training.filming import FilmStudio
from sam2flow_core.training.framing import draw_framing
from sam2flow_core.training.step import TrainingStep

_PROFILE_NAMESPACE = 0x70726F66
_BATCHES = 3
_NOTHING = {
    "view", "_unsafe_view", "reshape", "as_strided", "expand", "permute",
    "transpose", "t", "select", "slice", "unsqueeze", "squeeze",
    "unbind", "split", "split_with_sizes", "alias", "detach", "empty",
    "empty_strided", "empty_like", "unfold", "chunk", "unflatten", "result_type",
    "is_nonzero", "item", "_local_scalar_dense", "movedim", "resize_", "set_",
    "lift_fresh", "narrow", "diagonal",
}  # fmt: skip
"""Operations that compute nothing."""
_WAITS = {"_local_scalar_dense": "number read", "nonzero": "nonzero", "_unique2": "unique", "masked_select": "select"}
"""Operations that a processor must wait for on a GPU, and what they are called here."""


@dataclass(frozen=True)
class ClipSpeed:
    """Seconds of one core (drawing) and of the device (filming), and what follows from them.

    Attributes
    ----------
    draw_s : dict of str to float
        Of a scene, by generator.
    read_s, film_s : float
        Of a clip: reading its scene; filming, altering, summarising and truth.
    scene_mb : float
    per_core : float
        Clips/s of one core that draws and films, each scene used as often as the bank says.
    workers : int
    total : float
        Clips/s with all workers: of as many cores where the processor films too, or of an accelerator with scenes from
        the workers.
    """

    draw_s: Mapping[str, float]
    read_s: float
    film_s: float
    scene_mb: float
    per_core: float
    workers: int
    total: float

    def lines(self) -> list[str]:
        """What `sam2flow train --profile` prints."""
        drawn = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in self.draw_s.items())
        return [
            f"scene drawn: {drawn} of one core; {self.scene_mb:.1f} MB on disk",
            f"clip: read {1e3 * self.read_s:.0f} ms; filmed, altered, summarised and told {1e3 * self.film_s:.0f} ms",
            f"clips/s: {self.per_core:.1f} per core, {self.total:.1f} with {self.workers} workers",
        ]


def measure_clip_speed(
    config: TrainingConfig, stage: StageConfig, side: int = 160, scenes: int = 8, device: torch.device | str = "cpu"
) -> ClipSpeed:
    """Draw scenes of each generator and film clips of ``side`` px; seconds of processor time where that films.

    Parameters
    ----------
    config : TrainingConfig
    stage : StageConfig
        Frames and pairs of a clip.
    side, scenes : int
        Of a clip, px; of each generator.
    device : torch.device
    """
    device = torch.device(device)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    bank = SceneBank(replace(config.bank, workers=0), 0)
    records: list[SceneRecord] = []
    draw_s, read_s, size = dict[str, float](), 0.0, 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, _ in config.bank.generators:
            of_one = replace(config.bank, generators=((name, 1.0),))
            draw_record(of_one, stream(_PROFILE_NAMESPACE, scenes))
            started = time.process_time()
            mine = [draw_record(of_one, stream(_PROFILE_NAMESPACE, k)) for k in range(scenes)]
            draw_s[name] = (time.process_time() - started) / scenes
            records += mine
        for number, record in enumerate(records):
            path = bank.folder / str(number)
            save_record(record, path)
            size += path.stat().st_size
            started = time.process_time()
            load_record(path)
            read_s += (time.process_time() - started) / len(records)
        film_s = _film(config, stage, side, records, device, clock)
    finally:
        torch.set_num_threads(threads)
        bank.close()
    workers = max(1, count_workers(config.bank))
    weights = dict(config.bank.generators)
    draw = sum(draw_s[name] * w for name, w in weights.items()) / sum(weights.values()) / config.bank.reuse
    per_core = 1 / (draw + read_s + film_s)
    total = workers * per_core if device.type == "cpu" else min(workers / draw, 1 / (read_s + film_s))
    return ClipSpeed(draw_s, read_s, film_s, size / len(records) / 1e6, per_core, workers, total)


def _film(
    config: TrainingConfig,
    stage: StageConfig,
    side: int,
    records: list[SceneRecord],
    device: torch.device,
    clock: Callable[[], float],
) -> float:
    """Seconds for a clip, filmed as `SyntheticScenes` does."""
    studio, rng = FilmStudio(config, device), np.random.default_rng(0)
    framings = [draw_framing(rng, record, side, config, stage) for record in records]
    groups = [[f] for f in framings] if device.type == "cpu" else [framings]
    with torch.no_grad():
        studio.film(groups[0], rng, stage)
        _wait(device)
        started = clock()
        for group in groups:
            studio.film(group, rng, stage)
        _wait(device)
    return (clock() - started) / len(records)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@dataclass(frozen=True)
class Launches:
    """What a step asks of a device, a clip.

    Attributes
    ----------
    kernels : float
        Operations that compute; on a GPU each is a kernel or a few.
    waits : float
        Times that the processor would have to wait for the device.
    kinds : dict
        Of the waits.
    """

    kernels: float
    waits: float
    kinds: Mapping[str, float]


def count_launches(events: Iterable[Any], clips: int) -> Launches:
    """Count operations among the events of a profile, those that no other of torch's operations called.

    Parameters
    ----------
    events : iterable of torch.profiler FunctionEvent
    clips : int
        That the profile saw.
    """
    kernels, waits = 0, Counter[str]()
    for event in events:
        if not event.name.startswith("aten::"):
            continue
        name = event.name.removeprefix("aten::")
        # The fused update reads its own counts on a processor; on a GPU they stay there.
        if name in _WAITS and not _inside(event, "aten::_fused_adamw_"):
            waits[_WAITS[name]] += 1
        inner = any(child.name.startswith("aten::") for child in event.cpu_children)
        kernels += name not in _NOTHING and not inner
    return Launches(kernels / clips, waits.total() / clips, {k: n / clips for k, n in waits.items()})


def _inside(event: Any, name: str) -> bool:
    parent = event.cpu_parent
    while parent is not None and parent.name != name:
        parent = parent.cpu_parent
    return parent is not None


def profile_training(
    step: TrainingStep, source: ClipSource, config: TrainingConfig, stages: Iterable[StageConfig], seed: int
) -> str:
    """Draw and learn a few batches of each stage, and say what they cost.

    Parameters
    ----------
    step : TrainingStep
        On the device to measure.
    source : ClipSource
    config : TrainingConfig
    stages : iterable of StageConfig
    seed : int
    """
    device = next(step.parameters()).device
    parts = [
        f"device {device.type}, {torch.get_num_threads()} threads, batches of {config.clips_per_step} clips; a clip:",
        f"{'stage':<10} {'drawn/s':>8} {'learned/s':>10} {'forward':>9} {'backward':>9} {'update':>8} "
        f"{'kernels':>8} {'waits':>6}",
    ]
    shares = []
    for stage in stages:
        line, share = _profile_stage(step, source, config, stage, seed)
        parts.append(line)
        shares.append(share)
    return "\n".join([*parts, "", "most time (own, of all operations):", *shares])


def _profile_stage(
    step: TrainingStep, source: ClipSource, config: TrainingConfig, stage: StageConfig, seed: int
) -> tuple[str, str]:
    count, device = config.clips_per_step, next(step.parameters()).device
    stream = ClipStream(source, config, stage, seed, device=device).batches(count)
    next(stream)  # begins the bank of scenes
    begin = time.perf_counter()
    batches = [next(stream) for _ in range(_BATCHES)]
    drawn = count * _BATCHES / (time.perf_counter() - begin)
    stream.close()
    optimiser = torch.optim.AdamW(step.parameters(), lr=0.0, fused=True)
    seconds = np.zeros(3)
    learn(step, optimiser, batches[0], stage)  # warm
    for clips in batches:
        seconds += learn(step, optimiser, clips, stage)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        learn(step, optimiser, batches[-1], stage)
    launches = count_launches(seen.events(), count)
    forward, backward, update = 1e3 * seconds / (count * _BATCHES)
    line = (
        f"{stage.name:<10} {drawn:8.2f} {count * _BATCHES / seconds.sum():10.2f} {forward:6.0f} ms {backward:6.0f} ms "
        f"{update:5.0f} ms {launches.kernels:8.0f} {launches.waits:6.1f}"
    )
    costs = sorted(seen.key_averages(), key=lambda e: -e.self_cpu_time_total)
    total = sum(e.self_cpu_time_total for e in costs)
    most = ", ".join(f"{e.key.removeprefix('aten::')} {100 * e.self_cpu_time_total / total:.0f} %" for e in costs[:6])
    return line, f"{stage.name}: {most}"


def learn(
    step: TrainingStep, optimiser: torch.optim.Optimizer, clips: list[Any], stage: StageConfig
) -> tuple[float, float, float]:
    """One step; seconds of the way forward, back, and of the update."""
    device = clips[0].inputs.device
    marks = [_now(device)]
    loss, _ = step(gather_clips(clips), stage, np.random.default_rng(0))
    marks.append(_now(device))
    if loss.requires_grad:
        loss.backward()
    marks.append(_now(device))
    optimiser.step()
    optimiser.zero_grad()
    marks.append(_now(device))
    return marks[1] - marks[0], marks[2] - marks[1], marks[3] - marks[2]


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
