"""Peak memory of a run, taken in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.evaluation.speed_scene import Looped
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.stack import open_stack

MEGABYTE = 1e6


@dataclass(frozen=True)
class RunCost:
    """What streaming a recording takes: peak memory of the process in MB, and the time of all pairs in s."""

    peak_mb: float
    seconds: float


def cost_of_run(model: str, device: str, frames: NDArray[np.uint8], length: int, masks: NDArray[np.bool_]) -> RunCost:
    """Stream a recording of ``length`` frames in a fresh process, all vessels prompted by their masks (V, Y, X)."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_stream, (model, device, frames, length, masks))


def _stream(model: str, device: str, frames: NDArray[np.uint8], length: int, masks: NDArray[np.bool_]) -> RunCost:
    predictor = SAM2FlowPredictor.from_pretrained(model, device)
    state = predictor.init_state(open_stack(Looped(frames, length)))
    for vessel_id, mask in enumerate(masks, start=1):
        predictor.add_new_mask(state, 0, vessel_id, mask)
    start = time.perf_counter()
    for _ in predictor.stream(state):
        pass
    return RunCost(_peak_bytes() / MEGABYTE, time.perf_counter() - start)


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
