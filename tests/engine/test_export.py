"""What a run gives to take home, read back with other programs' readers."""

import json
import shutil

import av
import numpy as np
import openpyxl
import pandas as pd
import pytest
import tifffile
from matplotlib.axes import Axes
from matplotlib.text import Text
from PIL import Image

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.engine.export import (
    CSV,
    DIAGRAMS,
    FIGURES,
    FILM,
    KINDS,
    MASKS,
    PAGE,
    WORKBOOK,
    ExportRequest,
    export,
    header_with_unit,
)
from sam2flow_core.engine.flow_film import FilmChoices
from sam2flow_core.errors import OutputError
from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.results import ResultsWriter, StoreHeader, open_results, write_line

SHAPE, CROP = (20, 48, 64), (12, 30)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of one vessel, and its recording; made by hand."""
    folder = tmp_path_factory.mktemp("export")
    rng = np.random.default_rng(1)
    video = rng.integers(0, 200, SHAPE, dtype=np.uint8)
    tifffile.imwrite(
        folder / "cells.tif", video, imagej=True, resolution=(2, 2), metadata={"axes": "TYX", "unit": "um"}
    )
    out = folder / "run"
    out.mkdir()
    known = {"value": 0.5, "source": "user", "plausible": True}
    calibration = {"pixel_size_um": known, "frame_rate_hz": known | {"value": 50.0}}
    header = StoreHeader(SHAPE, 2, 18, {3: CROP}, {3: "=venule"}, calibration, "v")
    writer = ResultsWriter.create(out / "results.zarr", header, StoreSettings())
    mask = np.zeros(CROP, bool)
    mask[3:9] = True
    flow = np.where(mask, np.float32(2.0), np.float32(0.0))[None].repeat(2, axis=0)
    scale = np.ones(CROP, np.float32)
    frames = [
        VesselFlow.of(3, (10, 20), mask, flow if t < 17 else None, scale if t < 17 else None) for t in range(2, 18)
    ]
    writer.write([FrameFlow(t, (0.0, 0.0), (vessel,)) for t, vessel in enumerate(frames, start=2)])
    along = np.stack([np.full(30, 6.0), np.arange(30.0)], axis=1)
    write_line(out / "results.zarr", 3, along, np.add.outer(np.arange(16.0), np.arange(30.0)), ("all well",))
    (out / "summary.csv").write_text("vessel_id,name,v_mean_um_s,length_um,flags\n3,'=venule,70.5,15,EDGE\n")
    rows = "".join(f"3,{t},{t / 50},{70 + t},2.8,65,80\n" for t in range(2, 17))
    columns = "vessel_id,frame,time_s,velocity_um_s,velocity_px_frame,velocity_ci_low_um_s,velocity_ci_high_um_s"
    (out / "per_frame.csv").write_text(f"{columns}\n{rows}")
    (out / "report.html").write_text("<html></html>")
    (out / "provenance.json").write_text('{"version": "1.2"}')
    return out, folder / "cells.tif", video


def ask(run, folder, *kinds, **more):
    return ExportRequest(run[0], run[1], folder, "cells", kinds or KINDS, **more)


def test_everything_is_written_and_nothing_replaced(run, tmp_path):
    steps = [step.what for step in export(ask(run, tmp_path))]
    assert [kind for kind in KINDS if not any(step.startswith(kind) for step in steps)] == []
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "cells_summary.csv", "cells_per_frame.csv", "cells.xlsx", "cells_report.html", "cells_provenance.json",
        "cells_velocity.png", "cells_velocity.svg", "cells_masks.tif", "cells_vessel-3_space-time.png",
        "cells_vessel-3_space-time.tif", "cells_film.mp4",
    }  # fmt: skip
    (tmp_path / "cells_masks.tif").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        list(export(ask(run, tmp_path, MASKS)))
    assert (tmp_path / "cells_masks.tif").read_text() == "mine"


def test_tables_and_page_are_the_run_s_byte_for_byte(run, tmp_path):
    list(export(ask(run, tmp_path, CSV, PAGE)))
    for name in ("summary.csv", "per_frame.csv", "report.html", "provenance.json"):
        assert (tmp_path / f"cells_{name}").read_bytes() == (run[0] / name).read_bytes()


def test_the_workbook_has_a_sheet_a_table_units_and_no_formulas(run, tmp_path):
    list(export(ask(run, tmp_path, WORKBOOK)))
    book = openpyxl.load_workbook(tmp_path / "cells.xlsx")
    assert book.sheetnames == ["summary", "per_frame", "about"]
    head, row = ([cell.value for cell in cells] for cells in book["summary"].iter_rows(max_row=2))
    assert head == ["vessel_id", "name", "v_mean (um/s)", "length (um)", "flags"]
    assert row == [3, "=venule", 70.5, 15, "EDGE"]
    assert book["summary"]["B2"].data_type == "s"
    assert book["per_frame"].max_row == 16 and book["per_frame"]["D2"].value == 72
    about = dict(cells for cells in book["about"].iter_rows(values_only=True))
    assert about["pixel_size_um"] == 0.5 and about["version"] == "1.2"


@pytest.mark.parametrize(
    ("column", "header"),
    [
        ("velocity_ci_low_um_s", "velocity_ci_low (um/s)"), ("velocity_px_frame", "velocity (px/frame)"),
        ("diameter_mean_um", "diameter_mean (um)"), ("motion_dx_px", "motion_dx (px)"), ("time_s", "time (s)"),
        ("flux_cells_s", "flux (cells/s)"), ("pulse_hz", "pulse (Hz)"), ("valid_pct", "valid (%)"), ("flags", "flags"),
    ],
)  # fmt: skip
def test_every_unit_is_in_the_header(column, header):
    assert header_with_unit(column) == header


def test_masks_and_diagrams_are_those_of_the_results(run, tmp_path):
    list(export(ask(run, tmp_path, MASKS, DIAGRAMS)))
    results = open_results(run[0])
    masks = tifffile.imread(tmp_path / "cells_masks.tif")
    np.testing.assert_array_equal(masks, results.labels[:])
    assert masks.shape == SHAPE and set(np.unique(masks)) == {0, 3}
    diagram = tifffile.imread(tmp_path / "cells_vessel-3_space-time.tif")
    np.testing.assert_array_equal(diagram, results.lines()[0].diagram)
    assert Image.open(tmp_path / "cells_vessel-3_space-time.png").size == diagram.shape[::-1]


def test_figures_are_pictures(run, tmp_path):
    list(export(ask(run, tmp_path, FIGURES)))
    picture = np.asarray(Image.open(tmp_path / "cells_velocity.png").convert("RGB"))
    assert picture.std() > 5 and "<svg" in (tmp_path / "cells_velocity.svg").read_text()


@pytest.mark.parametrize("name", ["$\\foo{$", "_vein", "a_$1$"])
def test_names_in_a_figure_are_as_they_were_typed(run, tmp_path, monkeypatch, name):
    """One between dollars is none of a formula, which ended the export; one that begins with _ was left out."""
    shown = []
    monkeypatch.setattr(Text, "draw", lambda text, *_: shown.append((text.get_text(), text.get_parse_math())))
    folder = shutil.copytree(run[0], tmp_path / "run")
    header = json.loads((folder / "results.zarr" / "zarr.json").read_text())
    header["attributes"]["names"] = {"3": name}
    (folder / "results.zarr" / "zarr.json").write_text(json.dumps(header))
    list(export(ExportRequest(folder, run[1], tmp_path, "cells", (FIGURES,))))
    assert (name, False) in shown


def pictures(path):
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate)
        return rate, [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_a_film_shows_the_recording_with_speed_scale_bar_and_time(run, tmp_path, ending):
    choices = FilmChoices(start=4, stop=16, every=2, frames_per_second=10)
    list(export(ask(run, tmp_path, FILM, film=choices, film_ending=ending)))
    rate, shown = pictures(tmp_path / f"cells_film{ending}")
    assert rate == pytest.approx(10, rel=0.01) and len(shown) == 6
    first = shown[0]
    times = 10  # 48 px enlarged to 480
    colourful = np.ptp(first[: 48 * times], axis=-1) > 40
    inside = np.zeros((48, 64), bool)
    inside[13:19, 20:50] = True
    inside = np.repeat(np.repeat(inside, times, 0), times, 1)
    assert colourful[inside].mean() > 0.6 and colourful[~inside].mean() < 0.05
    grey = first[5 : 48 * times : times, 5 : 64 * times : times].mean(axis=-1)
    video = run[2][4].astype(float)
    assert np.corrcoef(grey[25:].ravel(), video[25:].ravel())[0, 1] > 0.9
    strip = first[48 * times :]
    assert (strip[:, :60] > 150).any() and (strip[:, -120:] > 150).any()


SPARSE = {2: True, 3: False, 4: True, 5: False, 6: True, 7: False, 14: False, 15: True, 16: False}
"""Frames of two ranges, and whether flow from each to the next was asked for, as standard and quick detail do."""


@pytest.fixture(scope="module")
def sparse(run, tmp_path_factory):
    """A run of two ranges that answered one pair of several, while the tissue moved down by 4 px."""
    out = tmp_path_factory.mktemp("sparse")
    header = StoreHeader(SHAPE, 2, 17, {3: CROP}, {3: "3"}, {}, "v", ranges=((2, 8), (14, 17)))
    writer = ResultsWriter.create(out / "results.zarr", header, StoreSettings())
    mask = np.zeros(CROP, bool)
    mask[3:9] = True
    flow = np.where(mask, np.float32(2.0), np.float32(0.0))[None].repeat(2, axis=0)
    for t, asked in SPARSE.items():
        down = 4 if t >= 5 else 0
        vessel = VesselFlow.of(3, (10 + down, 20), mask, flow if asked else None, flow[0] if asked else None)
        writer.write([FrameFlow(t, (down, 0.0), (vessel,), asked=asked)])
    diagram = np.add.outer(np.arange(float(len(SPARSE))), np.arange(30.0))
    write_line(out / "results.zarr", 3, np.stack([np.full(30, 6.0), np.arange(30.0)], axis=1), diagram)
    shown = {t: [3, t, 2.0 if asked else None, 10 if asked else None] for t, asked in SPARSE.items()}
    rows = pd.DataFrame(list(shown.values()), columns=["vessel_id", "frame", "velocity_px_frame", "n_px"])
    rows.assign(velocity_um_s=np.nan).to_csv(out / "per_frame.csv", index=False)
    return out, run[1], run[2]


def test_a_frame_without_an_answer_of_its_own_holds_the_last_one_and_is_never_painted_as_still(sparse, tmp_path):
    list(export(ask(sparse, tmp_path, FILM)))
    _, shown = pictures(tmp_path / "cells_film.mp4")
    assert len(shown) == len(SPARSE)  # nothing of the frames between the ranges
    fast, none = np.array([253, 231, 37]), np.array([255, 255, 255])  # the last of viridis; white
    for frame, picture in zip(SPARSE, shown, strict=True):
        down = 4 if frame >= 5 else 0
        inside = picture[(14 + down) * 10 : (18 + down) * 10, 300:480].mean(axis=(0, 1))
        grey = sparse[2][frame, 14 + down : 18 + down, 30:48].mean() / 200 * 255
        wanted = none if frame == 14 else fast  # nothing is answered yet in the second range
        assert np.abs(inside - (0.55 * grey + 0.45 * wanted)).max() < 12, frame


def test_space_time_images_are_clear_between_ranges_and_no_line_joins_them(sparse, tmp_path, monkeypatch):
    drawn, plot = [], Axes.plot
    monkeypatch.setattr(Axes, "plot", lambda axes, *args, **more: drawn.append(args) or plot(axes, *args, **more))
    list(export(ask(sparse, tmp_path, DIAGRAMS, FIGURES)))
    alpha = np.asarray(Image.open(tmp_path / "cells_vessel-3_space-time.png"))[..., 1]
    assert (alpha == 0).all(axis=1).nonzero()[0].tolist() == [6, 7, 8, 9, 10, 11]
    ((time, velocity),) = drawn
    np.testing.assert_array_equal(time, [2, 4, 6, np.nan, 15])
    assert np.isnan(velocity[3])


def test_a_film_without_overlays_is_grey(run, tmp_path):
    list(export(ask(run, tmp_path, FILM, film=FilmChoices(start=2, stop=4, overlays=False))))
    assert np.ptp(pictures(tmp_path / "cells_film.mp4")[1][0], axis=-1).max() < 12


def test_a_cancelled_film_leaves_no_file(run, tmp_path):
    going = export(ask(run, tmp_path, FILM))
    shares = [next(going).share for _ in range(4)]
    assert shares == sorted(shares) and shares[-1] > 0
    going.close()
    assert list(tmp_path.iterdir()) == []


def test_a_film_of_no_frame_or_another_kind_is_refused_in_words(run, tmp_path):
    with pytest.raises(OutputError, match="no frame of the run"):
        list(export(ask(run, tmp_path, FILM, film=FilmChoices(start=19, stop=20))))
    with pytest.raises(OutputError, match=r"\.mp4 or \.gif"):
        list(export(ask(run, tmp_path, FILM, film_ending=".avi")))
