"""Channels, slices and positions are never taken for frames, whichever program wrote them and however it says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from recordings import textured, write_chained
from vendors import write_mm_stack, write_scanimage

from sam2flow_core.errors import StackError
from sam2flow_core.stack import open_stack

FRAMES = textured(12)


@pytest.mark.parametrize("letter", "RPAHVELMUFBDNJKOW")
@pytest.mark.parametrize("order", ["{}TYX", "T{}YX"])
def test_a_second_axis_of_any_name(tmp_path: Path, letter: str, order: str) -> None:
    axes = order.format(letter)
    shape = (2, 6) if axes[0] == letter else (6, 2)
    data = FRAMES.reshape(*shape, 24, 32)
    tifffile.imwrite(tmp_path / "a.tif", data, metadata={"axes": axes}, photometric="minisblack")
    with pytest.raises(StackError, match=rf"2 .*\({letter}\).*one picture per time point"):
        open_stack(tmp_path / "a.tif")


@pytest.mark.parametrize("letter", "RPAHVELMU")
def test_an_axis_that_is_not_time_is_read_as_time_only_if_the_user_says_so(tmp_path: Path, letter: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, metadata={"axes": f"{letter}YX"}, photometric="minisblack")
    with pytest.raises(StackError, match=rf"12 .*\({letter}\) and one time point"):
        open_stack(tmp_path / "a.tif")
    with open_stack(tmp_path / "a.tif", axes="TYX") as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)


def test_two_axes_without_names_are_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES.reshape(6, 2, 24, 32), photometric="minisblack")
    with open_stack(tmp_path / "a.tif") as stack:
        assert any("6 x 2 pictures on axes without names" in p for p in stack.problems)


SCANIMAGE = {
    "2016 and later": (
        "SI.VERSION_MAJOR = 2023\nSI.hChannels.channelSave = {}\n",
        False,
        ("[1;2]", "[1 4]", "[1;2;3]"),
    ),
    "2015": ("scanimage.SI.hChannels.channelSave = {}\nscanimage.SI.VERSION = 2015\n", True, ("[1;2]",)),
    "5": ("scanimage.SI5.channelsSave = {}\nscanimage.SI5.VERSION = 5\n", True, ("[1;2]",)),
    "4": ("scanimage.SI4.channelsSave = {}\nscanimage.SI4.VERSION = 4\n", True, ("[1 2]",)),
    "3": ("state.configPath=''\nstate.acq.numberOfChannelsSave={}\n", True, ("2",)),
}


@pytest.mark.parametrize(("version", "saved"), [(v, s) for v, (_, _, several) in SCANIMAGE.items() for s in several])
@pytest.mark.parametrize("cut", [0, 1])
def test_channels_of_scanimage(tmp_path: Path, version: str, saved: str, cut: int) -> None:
    header, in_description, _ = SCANIMAGE[version]
    path = write_scanimage(tmp_path / "a.tif", FRAMES[: 12 - cut], header.format(saved), in_description)
    count = 3 if saved.count(";") == 2 else 2
    with pytest.raises(StackError, match=rf"time points \(T\), {count} channels \(C\)"):
        open_stack(path)


@pytest.mark.parametrize("version", SCANIMAGE)
@pytest.mark.parametrize("more", ["", "SI.hStackManager.numSlices = 5\nSI.hStackManager.enable = false\n"])
def test_one_channel_of_scanimage(tmp_path: Path, version: str, more: str) -> None:
    header, in_description, _ = SCANIMAGE[version]
    path = write_scanimage(tmp_path / "a.tif", FRAMES, header.format("1") + more, in_description)
    with open_stack(path) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)


def test_slices_of_scanimage(tmp_path: Path) -> None:
    header = "SI.hChannels.channelSave = 1\nSI.hStackManager.enable = true\nSI.hStackManager.actualNumSlices = 3\n"
    with pytest.raises(StackError, match=r"4 time points \(T\), 3 slices \(Z\)"):
        open_stack(write_scanimage(tmp_path / "a.tif", FRAMES, header))


@pytest.mark.parametrize(("column", "word"), [(0, "2 channels"), (1, "2 slices"), (3, "2 positions")])
def test_planes_of_a_micro_manager_stack(tmp_path: Path, column: int, word: str) -> None:
    coordinates = []
    for n in range(12):
        place = [0, 0, n // 2, 0]
        place[column] = n % 2
        coordinates.append(tuple(place))
    with pytest.raises(StackError, match=word):
        open_stack(write_mm_stack(tmp_path / "v_MMStack.tif", FRAMES, coordinates, {"Frames": 6}))


@pytest.mark.parametrize(
    ("key", "word"), [("ChannelIndex", "channels"), ("SliceIndex", "slices"), ("Channel", "channels")]
)
def test_planes_that_only_the_page_headers_of_micro_manager_tell(tmp_path: Path, key: str, word: str) -> None:
    notes = [{key: ("DAPI", "GFP")[n % 2] if key == "Channel" else n % 2} for n in range(12)]
    path = write_mm_stack(tmp_path / "a.tif", FRAMES, notes=notes)
    data = bytearray(path.read_bytes())
    data[8:16] = bytes(8)  # the index was never written: the program was killed
    path.write_bytes(data)
    with pytest.raises(StackError, match=f"2 {word}"):
        open_stack(path)


def test_imagej_channels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES.reshape(6, 2, 24, 32), imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(StackError, match=r"6 time points \(T\), 2 channels \(C\)"):
        open_stack(tmp_path / "a.tif")


GREYS = np.arange(256, dtype=np.uint16) * 257
ORDER = np.random.default_rng(0).permutation(256)


def with_palette(path: Path, frames: np.ndarray, table: np.ndarray) -> Path:
    tifffile.imwrite(path, frames, photometric="palette", colormap=table, metadata={"axes": "TYX"})
    return path


def test_a_palette_of_greys_in_any_order_is_applied(tmp_path: Path) -> None:
    path = with_palette(tmp_path / "a.tif", np.argsort(ORDER)[FRAMES].astype(np.uint8), np.stack([GREYS[ORDER]] * 3))
    with open_stack(path) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
        assert any("palette" in p for p in stack.problems)


@pytest.mark.parametrize("kind", ["greys", "green", "fire", "HiLo"])
def test_colours_for_the_screen_leave_brightness_alone(tmp_path: Path, kind: str) -> None:
    """ImageJ keeps lookup tables so; the pixels are as they were recorded."""
    table = np.stack([GREYS] * 3)
    if kind == "green":
        table[[0, 2]] = 0
    elif kind == "fire":
        table = np.stack([np.clip(3 * GREYS.astype(int) - s, 0, 65535) for s in (0, 65535, 131070)]).astype(np.uint16)
    elif kind == "HiLo":
        table[:, 0], table[:, 255] = (0, 0, 65535), (65535, 0, 0)
    with open_stack(with_palette(tmp_path / "a.tif", FRAMES, table)) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
        assert any("lookup table" in p for p in stack.problems) == (kind != "greys")


def test_a_palette_of_colours_is_refused(tmp_path: Path) -> None:
    table = np.random.default_rng(0).integers(0, 65535, (3, 256)).astype(np.uint16)
    with pytest.raises(StackError, match="palette"):
        open_stack(with_palette(tmp_path / "a.tif", FRAMES, table))


def test_micro_manager_page_notes_of_one_channel_open(tmp_path: Path) -> None:
    with open_stack(
        write_chained(tmp_path / "a.tif", FRAMES, extratags=[(51123, 2, 0, '{"ChannelIndex": 0}', True)])
    ) as s:
        assert len(s) == 12


@pytest.mark.parametrize("way", [{"compression": "zlib"}, {"tile": (16, 16)}, {"photometric": "miniswhite"}])
@pytest.mark.parametrize("which", ["every second", "from the middle on"])
def test_frames_that_are_stored_in_two_ways_are_not_read_by_halves(tmp_path: Path, way: dict, which: str) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for t, frame in enumerate(FRAMES):
            other = t % 2 if which == "every second" else t >= 6
            look = {"photometric": "minisblack"} | (way if other else {})
            tif.write(frame, contiguous=False, metadata=None, **look)
    with pytest.raises(StackError, match=r"frame . is stored otherwise than frame 0.*save it again as one stack"):
        open_stack(tmp_path / "a.tif")


def test_frames_that_were_handed_to_tifffile_one_by_one_are_a_recording(tmp_path: Path) -> None:
    """It notes a shape in each page then, and takes every page for a picture of its own."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for frame in FRAMES:
            tif.write(frame)
    with open_stack(tmp_path / "a.tif") as stack:
        np.testing.assert_array_equal(stack.as_array()[:], FRAMES)
    with tifffile.TiffWriter(tmp_path / "b.tif") as tif:
        for t, frame in enumerate(FRAMES):
            tif.write(frame, compression="zlib" if t % 2 else None)
    with pytest.raises(StackError, match="stored otherwise"):
        open_stack(tmp_path / "b.tif")
    for odd in (FRAMES[2][:-1], FRAMES[2].astype(np.float32)):
        with tifffile.TiffWriter(tmp_path / "c.tif") as tif:
            for t, frame in enumerate(FRAMES):
                tif.write(odd if t == 2 else frame)
        with pytest.raises(StackError, match=r"different sizes or types: .* frame 2 is"):
            open_stack(tmp_path / "c.tif")
