"""Every way a recording may lie on disk gives the same frames, a frame at a time."""

from __future__ import annotations

import struct
import threading
from pathlib import Path

import dask.array
import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray
from recordings import textured, write_chained

from sam2flow_core.errors import StackError
from sam2flow_core.stack import Stack, describe_stack, open_stack

KINDS = {
    "plain": {"metadata": None},
    "tifffile": {},
    "bigtiff": {"bigtiff": True},
    "big-endian": {"byteorder": ">"},
    "imagej": {"imagej": True, "metadata": {"axes": "TYX"}},
    "ome": {"ome": True, "metadata": {"axes": "TYX"}},
    "deflate": {"compression": "zlib", "metadata": None},
    "lzw-ome": {"compression": "lzw", "predictor": True, "ome": True, "metadata": {"axes": "TYX"}},
    "zstd": {"compression": "zstd"},
    "tiled": {"tile": (16, 16), "metadata": None},
    "strips": {"rowsperstrip": 5, "metadata": None},
}


def assert_holds(stack: Stack, frames: NDArray) -> None:
    assert stack.shape == frames.shape
    assert stack.dtype == frames.dtype and stack.dtype.isnative
    for t in range(len(stack)):
        frame = stack.frame(t)
        assert frame.dtype == frames.dtype and frame.flags.writeable
        np.testing.assert_array_equal(frame, frames[t])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiff_flavours(tmp_path: Path, kind: str, dtype: str) -> None:
    frames = textured(9, dtype=dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames, **KINDS[kind])
    with open_stack(path) as stack:
        assert_holds(stack, frames)
        assert stack.paths == (path,) and stack.name == "a"
        assert [p for p in stack.problems if "pixel size" not in p and "frame rate" not in p] == []


def test_pages_with_their_own_headers(tmp_path: Path) -> None:
    frames = textured(40)
    with open_stack(str(write_chained(tmp_path / "a.tif", frames))) as stack:
        assert_holds(stack, frames)


def test_frames_appended_in_blocks(tmp_path: Path) -> None:
    frames = textured(12)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for block in np.split(frames, 4):
            writer.write(block, contiguous=True, photometric="minisblack")
    with open_stack(tmp_path / "a.tif") as stack:
        assert_holds(stack, frames)


def test_imagej_with_one_header_for_all_frames(tmp_path: Path) -> None:
    """ImageJ writes files over 4 GB so: one page, and the other frames behind it without headers."""
    frames = textured(30, dtype="uint16")
    path = tmp_path / "a.tif"
    description = "ImageJ=1.53t\nimages=30\nframes=30\nhyperstack=true\nunit=micron\nfinterval=0.01\n"
    tifffile.imwrite(path, frames[0], byteorder=">", description=description, metadata=None, resolution=(2, 2))
    with tifffile.TiffFile(path) as tif:
        start = tif.pages[0].dataoffsets[0]
    path.write_bytes(path.read_bytes()[:start] + frames.astype(">u2").tobytes())
    with open_stack(path) as stack:
        assert_holds(stack, frames)
        assert stack.calibration.usable_pixel_size_um == 0.5
        assert stack.calibration.usable_frame_rate_hz == pytest.approx(100)


@pytest.mark.parametrize("letter", ["Z", "C"])
@pytest.mark.parametrize("flavour", ["imagej", "ome"])
def test_time_declared_as_another_axis(tmp_path: Path, letter: str, flavour: str) -> None:
    frames = textured(9)
    tifffile.imwrite(tmp_path / "a.tif", frames, metadata={"axes": f"{letter}YX"}, **{flavour: True})
    with open_stack(tmp_path / "a.tif") as stack:
        assert_holds(stack, frames)
        assert any(f"({letter})" in p and "read as frames" in p for p in stack.problems)


def test_user_names_the_axes(tmp_path: Path) -> None:
    frames = textured(9)
    tifffile.imwrite(tmp_path / "a.tif", frames, imagej=True, metadata={"axes": "ZYX"})
    with open_stack(tmp_path / "a.tif", axes="tyx") as stack:
        assert_holds(stack, frames)
        assert not any("read as frames" in p for p in stack.problems)
    with open_stack(tmp_path / "a.tif", axes="TXY") as stack:
        assert_holds(stack, frames.swapaxes(1, 2))


def test_axes_of_length_one_may_be_named(tmp_path: Path) -> None:
    frames = textured(9)
    tifffile.imwrite(tmp_path / "a.tif", frames[:, None], imagej=True, metadata={"axes": "TZYX"})
    for axes in ("TYX", "TZYX", None):
        with open_stack(tmp_path / "a.tif", axes=axes) as stack:
            assert_holds(stack, frames)


def test_a_small_preview_beside_the_recording_is_left_out(tmp_path: Path) -> None:
    frames = textured(9)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for frame in frames:
            writer.write(frame, contiguous=False, metadata=None)
        writer.write(frames[0, ::2, ::2], subfiletype=1, metadata=None)
    with open_stack(tmp_path / "a.tif") as stack:
        assert_holds(stack, frames)


@pytest.mark.parametrize(
    ("highest", "shift", "bits"),
    [(200, 0, 8), (900, 0, 10), (4000, 0, 12), (4000, 4, 12), (16000, 0, 14), (65535, 0, 16)],
)
def test_bits_in_use(tmp_path: Path, highest: int, shift: int, bits: int) -> None:
    frames = np.random.default_rng(0).integers(0, highest + 1, (6, 64, 64)).astype(np.uint16) << shift
    tifffile.imwrite(tmp_path / "a.tif", frames)
    with open_stack(tmp_path / "a.tif") as stack:
        assert stack.bit_depth == bits and stack.dtype == np.uint16
        assert any("shifted" in p for p in stack.problems) == (shift > 0)


def test_bits_declared_by_ome(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", textured(dtype="uint16"), ome=True, metadata={"axes": "TYX", "SignificantBits": 12}
    )
    with open_stack(tmp_path / "a.tif") as stack:
        assert stack.bit_depth == 12


def test_packed_12_bit_pages(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 4096, (4, 24, 32)).astype(np.uint16)
    path = tmp_path / "a.tif"
    bits = np.unpackbits(frames.astype(">u2").view(np.uint8).reshape(4, 24, 32, 2), axis=-1)[..., 4:]
    _write_packed(path, [np.packbits(frame.reshape(24, -1), axis=1).tobytes() for frame in bits], 24, 32)
    with open_stack(path) as stack:
        assert_holds(stack, frames)
        assert stack.bit_depth == 12


def _write_packed(path: Path, pages: list[bytes], height: int, width: int) -> None:
    data = bytearray(struct.pack("<2sHI", b"II", 42, 8))
    for i, page in enumerate(pages):
        tags = [(256, width), (257, height), (258, 12), (259, 1), (262, 1), (277, 1), (278, height), (279, len(page))]
        start = len(data)
        pixels = start + 2 + 12 * (len(tags) + 1) + 4
        tags = sorted([*tags, (273, pixels)])
        data += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        following = pixels + len(page)
        data += struct.pack("<I", following if i + 1 < len(pages) else 0) + page
    path.write_bytes(data)


def test_repeated_frames_are_noted() -> None:
    frames = textured(12)
    frames[1] = frames[0]
    assert any("identical (first: 0 and 1)" in p for p in open_stack(frames).problems)


@pytest.mark.parametrize("wrap", [np.asarray, zarr.array, dask.array.from_array])
def test_arrays(wrap: object) -> None:
    frames = textured(5)
    assert_holds(open_stack(wrap(frames)), frames)  # type: ignore[operator]


def test_array_axes() -> None:
    frames = textured(5)
    assert_holds(open_stack(frames[None]), frames)
    assert_holds(open_stack(np.moveaxis(frames, 0, 2), axes="YXT"), frames)
    assert_holds(open_stack(frames[:, None], axes="TCYX"), frames)


def test_a_frame_belongs_to_the_caller() -> None:
    frames = textured(5)
    stack = open_stack(frames)
    stack.frame(0)[:] = 0
    np.testing.assert_array_equal(stack.frame(0), frames[0])


def test_frames_from_many_threads(tmp_path: Path) -> None:
    frames = textured(40)
    wrong: list[int] = []
    with open_stack(write_chained(tmp_path / "a.tif", frames, compression="zlib")) as stack:

        def read(start: int) -> None:
            wrong.extend(t for t in range(start, 40, 3) if not np.array_equal(stack.frame(t), frames[t]))

        threads = [threading.Thread(target=read, args=(i % 3,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_lazy_array_indexes_like_numpy() -> None:
    frames = textured(7)
    lazy = open_stack(frames).as_array()
    assert (lazy.shape, lazy.ndim, lazy.dtype, lazy.nbytes, len(lazy)) == (
        frames.shape,
        3,
        frames.dtype,
        frames.nbytes,
        7,
    )
    keys = [
        2,
        -1,
        slice(1, 6, 2),
        (3, slice(2, 5)),
        (..., 4),
        (slice(None), 1, 2),
        (slice(5, 2),),
        (np.int64(2), ..., 3),
    ]
    keys += [([0, 4],), ..., (slice(None, None, -1), slice(0, 4), slice(3, None))]
    for key in keys:
        np.testing.assert_array_equal(lazy[key], frames[key])
    np.testing.assert_array_equal(np.asarray(lazy), frames)
    for key in (7, (0, 0, 0, 0), (None, 0)):
        with pytest.raises(IndexError):
            lazy[key]


def test_contrast_limits_hold_most_pixels() -> None:
    frames = textured(20, shape=(64, 64))
    frames[:, 0, 0] = 255
    low, high = open_stack(frames).contrast_limits()
    assert 10 <= low < 15 and 195 < high < 255


def test_fingerprint_follows_content_not_name(tmp_path: Path) -> None:
    frames = textured(9)
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, frames)
    frames[4, 3, 3] += 1
    tifffile.imwrite(tmp_path / "c.tif", frames)
    a, b, c = (open_stack(tmp_path / f"{n}.tif") for n in "abc")
    assert a.fingerprint() == b.fingerprint() != c.fingerprint()
    assert open_stack(frames).fingerprint() != open_stack(frames + 1).fingerprint()


def test_fingerprints_of_fewer_blocks_are_known_again(tmp_path: Path) -> None:
    """Projects of before hold one of 16 blocks, without their number."""
    from sam2flow_core.config.stack import SamplingSettings
    from sam2flow_core.stack.fingerprints import fingerprint

    frames = np.random.default_rng(0).integers(0, 255, (40, 300, 300), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", frames)
    frames[22, 150, 150] += 1
    tifffile.imwrite(tmp_path / "b.tif", frames)
    a, b = (open_stack(tmp_path / f"{n}.tif") for n in "ab")
    of_16 = fingerprint(a._source, SamplingSettings(fingerprint_blocks=16))
    assert of_16.startswith("16:")
    for earlier in (a.fingerprint(), of_16, of_16.removeprefix("16:")):
        assert a.has_fingerprint(earlier)
    assert not b.has_fingerprint(a.fingerprint())  # between the 16 blocks, within the 128
    assert b.has_fingerprint(of_16)
    for nonsense in ("", ":", "16:", "x:1", "0:" + of_16, "-1:2", "99999999999:2", "²:2"):
        assert not a.has_fingerprint(nonsense)


def test_sha256_is_that_of_the_file(tmp_path: Path) -> None:
    import hashlib

    tifffile.imwrite(tmp_path / "a.tif", textured())
    with open_stack(tmp_path / "a.tif") as stack:
        assert stack.sha256() == hashlib.sha256((tmp_path / "a.tif").read_bytes()).hexdigest()


def test_a_folder_of_jpeg_frames_opens_with_a_warning(tmp_path):
    """As SAM 2's example videos come."""
    from PIL import Image

    frames = np.random.default_rng(0).integers(0, 255, (12, 40, 56), dtype=np.uint8)
    for t, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{t}.jpg", quality=95)
    with open_stack(tmp_path) as stack:
        assert stack.shape == (12, 40, 56) and stack.dtype == np.uint8
        assert np.array_equal(stack.frame(10), np.asarray(Image.open(tmp_path / "10.jpg")))
        assert any("JPEG" in problem for problem in stack.problems)
    Image.fromarray(frames[0][:20]).save(tmp_path / "12.jpg")
    with pytest.raises(StackError, match=r"12\.jpg: frame is 20 x 56"):
        open_stack(tmp_path)


@pytest.mark.parametrize("name", ["new\nline", "clear\x1b[2Jscreen", "no utf-8 \udcff", "right to left \u202e"])
def test_a_file_name_cannot_write_over_the_description(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.tif"
    tifffile.imwrite(path, textured(3), photometric="minisblack", metadata={"axes": "TYX"})
    with open_stack(path) as stack:
        lines = describe_stack(stack).splitlines()
    assert all(line.isprintable() for line in lines) and lines[2].startswith("shape")
