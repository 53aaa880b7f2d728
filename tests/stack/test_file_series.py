"""Recordings spread over several files or over a folder."""

from __future__ import annotations

import uuid
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from recordings import textured

from sam2flow_core.errors import StackError
from sam2flow_core.stack import Stack, open_stack


def assert_holds(stack: Stack, frames: NDArray) -> None:
    np.testing.assert_array_equal(stack.as_array()[:], frames)


def write_parts(folder: Path, names: list[str], counts: list[int]) -> NDArray:
    frames = textured(sum(counts))
    start = 0
    for name, count in zip(names, counts, strict=True):
        tifffile.imwrite(
            folder / name, frames[start : start + count], photometric="minisblack", metadata={"axes": "TYX"}
        )
        start += count
    return frames


@pytest.mark.parametrize(
    "names",
    [
        ["v-file001.tif", "v-file002.tif", "v-file003.tif"],
        ["v.tif", "v@0001.tif", "v@0002.tif"],
        ["v@0001.tif", "v@0002.tif", "v@0003.tif"],
        ["v.tif", "v_X2.tif", "v_X3.tif"],
        ["v_part1.tif", "v_part2.tif", "v_part3.tif"],
        ["v-file8.tif", "v-file9.tif", "v-file10.tif"],
    ],
)
@pytest.mark.parametrize("counts", [[4, 4, 4], [4, 4, 2]])
def test_parts_named_by_cameras(tmp_path: Path, names: list[str], counts: list[int]) -> None:
    frames = write_parts(tmp_path, names, counts)
    for source in (tmp_path / names[0], tmp_path):
        with open_stack(source) as stack:
            assert_holds(stack, frames)
            assert [p.name for p in stack.paths] == names
            assert any("3 files joined" in p for p in stack.problems)


@pytest.mark.parametrize("ending", ["tif", "ome.tif"])
def test_numbered_parts_of_which_the_last_is_shorter(tmp_path: Path, ending: str) -> None:
    names = [f"v.{ending}", f"v_1.{ending}", f"v_2.{ending}"]
    frames = write_parts(tmp_path, names, [4, 4, 3])
    with open_stack(tmp_path / names[0]) as stack:
        assert_holds(stack, frames)


def test_a_second_recording_of_the_same_length_is_left_alone(tmp_path: Path) -> None:
    frames = write_parts(tmp_path, ["v.tif", "v_1.tif"], [4, 4])
    with open_stack(tmp_path / "v.tif") as stack:
        assert_holds(stack, frames[:4])
        assert any("v_1.tif" in p and "another recording" in p for p in stack.problems)


def test_neighbours_that_look_different_are_left_alone(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "v.tif", textured(5))
    tifffile.imwrite(tmp_path / "v_1.tif", textured(3, shape=(30, 30)), photometric="minisblack")
    with open_stack(tmp_path / "v.tif") as stack:
        assert len(stack) == 5


def test_a_neighbour_that_cannot_be_opened_is_left_alone(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "v.tif", textured(5))
    (tmp_path / "v_1.tif").write_bytes(b"not a TIFF")
    with open_stack(tmp_path / "v.tif") as stack:
        assert len(stack) == 5


def test_marked_parts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "v@0001.tif", textured(5))
    tifffile.imwrite(tmp_path / "v@0002.tif", textured(3, shape=(30, 30)), photometric="minisblack")
    with pytest.raises(StackError, match="not parts of one recording"):
        open_stack(tmp_path / "v@0001.tif")


def test_a_missing_part_is_noted(tmp_path: Path) -> None:
    names = ["v@0001.tif", "v@0002.tif", "v@0004.tif"]
    frames = write_parts(tmp_path, names, [3, 3, 3])
    with open_stack(tmp_path / names[0]) as stack:
        assert_holds(stack, frames[:6])
        assert any("part 3 is missing" in p for p in stack.problems)


def test_opening_a_later_part_points_to_the_first(tmp_path: Path) -> None:
    frames = write_parts(tmp_path, ["v@0001.tif", "v@0002.tif"], [3, 3])
    with open_stack(tmp_path / "v@0002.tif") as stack:
        assert_holds(stack, frames[3:])
        assert any("open v@0001.tif" in p for p in stack.problems)


def test_joined_parts_have_one_sha256(tmp_path: Path) -> None:
    import hashlib

    write_parts(tmp_path, ["v@0001.tif", "v@0002.tif"], [3, 3])
    data = (tmp_path / "v@0001.tif").read_bytes() + (tmp_path / "v@0002.tif").read_bytes()
    with open_stack(tmp_path / "v@0001.tif") as stack:
        assert stack.sha256() == hashlib.sha256(data).hexdigest()
        before = stack.fingerprint()
    tifffile.imwrite(tmp_path / "v@0002.tif", textured(3, seed=5), photometric="minisblack")
    with open_stack(tmp_path / "v@0001.tif") as stack:
        assert stack.fingerprint() != before


def write_ome_set(folder: Path, frames: NDArray) -> list[Path]:
    """Two OME-TIFF files, each of which names both, as Micro-Manager writes them."""
    half = len(frames) // 2
    paths = [folder / "v_MMStack.ome.tif", folder / "v_MMStack_1.ome.tif"]
    ids = [f"urn:uuid:{uuid.uuid4()}" for _ in paths]
    planes = "".join(
        f'<TiffData FirstT="{t}" IFD="{t % half}" PlaneCount="1"><UUID FileName="{paths[t // half].name}">'
        f"{ids[t // half]}</UUID></TiffData>"
        for t in range(2 * half)
    )
    for i, path in enumerate(paths):
        xml = (
            f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{ids[i]}">'
            f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8"'
            f' SizeX="32" SizeY="24" SizeC="1" SizeZ="1" SizeT="{2 * half}" PhysicalSizeX="0.5" PhysicalSizeY="0.5"'
            f' TimeIncrement="10" TimeIncrementUnit="ms">'
            f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{planes}</Pixels></Image></OME>'
        )
        tifffile.imwrite(path, frames[i * half : (i + 1) * half], description=xml, metadata=None)
    return paths


def test_ome_set_of_files(tmp_path: Path) -> None:
    frames = textured(10)
    paths = write_ome_set(tmp_path, frames)
    for source in (paths[0], tmp_path):
        with open_stack(source) as stack:
            assert_holds(stack, frames)
            assert stack.paths == tuple(paths)
            assert stack.calibration.usable_pixel_size_um == 0.5
            assert stack.calibration.usable_frame_rate_hz == pytest.approx(100)


def test_ome_set_with_a_missing_file(tmp_path: Path) -> None:
    frames = textured(10)
    paths = write_ome_set(tmp_path, frames)
    paths[1].unlink()
    with open_stack(paths[0]) as stack:
        assert_holds(stack, frames[:5])
        assert any("5 of 10 frames" in p for p in stack.problems)


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_folder_of_frames_in_natural_order(tmp_path: Path, ending: str, dtype: str) -> None:
    frames = textured(12, dtype=dtype)
    for t, frame in enumerate(frames):
        imagecodecs.imwrite(str(tmp_path / f"frame{t}.{ending}"), frame)
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / ".hidden.png").write_bytes(b"")
    with open_stack(tmp_path) as stack:
        assert_holds(stack, frames)
        assert stack.name == tmp_path.name and stack.dtype == dtype
        assert not any("missing" in p for p in stack.problems)


def test_folder_with_missing_numbers(tmp_path: Path) -> None:
    for t in (0, 1, 2, 5, 6):
        tifffile.imwrite(tmp_path / f"f{t:04d}.tif", textured(1, seed=t)[0])
    with open_stack(tmp_path) as stack:
        assert len(stack) == 5
        assert any("jump" in p and "f0002.tif" in p for p in stack.problems)


def test_folder_with_one_recording(tmp_path: Path) -> None:
    frames = textured(6)
    tifffile.imwrite(tmp_path / "v.tif", frames)
    with open_stack(tmp_path) as stack:
        assert_holds(stack, frames)
