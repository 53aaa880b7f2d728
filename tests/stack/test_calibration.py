"""Pixel size and frame rate: read where they are, shown with their source, not used where they are absurd."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import tifffile
from recordings import textured

from sam2flow_core.errors import CalibrationError
from sam2flow_core.stack import Calibration, Measured, Stack, describe_stack, open_stack, resolve_calibration


def written(tmp_path: Path, **options: object) -> Stack:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, textured(), **options)  # type: ignore[arg-type]
    return open_stack(path)


def imagej(tmp_path: Path, per_unit: float = 2.0, **metadata: object) -> Stack:
    return written(tmp_path, imagej=True, resolution=(per_unit, per_unit), metadata={"axes": "TYX", **metadata})


def written_by_hand(tmp_path: Path, lines: str, resolution: tuple[float, float] = (2, 2)) -> Stack:
    """An ImageJ file whose description holds `lines` as they are, in UTF-8."""
    text = f"ImageJ=1.54f\nimages=6\nframes=6\n{lines}\n".encode()
    return written(tmp_path, description=text, metadata=None, resolution=resolution, resolutionunit=1)


def ome(tmp_path: Path, **metadata: object) -> Stack:
    return written(tmp_path, ome=True, metadata={"axes": "TYX", **metadata})


@pytest.mark.parametrize(
    ("unit", "per_unit", "expected"),
    [
        ("um", 2, 0.5),
        ("micron", 2, 0.5),
        ("\\u00B5m", 2, 0.5),
        ("nm", 0.002, 0.5),
        ("mm", 2000, 0.5),
        ("cm", 20000, 0.5),
    ],
)
def test_imagej_units(tmp_path: Path, unit: str, per_unit: float, expected: float) -> None:
    pixel = imagej(tmp_path, per_unit, unit=unit).calibration.pixel_size_um
    assert pixel == Measured(pytest.approx(expected, rel=1e-4), "imagej", True)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"finterval": 0.01}, 100),
        ({"finterval": 1 / 160, "fps": 160.0}, 160),
        ({"finterval": 0.01, "fps": 25.0}, 100),
        ({"finterval": 10.0, "tunit": "ms"}, 100),
    ],
)
def test_imagej_frame_rate(tmp_path: Path, tags: dict, expected: float) -> None:
    stack = imagej(tmp_path, **tags)
    assert stack.calibration.frame_rate_hz == Measured(pytest.approx(expected), "imagej", True)
    assert any("disagree" in p for p in stack.problems) == (tags.get("fps") == 25)


@pytest.mark.parametrize("speed", [7, 10, 25, 160])
def test_the_speed_at_which_imagej_plays_is_not_the_frame_rate(tmp_path: Path, speed: float) -> None:
    stack = imagej(tmp_path, fps=speed)
    assert stack.calibration.frame_rate_hz == Measured()
    assert any(f"fps={speed}" in p and "animation speed" in p for p in stack.problems)


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [
        *((u, 1.0) for u in ("s", "sec", "sec.", "Second", "seconds")),
        *((u, 1e-3) for u in ("ms", "msec", "milliseconds", "MILLISECOND")),
        *((u, 1e-6) for u in ("us", "µs", "μs", "Âµs", "\\u00B5s", "microseconds")),
        *((u, 60.0) for u in ("min", "mins", "minute", "Minutes")),
        *((u, 3600.0) for u in ("h", "hr", "hours")),
    ],
)
def test_units_of_time_in_every_spelling(tmp_path: Path, unit: str, seconds: float) -> None:
    stack = written_by_hand(tmp_path, f"finterval={0.01 / seconds!r}\ntunit={unit}")
    assert stack.calibration.frame_rate_hz == Measured(pytest.approx(100), "imagej", True)


@pytest.mark.parametrize("unit", ["frame", "frames", "plane", "Ms", "fortnight"])
def test_a_time_in_no_known_unit_is_said_and_not_used(tmp_path: Path, unit: str) -> None:
    for stack in (
        written_by_hand(tmp_path, f"finterval=0.01\ntunit={unit}"),
        ome(tmp_path, TimeIncrement=0.01, TimeIncrementUnit=unit),
    ):
        assert stack.calibration.frame_rate_hz == Measured()
        assert any(f"'{unit}'" in p and "give the frame rate" in p for p in stack.problems)


@pytest.mark.parametrize(
    "unit",
    [
        *("um", "UM", "µm", "μm", "micron", "Microns", "micrometer", "micrometers", "micrometre", "Micrometres"),
        *("\u00c2\u00b5m", "Ã‚Âµm", "Î¼m", "\\u00B5m", "\\u00b5m", "\\u03BCm", "\\u03bcm", "\\xb5m", "&micro;m", "?m"),
        *("um/pixel", "µm per px", "micro-meter"),
    ],
)
def test_micrometres_in_every_spelling(tmp_path: Path, unit: str) -> None:
    for stack in (
        written_by_hand(tmp_path, f"unit={unit}"),
        ome(tmp_path, PhysicalSizeX=0.5, PhysicalSizeY=0.5, PhysicalSizeXUnit=unit, PhysicalSizeYUnit=unit),
    ):
        pixel = stack.calibration.pixel_size_um
        assert (pixel.value, pixel.plausible) == (pytest.approx(0.5), True)


@pytest.mark.parametrize("unit", ["furlong", "Mm", "bananas"])
def test_a_length_in_no_known_unit_is_said_and_not_used(tmp_path: Path, unit: str) -> None:
    for stack in (
        written_by_hand(tmp_path, f"unit={unit}"),
        ome(tmp_path, PhysicalSizeX=0.5, PhysicalSizeY=0.5, PhysicalSizeXUnit=unit, PhysicalSizeYUnit=unit),
    ):
        assert stack.calibration.pixel_size_um == Measured()
        assert any(f"'{unit}'" in p and "um per pixel" in p for p in stack.problems)


def test_imagej_may_give_each_axis_its_own_unit(tmp_path: Path) -> None:
    stack = written_by_hand(tmp_path, "unit=um\nyunit=nm", resolution=(2, 0.002))
    assert stack.calibration.pixel_size_um == Measured(pytest.approx(0.5), "imagej", True)


@pytest.mark.parametrize(("size", "unit", "expected"), [(0.6, "µm", 0.6), (600, "nm", 0.6), (0.0006, "mm", 0.6)])
def test_ome_pixel_size(tmp_path: Path, size: float, unit: str, expected: float) -> None:
    stack = ome(tmp_path, PhysicalSizeX=size, PhysicalSizeY=size, PhysicalSizeXUnit=unit, PhysicalSizeYUnit=unit)
    assert stack.calibration.pixel_size_um == Measured(pytest.approx(expected), "ome", True)


@pytest.mark.parametrize(("step", "unit"), [(0.008, "s"), (8.0, "ms"), (8000.0, "µs")])
def test_ome_time_increment(tmp_path: Path, step: float, unit: str) -> None:
    stack = ome(tmp_path, TimeIncrement=step, TimeIncrementUnit=unit)
    assert stack.calibration.frame_rate_hz == Measured(pytest.approx(125), "ome", True)


def test_ome_times_of_the_frames_are_believed_over_the_declared_step(tmp_path: Path) -> None:
    times = [0.0, 0.01, 0.02, 0.03, 0.06, 0.07]
    stack = ome(tmp_path, TimeIncrement=0.04, Plane={"DeltaT": times, "DeltaTUnit": ["s"] * 6})
    assert stack.calibration.usable_frame_rate_hz == pytest.approx(100)
    assert any("declared as 0.04 s" in p for p in stack.problems)
    assert any("jump 1 times, first after frame 3" in p for p in stack.problems)


def test_plain_tiff_resolution(tmp_path: Path) -> None:
    stack = written(tmp_path, metadata=None, resolution=(20000, 20000), resolutionunit="CENTIMETER")
    assert stack.calibration.pixel_size_um == Measured(pytest.approx(0.5), "tiff", True)


@pytest.mark.parametrize("dpi", [72, 96, 300])
def test_screen_resolution_is_shown_and_not_used(tmp_path: Path, dpi: int) -> None:
    stack = written(tmp_path, metadata=None, resolution=(dpi, dpi), resolutionunit="INCH")
    assert stack.calibration.pixel_size_um == Measured(pytest.approx(25400 / dpi), "tiff", False)
    assert stack.calibration.usable_pixel_size_um is None
    assert any("not plausible" in p for p in stack.problems)
    assert f"{25400 / dpi:.6g} um/px" in describe_stack(stack)


def test_one_um_is_what_programs_write_that_do_not_know(tmp_path: Path) -> None:
    stack = imagej(tmp_path, 1.0, unit="um")
    assert stack.calibration.pixel_size_um == Measured(1.0, "imagej", False)
    assert stack.calibration.with_user(pixel_size_um=1.0).usable_pixel_size_um == 1.0


@pytest.mark.parametrize("interval", [0.0, 1000.0, 1e-9, -1.0])
def test_absurd_frame_interval_is_not_used(tmp_path: Path, interval: float) -> None:
    assert ome(tmp_path, TimeIncrement=interval).calibration.usable_frame_rate_hz is None


def test_no_calibration(tmp_path: Path) -> None:
    stack = written(tmp_path)
    assert stack.calibration == Calibration()
    assert sum("no pixel size" in p or "no frame rate" in p for p in stack.problems) == 2
    assert describe_stack(stack).count("unknown") == 2


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    stack = ome(tmp_path, PhysicalSizeX=0.5, PhysicalSizeY=0.7)
    assert stack.calibration.pixel_size_um == Measured(0.5, "ome", False)
    assert any("not square" in p for p in stack.problems)


def test_plausible_source_wins_over_an_implausible_better_one(tmp_path: Path) -> None:
    best = resolve_calibration(
        Calibration(pixel_size_um=Measured(352.8, "ome", False)), Calibration(pixel_size_um=Measured(0.5, "tiff", True))
    )
    assert best.pixel_size_um == Measured(0.5, "tiff", True)
    ranked = resolve_calibration(
        Calibration(pixel_size_um=Measured(0.4, "imagej", True)), Calibration(pixel_size_um=Measured(0.5, "ome", True))
    )
    assert ranked.pixel_size_um == Measured(0.5, "ome", True)


def test_user_has_the_last_word() -> None:
    tags = Calibration(Measured(352.8, "tiff", False), Measured(25.0, "imagej", True))
    given = tags.with_user(pixel_size_um=0.6)
    assert given.pixel_size_um == Measured(0.6, "user", True)
    assert given.frame_rate_hz == tags.frame_rate_hz


@pytest.mark.parametrize("value", [0, -0.5, math.nan, math.inf, 1e-5, 5e4])
def test_absurd_pixel_size_from_the_user(value: float) -> None:
    with pytest.raises(CalibrationError, match="pixel size") as caught:
        Calibration().with_user(pixel_size_um=value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, math.nan, 1e7, 1e-4])
def test_absurd_frame_rate_from_the_user(value: float) -> None:
    with pytest.raises(CalibrationError, match="frame rate"):
        Calibration().with_user(frame_rate_hz=value)


def test_description_is_aligned_and_complete(tmp_path: Path) -> None:
    lines = describe_stack(imagej(tmp_path, 2.0, unit="um", finterval=0.01)).splitlines()
    assert lines[2] == "shape       6 frames of 24 x 32 px (T, Y, X)"
    assert lines[4] == "pixel size  0.5 um/px  (ImageJ tags)"
    assert lines[5] == "frame rate  100 Hz  (ImageJ tags)"
    assert lines[-1] == "problems    none found"
    assert all(len(line[:12].rstrip()) < 12 and line[12] != " " for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "camera 3\nframe rate: 160 fps\npixel size = 0.6 um\n",
        "FPS=160\nPixelSize (um): 0.6\n",
        '{"FrameRate": 160, "PixelSizeUm": 0.6}',
        "Frame_rate (Hz)\t160\nPixel_size\t0.6 µm",
    ],
)
def test_text_beside_the_recording_is_shown_and_not_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    stack = written(tmp_path)
    assert stack.calibration == Calibration()
    assert any("a.txt says frame rate 160 Hz" in p for p in stack.problems)
    assert any("a.txt says pixel size 0.6" in p for p in stack.problems)


def test_text_beside_a_calibrated_recording_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("frame rate: 25")
    assert imagej(tmp_path, 2.0, unit="um", finterval=0.01).problems == ()
