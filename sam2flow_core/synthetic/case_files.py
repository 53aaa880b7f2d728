"""Recordings with truth on disk, written and read back: our cases, and the layout of CapFlow.

A case has ``<case>/stack.tif`` (ImageJ calibration tags), ``prompts.csv``, ``cells.csv``, ``velocity.csv`` and
``truth.zarr``; see `TRUTH` for what the last one holds. A case appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skimage
import tifffile
import zarr
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.errors import DataError, Sam2FlowError
from sam2flow_core.files import whole_file, whole_folder
from sam2flow_core.prompts import Prompt, read_prompts, write_prompts
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.synthetic.clip import recorded_flow, true_displacement, true_flow
from sam2flow_core.synthetic.film import cells_by_vessel, film_long
from sam2flow_core.synthetic.random_draws import CASES, stream
from sam2flow_core.synthetic.scene import Scene, sample_scene

BITS = (8, 12, 16)
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


def quantise(video: NDArray[np.float32], bits: int) -> NDArray[np.unsignedinteger]:
    """Turn intensities (full well = 1) into counts of 8, 12 (in 16-bit words) or 16 bits.

    Examples
    --------
    >>> quantise(np.array([[[0.0, 1.0]]], np.float32), 8).dtype
    dtype('uint8')
    """
    counts = np.rint(np.clip(video, 0, 1) * (2**bits - 1))
    result: NDArray[np.unsignedinteger] = counts.astype(np.uint8 if bits == 8 else np.uint16)
    return result


def write_tiff(
    path: Path,
    counts: NDArray[np.unsignedinteger],
    pixel_size_um: float,
    frame_rate_hz: float,
    compressed: bool = False,
) -> None:
    """Write a (T, Y, X) stack with pixel size, frame interval and frame rate in its ImageJ tags."""
    with whole_file(path) as part:
        tifffile.imwrite(
            part,
            counts,
            imagej=True,
            resolution=(1 / pixel_size_um, 1 / pixel_size_um),
            metadata={"axes": "TYX", "unit": "um", "finterval": 1 / frame_rate_hz, "fps": frame_rate_hz},
            compression="zlib" if compressed else None,
            predictor=compressed,
        )


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


@dataclass(frozen=True)
class StoredVessel:
    """Truth of one vessel.

    Attributes
    ----------
    vessel_id : int
    mask : ndarray of bool, shape (H, W)
        Tissue coordinates.
    centreline : ndarray, shape (N, 2)
        (y, x) px along the arrow; may begin and end outside the frame.
    diameter_px : ndarray, shape (N,)
    displacement : ndarray, shape (T - 1,)
        Mean over the vessel's pixels along the arrow, px per frame.
    """

    vessel_id: int
    mask: NDArray[np.bool_]
    centreline: NDArray[np.float64]
    diameter_px: NDArray[np.float64]
    displacement: NDArray[np.float64]


@dataclass(frozen=True)
class StoredCase:
    """A recording on disk with its truth; the dense truth is read when asked for.

    Attributes
    ----------
    name : str
    stack : Path
        TIFF of T frames.
    prompts : tuple of Prompt
        Positive and negative clicks of every vessel large enough to be clicked.
    pixel_size_um, frame_rate_hz : float
    shifts : ndarray, shape (T, 2)
        (dy, dx) px of the tissue.
    vessels : tuple of StoredVessel
    overlap : ndarray of bool, shape (H, W)
    """

    name: str
    stack: Path
    prompts: tuple[Prompt, ...]
    pixel_size_um: float
    frame_rate_hz: float
    shifts: NDArray[np.float64]
    vessels: tuple[StoredVessel, ...]
    overlap: NDArray[np.bool_]

    def flow(self, pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return flow (V, 2, H, W), (dx, dy) px relative to the tissue, and where matter leaves (V, H, W)."""
        with _told_of_damage(self.stack.parent):
            truth = _open(self.stack.parent)
            return _array(truth, "flow")[pair], _array(truth, "leaves")[pair]

    def recorded_flow(self, pair: int) -> NDArray[np.float32]:
        """Return the flow (V, 2, H, W) with the tissue's motion, in the coordinates of the recorded frame."""
        with _told_of_damage(self.stack.parent):
            result: NDArray[np.float32] = _array(_open(self.stack.parent), "recorded_flow")[pair]
            return result


def read_cases(folder: Path) -> tuple[StoredCase, ...]:
    """Read the cases that `writing.write_cases` left in a folder, by name.

    Raises
    ------
    DataError
        If there is none, or one is damaged.
    """
    found = sorted(path.parent for path in Path(folder).glob("*/truth.zarr") if not path.parent.name.startswith("."))
    if not found:
        raise DataError(f"{folder}: no synthetic cases in it; make some with 'sam2flow synth {folder}'")
    return tuple(_read(path) for path in found)


def _open(case: Path) -> zarr.Group:
    return zarr.open_group(case / "truth.zarr", mode="r")


@contextmanager
def _told_of_damage(case: Path) -> Iterator[None]:
    try:
        yield
    except Sam2FlowError:
        raise
    except KeyError as error:
        raise DataError(f"{case}: its truth lacks {error}; make the case anew") from error
    except Exception as error:  # of what is damaged, the library and its codecs raise errors of any kind
        raise DataError(f"{case}: its truth cannot be read ({error}); make the case anew") from error


def _array(truth: zarr.Group, name: str) -> Any:
    """Return an array of the truth; numpy arrays come out when it is indexed."""
    return truth[name]


def _read(case: Path) -> StoredCase:
    stack = case / "stack.tif"
    if not stack.is_file():
        raise DataError(f"{case}: stack.tif is missing; make the case anew")
    with _told_of_damage(case):
        truth = _open(case)
        masks, moved = _array(truth, "masks")[:], _array(truth, "displacement")[:]
        facts: dict[str, Any] = truth.attrs.asdict()
        vessels = tuple(
            StoredVessel(
                vessel_id=int(number),
                mask=masks[v],
                centreline=_array(truth, f"vessels/{number}/centreline")[:],
                diameter_px=_array(truth, f"vessels/{number}/diameter_px")[:],
                displacement=moved[:, v],
            )
            for v, number in enumerate(facts["vessel_ids"])
        )
        return StoredCase(
            name=case.name,
            stack=stack,
            prompts=read_prompts(case / "prompts.csv"),
            pixel_size_um=float(facts["pixel_size_um"]),
            frame_rate_hz=float(facts["frame_rate_hz"]),
            shifts=_array(truth, "shifts")[:],
            vessels=vessels,
            overlap=_array(truth, "overlap")[:],
        )


@dataclass(frozen=True)
class CapFlowVideo:
    """One video in the CapFlow layout.

    Attributes
    ----------
    name : str
    frames : tuple of Path
        PNG files in order.
    flows : tuple of Path
        Flow from each frame to the next: one fewer, or as many, as there are frames.
    mask_file : Path
    """

    name: str
    frames: tuple[Path, ...]
    flows: tuple[Path, ...]
    mask_file: Path

    def frame(self, t: int) -> NDArray[np.generic]:
        """Return frame ``t`` (H, W)."""
        image = np.asarray(skimage.io.imread(self.frames[t]))
        return image if image.ndim == 2 else image[..., 0]

    def flow(self, t: int) -> NDArray[np.float32]:
        """Return the flow (2, H, W), (dx, dy) px, from frame ``t`` to the next."""
        field = np.load(self.flows[t])
        if field.ndim != 3 or field.shape[2] != 2:
            raise DataError(f"{self.flows[t]}: expected flow of shape (H, W, 2), found {field.shape}")
        return np.moveaxis(field.astype(np.float32), 2, 0)

    def mask(self) -> NDArray[np.bool_]:
        """Return the vessels' mask (H, W)."""
        image = np.asarray(skimage.io.imread(self.mask_file))
        return (image if image.ndim == 2 else image[..., 0]) > 0


def write_capflow(root: Path, raw: Path, split: str, name: str, scene: Scene, frames: NDArray[np.int64]) -> None:
    """Write a scene as one CapFlow video of 8 bits.

    Flow includes the tissue's motion, as the layout has no other place for it. The layout knows one vector per pixel:
    where vessels lie on each other it is the flow of the one with the highest id. The mask is that of the first frame.
    """
    folder = root / split / name
    (folder / "Flow_float16").mkdir(parents=True, exist_ok=True)
    (raw / split / "mask").mkdir(parents=True, exist_ok=True)
    number = 0
    for video in film_long(scene, frames):
        for image in quantise(video, 8):
            skimage.io.imsave(folder / f"{number:04d}.png", image, check_contrast=False)
            number += 1
    for t in range(len(frames) - 1):
        layers = recorded_flow(scene, int(frames[t]), int(frames[t + 1]))
        merged = np.zeros_like(layers[0])
        for layer in layers:
            merged = np.where(np.any(layer != 0, axis=0), layer, merged)
        np.save(folder / "Flow_float16" / f"{t:04d}.npy", np.moveaxis(merged, 0, 2).astype(np.float16))
    mask = scene.masks_at(int(frames[0])).any(0)
    skimage.io.imsave(
        raw / split / "mask" / f"{name}.png", np.where(mask, 255, 0).astype(np.uint8), check_contrast=False
    )


def read_capflow(root: Path, raw: Path, split: str) -> Iterator[CapFlowVideo]:
    """Find the videos of one split.

    Raises
    ------
    DataError
        If there is no video, or one lacks its mask or flow.
    """
    folders = sorted(path for path in (root / split).glob("*") if (path / "Flow_float16").is_dir())
    if not folders:
        raise DataError(f"{root / split}: no CapFlow videos in it (folders of PNG frames with Flow_float16)")
    for folder in folders:
        frames, flows = sorted(folder.glob("*.png")), sorted((folder / "Flow_float16").glob("*.npy"))
        mask = raw / split / "mask" / f"{folder.name}.png"
        if not mask.is_file():
            raise DataError(f"{mask}: the vessel mask of video {folder.name} is missing")
        if not 0 <= len(frames) - len(flows) <= 1:
            raise DataError(f"{folder}: {len(frames)} frames and {len(flows)} flow files do not belong together")
        yield CapFlowVideo(folder.name, tuple(frames), tuple(flows), mask)
