"""Seconds of each frame, from whatever time stamps a recording keeps."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from recordings import textured

from sam2flow_core.stack import open_stack

SECONDS = np.array([0.5, 0.51, 0.52, 0.57, 0.58, 0.59])


def micro_manager_tag(seconds: float) -> tuple:
    return (51123, 2, 0, json.dumps({"ElapsedTime-ms": seconds * 1000, "Camera": "Camera-1"}), True)


def write_micro_manager(path: Path, seconds: np.ndarray, bare: tuple[int, ...] = ()) -> Path:
    with tifffile.TiffWriter(path) as writer:
        for t, frame in enumerate(textured(len(seconds))):
            tags = [] if t in bare else [micro_manager_tag(seconds[t])]
            writer.write(frame, contiguous=False, metadata=None, extratags=tags)
    return path


def write_scanimage(path: Path, seconds: np.ndarray, label: str = "frameTimestamps_sec") -> Path:
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for t, frame in enumerate(textured(len(seconds), dtype="int16")):
            header = "SI.VERSION_MAJOR = 2023\nSI.hChannels.channelSave = 1\n" if t == 0 else None
            text = f"frameNumbers = {t + 1}\n{label} = {seconds[t]:.6f}\n"
            writer.write(frame, contiguous=False, metadata=None, software=header, description=text)
    return path


def write_ome(path: Path, seconds: np.ndarray, unit: str = "s", per_second: float = 1) -> Path:
    planes = {"DeltaT": list(seconds * per_second), "DeltaTUnit": [unit] * len(seconds)}
    tifffile.imwrite(path, textured(len(seconds)), ome=True, metadata={"axes": "TYX", "Plane": planes})
    return path


WRITERS = {
    "Micro-Manager": write_micro_manager,
    "ScanImage": write_scanimage,
    "ScanImage 4": lambda path, seconds: write_scanimage(path, seconds, "Frame Timestamp(s)"),
    "OME": write_ome,
    "OME in ms": lambda path, seconds: write_ome(path, seconds, "ms", 1000),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_time_stamps_of_every_vendor(tmp_path: Path, kind: str) -> None:
    with open_stack(WRITERS[kind](tmp_path / "a.tif", SECONDS)) as stack:
        assert stack.times_s == pytest.approx(SECONDS)


@pytest.mark.parametrize("kind", WRITERS)
def test_time_stamps_that_are_all_the_same_tell_nothing(tmp_path: Path, kind: str) -> None:
    with open_stack(WRITERS[kind](tmp_path / "a.tif", np.zeros(6))) as stack:
        assert stack.times_s is None


def test_a_frame_without_a_time_stamp_is_nan(tmp_path: Path) -> None:
    with open_stack(write_micro_manager(tmp_path / "a.tif", SECONDS, bare=(2,))) as stack:
        assert stack.times_s == pytest.approx(np.where(np.arange(6) == 2, np.nan, SECONDS), nan_ok=True)


def test_recordings_without_time_stamps(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", textured(), imagej=True, metadata={"axes": "TYX"})
    with open_stack(tmp_path / "a.tif") as stack:
        assert stack.times_s is None
    assert open_stack(textured()).times_s is None


@pytest.mark.parametrize(("second_clock", "expected"), [(0.6, True), (0.0, False)])
def test_parts_have_times_where_one_clock_ran_through(tmp_path: Path, second_clock: float, expected: bool) -> None:
    write_micro_manager(tmp_path / "v@0001.tif", SECONDS)
    write_micro_manager(tmp_path / "v@0002.tif", SECONDS - 0.5 + second_clock)
    with open_stack(tmp_path / "v@0001.tif") as stack:
        times = stack.times_s
    assert (times is not None) == expected
    if times is not None:
        assert times == pytest.approx(np.concatenate([SECONDS, SECONDS + 0.1]))


def test_times_of_a_folder_of_single_frames(tmp_path: Path) -> None:
    for t, frame in enumerate(textured(6)):
        tifffile.imwrite(tmp_path / f"img_{t:09d}.tif", frame, metadata=None, extratags=[micro_manager_tag(SECONDS[t])])
    with open_stack(tmp_path) as stack:
        assert stack.times_s == pytest.approx(SECONDS)


def test_time_stamps_are_read_when_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many thousand pages opens without a look at each page's header."""
    path = write_micro_manager(tmp_path / "a.tif", np.arange(400) / 160)
    read: list[float] = []
    original = tifffile.TiffPage.__init__
    monkeypatch.setattr(
        tifffile.TiffPage, "__init__", lambda self, *a, **k: (read.append(time.monotonic()), original(self, *a, **k))[1]
    )
    with open_stack(path) as stack:
        assert len(read) < 100
        assert stack.times_s is not None and len(stack.times_s) == 400
        before = len(read)
        assert stack.times_s is not None and len(read) == before
