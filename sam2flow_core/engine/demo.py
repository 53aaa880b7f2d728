"""The bundled recording and its prompts, and pictures of its run for where there is no window."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from itertools import count
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sam2flow_core import __version__
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.provenance import MODEL, RECORDING, stored_identity
from sam2flow_core.errors import Sam2FlowError, StackError
from sam2flow_core.files import whole_file
from sam2flow_core.prompts import read_prompts
from sam2flow_core.results import Results, open_results
from sam2flow_core.stack import Stack


def sample_files() -> tuple[Path, Path]:
    """Return the bundled recording and its ``prompts.csv``.

    Raises
    ------
    StackError
        If the installation is not whole.
    """
    folder = Path(str(files("sam2flow_resources")))
    recording, prompts = folder / "sample.tif", folder / "sample_prompts.csv"
    if not (recording.is_file() and prompts.is_file()):
        raise StackError("the bundled recording is missing from this installation; install sam2flow again")
    return recording, prompts


def sample_folder(base: Path) -> Path:
    """Return a folder in `base` for the demo: ``sample-VERSION``, or ``sample-VERSION-2`` and so on.

    It is new, or holds the demo of this very installation: a demo never meets the run of another one.
    """
    name = f"sample-{__version__}"
    candidates = (base / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(folder for folder in candidates if not folder.exists() or _is_of_this_installation(folder))


def _is_of_this_installation(folder: Path) -> bool:
    if not any(folder.iterdir()):
        return True
    try:
        identity = stored_identity(folder)
    except Sam2FlowError:
        return False
    recording, _ = sample_files()
    bundled = {RECORDING: recording, MODEL: recording.with_name("tiny.safetensors")}
    return all(identity.get(key) == hashlib.sha256(path.read_bytes()).hexdigest() for key, path in bundled.items())


def sample_request(out: Path) -> RunRequest:
    """Return the run of the demo. It goes on where an earlier demo stood, or leaves its results as they are."""
    recording, prompts = sample_files()
    return RunRequest(stack=recording, prompts=read_prompts(prompts), out=out, resume=True)


_WIDTH = 8.0  # inches
_ARROWS_ACROSS = 40


def write_pictures(out: Path, stack: Stack, count: int = 3) -> list[Path]:
    """Write ``frame-NNNN.png`` for some frames spread over a finished run.

    Parameters
    ----------
    out : Path
        The run's folder.
    stack : Stack
        Its recording.
    count : int
        How many frames.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        If the run cannot be read or a picture cannot be written.
    """
    results = open_results(out)
    pairs = results.pairs
    written = []
    for frame in pairs[np.unique(np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(int))]:
        path = out / f"frame-{frame:04d}.png"
        figure = _draw(int(frame), stack, results)
        with whole_file(path) as part:
            figure.savefig(part, dpi=120)
        written.append(path)
    return written


def _draw(frame: int, stack: Stack, results: Results) -> Figure:
    factor, unit = _speed_unit(results)
    flow = np.asarray(results.flow[frame]).astype(np.float32)
    labels = np.asarray(results.labels[frame])
    height, width = labels.shape
    figure = Figure(figsize=(_WIDTH + 1, _WIDTH * height / width + 0.5), layout="constrained")
    axes = figure.add_subplot()
    low, high = stack.contrast_limits()
    axes.imshow(stack.frame(frame), cmap="gray", vmin=low, vmax=high)
    speed = np.where(labels > 0, np.hypot(flow[0], flow[1]) * factor, np.nan)
    shown = axes.imshow(speed, cmap="viridis", alpha=0.55, vmin=0)
    figure.colorbar(shown, ax=axes, label=f"speed ({unit})", shrink=0.8)
    _draw_outlines(axes, labels)
    _draw_arrows(axes, flow, labels)
    axes.set_title(f"{results.header.video_id}, frame {frame}", fontsize=10)
    axes.set_axis_off()
    return figure


def _draw_outlines(axes: Axes, labels: NDArray[np.uint16]) -> None:
    for vessel in np.unique(labels[labels > 0]):
        inside = labels == vessel
        if inside.any() and not inside.all():
            axes.contour(inside, levels=[0.5], colors="white", linewidths=0.7)
        pixels = np.argwhere(inside)
        # The pixel nearest to the middle: the middle itself may lie outside a curved vessel.
        y, x = pixels[np.argmin(np.square(pixels - pixels.mean(axis=0)).sum(axis=1))]
        axes.text(x, y, str(vessel), color="white", fontsize=9, fontweight="bold", ha="center", va="center")


def _draw_arrows(axes: Axes, flow: NDArray[np.float32], labels: NDArray[np.uint16]) -> None:
    """Draw the direction only; the colour tells the speed."""
    step = max(labels.shape[1] // _ARROWS_ACROSS, 2)
    y, x = np.mgrid[step // 2 : labels.shape[0] : step, step // 2 : labels.shape[1] : step]
    dx, dy = flow[0][y, x], flow[1][y, x]
    length = np.hypot(dx, dy)
    moving = (labels[y, x] > 0) & (length > 0)
    axes.quiver(
        x[moving],
        y[moving],
        dx[moving] / length[moving],
        dy[moving] / length[moving],
        color="white",
        angles="xy",
        scale_units="xy",
        scale=1 / (0.8 * step),
        width=0.0022,
        headwidth=5,
        pivot="mid",
    )


def _speed_unit(results: Results) -> tuple[float, str]:
    pixel, rate = (results.header.calibration[name] for name in ("pixel_size_um", "frame_rate_hz"))
    if pixel["plausible"] and rate["plausible"]:
        return pixel["value"] * rate["value"], "µm/s"
    return 1.0, "px/frame"
