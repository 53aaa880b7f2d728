"""``sam2flow bench``: speed and memory on the machine it runs on, every method in one run."""

from __future__ import annotations

import os
import platform
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import tifffile
import torch
from numpy.typing import NDArray

from sam2flow_core.config.evaluation import BenchSettings
from sam2flow_core.config.model import preset
from sam2flow_core.config.run import QUICK, STANDARD
from sam2flow_core.engine.source import plan_frames
from sam2flow_core.errors import DataError
from sam2flow_core.evaluation.benchmark import Report
from sam2flow_core.evaluation.benchmark_tables import NamedTable, as_markdown, as_text, write_section
from sam2flow_core.evaluation.costs import (
    Cost,
    Looped,
    SpeedScene,
    Work,
    cost_of,
    cost_of_measuring,
    cost_of_run,
    median_cost,
    median_costs,
    speed_scene,
)
from sam2flow_core.evaluation.methods import PairMethod, RaftSmall, pair_methods
from sam2flow_core.inference import FrameFlow, SAM2FlowPredictor
from sam2flow_core.inference.state import InferenceState
from sam2flow_core.inference.weights import choose_device
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.stack import FramePlan, Stack, open_stack

_FULL, _ROI = "SAM2Flow, every vessel", "SAM2Flow, small region"
_PAIRS = 6
"""Answered pairs by which a minute of video is judged."""


@dataclass(frozen=True)
class BenchResult:
    """The tables of a speed benchmark."""

    tables: tuple[NamedTable, ...]

    def text(self) -> str:
        """Return the tables for a terminal."""
        return as_text(list(self.tables))


def bench(
    model: str = "tiny",
    device: str = "auto",
    large: bool = True,
    document: Path | None = None,
    report: Report = lambda line: None,
    settings: BenchSettings | None = None,
) -> BenchResult:
    """Measure speed, latency, memory and how they grow.

    Parameters
    ----------
    model : str
        ``tiny`` or the path of a weights file.
    device : str
        auto, cpu, cuda or mps.
    large : bool
        Time the published base configuration too (preset ``large``, random weights; minutes on a CPU).
    document : Path, optional
        The section Speed of this Markdown file is written.
    report : callable
        Told of the progress, a line at a time.
    settings : BenchSettings, optional

    Raises
    ------
    ModelError
        If there is no such model or device.
    """
    settings = settings or BenchSettings()
    predictor = SAM2FlowPredictor.from_pretrained(model, device)
    report("filming")
    scene = speed_scene(settings.size, settings.seed, settings.vessels[-1], settings.covered)
    tables = [
        _side_by_side(predictor, scene, large, settings, report),
        _interaction(predictor, scene, settings, report),
        minute_of_video(predictor, scene, settings, report),
        _growth(predictor, scene, settings, report),
        _length(model, str(predictor.device), settings, report),
    ]
    if document is not None:
        write_section(document, "Speed", f"{_preface(predictor)}\n\n{as_markdown(tables)}")
    return BenchResult(tuple(tables))


def _side_by_side(
    predictor: SAM2FlowPredictor, scene: SpeedScene, large: bool, settings: BenchSettings, report: Report
) -> NamedTable:
    device = str(predictor.device)
    roi = scene.within(settings.roi_share)
    methods: dict[str, Work] = {
        _FULL: _next_pair(predictor, scene.frames, scene.masks, settings.frames),
        _ROI: _next_pair(predictor, scene.frames, scene.masks[roi], settings.frames),
    }
    pairs = cycle(list(zip(scene.frames[:-1], scene.frames[1:], strict=True)))
    for method in [*_classical(report), RaftSmall(None, "RAFT-small (random weights)", device)]:
        methods[method.name] = partial(_two_frames, method, pairs)
    if large:
        published = SAM2FlowPredictor(SAM2Flow(preset("large")), choose_device(device), {"preset": "large"})
        methods["preset large (random weights)"] = _next_pair(published, scene.frames, scene.masks, settings.frames)
    costs = median_costs(methods, settings.rounds, settings.slow_s, report)
    table = pd.DataFrame([(name, cost.clock, cost.processor) for name, cost in costs.items()])
    table.columns = pd.Index(["method", "s / pair", "CPU s / pair"])
    table["times our full frame"] = table["s / pair"] / costs[_FULL].clock
    covered = [float(masks.any(0).mean()) for masks in (scene.masks, scene.masks[roi])]
    gap = _difference(predictor, scene, roi)
    return NamedTable(
        f"One pair of {settings.size} x {settings.size} px, side by side",
        f"Medians of {settings.rounds} rounds. {len(scene.masks)} vessels cover {covered[0]:.0%} of the frame; "
        f"the small region is {len(roi)} of them on {covered[1]:.0%}, where the flow differs from that of the full "
        f"frame by {gap:.3f} px at most (99th percentile).",
        table,
    )


def _two_frames(method: PairMethod, pairs: Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> None:
    method.flow(*next(pairs))


def _classical(report: Report) -> list[PairMethod]:
    try:
        return [method for method in pair_methods() if method.name != "zero flow"]
    except DataError as error:
        report(str(error))
        return []


def _stream(
    predictor: SAM2FlowPredictor, recording: Stack, masks: NDArray[np.bool_], plan: FramePlan | None = None
) -> Iterator[FrameFlow]:
    return predictor.stream(_prompted(predictor, recording, masks, plan))


def _prompted(
    predictor: SAM2FlowPredictor, recording: Stack, masks: NDArray[np.bool_], plan: FramePlan | None = None
) -> InferenceState:
    state = predictor.init_state(recording, plan=plan, working_resolution=1.0)
    for vessel_id, mask in enumerate(masks, start=1):
        predictor.add_new_mask(state, 0, vessel_id, mask)
    return state


def _next_pair(predictor: SAM2FlowPredictor, frames: NDArray[np.uint8], masks: NDArray[np.bool_], length: int) -> Work:
    state = _prompted(predictor, open_stack(Looped(frames, length)), masks)
    steps = predictor.stream(state)

    def next_pair() -> None:
        next(steps)
        state.ahead.settle()  # what is made for the pair after it is work of ours, not of the method timed next

    return next_pair


def _difference(predictor: SAM2FlowPredictor, scene: SpeedScene, roi: list[int]) -> float:
    """Return how far the flow of some vessels depends on whether others are prompted, px."""
    recording = open_stack(Looped(scene.frames, 8))
    whole, part = (next(_stream(predictor, recording, masks)) for masks in (scene.masks, scene.masks[roi]))
    gaps = []
    for index, vessel in zip(roi, part.vessels, strict=True):
        other = whole.vessels[index]
        if vessel.flow is not None and other.flow is not None:
            gaps.append(np.abs(vessel.flow - other.flow)[:, vessel.mask].ravel())
    return float(np.percentile(np.concatenate(gaps), 99))


def _interaction(
    predictor: SAM2FlowPredictor, scene: SpeedScene, settings: BenchSettings, report: Report
) -> NamedTable:
    report("clicking")
    points = [np.argwhere(mask)[mask.sum() // 2][::-1] for mask in scene.masks]
    recording = open_stack(Looped(scene.frames, settings.frames))
    times: dict[str, list[Cost]] = {"opening": [], "a click in a new frame": [], "a further click": []}
    for _ in range(3):
        times["opening"].append(cost_of(lambda: predictor.init_state(recording, working_resolution=1.0)))
    state = predictor.init_state(recording, working_resolution=1.0)
    for frame in range(1, 1 + settings.rounds):
        for name, point in (("a click in a new frame", points[0]), ("a further click", points[1])):
            click = [[float(v) for v in point]]
            times[name].append(cost_of(partial(predictor.add_new_points_or_box, state, frame, 1, click, [1])))
    times["from Run to the first flow"] = _first_flows(predictor, recording, scene.masks)
    times["the same after a click, as in the window"] = _after_a_click(predictor, scene, settings.frames)
    report("measuring")
    after = f"after the flow: {settings.measured_frames} frames, {len(scene.masks)} vessels"
    times[after] = [cost_of_measuring(scene.frames, settings.measured_frames, scene.masks)]
    medians = {name: median_cost(costs) for name, costs in times.items()}
    rows = [(name, cost.clock, cost.processor) for name, cost in medians.items()]
    return NamedTable("Interaction", "", pd.DataFrame(rows, columns=["what", "s", "CPU s"]))


def minute_of_video(
    predictor: SAM2FlowPredictor, scene: SpeedScene, settings: BenchSettings, report: Report
) -> NamedTable:
    """Return what a long recording takes to its full table, in standard and in quick detail, from a sample of it."""
    masks = scene.masks[: settings.minute_vessels]
    frames = settings.minute_frames
    recording = open_stack(Looped(scene.frames, frames))
    report("a minute of video: measuring")
    lengths = (settings.measured_frames // 2, settings.measured_frames)
    half, whole = (cost_of_measuring(scene.frames, length, masks) for length in lengths)
    rows = []
    for detail in (STANDARD, QUICK):
        report(f"a minute of video: {detail}")
        plan = plan_frames([(0, frames)], detail, settings.minute_rate_hz)
        # As many frames as there are between two like ones: a place of a quick look, or some answered pairs.
        first, last = plan.ranges[0]
        period = last - first if plan.seen else _PAIRS * plan.every
        steps = _stream(predictor, recording, masks, plan)
        opening = cost_of(partial(next, steps))
        flowing = cost_of(partial(deque, islice(steps, period), 0))
        count = len(plan.frames)
        share = (count - 1) / period
        minutes = [
            (o + share * f + _at_length(count, lengths, (h, w))) / 60
            for o, f, h, w in zip(*((c.clock, c.processor) for c in (opening, flowing, half, whole)), strict=True)
        ]
        rows.append((detail, count, len(plan.answered), opening.clock, flowing.clock / period, *minutes))
    columns = ["detail", "frames", "pairs answered", "to the first, s", "s / frame", "to the table, min", "CPU min"]
    return NamedTable(
        f"A minute of video: {frames} frames of {settings.size} x {settings.size} px, {len(masks)} vessels",
        "Timed on a sample and extrapolated: to the first answer as it is (with the search for repeated frames in all "
        f"of them), then {_PAIRS} answered pairs, or one place of a quick look, times as many as there are, then the "
        f"measuring, on the line through what {lengths[0]} and {lengths[1]} frames take: a report takes about as long "
        "of few frames as of many. Frames lie in memory: reading and hashing a file, and writing the answers, come on "
        "top.",
        pd.DataFrame(rows, columns=columns),
    )


def _at_length(count: int, lengths: tuple[int, int], costs: tuple[float, float]) -> float:
    """Return what so many frames take, by what two lengths do; never less for more frames.

    Examples
    --------
    >>> _at_length(4000, (500, 1000), (4.0, 6.0))
    18.0
    """
    rate = max(costs[1] - costs[0], 0.0) / (lengths[1] - lengths[0])
    return costs[1] + rate * (count - lengths[1])


def _after_a_click(predictor: SAM2FlowPredictor, scene: SpeedScene, length: int) -> list[Cost]:
    """Return what the first flow takes when the recording, a file, was looked at before."""
    with TemporaryDirectory(prefix="sam2flow-") as folder:
        path = Path(folder) / "scene.tif"
        tifffile.imwrite(path, Looped(scene.frames, length)[:], metadata={"axes": "TYX"})
        with open_stack(path) as recording:
            state = predictor.init_state(recording, working_resolution=1.0)
            y, x = np.argwhere(scene.masks[0])[0]
            predictor.add_new_points_or_box(state, 0, 1, [[float(x), float(y)]], [1])
            return _first_flows(predictor, recording, scene.masks)


def _first_flows(predictor: SAM2FlowPredictor, recording: Stack, masks: NDArray[np.bool_]) -> list[Cost]:
    """Return what the first flow takes, three times over."""
    costs, begun = [], list[Iterator[FrameFlow]]()
    for _ in range(3):

        def first() -> None:
            begun.append(_stream(predictor, recording, masks))
            next(begun[-1])

        costs.append(cost_of(first))
        begun.clear()  # waits for what was begun for the second pair
    return costs


def _growth(predictor: SAM2FlowPredictor, scene: SpeedScene, settings: BenchSettings, report: Report) -> NamedTable:
    """Return how the time of a pair grows with pixels and with vessels."""
    methods: dict[str, Work] = {}
    facts: dict[str, tuple[str, float]] = {}

    def enter(name: str, frames: NDArray[np.uint8], masks: NDArray[np.bool_]) -> None:
        methods[name] = _next_pair(predictor, frames, masks, settings.frames)
        facts[name] = (f"{frames.shape[1]} x {frames.shape[2]}", 100 * float(masks.any(0).mean()))

    for size in settings.sizes:
        crop = scene.masks[:, :size, :size]
        enter(f"{size} px", scene.frames[:, :size, :size], crop[crop.sum((1, 2)) > 30])
    for count in settings.vessels:
        enter(f"{count} vessels", scene.frames, scene.masks[::-1][:count])
    costs = median_costs(methods, settings.rounds, settings.slow_s, report)
    rows = [(name, *facts[name], cost.clock, cost.processor) for name, cost in costs.items()]
    return NamedTable(
        "Growth with pixels and vessels",
        "Frames cut to size with all their vessels; then the whole frame with its smallest vessels.",
        pd.DataFrame(rows, columns=["what", "frame px", "covered %", "s / pair", "CPU s / pair"]),
    )


def _length(model: str, device: str, settings: BenchSettings, report: Report) -> NamedTable:
    """Return how memory and time grow with the length of the recording."""
    scene = speed_scene(settings.length_size, settings.seed, 1, settings.covered)
    rows = []
    for length in settings.lengths:
        report(f"streaming {length} frames")
        cost = cost_of_run(model, device, scene.frames, length, scene.masks)
        rows.append((length, cost.peak_mb, cost.seconds / (length - 1)))
    return NamedTable(
        "Growth with the length of the recording",
        f"Each in its own process, {settings.length_size} x {settings.length_size} px, {len(scene.masks)} vessels.",
        pd.DataFrame(rows, columns=["frames", "peak memory, MB", "s / pair"]),
    )


def _preface(predictor: SAM2FlowPredictor) -> str:
    device = predictor.device
    chip = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    weights = predictor.description.get("sha256", "")[:16]
    return (
        f"Made by `sam2flow bench` on {platform.system()}, {chip}, device {device}, "
        f"{os.cpu_count()} CPU cores, {torch.get_num_threads()} threads, PyTorch {torch.__version__}. "
        f"Weights: SHA-256 `{weights}`. "
        "Other work on the machine stretches the seconds by the clock; it leaves those of the processor as they are."
    )
