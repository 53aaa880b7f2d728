"""Minutes of a GPU, used whole: from the shipped weights to better ones, what came of it, and how fast they answer.

Run by ``scripts/train_on_gpu.sh``. It imports what training does and no more, and leaves its folder in a usable state
every minute, so that a machine which is taken away has not worked for nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sam2flow_core.config.model import preset
from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.config.training import TRAINING, DevelopmentConfig, TrainingConfig
from sam2flow_core.files import write_bytes, write_text
from sam2flow_core.inference.clicked_masks import clicked_masks
from sam2flow_core.inference.weights import choose_device, load_model
from sam2flow_core.model.cost_volume import pairs_around
from sam2flow_core.model.flow_net import CellLayout
from sam2flow_core.model.memory_bank import MemoryEntry
from sam2flow_core.model.prompt_encoder import POSITIVE
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow
from sam2flow_core.model.vessel_field import STATISTICS_CHANNELS, VesselField
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.training.development import development_recordings
from sam2flow_core.training.trainer import TrainingRequest, train

_WARM = 2
"""Answers before the clock starts."""
MOST_BYTES = 15 << 20
"""Of a file in the folder that is given: larger ones are cut."""
_SHIPPED = Path(__file__).parents[2] / "resources" / "tiny.safetensors"
_MEASURING = 0.17
"""Share of the time that is kept for what is measured before and after."""


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
        settings = TracingSettings()
        moving = torch.randn(2 * settings.motion.pairs, half, half, device=device)
        maps = [FieldMap(field, settings, statistics[0, -2:], None, moving)]

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
    written = net.remember(answer, layout)
    for bank, (tokens, places) in zip(banks if written else (), written, strict=True):
        bank.append(MemoryEntry(t, False, 1.0, tokens, places))
        del bank[: -model.config.update.motion_memory_frames]


def _bars(scene: SpeedScene, device: torch.device) -> Tensor:
    """Vessels (V, side, side) side by side."""
    masks = torch.zeros(scene.vessels, scene.side, scene.side, device=device)
    for v in range(scene.vessels):
        top = (v + 1) * scene.side // (scene.vessels + 1) - scene.width // 2
        masks[v, max(top, 0) : top + scene.width] = 1
    return masks


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and measure; see ``--help``."""
    request = _parser().parse_args(arguments)
    started = request.started or time.time()
    torch.set_float32_matmul_precision("high")
    device = choose_device(request.device)
    recipe = _recipe(device, request)
    request.out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, object] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "started_after_s": round(time.time() - started, 1),
    }
    recordings = development_recordings(recipe)
    start = str(request.start)
    figures["development_before"] = _rounded(recordings.measure(load_model(start)[0].to(device)))
    _write(request.out, figures)
    # At least one step, however long the machine took to begin.
    left = max(60 * request.minutes * (1 - _MEASURING) - (time.time() - started), 1.0)
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "better.safetensors"
        wish = TrainingRequest(
            weights, start=start, recipe=recipe, minutes=left / 60, seed=request.seed, device=device.type,
            stage=request.stage, resume=request.resume, develop=recordings.measure,
        )  # fmt: skip
        figures["training"] = _train(wish, request.out)
        trained = load_model(str(weights))[0].to(device)
    figures["development_after"] = _rounded(recordings.measure(trained))
    _write(request.out, figures)
    scene = SpeedScene(request.side, pairs=1) if request.small else SpeedScene(request.side)
    speed: dict[str, dict[str, float] | str] = {}
    for name in request.presets.split(","):
        if time.time() - started > 60 * request.minutes and not request.small:
            speed[name] = "no time was left"
            continue
        model = trained if name == "tiny" else SAM2Flow(preset(name))
        speed[name] = _rounded(measure_speed(model, device, scene))
        figures["speed"] = speed
        _write(request.out, figures)
    figures["seconds"] = round(time.time() - started, 1)
    _write(request.out, figures)
    print(json.dumps(figures, indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="train_on_gpu.sh")
    parser.add_argument("out", type=Path, help="folder for weights, curves and figures")
    parser.add_argument("--minutes", type=float, default=9.5, help="all in all")
    parser.add_argument("--start", type=Path, default=_SHIPPED, help="weights to begin with")
    parser.add_argument("--resume", type=Path, help="training state to go on from, joined from its pieces")
    parser.add_argument("--stage", default="together", help="of the recipe in config/training.py")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clips", type=int, help="in a step; 32 on a GPU, 2 on a processor")
    parser.add_argument("--side", type=int, default=512, help="of the frames that speed is measured on, px")
    parser.add_argument("--presets", default="tiny,large", help="whose speed is measured")
    parser.add_argument("--small", action="store_true", help="small scenes and few: a dry run")
    parser.add_argument("--started", type=float, help="when the call began, seconds since 1970")
    return parser


def _recipe(device: torch.device, request: argparse.Namespace) -> TrainingConfig:
    """The recipe of the smallest preset, with batches that fill the device."""
    recipe = replace(
        TRAINING["tiny"], clips_per_step=request.clips or (32 if device.type == "cuda" else 2), save_minutes=0.9,
        development=DevelopmentConfig(minutes=2.0),
    )  # fmt: skip
    if not request.small:
        return replace(recipe, bank=replace(recipe.bank, workers=max(1, (os.cpu_count() or 2) - 2)))
    bank = BankConfig(side=128, run=12, moments=20, moment=2, first=2, workers=0)
    stages = tuple(
        replace(s, sizes=((96, 1.0),), frames=min(s.frames, 6), scattered_pairs=3, remembered_pairs=1)
        for s in recipe.stages
    )
    development = DevelopmentConfig(clips=2, side=96, frames=5, scattered_pairs=3)
    return replace(recipe, stages=stages, bank=bank, development=development)


def _train(wish: TrainingRequest, out: Path) -> dict[str, object]:
    """Train, and copy what is saved into the folder, each time that it is."""
    assert wish.recipe is not None
    begin, copied, steps = time.time(), 0.0, 0
    for progress in train(wish):
        steps = progress.step
        if wish.out.exists() and (saved := wish.out.stat().st_mtime) > copied:
            copied = saved
            _publish(wish.out.parent, out)
    _publish(wish.out.parent, out)
    seconds = time.time() - begin
    clips = steps * wish.recipe.clips_per_step
    return {
        "steps": steps, "clips": clips, "seconds": round(seconds, 1), "clips_per_s": round(clips / seconds, 3),
        "running_means": _rounded(progress.figures),
    }  # fmt: skip


def _publish(source: Path, out: Path) -> None:
    """Copy files, each whole before it takes its name; large ones in pieces, ``cat NAME.0* > NAME`` joins them."""
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        content, target = path.read_bytes(), out / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        pieces = [content[k : k + MOST_BYTES] for k in range(0, max(len(content), 1), MOST_BYTES)]
        for number, piece in enumerate(pieces):
            name = target.name if len(pieces) == 1 else f"{target.name}.{number:02d}"
            write_bytes(target.with_name(name), piece)


def _write(out: Path, figures: dict[str, object]) -> None:
    write_text(out / "figures.json", json.dumps(figures, indent=1) + "\n")


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


if __name__ == "__main__":
    main()
