"""What is right to expect of the real recordings, along lines that were drawn on them; skipped where they are absent.

The numbers were read from the correlation of rows at each lag by itself (NCFLOWSPEED), marked by hand (line scan) or
seen by eye (mesentery). Of laser-scanned frames that are far slower than the flow nothing can be right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from sam2flow_core import open_stack
from sam2flow_core.stack import Calibration
from sam2flow_core.velocity import VesselMeasurement, measure_drawn_line, measure_linescan

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real recordings are not beside the project")


def along(name: str, *corners: tuple[float, float]) -> VesselMeasurement:
    with open_stack(DATA / name) as stack:
        frames = len(stack)
        timing = stack.timing(0, frames)
        return measure_drawn_line(np.array(corners), stack.frame, np.arange(frames), stack.calibration, timing=timing)


@pytest.mark.parametrize(
    ("corners", "px_per_frame", "end"),
    [
        ([(88, 108), (80, 128), (70, 146)], 2.33, (70, 146)),
        ([(60, 155), (54, 175), (62, 200), (66, 215)], 1.08, (66, 215)),
        ([(20, 372), (45.3, 379.1), (66, 385)], 9.4, (20, 372)),
    ],
)
def test_a_network_of_small_vessels_is_measured(corners, px_per_frame, end):
    measured = along("ncflowspeed/ncflowspeed_240f.tif", *corners)
    assert measured.grade == "good"
    assert measured.statistics.mean == pytest.approx(px_per_frame, rel=0.15)
    assert measured.statistics.low < px_per_frame < measured.statistics.high
    assert np.allclose(measured.centreline[-1], end)  # with the blood


def test_slow_blood_is_read_and_not_called_sure():
    measured = along("ncflowspeed/ncflowspeed_240f.tif", (12, 105), (32, 120), (46, 135))
    assert 0.25 < measured.statistics.mean < 0.5
    assert measured.grade in ("fair", "poor")


@pytest.mark.parametrize("name", ["platelets", "leukocytes"])
@pytest.mark.parametrize("row", [40, 65, 90])
def test_sparse_cells_of_which_most_stand_still_are_never_sure(name, row):
    measured = along(f"mesentery/mesentery_{name}.tif", (row, 10), (row, 260))
    assert measured.grade in ("poor", "unusable")


def test_sparse_cells_that_flow_are_read_of_the_right_order():
    measured = along("mesentery/mesentery_platelets.tif", (65, 40), (65, 120))
    assert measured.grade != "good"
    assert 10 < measured.statistics.mean < 25
    assert measured.centreline[-1, 1] == 120  # to the right


@pytest.mark.parametrize("corners", [[(10, 256), (500, 256)], [(256, 10), (256, 500)], [(350, 50), (350, 200)]])
def test_frames_slower_than_the_flow_are_refused(corners):
    measured = along("laser_scanned/flics_bloodflow.tif", *corners)
    assert measured.grade == "unusable" and np.isnan(measured.statistics.mean)


def test_two_frames_are_too_few_for_a_line():
    measured = along("red_cell_pair/rbc_pair.tif", (140, 20), (140, 230))
    assert measured.grade == "unusable" and np.isnan(measured.statistics.mean)


@pytest.mark.parametrize("columns", [14, 19, 26])
def test_short_line_scans_read_what_was_published(columns):
    streaks = np.loadtxt(DATA / "linescans" / "Image18_streaks.csv", delimiter=",", skiprows=1, usecols=1)
    image = tifffile.imread(DATA / "linescans" / "Image18.tif").astype(np.float32)
    coarse = image[:, : image.shape[1] // 4 * 4].reshape(len(image), -1, 4).mean(axis=2)
    places = np.linspace(5, coarse.shape[1] - columns - 5, 6).astype(int)
    scans = [np.ascontiguousarray(coarse[:, place : place + columns]) for place in places]
    read = [measure_linescan(scan, Calibration()).statistics.mean for scan in scans]
    published = float(np.median(1 / streaks)) / 4
    assert np.nanmedian(read) == pytest.approx(published, rel=0.1)
    assert np.isfinite(read).sum() >= 5
