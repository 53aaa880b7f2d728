"""Whatever is wrong with a recording, the user reads one line that says what and what to do."""

from __future__ import annotations

import io
import os
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from recordings import cut, textured, write_chained

from sam2flow_core.errors import StackError
from sam2flow_core.stack import open_stack


def refusal(source: object, **options: str) -> str:
    """The message with which a recording is refused."""
    with pytest.raises(StackError) as caught:
        open_stack(source, **options)
    message = str(caught.value)
    assert "\n" not in message and 20 < len(message) < 250
    return message


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nothing.tif")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.tif"
    path.touch()
    assert "empty" in refusal(path)


@pytest.mark.parametrize("content", [b"RIFF....AVI LIST" * 40, b"hello", b"II*\0", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_not_a_tiff(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "video.tif"
    path.write_bytes(content)
    message = refusal(path)
    assert message.startswith("video.tif: ") and "TIFF" in message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "locked.tif"
    tifffile.imwrite(path, textured())
    path.chmod(0)
    assert "permission" in refusal(path)


@pytest.mark.parametrize("axes_of_one", ["YX", "TYX"])
def test_single_frame(tmp_path: Path, axes_of_one: str) -> None:
    frame = textured(1)[0] if axes_of_one == "YX" else textured(1)
    tifffile.imwrite(tmp_path / "one.tif", frame, metadata={"axes": axes_of_one})
    assert "single frame" in refusal(tmp_path / "one.tif")


def test_single_frame_array() -> None:
    assert "single frame" in refusal(textured(1)[0])


def test_one_frame_of_a_numbered_series_points_to_the_folder(tmp_path: Path) -> None:
    for t, frame in enumerate(textured(4)):
        tifffile.imwrite(tmp_path / f"frame{t:03d}.tif", frame)
    message = refusal(tmp_path / "frame000.tif")
    assert "single frame" in message and "folder" in message


def test_a_line_scan_among_others_is_told_its_command(tmp_path: Path) -> None:
    for number in (15, 18, 35):
        tifffile.imwrite(tmp_path / f"Image{number}.tif", textured(1)[0])
    message = refusal(tmp_path / "Image18.tif")
    assert "sam2flow linescan Image18.tif" in message and "folder" not in message


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_one_picture_points_to_the_folder_of_its_series(tmp_path: Path, ending: str) -> None:
    for t, frame in enumerate(textured(4)):
        Image.fromarray(frame.astype(np.uint8)).save(tmp_path / f"f{t}.{ending}")
    message = refusal(tmp_path / f"f1.{ending}")
    assert message.startswith(f"f1.{ending}: a single frame") and "4 numbered frames: open the folder" in message


@pytest.mark.parametrize("tiles", [{}, {"tile": (4, 16, 16)}])
def test_pictures_stored_as_one_volume_are_called_so(tmp_path: Path, tiles: dict[str, object]) -> None:
    tifffile.imwrite(tmp_path / "volume.tif", textured(4), volumetric=True, photometric="minisblack", **tiles)
    message = refusal(tmp_path / "volume.tif")
    assert "4 pictures are stored as one volume" in message and "truncated" not in message


def test_pictures_with_transparency_are_called_so(tmp_path: Path) -> None:
    for t, frame in enumerate(textured(4).astype(np.uint8)):
        Image.fromarray(np.stack([frame, np.full_like(frame, 255)], -1)).save(tmp_path / f"f{t}.png")
    assert "transparency" in refusal(tmp_path)


def test_a_jpeg_picture_that_is_cut_off_is_no_grey_picture(tmp_path: Path) -> None:
    for t, frame in enumerate(textured(4)):
        Image.fromarray(frame.astype(np.uint8)).save(tmp_path / f"f{t}.jpg", exif=_with_a_small_picture())
    whole = (tmp_path / "f2.jpg").read_bytes()
    (tmp_path / "f2.jpg").write_bytes(whole + b"\0" * 9)  # what some cameras leave behind a picture
    open_stack(tmp_path).close()
    (tmp_path / "f2.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    assert refusal(tmp_path).startswith("f2.jpg: this frame is cut off")


@pytest.mark.parametrize(("compression", "told"), [("jpeg", True), ("zlib", False)])
def test_frames_compressed_as_photographs_are_told(tmp_path: Path, compression: str, told: bool) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", textured(4).astype(np.uint8), compression=compression, photometric="minisblack"
    )
    with open_stack(tmp_path / "a.tif") as stack:
        assert any("compressed by JPEG" in problem for problem in stack.problems) == told


def _with_a_small_picture() -> bytes:
    """EXIF notes that hold a whole JPEG of their own, as cameras write them."""
    small = io.BytesIO()
    Image.new("L", (8, 8)).save(small, "JPEG")
    exif = Image.Exif()
    exif[0x9286] = small.getvalue()
    return exif.tobytes()


def test_colour(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (5, 24, 32, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", colour, photometric="rgb")
    assert "RGB" in refusal(tmp_path / "rgb.tif")
    assert "RGB" in refusal(tmp_path / "rgb.tif", axes="TYX")
    assert "RGB" in refusal(colour)


def test_colour_planes_stored_apart(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (5, 3, 24, 32), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", colour, photometric="rgb", planarconfig="separate")
    assert "RGB" in refusal(tmp_path / "rgb.tif")


def test_two_long_axes(tmp_path: Path) -> None:
    volume = np.random.default_rng(0).integers(0, 255, (5, 4, 24, 32), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "tz.tif", volume, imagej=True, metadata={"axes": "TZYX"})
    message = refusal(tmp_path / "tz.tif")
    assert "5 time points (T)" in message and "4 slices (Z)" in message


def test_channels_without_time(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "c.tif", textured(2), imagej=True, metadata={"axes": "CYX"})
    assert "2 channels" in refusal(tmp_path / "c.tif")


@pytest.mark.parametrize(
    ("axes", "word"), [("TYXZ", "name 4 axes"), ("YX", "name 2 axes"), ("TYW", "'W'"), ("TTX", "Y and X")]
)
def test_wrong_axes_of_an_array(axes: str, word: str) -> None:
    assert word in refusal(textured(), axes=axes)


@pytest.mark.parametrize(("axes", "word"), [("YX", "name 2 axes"), ("TCZYX", "axes"), ("YXT", "before Y and X")])
def test_wrong_axes_of_a_file(tmp_path: Path, axes: str, word: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", textured())
    assert word in refusal(tmp_path / "a.tif", axes=axes)


def test_one_dimension() -> None:
    assert "1 axis" in refusal(np.zeros(100))


@pytest.mark.parametrize("odd_page", [1, 5, 11])
def test_frames_of_different_sizes(tmp_path: Path, odd_page: int) -> None:
    with tifffile.TiffWriter(tmp_path / "sizes.tif") as writer:
        for t, frame in enumerate(textured(12)):
            writer.write(frame[:-2] if t == odd_page else frame, contiguous=False, metadata=None)
    message = refusal(tmp_path / "sizes.tif")
    assert "24 x 32" in message and "22 x 32" in message


def test_a_compressed_frame_of_another_size(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "sizes.tif") as writer:
        for t, frame in enumerate(textured(40)):
            writer.write(frame[:-2] if t == 19 else frame, contiguous=False, metadata=None, compression="zlib")
    with open_stack(tmp_path / "sizes.tif") as stack, pytest.raises(StackError, match="frame 19 is 22 x 32"):
        stack.frame(19)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_a_number_where_it_is_looked_at(tmp_path: Path, bad: float) -> None:
    frames = textured(dtype="float32")
    frames[2, 3, 4] = bad
    tifffile.imwrite(tmp_path / "nan.tif", frames)
    assert "frame 2 holds 1 NaN or infinite" in refusal(tmp_path / "nan.tif")


def test_not_a_number_in_a_frame_that_was_not_looked_at() -> None:
    frames = textured(400, dtype="float32")
    frames[37] = np.nan
    stack = open_stack(frames)
    assert np.isfinite(stack.frame(36)).all()
    with pytest.raises(StackError, match="frame 37 holds 768 NaN"):
        stack.frame(37)
    with pytest.raises(StackError, match="frame 37"):
        stack.check_finite(0, 400)
    stack.check_finite(38, 400)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_constant_recording(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "flat.tif", np.full((5, 24, 32), 7, dtype))
    assert "every pixel looked at is 7" in refusal(tmp_path / "flat.tif")


def test_frames_too_small() -> None:
    assert "too small" in refusal(np.random.default_rng(0).random((20, 8, 9)))


@pytest.mark.parametrize("dtype", ["bool", "complex64"])
def test_pixels_that_are_no_brightness(dtype: str) -> None:
    assert dtype in refusal(textured().astype(dtype))


def test_no_array_at_all() -> None:
    assert "list" in refusal([[1, 2], [3, 4]])


def test_a_page_that_cannot_be_decoded(tmp_path: Path) -> None:
    path = write_chained(tmp_path / "z.tif", textured(30), compression="zlib")
    with tifffile.TiffFile(path) as tif:
        start, size = tif.pages[3].dataoffsets[0], tif.pages[3].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    with open_stack(path) as stack:
        assert stack.frame(2).shape == (24, 32)
        with pytest.raises(StackError, match="frame 3 cannot be read"):
            stack.frame(3)


WRITERS = {
    "plain": lambda p, a: tifffile.imwrite(p, a, metadata=None),
    "tifffile": lambda p, a: tifffile.imwrite(p, a),
    "imagej": lambda p, a: tifffile.imwrite(p, a, imagej=True, metadata={"axes": "TYX"}),
    "ome": lambda p, a: tifffile.imwrite(p, a, ome=True, metadata={"axes": "TYX"}),
    "compressed": lambda p, a: tifffile.imwrite(p, a, compression="zlib", metadata=None),
    "chained": write_chained,
    "bigtiff": lambda p, a: tifffile.imwrite(p, a, bigtiff=True, metadata=None),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("share", [0.99, 0.8, 0.5])
def test_truncated_file_keeps_its_whole_frames(tmp_path: Path, kind: str, share: float) -> None:
    frames = textured(20, dtype="uint16")
    path = tmp_path / f"{kind}.tif"
    WRITERS[kind](path, frames)
    size = path.stat().st_size
    with open_stack(cut(path, share)) as stack:
        assert share * 20 - 2 <= len(stack) <= 20
        assert all(np.array_equal(stack.frame(t), frames[t]) for t in range(len(stack)))
        if len(stack) < 20:
            assert any("truncated" in p and f"{len(stack)}" in p for p in stack.problems)
    assert path.stat().st_size < size


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("share", [0.06, 0.01, 0.001])
def test_file_truncated_before_its_second_frame(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"{kind}.tif"
    WRITERS[kind](path, textured(20, dtype="uint16"))
    assert path.name in refusal(cut(path, share))


def test_empty_folder(tmp_path: Path) -> None:
    assert "no TIFF, PNG or JPEG" in refusal(tmp_path)


def test_folder_with_one_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(textured(1)[0]))
    assert "single frame" in refusal(tmp_path)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_folder_with_frames_of_different_sizes(tmp_path: Path, ending: str) -> None:
    for t, frame in enumerate(textured(5)):
        imagecodecs.imwrite(str(tmp_path / f"f{t}.{ending}"), np.ascontiguousarray(frame[:-1] if t == 3 else frame))
    message = refusal(tmp_path)
    assert "f3" in message and "23 x 32" in message and "24 x 32" in message


def test_folder_of_colour_pictures(tmp_path: Path) -> None:
    for t in range(3):
        (tmp_path / f"{t}.png").write_bytes(imagecodecs.png_encode(np.zeros((24, 32, 3), np.uint8)))
    assert "RGB" in refusal(tmp_path)


def test_folder_with_a_broken_picture(tmp_path: Path) -> None:
    for t, frame in enumerate(textured(5)):
        (tmp_path / f"{t}.png").write_bytes(imagecodecs.png_encode(frame))
    (tmp_path / "2.png").write_bytes(b"")
    assert "2.png" in refusal(tmp_path)


def test_folder_of_several_recordings(tmp_path: Path) -> None:
    for name in ("monday.tif", "tuesday.tif"):
        tifffile.imwrite(tmp_path / name, textured())
    message = refusal(tmp_path)
    assert "2 recordings" in message and "monday.tif" in message


def test_frames_outside_the_recording() -> None:
    stack = open_stack(textured(5))
    for t in (-1, 5):
        with pytest.raises(IndexError, match="outside 0 to 4"):
            stack.frame(t)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.tif"
    WRITERS["tifffile"](path, textured(20))
    open_stack(cut(path, 0.98)).close()
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize(("pages", "back_to"), [(2, 0), (2, 1), (5, 0), (5, 4), (130, 0), (130, 120)])
@pytest.mark.timeout(60)
def test_a_list_of_pages_that_leads_back_to_itself_ends(
    tmp_path: Path, pages: int, back_to: int, bigtiff: bool
) -> None:
    """The last page names an earlier one, or itself, as the next: nobody can say which pages are meant."""
    path, frames = tmp_path / "round.tif", textured(pages)
    with tifffile.TiffWriter(path, bigtiff=bigtiff) as writer:
        for frame in frames:
            writer.write(frame, contiguous=False, metadata=None)
    with tifffile.TiffFile(path) as tif:
        layout, order = tif.tiff, {"<": "little", ">": "big"}[tif.byteorder]
        again, last = tif.pages[back_to].offset, tif.pages[pages - 1]
        link = last.offset + layout.tagnosize + len(last.tags) * layout.tagsize
    data = bytearray(path.read_bytes())
    assert int.from_bytes(data[link : link + layout.offsetsize], order) == 0
    data[link : link + layout.offsetsize] = again.to_bytes(layout.offsetsize, order)
    path.write_bytes(data)
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    ("kind", "factor"), [("f4", 1e36), ("f4", 1e-40), ("f4", 1e-20), ("f8", 1e300), ("f8", 1e-300), ("u8", 2**50)]
)
def test_pixels_beyond_what_can_be_counted_with(tmp_path, kind, factor):
    frames = np.random.default_rng(0).integers(1, 200, (4, 24, 32)).astype("f8") * factor
    tifffile.imwrite(tmp_path / "a.tif", frames.astype(kind), photometric="minisblack", metadata={"axes": "TYX"})
    with pytest.raises(StackError, match="cannot be counted with; multiply them"):
        open_stack(tmp_path / "a.tif")


@pytest.mark.parametrize("factor", [1e-12, 1e-6, 1e6, 1e10])
def test_pixels_of_any_unit_that_is_used(tmp_path, factor):
    frames = (np.random.default_rng(0).integers(1, 200, (4, 24, 32)) * factor).astype("f4")
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="minisblack", metadata={"axes": "TYX"})
    with open_stack(tmp_path / "a.tif") as stack:
        np.testing.assert_array_equal(stack.frame(1), frames[1])
