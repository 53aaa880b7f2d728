from __future__ import annotations

import base64
import re
import tracemalloc
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

from sam2flow_core.errors import OutputError
from sam2flow_core.reports import figures as report_figures
from sam2flow_core.reports import write_report
from sam2flow_core.reports.figures import draw_each, draw_overview
from sam2flow_core.reports.wording import quantity
from sam2flow_core.velocity import measure_vessels

NAME = '<img src=x onerror="alert(1)"> $a_b$ & "quoted"'
PROVENANCE = {
    "video_id": "patient <script>alert(2)</script>",
    "created": "2026-01-01T00:00:00+00:00",
    "recording": {"name": "a & b.tif", "sha256": "ab" * 32, "shape": [121, 48, 160]},
    "calibration": {
        "pixel_size_um": {"value": 0.5, "source": "ome", "plausible": True},
        "frame_rate_hz": {"value": 100.0, "source": "user", "plausible": True},
    },
    "stabilisation": {"shifts_dy_dx_px": [[0.0, 0.0]] * 500},
}


class Page(HTMLParser):
    """Collects tags, addresses and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        self.words += data


@pytest.fixture(scope="module")
def unscaled(scene, uncalibrated):
    return measure_vessels([scene.track], scene.images, uncalibrated)[0]


@pytest.fixture(scope="module")
def report(tmp_path_factory, scene, calibrated):
    shifts = np.zeros((len(scene.track.frames), 2))
    shifts[50:70:2, 0] = 8
    tracks = [replace(scene.track, name=NAME, shifts=shifts), replace(scene.track, vessel_id=2, name="")]
    measured = measure_vessels(tracks, scene.images, calibrated, video_id="p")
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, measured, scene.video.mean(axis=0), PROVENANCE)
    return path.read_text(encoding="utf-8"), measured


def figures(text: str) -> list[str]:
    return [base64.b64decode(found).decode() for found in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", text)]


def test_page_needs_nothing_from_outside(report):
    text, _ = report
    page = Page(text)
    assert page.addresses
    assert all(address.startswith("data:") for address in page.addresses)
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert "default-src 'none'" in text
    assert "url(" not in text
    for figure in figures(text):
        outside = [a for a in re.findall(r'href="([^"]*)"', figure) if not a.startswith(("#", "data:"))]
        assert not outside


def test_names_typed_by_users_stay_text(report):
    text, _ = report
    page = Page(text)
    assert NAME in page.words
    assert "patient <script>alert(2)</script>" in page.words
    assert "<img src=x" not in text
    assert page.tags.count("img") == 3  # overlay and one figure for each vessel


def test_page_says_what_a_reader_needs(report):
    text, measured = report
    words = Page(text).words
    for measurement in measured:
        assert measurement.grade in words
        for reason in measurement.reasons:
            assert reason in words
    for needed in (
        "Pixel size: 0.5 µm (OME metadata of the file)",
        "Frame rate: 100 Hz (entered by the user)",
        "95 % interval",
        "ab" * 32,
        "500 entries",
        "research use only",
        "wall shear rate",
    ):
        assert needed in words, needed
    assert f"{measured[0].statistics.mean * 50:.0f} µm/s" in words


def test_figures_are_drawn(report):
    text, _ = report
    overlay, *vessels = figures(text)
    assert len(vessels) == 2
    assert "image/png" in overlay  # the recording
    assert all("image/png" in vessel for vessel in vessels)  # the space-time diagrams


def test_a_vessel_looks_the_same_whatever_was_drawn_before_it(report, unscaled):
    whole = report[1][0]
    per_frame = replace(whole.per_frame, velocity=np.full_like(whole.per_frame.velocity, np.nan))
    blank = replace(whole, per_frame=per_frame, frame_rate_hz=None, spectrum=unscaled.spectrum)
    alone = [next(draw_each([vessel])) for vessel in (whole, blank)]
    assert list(draw_each([whole, blank, whole])) == [alone[0], alone[1], alone[0]]


def test_same_measurement_gives_the_same_page(report, tmp_path, scene):
    text, measured = report
    write_report(tmp_path / "again.html", measured, scene.video.mean(axis=0), PROVENANCE)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == text


def test_uncalibrated_page_shows_no_micrometres_per_second(scene, unscaled, tmp_path):
    unknown = {"value": None, "source": "none", "plausible": False}
    implausible = {"value": 72.0, "source": "tiff", "plausible": False}
    calibration = {"pixel_size_um": implausible, "frame_rate_hz": unknown}
    write_report(tmp_path / "r.html", [unscaled], scene.video[0], {"calibration": calibration})
    words = Page((tmp_path / "r.html").read_text(encoding="utf-8")).words
    assert not re.search(r"\d µm/s", words)
    assert "px/frame" in words
    assert "72 µm (TIFF tags of the file) is not plausible and was not used" in words


@pytest.mark.parametrize("what", ["mask", "flow"])
def test_vessel_without_a_velocity_is_reported_too(scene, calibrated, tmp_path, what):
    empty = {
        "mask": np.zeros_like(scene.track.mask),
        "flow": np.full_like(scene.track.flow, np.nan),
    }
    measured = measure_vessels([replace(scene.track, **{what: empty[what]})], scene.images, calibrated)
    write_report(tmp_path / "r.html", measured, scene.video[0], {})
    words = Page((tmp_path / "r.html").read_text(encoding="utf-8")).words
    assert "No velocity (unusable)" in words
    assert "nan" not in words.lower().replace("provenance", "")


def test_no_vessels(tmp_path, scene):
    write_report(tmp_path / "r.html", [], scene.video[0], {})
    assert "No vessel was measured" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_unwritable_place_is_one_line(tmp_path, scene):
    with pytest.raises(OutputError, match="folder has vanished"):
        write_report(tmp_path / "missing" / "r.html", [], scene.video[0], {})


def lines_of(draw, measurement):
    axes = Figure().add_subplot()
    draw(axes, measurement)
    return axes


def test_slopes_lie_all_over_the_diagram_of_a_short_recording_too(scene, calibrated):
    track, frames = scene.track, slice(0, 20)
    by_frame = ("frames", "offsets", "mask", "shifts", "mask_iou", "object_score")
    short = {name: getattr(track, name)[frames] for name in by_frame}
    short |= {name: getattr(track, name)[:19] for name in ("flow", "scale")}
    (measured,) = measure_vessels([replace(track, **short)], scene.images, calibrated)
    heights = [np.nanmax(line.get_ydata()) for line in lines_of(report_figures._draw_diagram, measured).lines]
    length = measured.line.length * measured.pixel_size_um
    assert len(heights) > 8 and sum(height > length / 2 for height in heights) > 3
    assert max(heights) <= length


def test_no_line_is_drawn_where_the_diagram_was_not_read(report):
    """Standing blood would look the same."""
    measured = report[1][0]
    velocity = measured.kymograph_velocity.copy()
    velocity[5:9] = np.nan
    measured = replace(measured, space_time=replace(measured.space_time, velocity=velocity))
    lines = [np.asarray(line.get_ydata()) for line in lines_of(report_figures._draw_diagram, measured).lines]
    assert any(np.isfinite(line[10:]).any() for line in lines)
    assert np.isnan(np.array(lines)[:, 5:10]).all()


def test_without_a_spectrum_nothing_is_plotted(unscaled):
    axes = lines_of(report_figures._draw_spectrum, unscaled)
    assert not axes.lines and "frame rate unknown" in axes.texts[0].get_text()


def test_a_gap_has_no_unit() -> None:
    assert quantity(float("nan"), "Hz") == "–"
    assert quantity(1.234, "Hz") == "1.23 Hz"


def test_a_large_picture_is_drawn_in_little_memory():
    """A recording of 4096 x 4096 px took three times as much for its page as for its frames."""
    picture = np.zeros((4096, 4096), np.uint8)
    picture[1000:1100] = 200
    tracemalloc.start()
    address = draw_overview([], picture)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert address.startswith("data:image/") and peak < 8 * picture.nbytes
