"""A folder is read as one recording only if its files are the frames of one."""

from __future__ import annotations

import json
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from recordings import textured

from sam2flow_core.errors import StackError
from sam2flow_core.stack import Stack, open_stack

FRAMES = textured(12)


def fill(folder: Path, *names: str, frames: np.ndarray = FRAMES) -> Path:
    """One picture for each name, of the kind that its ending says."""
    for name, frame in zip(names, np.concatenate([frames] * 10), strict=False):
        if name.endswith("png"):
            (folder / name).write_bytes(imagecodecs.png_encode(frame))
        else:
            tifffile.imwrite(folder / name, frame, metadata=None)
    return folder


def numbered(pattern: str, count: int = 12, channels: int = 2) -> list[str]:
    return [pattern.format(t=t, c=c) for t in range(count) for c in range(1, channels + 1)]


def said(stack: Stack, *words: str) -> bool:
    return any(all(w in p for w in words) for p in stack.problems)


@pytest.mark.parametrize(
    "pattern",
    [
        "img_channel{c:03d}_position000_time{t:09d}_z000.tif",  # Micro-Manager 2
        "img_{t:09d}_Ch{c}_000.tif",
        "rec_Cycle00001_Ch{c}_{t:06d}.ome.tif",  # Bruker, Prairie View
        "exp_w{c}GFP_t{t}.TIF",  # MetaMorph
        "Experiment_T{t:03d}_C{c:02d}.tif",  # Zeiss
        "v_t{t:03d}_z{c:03d}.png",
        "v_t{t:03d}_s{c}.tif",
        "v_t{t:03d}_p{c}.tif",
        "cam{c}_{t:05d}.tif",
        "img_{t:09d}_{c:03d}.tif",  # no word says which number is what
        "rec{c}_{t:04d}.tif",  # two recordings
    ],
)
def test_names_that_count_more_than_time(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(StackError, match=r"folder of their own") as caught:
        open_stack(fill(tmp_path, *numbered(pattern)))
    assert "\n" not in str(caught.value)


def test_channels_of_which_the_last_frame_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="2 channels"):
        open_stack(fill(tmp_path, *numbered("img_{t:04d}_ch{c}.tif")[:-1]))


@pytest.mark.parametrize("names", [("GFP", "RFP"), ("a", "b"), ("Default", "DAPI", "Cy5")])
def test_channels_named_by_words(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(StackError, match="different names"):
        open_stack(fill(tmp_path, *[f"img_{t:09d}_{n}_000.tif" for t in range(12) for n in names]))


@pytest.mark.parametrize(
    "pattern",
    [
        "frame{t}.tif",
        "v_ch2_{t:04d}.tif",
        "img_channel000_position000_time{t:09d}_z000.tif",
        "2024-03-01_{t:05d}.tif",
        "Basler_acA1300__24__20240301_101112{t:03d}_{t:04d}.png",
        "{t}.png",
    ],
)
def test_names_of_one_recording(tmp_path: Path, pattern: str) -> None:
    with open_stack(fill(tmp_path, *numbered(pattern, channels=1))) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
        assert not said(stack, "left out")


def test_names_that_are_times_of_day(tmp_path: Path) -> None:
    names = [f"2024-03-01_10-11-{12 + t // 5:02d}.{(t * 197) % 1000:03d}.tif" for t in range(12)]
    with open_stack(fill(tmp_path, *names)) as stack:
        assert len(stack) == 12


@pytest.mark.parametrize(
    "other", ["AVG_frame.tif", "AVG_frame0001.tif", "dark.tif", "MAX_stack 1.tif", "frame0001 copy.tif"]
)
def test_a_picture_of_another_kind_among_the_frames_is_left_out_and_said(tmp_path: Path, other: str) -> None:
    fill(tmp_path, *numbered("frame{t:04d}.tif", channels=1))
    tifffile.imwrite(tmp_path / other, FRAMES.mean(0).astype(np.uint8), metadata=None)
    with open_stack(tmp_path) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
        assert said(stack, other, "left out")


@pytest.mark.parametrize("other", ["AVG_v.tif", "z.tif", "0.tif", "dark_001.tif"])
def test_a_single_picture_beside_a_recording_is_left_out_and_said(tmp_path: Path, other: str) -> None:
    tifffile.imwrite(tmp_path / "v.tif", FRAMES, photometric="minisblack")
    tifffile.imwrite(tmp_path / other, FRAMES[0])
    with open_stack(tmp_path) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
        assert said(stack, other, "left out")


def test_a_recording_among_single_frames_is_left_out_and_said(tmp_path: Path) -> None:
    fill(tmp_path, *numbered("frame{t:04d}.tif", channels=1))
    tifffile.imwrite(tmp_path / "frame0000 stack.tif", FRAMES[::-1], photometric="minisblack")
    with open_stack(tmp_path) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
        assert said(stack, "frame0000 stack.tif", "left out")


def test_a_second_series_of_another_length_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, *numbered("frame{t:04d}.tif", channels=1), *numbered("dark{t:04d}.tif", 6, channels=1))
    with pytest.raises(StackError, match=r"dark0000\.tif \(6\)"):
        open_stack(tmp_path)


def test_pictures_of_other_formats_are_said(tmp_path: Path) -> None:
    fill(tmp_path, *numbered("frame{t:04d}.tif", channels=1), *numbered("frame{t:04d}.png", 3, channels=1))
    with open_stack(tmp_path) as stack:
        assert len(stack) == 12 and said(stack, "3 PNG files")


def test_one_frame_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="one number"):
        open_stack(fill(tmp_path, "f1.tif", "f2.tif", "f02.tif"))


def test_slices_over_depth_are_said(tmp_path: Path) -> None:
    with open_stack(fill(tmp_path, *numbered("stack_z{t:03d}.tif", channels=1))) as stack:
        assert said(stack, "slices", "read as frames")


@pytest.mark.parametrize("ending", ["tif", "png"])
@pytest.mark.parametrize("odd", [0, 3, 11])
def test_frames_of_several_bit_depths_are_refused(tmp_path: Path, ending: str, odd: int) -> None:
    for t, frame in enumerate(FRAMES):
        frame = frame.astype(np.uint16) * 200 if t == odd else frame
        fill(tmp_path, f"f{t:02d}.{ending}", frames=frame[None])
    with pytest.raises(StackError, match=r"uint16.*uint8|uint8.*uint16"):
        open_stack(tmp_path)


def test_big_endian_frames_among_little_endian_ones_are_one_type(tmp_path: Path) -> None:
    frames = FRAMES.astype(np.uint16) * 9
    for t, frame in enumerate(frames):
        tifffile.imwrite(tmp_path / f"f{t:02d}.tif", frame, byteorder=">" if t % 2 else "<", metadata=None)
    with open_stack(tmp_path) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], frames)


@pytest.mark.parametrize(
    ("key", "word"), [("ChannelIndex", "channels"), ("SliceIndex", "slices"), ("PositionIndex", "positions")]
)
def test_planes_that_only_the_frames_own_notes_tell(tmp_path: Path, key: str, word: str) -> None:
    for t, frame in enumerate(FRAMES):
        tags = [(51123, 2, 0, json.dumps({key: t % 2}), True)]
        tifffile.imwrite(tmp_path / f"f{t:02d}.tif", frame, metadata=None, extratags=tags)
    with pytest.raises(StackError, match=f"2 {word}"):
        open_stack(tmp_path)


def test_colour_jpeg_frames_are_converted_and_said(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (6, 24, 32, 3), dtype=np.uint8)
    for t, frame in enumerate(colour):
        Image.fromarray(frame).save(tmp_path / f"{t}.jpg", quality=95)
    with open_stack(tmp_path) as stack:
        assert said(stack, "colour", "converted to grey")


def test_palette_frames_are_read_as_brightness(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(256)
    table = np.stack([np.arange(256, dtype=np.uint16)[order] * 257] * 3)
    for t, frame in enumerate(FRAMES):
        indices = np.argsort(order)[frame].astype(np.uint8)
        tifffile.imwrite(tmp_path / f"{t}.tif", indices, photometric="palette", colormap=table, metadata=None)
    with open_stack(tmp_path) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
        assert said(stack, "palette")


@pytest.mark.parametrize("name", ["zarr.json", ".zgroup", ".zarray", ".zattrs"])
def test_a_zarr_folder_is_named_and_told_how_to_open(tmp_path, name):
    (tmp_path / "scan.zarr").mkdir()
    (tmp_path / "scan.zarr" / name).write_text("{}")
    with pytest.raises(StackError, match="a Zarr folder is not opened by its path"):
        open_stack(tmp_path / "scan.zarr")
