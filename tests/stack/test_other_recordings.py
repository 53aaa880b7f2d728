"""What lies beside a recording, under whatever name, never gets into it unsaid."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import textured
from vendors import ome_xml, write_mm_stack, write_ndtiff, write_ome

from sam2flow_core.errors import StackError
from sam2flow_core.stack import Stack, open_stack

OURS, THEIRS = textured(6), textured(6, seed=1)
A, B, C = (f"urn:uuid:00000000-0000-0000-0000-00000000000{n}" for n in "123")
SHAPE = OURS.shape


def assert_holds(stack: Stack, frames: NDArray) -> None:
    np.testing.assert_array_equal(stack.as_array()[:], frames)


def said(stack: Stack, *words: str) -> bool:
    return any(all(w in p for w in words) for p in stack.problems)


def one_file(name: str, text: str, uuid: str | None, **options: object) -> str:
    return ome_xml(SHAPE, [(t, name, text) for t in range(6)], uuid, **options)  # type: ignore[arg-type]


def two_files(uuid: str | None) -> str:
    """A set of two files of three frames."""
    names = ("v.ome.tif", "v_1.ome.tif")
    return ome_xml(SHAPE, [(t % 3, names[t // 3], (A, B)[t // 3]) for t in range(6)], uuid)


@pytest.mark.parametrize("uuid", [None, A], ids=["no UUID", "UUID"])
@pytest.mark.parametrize("neighbour", [True, False])
def test_a_renamed_ome_file_shows_its_own_frames(tmp_path: Path, uuid: str | None, neighbour: bool) -> None:
    path = write_ome(tmp_path / "before.ome.tif", OURS, one_file("take.ome.tif", A, uuid))
    if neighbour:
        write_ome(tmp_path / "take.ome.tif", THEIRS, one_file("take.ome.tif", A, uuid))
    with open_stack(path) as stack:
        assert_holds(stack, OURS)
        assert stack.paths == (path,)
        assert stack.calibration.usable_pixel_size_um == 0.5


def test_a_renamed_ome_file_keeps_its_channels_apart(tmp_path: Path) -> None:
    xml = ome_xml((3, *SHAPE[1:]), [(t, "take.ome.tif", A) for t in range(6)], None, sizes=(2, 1))
    path = write_ome(tmp_path / "before.ome.tif", OURS, xml)
    write_ome(tmp_path / "take.ome.tif", THEIRS, xml)
    with pytest.raises(StackError, match=r"2 channels \(C\)"):
        open_stack(path)


@pytest.mark.parametrize("kind", ["another UUID", "names itself only", "names nobody", "no recording"])
def test_an_ome_set_takes_no_frames_of_a_file_that_replaced_its_own(tmp_path: Path, kind: str) -> None:
    path = write_ome(tmp_path / "v.ome.tif", OURS[:3], two_files(A))
    other = tmp_path / "v_1.ome.tif"
    if kind == "another UUID":
        write_ome(other, THEIRS[:3], one_file("v_1.ome.tif", C, C))
    elif kind == "names itself only":
        write_ome(other, THEIRS[:3], one_file("v_1.ome.tif", C, None))
    elif kind == "names nobody":
        write_ome(other, THEIRS[:3], ome_xml((3, *SHAPE[1:]), [(t, "", "") for t in range(3)]))
    else:
        other.write_bytes(b"nothing")
    with open_stack(path) as stack:
        assert_holds(stack, OURS[:3])
        assert said(stack, "v_1.ome.tif", "left out")


def test_one_renamed_file_of_an_ome_set_is_refused(tmp_path: Path) -> None:
    write_ome(tmp_path / "v.ome.tif", THEIRS[:3], two_files(None))
    write_ome(tmp_path / "v_1.ome.tif", THEIRS[3:], two_files(None))
    path = write_ome(tmp_path / "best.ome.tif", OURS[:3], two_files(None))
    with pytest.raises(StackError, match=r"best\.ome\.tif: renamed since it was written"):
        open_stack(path)


@pytest.mark.parametrize("opened", [0, 1])
def test_an_ome_set_of_two_positions_shows_the_one_that_was_opened(tmp_path: Path, opened: int) -> None:
    names, ids = ("v_Pos0.ome.tif", "v_Pos1.ome.tif"), (A, B)
    planes = [(t % 6, names[t // 6], ids[t // 6]) for t in range(12)]
    for i, frames in enumerate((OURS, THEIRS)):
        write_ome(tmp_path / names[i], frames, ome_xml(SHAPE, planes, ids[i], images=2))
    with open_stack(tmp_path / names[opened]) as stack:
        assert_holds(stack, (OURS, THEIRS)[opened])
        assert stack.paths == (tmp_path / names[opened],)
        assert stack.calibration.usable_frame_rate_hz == pytest.approx((100, 50)[opened])


def test_a_later_ome_file_whose_first_one_is_missing(tmp_path: Path) -> None:
    path = write_ome(tmp_path / "v_1.ome.tif", OURS[3:], two_files(B))
    with open_stack(path) as stack:
        assert_holds(stack, OURS[3:])
        assert said(stack, "first 3 of 6 frames", "missing")


def test_frames_of_a_missing_ome_file_name_it(tmp_path: Path) -> None:
    path = write_ome(tmp_path / "v.ome.tif", OURS[:3], two_files(A))
    with open_stack(path) as stack:
        assert len(stack) == 3
    xml = two_files(A).replace("v_1.ome.tif", "gone.ome.tif", 2)
    write_ome(path, OURS[:3], xml)
    write_ome(tmp_path / "v_1.ome.tif", OURS[3:], xml.replace(f'UUID="{A}"', f'UUID="{B}"', 1))
    with pytest.raises(StackError, match=r"missing \(gone\.ome\.tif\); put it back"):
        open_stack(path)


def test_the_folder_of_an_ome_set_is_that_set_by_a_relative_path_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set").mkdir()
    for name, frames, uuid in (("v.ome.tif", OURS[:3], A), ("v_1.ome.tif", OURS[3:], B)):
        write_ome(tmp_path / "set" / name, frames, two_files(uuid))
    monkeypatch.chdir(tmp_path)
    for folder in (Path("set"), tmp_path / "set"):
        with open_stack(folder) as stack:
            assert_holds(stack, OURS)


def test_a_file_that_another_one_describes_points_to_it(tmp_path: Path) -> None:
    xml = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{B}">'
    xml += f'<BinaryOnly MetadataFile="v.ome.tif" UUID="{A}"/></OME>'
    path = write_ome(tmp_path / "v_1.ome.tif", OURS, xml)
    with pytest.raises(StackError, match=r"open v\.ome\.tif"):
        open_stack(path)


def test_broken_ome_metadata_do_not_make_frames_of_channels(tmp_path: Path) -> None:
    xml = one_file("v.ome.tif", A, A, sizes=(1, 1)).replace('SizeC="1"', 'SizeC="2"').replace("</Image>", "")
    with pytest.raises(StackError, match=r"2 channels \(C\)"):
        open_stack(write_ome(tmp_path / "v.ome.tif", OURS, xml))


NEIGHBOURS = {
    "again": ("rec_MMStack_Pos0_again.ome.tif", None, {}),
    "same frames": ("rec_MMStack_Pos0_1.ome.tif", None, {}),
    "other acquisition": ("rec_MMStack_Pos0_1.ome.tif", range(6, 12), {"StartTime": "tomorrow"}),
    "a gap": ("rec_MMStack_Pos0_1.ome.tif", range(8, 14), {}),
    "other position": ("rec_MMStack_Pos1.ome.tif", None, {}),
    "longer prefix": ("rec_2_MMStack_Pos0.ome.tif", range(6, 12), {}),
}


@pytest.mark.parametrize("kind", NEIGHBOURS)
@pytest.mark.parametrize("planned", [6, 1000])
def test_a_micro_manager_stack_takes_no_frames_of_a_neighbour(tmp_path: Path, kind: str, planned: int) -> None:
    name, times, summary = NEIGHBOURS[kind]
    path = write_mm_stack(tmp_path / "rec_MMStack_Pos0.ome.tif", OURS, summary={"Frames": planned})
    coordinates = [(0, 0, t, 0) for t in times] if times else None
    write_mm_stack(tmp_path / name, THEIRS, coordinates, {"Frames": planned, "Prefix": "rec"} | summary)
    with open_stack(path) as stack:
        assert_holds(stack, OURS)
        assert stack.paths == (path,)
        assert said(stack, "6 of 1000 planned frames") == (planned == 1000)
        assert said(stack, "another recording") == name.endswith("_1.ome.tif")


def test_a_micro_manager_stack_goes_on_in_its_next_file(tmp_path: Path) -> None:
    path = write_mm_stack(tmp_path / "rec_MMStack_Pos0.ome.tif", OURS[:4], summary={"Frames": 6})
    later = write_mm_stack(
        tmp_path / "rec_MMStack_Pos0_1.ome.tif", OURS[4:], [(0, 0, t, 0) for t in (4, 5)], {"Frames": 6}
    )
    with open_stack(path) as stack:
        assert_holds(stack, OURS)
        assert stack.paths == (path, later) and said(stack, "2 files joined")
    with open_stack(later) as stack:
        assert_holds(stack, OURS[4:])
        assert said(stack, "later part")


def test_a_micro_manager_stack_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    order = [2, 0, 1, 5, 4, 3]
    path = write_mm_stack(tmp_path / "v_MMStack.ome.tif", OURS[order], [(0, 0, t, 0) for t in order], {"Frames": 6})
    with open_stack(path) as stack:
        assert_holds(stack, OURS)


@pytest.mark.parametrize("renamed", ["v_MMStack_Pos0.ome.tif", "best.tif"])
def test_a_renamed_micro_manager_stack_needs_no_ome_names(tmp_path: Path, renamed: str) -> None:
    xml = two_files(None)
    path = write_mm_stack(tmp_path / renamed, OURS, summary={"Frames": 6}, description=xml)
    write_ome(tmp_path / "v.ome.tif", THEIRS, xml)
    with open_stack(path) as stack:
        assert_holds(stack, OURS)


TIMES = [{"time": t} for t in range(6)]


def test_an_ndtiff_data_set(tmp_path: Path) -> None:
    write_ndtiff(tmp_path, {"v_NDTiffStack.tif": OURS[:4], "v_NDTiffStack_1.tif": OURS[4:]}, TIMES, interval_ms=10)
    for source in (tmp_path / "v_NDTiffStack.tif", tmp_path):
        with open_stack(source) as stack:
            assert_holds(stack, OURS)
            assert [p.name for p in stack.paths] == ["v_NDTiffStack.tif", "v_NDTiffStack_1.tif"]
            assert stack.times_s == pytest.approx(np.arange(6) / 100)


def test_an_ndtiff_file_that_the_index_beside_it_does_not_know_is_refused(tmp_path: Path) -> None:
    write_ndtiff(tmp_path, {"best.tif": OURS}, TIMES)
    write_ndtiff(tmp_path, {"v_NDTiffStack.tif": THEIRS}, TIMES)
    with pytest.raises(StackError, match=r"best\.tif: .*from v_NDTiffStack\.tif"):
        open_stack(tmp_path / "best.tif")


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize(("axis", "word"), [("channel", "2 channels"), ("z", "2 slices"), ("position", "2 positions")])
def test_ndtiff_planes_are_told_apart(tmp_path: Path, axis: str, word: str, index: bool) -> None:
    write_ndtiff(tmp_path, {"v_NDTiffStack.tif": OURS}, [{axis: n % 2, "time": n // 2} for n in range(6)])
    if not index:
        (tmp_path / "NDTiff.index").unlink()
    with pytest.raises(StackError, match=word):
        open_stack(tmp_path / "v_NDTiffStack.tif")


def test_pictures_that_ome_metadata_do_not_list_are_said(tmp_path: Path) -> None:
    path = write_ome(tmp_path / "v.ome.tif", np.concatenate([OURS, THEIRS]), one_file("v.ome.tif", A, A))
    with open_stack(path) as stack:
        assert_holds(stack, OURS)
        assert said(stack, "6 of 12 pictures")


def test_pictures_that_imagej_metadata_do_not_list_are_refused(tmp_path: Path) -> None:
    text = "ImageJ=1.54f\nimages=6\nframes=6\n"
    path = write_ome(tmp_path / "v.tif", np.concatenate([OURS, THEIRS]), text)
    with pytest.raises(StackError, match="unusual layout"):
        open_stack(path)


def ome_set(folder: Path) -> Path:
    write_ome(folder / "v_1.ome.tif", OURS[3:], two_files(B))
    return write_ome(folder / "v.ome.tif", OURS[:3], two_files(A))


def incomplete_ome_set(folder: Path) -> Path:
    return write_ome(folder / "v_1.ome.tif", OURS[3:], two_files(B))


def stopped_micro_manager(folder: Path) -> Path:
    write_mm_stack(folder / "v_MMStack_Pos1.ome.tif", THEIRS, summary={"Positions": 2})
    return write_mm_stack(folder / "v_MMStack_Pos0.ome.tif", OURS, summary={"Positions": 2})


def ndtiff(folder: Path) -> Path:
    write_ndtiff(folder, {"v_NDTiffStack.tif": OURS[:4], "v_NDTiffStack_1.tif": OURS[4:]}, TIMES)
    return folder / "v_NDTiffStack.tif"


def longer_ome(folder: Path) -> Path:
    return write_ome(folder / "v.ome.tif", OURS[:4], one_file("v.ome.tif", A, A))


@pytest.mark.parametrize("write", [ome_set, incomplete_ome_set, stopped_micro_manager, ndtiff, longer_ome])
def test_no_warning_reaches_the_screen(
    tmp_path: Path, write: Callable[[Path], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_stack(path) as stack:
            stack.as_array()[:]
            assert stack.times_s is None
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""
