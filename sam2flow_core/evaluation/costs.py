"""What things cost in time and memory: a call, a run, measuring; and the recording on which they are timed."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.inference import FrameFlow, SAM2FlowPredictor
from sam2flow_core.inference.steps import VesselFlow
from sam2flow_core.reports import write_report
from sam2flow_core.results import PER_FRAME, REPORT, STORE_NAME, SUMMARY, ResultsWriter, StoreHeader, open_results
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack import Calibration, open_stack
from sam2flow_core.synthetic import film_long, sample_scene
from sam2flow_core.velocity import measure_vessels, per_frame_table, summary_table

Work = Callable[[], object]

_FILMED_FRAMES = 24  # a longer recording shows them again
_SMALLEST_PX = 30
_RATE_HZ, _PIXEL_UM = 160.0, 0.5
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, and of processor time: the latter is the same on a busy machine."""

    clock: float
    processor: float


def median_costs(
    methods: Mapping[str, Work], rounds: int, slow_s: float, report: Callable[[str], None]
) -> dict[str, Cost]:
    """Return the median cost of each method.

    Parameters
    ----------
    methods : mapping of str to callable
        Each does the work of one pair when called.
    rounds : int
        After a first call that does not count.
    slow_s : float
        A method whose first call takes longer is called once more only.
    report : callable
        Told of the progress.
    """
    first = {}
    for name, work in methods.items():
        report(f"warming up {name}")
        first[name] = cost_of(work).clock
    costs: dict[str, list[Cost]] = {name: [] for name in methods}
    for number in range(rounds):
        report(f"round {number + 1} of {rounds}")
        for name, work in methods.items():
            if number == 0 or first[name] <= slow_s:
                costs[name].append(cost_of(work))
    return {name: median_cost(values) for name, values in costs.items()}


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median of each kind of time."""
    return Cost(statistics.median(c.clock for c in costs), statistics.median(c.processor for c in costs))


def cost_of(work: Work) -> Cost:
    """Return what a call takes."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - clock, time.process_time() - processor)


@dataclass(frozen=True)
class Looped:
    """A recording (T, Y, X) of any length that takes no more memory than the frames it repeats."""

    frames: NDArray[np.uint8]
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, Y, X)``."""
        return (self.length, *self.frames.shape[1:])

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Of the frames."""
        return self.frames.dtype

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        time, *rest = key if isinstance(key, tuple) else (key,)
        chosen = np.arange(self.length)[time] % len(self.frames)
        result: NDArray[Any] = self.frames[(chosen, *rest)]
        return result


@dataclass(frozen=True)
class SpeedScene:
    """A recording and the masks of its vessels, shape (V, Y, X), the largest first."""

    frames: NDArray[np.uint8]
    masks: NDArray[np.bool_]

    def within(self, share: float) -> list[int]:
        """Return vessels that together cover at most ``share`` of the frame, the largest that fit."""
        chosen: list[int] = []
        covered = np.zeros(self.masks.shape[1:], bool)
        for index, mask in enumerate(self.masks):
            if (covered | mask).mean() <= share:
                chosen.append(index)
                covered |= mask
        return chosen or [len(self.masks) - 1]


def speed_scene(size: int, seed: int, vessels: int, covered: tuple[float, float]) -> SpeedScene:
    """Film a frame with many vessels.

    Parameters
    ----------
    size : int
        Side, px.
    seed : int
    vessels : int
        Least number of vessels.
    covered : tuple of float
        Least and greatest share of the frame they may cover; scenes are drawn until one fits.
    """
    settings = SceneSettings(networks=(4, 8), motion_probability=0.0, pixel_size_um=(0.4, 0.6))
    masks = np.zeros((0, size, size), bool)
    for attempt in count():
        scene = sample_scene(np.random.default_rng([seed, attempt]), (size, size), settings)
        masks = scene.masks[scene.masks.sum((1, 2)) >= _SMALLEST_PX]
        if len(masks) >= vessels and covered[0] <= masks.any(0).mean() <= covered[1]:
            break
    video = np.concatenate(list(film_long(scene, np.arange(_FILMED_FRAMES))))
    order = np.argsort([-int(mask.sum()) for mask in masks])
    return SpeedScene(np.clip(255 * video, 0, 255).astype(np.uint8), masks[order])


@dataclass(frozen=True)
class RunCost:
    """What streaming a recording takes: peak memory of the process in MB, and the time of all pairs in s."""

    peak_mb: float
    seconds: float


def cost_of_run(model: str, device: str, frames: NDArray[np.uint8], length: int, masks: NDArray[np.bool_]) -> RunCost:
    """Stream a recording of ``length`` frames in a fresh process, all vessels prompted by their masks (V, Y, X)."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_cost_of_stream, (model, device, frames, length, masks))


def _cost_of_stream(
    model: str, device: str, frames: NDArray[np.uint8], length: int, masks: NDArray[np.bool_]
) -> RunCost:
    predictor = SAM2FlowPredictor.from_pretrained(model, device)
    state = predictor.init_state(open_stack(Looped(frames, length)), working_resolution=1.0)
    for vessel_id, mask in enumerate(masks, start=1):
        predictor.add_new_mask(state, 0, vessel_id, mask)
    start = time.perf_counter()
    for _ in predictor.stream(state):
        pass
    return RunCost(_peak_bytes() / _MEGABYTE, time.perf_counter() - start)


def _peak_bytes() -> float:
    """Return the largest resident size this process has had."""
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset)
    if sys.platform == "darwin":
        import resource

        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # ru_maxrss of Linux also holds what the parent had before the child began.
    status = Path("/proc/self/status").read_text()
    return 1024 * float(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def cost_of_measuring(frames: NDArray[np.uint8], length: int, masks: NDArray[np.bool_]) -> Cost:
    """Return what a run has left to do once its last frame is answered: measuring and reporting what is stored.

    Parameters
    ----------
    frames : ndarray of uint8, shape (F, Y, X)
        Repeated up to ``length``.
    length : int
        Frames of the run.
    masks : ndarray of bool, shape (V, Y, X)
        Its vessels.
    """
    with TemporaryDirectory(prefix="sam2flow-") as folder:
        _store_run(Path(folder), frames.shape[1:], length, masks)
        return cost_of(partial(_measure_and_report, Path(folder), frames, length))


def _store_run(folder: Path, size: tuple[int, ...], length: int, masks: NDArray[np.bool_]) -> None:
    vessels = tuple(_steady_vessel(number, mask) for number, mask in enumerate(masks, start=1))
    crops = {v.vessel_id: (v.mask.shape[0], v.mask.shape[1]) for v in vessels}
    names = {v.vessel_id: str(v.vessel_id) for v in vessels}
    header = StoreHeader((length, size[0], size[1]), 0, length, crops, names, {}, "bench")
    settings = StoreSettings()
    writer = ResultsWriter.create(folder / STORE_NAME, header, settings)
    for first in range(0, length, settings.chunk_frames):
        last = min(first + settings.chunk_frames, length)
        writer.write([FrameFlow(t, (0.0, 0.0), vessels) for t in range(first, last)])


def _steady_vessel(number: int, mask: NDArray[np.bool_]) -> VesselFlow:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    crop = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    flow = np.stack([np.where(crop, 2.0, 0.0), np.zeros(crop.shape)]).astype(np.float32)
    scale = np.where(crop, 0.2, 0.0).astype(np.float32)
    return VesselFlow.of(number, (int(rows[0]), int(columns[0])), crop, flow, scale, 1.0, 1.0)


def _measure_and_report(folder: Path, frames: NDArray[np.uint8], length: int) -> None:
    results = open_results(folder)
    tracks = [results.track(vessel) for vessel in results.vessel_ids]
    calibration = Calibration().with_user(_PIXEL_UM, _RATE_HZ)
    measured = measure_vessels(tracks, Looped(frames, length).__getitem__, calibration, video_id="bench")
    write_csv(folder / SUMMARY, summary_table(measured))
    write_csv(folder / PER_FRAME, per_frame_table(measured))
    write_report(folder / REPORT, measured, frames.mean(0), {})
