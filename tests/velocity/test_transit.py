"""Transit times read short lines and fast blood without bias; line scans end in tables, or in a refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.velocity import TransitSettings
from sam2flow_core.stack import Calibration
from sam2flow_core.velocity.linescan import measure_drawn_line, measure_linescan
from sam2flow_core.velocity.transit import transit_velocity

REAL = Path(__file__).parents[3] / "shared" / "data" / "linescans"


def scan(velocity: np.ndarray, columns: int, cell: float = 2.0, noise: float = 0.3, seed: int = 0) -> np.ndarray:
    """Streaks (T, X) of a random pattern that moves by `velocity` (T,) px a line."""
    generator = np.random.default_rng(seed)
    texture = ndimage.gaussian_filter(generator.normal(size=8192), cell, mode="wrap")
    texture /= texture.std()
    at = (np.arange(columns) - np.cumsum(velocity)[:, None]) % len(texture)
    streaks = ndimage.map_coordinates(texture, at[None], order=1, mode="grid-wrap")
    return (100 + 10 * (streaks + noise * generator.normal(size=streaks.shape))).astype(np.float32)


@pytest.mark.parametrize("columns", [14, 19, 26, 100])
@pytest.mark.parametrize("velocity", [0.4, 1.5, -4.0])
def test_a_short_line_reads_as_a_long_one(columns, velocity):
    image = scan(np.full(400, velocity), columns) - 100
    found = transit_velocity(image[None], TransitSettings())
    assert np.nanmean(found.velocity) == pytest.approx(velocity, rel=0.05)
    assert found.quality > 0.8


def test_the_velocity_is_followed_through_time():
    truth = 2 + np.sin(np.arange(600) / 60)
    found = transit_velocity(scan(truth, 40)[None] - 100, TransitSettings())
    inner = slice(40, 560)
    assert np.abs(found.velocity[inner] - truth[inner]).mean() < 0.15


@pytest.mark.parametrize("columns", [14, 60])
def test_a_line_scan_is_measured_and_graded(columns):
    measured = measure_linescan(scan(np.full(400, -1.5), columns), Calibration().with_user(0.5, 1000.0))
    assert measured.statistics.mean == pytest.approx(1.5, rel=0.05)
    assert measured.statistics.low < 1.5 < measured.statistics.high
    assert measured.grade == "good"


@pytest.mark.parametrize("columns", [14, 100])
def test_noise_is_refused(columns):
    noise = np.random.default_rng(0).normal(100, 10, (300, columns)).astype(np.float32)
    measured = measure_linescan(noise, Calibration())
    assert measured.grade == "unusable" and np.isnan(measured.statistics.mean)


@pytest.mark.parametrize("ending", ["tif", "png", "pages.tif"])
def test_the_command_writes_tables_and_a_page(tmp_path, ending, capsys):
    path = tmp_path / f"line.{ending}"
    image = scan(np.full(256, 2.0), 60).clip(0, 255).astype(np.uint8)
    if ending == "png":
        Image.fromarray(image).save(path)
    elif ending == "tif":
        tifffile.imwrite(path, image)
    else:
        tifffile.imwrite(path, image.reshape(4, 64, 60), imagej=True, metadata={"axes": "TYX"})
    out = tmp_path / "out"
    options = ["--out", str(out), "--pixel-size-um", "0.5", "--line-rate-hz", "1000", "--columns", "5:55"]
    assert status_of(["linescan", str(path), *options]) == 0
    summary, rows = pd.read_csv(out / "summary.csv"), pd.read_csv(out / "per_frame.csv")
    assert summary.v_mean_um_s[0] == pytest.approx(1000, rel=0.05)
    assert len(rows) == 256 and rows.time_s[255] == pytest.approx(0.255)
    assert "<img" in (out / "report.html").read_text(encoding="utf-8")
    assert status_of(["linescan", str(path), *options]) == 2  # a finished one is not overwritten


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((256, 60), ["--columns", "50:70"], "not in the scan"),
        ((256, 60), ["--columns", "9:3"], "no range of columns"),
        ((8, 60), [], "too few to follow"),
        ((256, 60), ["--pixel-size-um", "-1"], "above 0"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(tmp_path, capsys, shape, options, words):
    path = tmp_path / "line.tif"
    tifffile.imwrite(path, np.zeros(shape, np.uint8))
    assert status_of(["linescan", str(path), "--out", str(tmp_path / "out"), *options]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said and len(said.splitlines()) == 1


def test_damaged_and_missing_files_are_refused(tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    for name in ("bad.png", "missing.tif", "missing.png", "movie.avi"):
        assert status_of(["linescan", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.skipif(not REAL.exists(), reason="the real line scans are not beside the project")
def test_real_line_scans_read_what_was_published():
    streaks = pd.read_csv(REAL / "Image18_streaks.csv", skipinitialspace=True)
    published = float((1 / streaks["slope"]).median())  # px a line, of 22 streaks marked by hand
    image = tifffile.imread(REAL / "Image18.tif").astype(np.float32)
    whole = measure_linescan(image, Calibration())
    assert whole.statistics.mean == pytest.approx(published, rel=0.05)
    assert whole.grade == "good"
    # As few points as short lines have, at the size that cells have there: four columns to one.
    coarse = image[:, : image.shape[1] // 4 * 4].reshape(len(image), -1, 4).mean(axis=2)
    for first in (40, 60, 80):
        short = measure_linescan(np.ascontiguousarray(coarse[:, first : first + 14]), Calibration())
        assert short.statistics.mean == pytest.approx(published / 4, rel=0.2)


def moving_recording(speed: float, frames: int = 96, drift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A slanted band in which cells move by `speed` px a frame, on tissue that moves down by `drift` px a frame."""
    generator = np.random.default_rng(3)
    tissue = ndimage.gaussian_filter(generator.normal(size=(90, 140)), 2.0) * 60
    texture = ndimage.gaussian_filter1d(generator.normal(size=4096), 2.0, mode="wrap")
    along, across = np.array([0.6, 0.8]), np.array([0.8, -0.6])
    y, x = np.mgrid[:90, :140].astype(float)
    out = []
    for t in range(frames):
        at = (y - 10 - drift * t) * along[0] + (x - 20) * along[1] - speed * t
        inside = np.abs((y - 10 - drift * t) * across[0] + (x - 20) * across[1]) < 6
        cells = np.interp(at % 4096, np.arange(4096), texture) * 25
        still = ndimage.shift(tissue, (drift * t, 0), order=1, mode="nearest")
        out.append(128 + np.where(inside, cells, still) + generator.normal(0, 2, at.shape))
    corners = np.array([[10.0, 20.0], [40.0, 60.0], [64.0, 92.0]])
    return np.stack(out).clip(0, 255).astype(np.uint8), corners


@pytest.mark.parametrize(("speed", "turned"), [(2.5, False), (0.7, False), (-4.0, True)])
def test_a_drawn_line_reads_the_blood_along_it(speed, turned):
    video, corners = moving_recording(speed)
    calibration = Calibration().with_user(0.5, 100.0)
    measured = measure_drawn_line(corners, lambda t: video[t], np.arange(len(video)), calibration)
    assert measured.statistics.mean == pytest.approx(abs(speed), rel=0.05)
    assert np.allclose(measured.centreline[0], corners[-1 if turned else 0])
    assert measured.kymograph.shape == (len(video), len(measured.centreline))
    assert measured.grade in ("good", "fair")


def test_a_drawn_line_follows_the_tissue_and_leaves_out_repeated_frames(tmp_path, capsys):
    video, corners = moving_recording(2.5, drift=0.15)
    video = np.insert(video, [40, 70], video[[39, 69]], axis=0)
    path = tmp_path / "moving.tif"
    tifffile.imwrite(path, video, photometric="minisblack")
    line = ",".join(f"{value:g}" for value in corners.ravel())
    out = tmp_path / "out"
    calibration = ["--pixel-size-um", "0.5", "--frame-rate-hz", "100"]
    assert status_of(["linescan", str(path), "--line", line, "--out", str(out), *calibration]) == 0
    table = pd.read_csv(out / "summary.csv")
    assert table["v_mean_um_s"][0] == pytest.approx(2.5 * 0.5 * 100, rel=0.06)
    assert pd.read_csv(out / "per_frame.csv")["velocity_um_s"].isna()[[39, 70]].all()
    assert (out / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("line", ["1,2,3", "1,2", "a,b,c,d", "1,2,nan,4", "10,10,12,14", "10,10,10,900"])
def test_a_line_that_cannot_be_read_is_refused_in_one_line(tmp_path, capsys, line):
    path = tmp_path / "short.tif"
    tifffile.imwrite(path, moving_recording(2.0, frames=20)[0], photometric="minisblack")
    assert status_of(["linescan", str(path), "--line", line, "--out", str(tmp_path / "out")]) == 2
    assert "Traceback" not in capsys.readouterr().err
