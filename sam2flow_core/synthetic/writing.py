"""Cases on disk: a recording, its prompts and its truth.

``<case>/stack.tif`` (ImageJ calibration tags), ``prompts.csv``, ``cells.csv``, ``velocity.csv`` and ``truth.zarr``; see
`TRUTH` for what the last one holds. A case appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.errors import DataError
from sam2flow_core.files import whole_folder
from sam2flow_core.prompts import write_prompts
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.synthetic.cell_positions import cells_by_vessel
from sam2flow_core.synthetic.film import film_long
from sam2flow_core.synthetic.scene import Scene, sample_scene
from sam2flow_core.synthetic.seeds import CASES, stream
from sam2flow_core.synthetic.tiff_writing import BITS, quantise, write_tiff
from sam2flow_core.synthetic.truth import recorded_flow, true_displacement, true_flow


def moving_cells(scene: Scene, frames: NDArray[np.int64]) -> pd.DataFrame:
    """Return frame (position in ``frames``), vessel_id, cell, y and x (px of the recorded frame) of all cells."""
    moved = scene.shifts(frames)
    parts = []
    for network, member, placed in cells_by_vessel(scene, frames / scene.frame_rate_hz):
        vessel = scene.vessels[member]
        point = vessel.place(placed.transit, placed.rho) + moved[placed.moment]
        number = 1_000_000 * (network.members[0] + 1) + placed.cell
        where = {"y": point[:, 0], "x": point[:, 1]}
        parts.append(pd.DataFrame({"frame": placed.moment, "vessel_id": vessel.vessel_id, "cell": number, **where}))
    return pd.concat(parts).sort_values(["frame", "vessel_id", "cell"], ignore_index=True)


SCHEMA = 1
TRUTH = {
    "masks": "bool (V, H, W), tissue coordinates",
    "overlap": "bool (H, W), in more than one vessel",
    "flow": "float32 (T-1, V, 2, H, W), (dx, dy) px per frame relative to the tissue, tissue coordinates",
    "recorded_flow": "float32 (T-1, V, 2, H, W), tissue motion included, coordinates of the recorded frame",
    "leaves": "bool (T-1, V, H, W), matter that leaves the frame or the vessel before the next frame",
    "shifts": "float64 (T, 2), tissue displacement (dy, dx) px",
    "displacement": "float64 (T-1, V), mean along the arrow over the vessel's pixels, px per frame",
    "vessels/<id>/centreline": "float64 (N, 2), (y, x) px along the arrow; may begin and end outside the frame",
    "vessels/<id>/diameter_px": "float64 (N,)",
}
CLICKS = 5
Progress = Callable[[int, int], None]


def write_cases(
    folder: Path, cases: int, seed: int, size: int = 256, frames: int = 64, progress: Progress | None = None
) -> list[Path]:
    """Write randomly drawn cases with exact truth.

    Parameters
    ----------
    folder : Path
        Made if need be; must hold no case of the same name.
    cases : int
    seed : int
        The same seed writes the same files.
    size : int
        Height and width of the frames, px.
    frames : int
    progress : callable, optional
        Called with (cases done, cases in all).

    Returns
    -------
    list of Path
        The cases' folders.

    Raises
    ------
    DataError
        If a number makes no sense, or a case exists already.
    OutputError
        If the folder cannot be written.
    """
    if cases < 1 or frames < 2 or size < 48:
        raise DataError("synthetic cases need at least 1 case, 2 frames and 48 px")
    written = []
    for number in range(cases):
        path = folder / f"case-{number:04d}"
        if path.exists():
            raise DataError(f"{path} exists already; choose an empty folder")
        rng = stream(CASES, seed, number)
        settings = SceneSettings(duration_s=max(2.0, frames / SceneSettings().frame_rate_hz[0] + 1))
        scene = sample_scene(rng, (size, size), settings)
        while not scene.masks.any():
            scene = sample_scene(rng, (size, size), settings)
        write_case(path, scene, np.arange(frames), int(rng.choice(BITS)), rng)
        written.append(path)
        if progress:
            progress(number + 1, cases)
    return written


def write_case(path: Path, scene: Scene, frames: NDArray[np.int64], bits: int, rng: np.random.Generator) -> None:
    """Write one scene as a case; ``frames`` are the scene's frames that were recorded."""
    with whole_folder(path) as part:
        counts = np.concatenate([quantise(video, bits) for video in film_long(scene, frames)])
        write_tiff(part / "stack.tif", counts, scene.pixel_size_um, scene.frame_rate_hz)
        write_prompts(part / "prompts.csv", scene.sample_prompts(rng, CLICKS, CLICKS))
        write_csv(part / "velocity.csv", _velocities(scene, frames))
        write_csv(part / "cells.csv", _cells(scene, frames))
        _write_truth(part / "truth.zarr", scene, frames)


def _velocities(scene: Scene, frames: NDArray[np.int64]) -> pd.DataFrame:
    """Return vessel_id, frame and mean velocity along the arrow, px per frame and um/s."""
    moved = true_displacement(scene, frames[:-1], frames[1:])
    pairs, vessels = moved.shape
    return pd.DataFrame(
        {
            "vessel_id": np.tile([vessel.vessel_id for vessel in scene.vessels], pairs),
            "frame": np.repeat(np.arange(pairs), vessels),
            "velocity_px_frame": moved.ravel(),
            "velocity_um_s": moved.ravel() * scene.pixel_size_um * scene.frame_rate_hz,
        }
    )


def _cells(scene: Scene, frames: NDArray[np.int64]) -> pd.DataFrame:
    """Return the centres of all cells in each recorded frame, px of that frame."""
    table = moving_cells(scene, frames)
    inside = (table.y > -0.5) & (table.x > -0.5) & (table.y < scene.size[0] - 0.5) & (table.x < scene.size[1] - 0.5)
    return table[inside].round({"y": 3, "x": 3})


def _write_truth(path: Path, scene: Scene, frames: NDArray[np.int64]) -> None:
    group = zarr.open_group(path, mode="w")
    vessels, pairs = len(scene.vessels), len(frames) - 1
    group.attrs.update(
        schema=SCHEMA,
        pixel_size_um=scene.pixel_size_um,
        frame_rate_hz=scene.frame_rate_hz,
        contrast=scene.optics.contrast,
        vessel_ids=[vessel.vessel_id for vessel in scene.vessels],
        arrays=TRUTH,
    )
    group["masks"] = scene.masks
    group["overlap"] = scene.masks.sum(0) > 1
    group["shifts"] = scene.shifts(frames)
    group["displacement"] = true_displacement(scene, frames[:-1], frames[1:])
    for vessel in scene.vessels:
        group[f"vessels/{vessel.vessel_id}/centreline"] = vessel.centreline
        group[f"vessels/{vessel.vessel_id}/diameter_px"] = vessel.diameter_px
    fields = {"flow": (np.float32, (2,)), "recorded_flow": (np.float32, (2,)), "leaves": (np.bool_, ())}
    arrays = {
        name: group.create_array(
            name,
            shape=(pairs, vessels, *extra, *scene.size),
            chunks=(1, vessels, *extra, *scene.size),
            dtype=np.dtype(dtype),
        )
        for name, (dtype, extra) in fields.items()
    }
    for pair in range(pairs):
        flow, leaves = true_flow(scene, frames[pair : pair + 1], frames[pair + 1 : pair + 2])
        arrays["flow"][pair] = flow[0].numpy()
        arrays["leaves"][pair] = leaves[0].numpy()
        arrays["recorded_flow"][pair] = recorded_flow(scene, int(frames[pair]), int(frames[pair + 1]))
