"""Pictures of the generator for its documentation: ``python docs/make_generator_pictures.py docs/images``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from torch import Tensor

from sam2flow_core.config.synthetic import STREAMLINE_SCENES, DiscScenes
from sam2flow_core.files import whole_file
from sam2flow_core.synthetic.bench import SAMPLE_FRAMES, BenchCase, bench_v1, sample_recording
from sam2flow_core.synthetic.clip import true_flow
from sam2flow_core.synthetic.discs import draw_disc_record
from sam2flow_core.synthetic.discs.disc_appearance import draw_disc_appearance, film_discs
from sam2flow_core.synthetic.film import film, film_long
from sam2flow_core.synthetic.record import RecordPlan, SceneRecord
from sam2flow_core.synthetic.scene import Scene
from sam2flow_core.synthetic.streamline_records import (
    draw_streamline_appearance,
    draw_streamline_record,
    film_streamlines,
)

SEED = 0x67616C6C
COLOURS = matplotlib.colormaps["tab10"].colors  # type: ignore[attr-defined]
CASES = ("medium", "network", "venule", "thin", "low-contrast", "absorption", "dark-cells", "bright-cells")


def draw_pictures(folder: Path) -> None:
    """Write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = {case.name: case for case in bench_v1()}
    scene = sample_recording()
    pictures = {"looks": looks([cases[name] for name in CASES]), "truth": truth(scene), "space-time": space_time(scene)}
    for name, figure in pictures.items():
        with whole_file(folder / f"generator-{name}.png") as part:
            figure.savefig(part, dpi=80)


def looks(cases: list[BenchCase]) -> Figure:
    """Show a frame of each case."""
    figure = Figure(figsize=(12, 6.4), layout="constrained")
    for axes, case in zip(figure.subplots(2, 4).ravel(), cases, strict=True):
        scene = case.scene()
        _image(axes, film(scene, np.zeros(1, np.int64), np.zeros((1, 2)), "cpu")[0].numpy())
        axes.set_title(f"{case.name}: {scene.pixel_size_um:.2f} um/px", fontsize=9)
    return figure


def truth(scene: Scene) -> Figure:
    """Show a frame, the same without its background, the masks and the flow."""
    frames = np.arange(0, SAMPLE_FRAMES, 6)
    video = film(scene, frames, np.zeros((len(frames), 2)), "cpu").numpy()
    flow = true_flow(scene, frames[:1])[0][0].numpy()
    figure = Figure(figsize=(12, 3.3), layout="constrained")
    frame, moving, masks, arrows = figure.subplots(1, 4)
    _image(frame, video[0])
    _image(moving, video[0] - video.mean(0))
    for axes in (masks, arrows):
        _image(axes, video[0])
    lattice = np.add.outer(np.arange(scene.size[0]) % 9, np.arange(scene.size[1]) % 9) == 0
    for v, mask in enumerate(scene.masks):
        colour = COLOURS[v % len(COLOURS)]
        masks.contourf(mask, levels=[0.5, 1.5], colors=[colour], alpha=0.45)
        rows, columns = np.nonzero(mask & lattice)
        vectors = flow[v][:, rows, columns]
        arrows.quiver(columns, rows, *vectors, color=colour, angles="xy", scale_units="xy", scale=0.3, width=0.005)
    titles = ("recorded frame", "background removed", "masks, one per vessel", "flow (arrows 3 x)")
    for axes, title in zip((frame, moving, masks, arrows), titles, strict=True):
        axes.set_title(title, fontsize=9)
    return figure


def space_time(scene: Scene, vessel_index: int = 1) -> Figure:
    """Show the space-time image along a vessel with the true course of a cell, and the true speed over time."""
    vessel, lumen = scene.vessels[vessel_index], scene.lumens[vessel_index]
    frames = np.arange(SAMPLE_FRAMES)
    along = np.arange(lumen.transit.min(), lumen.transit.max(), 1.0)
    points = vessel.place(along, np.zeros(len(along)))
    shifts = scene.shifts(frames)
    video = np.concatenate(list(film_long(scene, frames)))
    rows = np.stack(
        [map_coordinates(image, (points + shift).T, order=1) for image, shift in zip(video, shifts, strict=True)]
    )
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    image, speed = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _image(image, (rows - rows.mean(0)).T, aspect="auto")
    centre = float(vessel.profile(np.zeros(1))[0])
    travelled = np.concatenate([[0.0], np.cumsum(vessel.travel_px(frames[:-1]))]) * centre
    for start in np.arange(-travelled[-1], len(along), 60.0):
        image.plot(frames, travelled + start, color="tab:red", lw=0.9, ls="--")
    image.set_ylim(len(along) - 1, 0)
    image.set_ylabel("along the vessel (px)")
    image.tick_params(bottom=False)
    speed.xaxis.set_major_locator(MultipleLocator(20))
    speed.plot(frames, vessel.speed_px(frames) * scene.pixel_size_um * scene.frame_rate_hz, color="tab:red")
    speed.set(xlabel="frame", ylabel="um/s", ylim=(0, None))
    image.set_title(f"vessel {vessel.vessel_id} of the sample: cells and the true course (dashed)", fontsize=9)
    return figure


def training_scenes(side: int = 192) -> Figure:
    """Show frames of 16 scenes of each generator that training draws from, streamlines left and discs right."""
    figure = Figure(figsize=(16, 8))
    panels = figure.subplots(4, 8, gridspec_kw={"wspace": 0.02, "hspace": 0.02})
    figure.subplots_adjust(0, 0, 1, 1)
    plan = RecordPlan(np.zeros(1, np.int64), 1, 1)
    for number in range(16):
        row, column = divmod(number, 4)
        rng = np.random.default_rng([SEED, number])
        record = None
        while record is None:
            record = draw_streamline_record(rng, side, STREAMLINE_SCENES, plan)
        appearance = draw_streamline_appearance(rng, STREAMLINE_SCENES, record.cell_px, True, False, number == 15)
        _image(panels[row, column], _frame(rng, record, partial(film_streamlines, appearances=[appearance])))
        record = None
        while record is None:
            record = draw_disc_record(rng, side, DiscScenes(), plan)
        other = draw_disc_appearance(rng, record.cell_px, True, False, number == 15)
        _image(panels[row, column + 4], _frame(rng, record, partial(film_discs, appearances=[other])))
    return figure


def _frame(rng: np.random.Generator, record: SceneRecord, film_them: Callable[..., Tensor]) -> NDArray[np.float32]:
    """The first frame of a record in one appearance."""
    canvas = np.zeros((2, record.side**2), np.float32)
    canvas[0, record.reached] = record.range[0] + record.range[1] * record.matter[0]
    canvas[1, record.reached] = record.depth
    matter, depth = torch.from_numpy(canvas.reshape(2, 1, record.side, record.side))
    noise = torch.from_numpy(rng.standard_normal((1, 1, record.side, record.side)).astype(np.float32))
    return np.asarray(film_them(matter[None], depth, torch.zeros(1, 1), noise=noise)[0, 0])


def _image(axes: Axes, image: NDArray[np.floating], aspect: str = "equal") -> None:
    low, high = np.percentile(image, [0.5, 99.5])
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, aspect=aspect)  # type: ignore[arg-type]
    axes.set_xticks([])
    axes.set_yticks([])


if __name__ == "__main__":
    draw_pictures(Path(sys.argv[1]))
