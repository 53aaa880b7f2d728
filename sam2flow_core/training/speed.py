"""How fast a network answers, by tensors alone: what can be measured where no recording can be opened."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.inference.clicked_masks import clicked_masks
from sam2flow_core.model.cost_volume import pairs_around
from sam2flow_core.model.flow_net import CellLayout
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.prompt_encoder import POSITIVE
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow
from sam2flow_core.model.vessel_field import STATISTICS_CHANNELS, VesselField
from sam2flow_core.tracing.field_map import FieldMap

_WARM = 2
"""Answers before the clock starts."""


@dataclass(frozen=True)
class SpeedScene:
    """What speed is measured on.

    Attributes
    ----------
    side : int
        Of the frames, px.
    vessels : int
        Straight ones from border to border.
    width : int
        Of each, px.
    pairs : int
        That are answered.
    """

    side: int = 512
    vessels: int = 10
    width: int = 12
    pairs: int = 6


def measure_speed(model: SAM2Flow, device: torch.device, scene: SpeedScene) -> dict[str, float]:
    """Pairs per second, the wait for a click and the greatest memory on a device.

    Parameters
    ----------
    model : SAM2Flow
        Moved to the device.
    device : torch.device
    scene : SpeedScene

    Returns
    -------
    dict
        ``pairs_per_s``, each with the features and correlations that the next pair needs anew; ``click_ms``, the
        median from a click to its mask when the frame has been encoded; ``encode_ms`` of a frame; ``memory_mb``.
    """
    model = model.to(device).eval()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    torch.manual_seed(0)
    with torch.inference_mode():
        figures = _masks(model, device, scene)
        if model.config.use_flow:
            figures["pairs_per_s"] = _pairs(model, device, scene)
    # The peak of the whole process, on a processor.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device) / 1e6
    return {**figures, "memory_mb": peak}


def _masks(model: SAM2Flow, device: torch.device, scene: SpeedScene) -> dict[str, float]:
    image = torch.randn(1, 3, scene.side, scene.side, device=device)
    levels = model.encode(image)
    owner = torch.zeros(1, dtype=torch.long, device=device)
    middle = torch.full((1, 1, 2), scene.side / 2, device=device)
    prompts = Prompts(middle, torch.full((1, 1), POSITIVE, device=device))
    maps = None
    if model.vessel_field is not None:
        half = scene.side // 2
        statistics = torch.randn(1, STATISTICS_CHANNELS, half, half, device=device)
        field = VesselField(*(x[0] for x in model.map_vessels(statistics)))
        maps = [FieldMap(field, TracingSettings(), statistics[0, -2:])]

    def click() -> None:
        traced = clicked_masks(model, maps, owner, prompts)
        model.segment(levels, owner, model.condition(levels, owner, [[]], 0), prompts, traced=traced)

    return {
        "click_ms": 1e3 * _median(click, device, scene.pairs),
        "encode_ms": 1e3 * _median(lambda: model.encode(image), device, scene.pairs),
    }


def _median(work: Callable[[], object], device: torch.device, times: int) -> float:
    seconds = []
    for _ in range(_WARM + times):
        _wait(device)
        begin = time.perf_counter()
        work()
        _wait(device)
        seconds.append(time.perf_counter() - begin)
    return sorted(seconds[_WARM:])[times // 2]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _pairs(model: SAM2Flow, device: torch.device, scene: SpeedScene) -> float:
    net, match = model.flow, model.config.match
    masks = _bars(scene, device)
    size = scene.side // match.feature_stride
    layout = net.lay_out(masks, torch.zeros(len(masks), dtype=torch.long, device=device), (size, size))
    context = model.encode(torch.randn(1, 3, scene.side, scene.side, device=device))[0]
    features, volumes = dict[int, Tensor](), dict[tuple[int, int], Tensor]()
    banks: list[list[MemoryEntry]] = [[] for _ in range(scene.vessels)]
    begin = 0.0
    # Before the clock starts all correlations around the first pair are made.
    for t in range(_WARM + scene.pairs):
        if t == _WARM:
            _wait(device)
            begin = time.perf_counter()
        _answer(model, layout, context, features, volumes, banks, 40 + t, scene.side)
    _wait(device)
    return scene.pairs / (time.perf_counter() - begin)


def _answer(
    model: SAM2Flow,
    layout: CellLayout,
    context: Tensor,
    features: dict[int, Tensor],
    volumes: dict[tuple[int, int], Tensor],
    banks: list[list[MemoryEntry]],
    t: int,
    side: int,
) -> None:
    """One pair as in use: what it needs anew is made, what no later one needs goes."""
    net, match = model.flow, model.config.match
    wanted = pairs_around(t, range(10_000), match.lags, max(match.windows), causal=False)
    missing = sorted(wanted - volumes.keys())
    for f in sorted({t, t + 1, *(k + step for row, k in missing for step in (0, match.lags[row]))} - features.keys()):
        features[f] = net.feature_encoder(torch.randn(1, 3, side, side, device=context.device))
    for row, k in missing:
        volumes[row, k] = net.correlation(features, row, k, layout)
    for place in volumes.keys() - wanted:
        del volumes[place]
    cost_volume = net.cost_volume(volumes, t, layout, causal=False)
    answer = net(features[t], features[t + 1], cost_volume, context, layout, banks, t)
    written = net.motion_memory.write(answer.hidden, answer.flows[-1], layout.cells, len(banks))
    for bank, (tokens, places) in zip(banks, written, strict=True):
        bank.append(MemoryEntry(t, False, 1.0, tokens, places))
        del bank[: -model.config.update.motion_memory_frames]


def _bars(scene: SpeedScene, device: torch.device) -> Tensor:
    """Vessels (V, side, side) side by side."""
    masks = torch.zeros(scene.vessels, scene.side, scene.side, device=device)
    for v in range(scene.vessels):
        top = (v + 1) * scene.side // (scene.vessels + 1) - scene.width // 2
        masks[v, max(top, 0) : top + scene.width] = 1
    return masks
