"""What a run has left to do once its last frame is answered."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.evaluation.speed_scene import Looped
from sam2flow_core.evaluation.timing import Cost, cost_of
from sam2flow_core.inference import FrameFlow
from sam2flow_core.inference.steps import VesselFlow
from sam2flow_core.reports import write_report
from sam2flow_core.results import STORE_NAME, ResultsWriter, StoreHeader, open_results
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack import Calibration
from sam2flow_core.velocity import measure_vessels, per_frame_table, summary_table

RATE_HZ, PIXEL_UM = 160.0, 0.5


def cost_of_measuring(frames: NDArray[np.uint8], length: int, masks: NDArray[np.bool_]) -> Cost:
    """Return what measuring and reporting a stored run of ``length`` frames takes, vessels by masks (V, Y, X)."""
    with TemporaryDirectory(prefix="sam2flow-") as folder:
        _store(Path(folder), frames.shape[1:], length, masks)
        return cost_of(partial(_conclude, Path(folder), frames, length))


def _store(folder: Path, size: tuple[int, ...], length: int, masks: NDArray[np.bool_]) -> None:
    vessels = tuple(_vessel(number, mask) for number, mask in enumerate(masks, start=1))
    crops = {v.vessel_id: (v.mask.shape[0], v.mask.shape[1]) for v in vessels}
    names = {v.vessel_id: str(v.vessel_id) for v in vessels}
    header = StoreHeader((length, size[0], size[1]), 0, length, crops, names, {}, "bench")
    settings = StoreSettings()
    writer = ResultsWriter.create(folder / STORE_NAME, header, settings)
    for first in range(0, length, settings.chunk_frames):
        last = min(first + settings.chunk_frames, length)
        writer.write([FrameFlow(t, (0.0, 0.0), vessels) for t in range(first, last)])


def _vessel(number: int, mask: NDArray[np.bool_]) -> VesselFlow:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    crop = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    flow = np.stack([np.where(crop, 2.0, 0.0), np.zeros(crop.shape)]).astype(np.float32)
    scale = np.where(crop, 0.2, 0.0).astype(np.float32)
    return VesselFlow(number, (int(rows[0]), int(columns[0])), crop, flow, scale, 1.0, 1.0)


def _conclude(folder: Path, frames: NDArray[np.uint8], length: int) -> None:
    results = open_results(folder)
    tracks = [results.track(vessel) for vessel in results.vessel_ids]
    calibration = Calibration().with_user(PIXEL_UM, RATE_HZ)
    measured = measure_vessels(tracks, Looped(frames, length).__getitem__, calibration, video_id="bench")
    write_csv(folder / "summary.csv", summary_table(measured))
    write_csv(folder / "per_frame.csv", per_frame_table(measured))
    write_report(folder / "report.html", measured, frames.mean(0), {})
