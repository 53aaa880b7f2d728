import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from worlds import world

from sam2flow_core.errors import DataError
from sam2flow_core.prompts import check_prompts
from sam2flow_core.synthetic import (
    film_long,
    read_capflow,
    read_cases,
    recorded_flow,
    true_displacement,
    true_flow,
    write_capflow,
    write_cases,
)
from sam2flow_core.synthetic.case_files import write_case


@pytest.fixture(scope="module")
def moving_case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    scene = world(21, (64, 80), plan=("pair",), motion_probability=1.0, diameter_px=(12.0, 12.0))
    frames = np.array([0, 1, 1, 3, 4])
    write_case(folder / "one", scene, frames, 12, np.random.default_rng(0))
    return scene, frames, read_cases(folder)[0]


def test_a_case_comes_back_as_it_was(moving_case):
    scene, frames, case = moving_case
    flow, leaves = true_flow(scene, frames[:-1], frames[1:])
    for pair in range(4):
        stored_flow, stored_leaves = case.flow(pair)
        assert np.array_equal(stored_flow, flow[pair].numpy())
        assert np.array_equal(stored_leaves, leaves[pair].numpy())
        whole = recorded_flow(scene, int(frames[pair]), int(frames[pair + 1]))
        assert np.array_equal(case.recorded_flow(pair), whole)
    moved = true_displacement(scene, frames[:-1], frames[1:])
    assert np.allclose(np.stack([v.displacement for v in case.vessels], 1), moved)
    assert np.array_equal(np.stack([v.mask for v in case.vessels]), scene.masks)
    assert np.allclose(case.shifts, scene.shifts(frames))
    assert np.allclose(case.vessels[1].centreline, scene.vessels[1].centreline)


def test_lost_and_repeated_frames_are_in_the_truth(moving_case):
    _, _, case = moving_case
    normal, repeated, jumped = (np.abs(case.flow(pair)[0]).max() for pair in (0, 1, 2))
    assert repeated == 0
    assert jumped == pytest.approx(2 * normal, rel=0.15)


def test_the_stack_is_a_calibrated_recording(moving_case):
    scene, frames, case = moving_case
    with tifffile.TiffFile(case.stack) as file:
        counts, tags = file.asarray(), file.imagej_metadata
        resolution = file.pages[0].tags["XResolution"].value
    assert counts.shape == (5, 64, 80) and counts.dtype == np.uint16
    assert counts.max() <= 4095
    assert np.array_equal(counts[1], counts[2])
    assert tags["finterval"] == pytest.approx(0.01) and tags["unit"] == "um"
    assert resolution[1] / resolution[0] == pytest.approx(0.6)
    video = np.concatenate(list(film_long(scene, frames)))
    assert np.abs(counts / 4095 - video).max() < 1 / 4095


def test_prompts_lie_in_their_vessels_and_negative_ones_do_not(moving_case):
    scene, _, case = moving_case
    check_prompts(case.prompts, (5, 64, 80))
    for prompt in case.prompts:
        mask = scene.masks_at(0)[prompt.vessel_id - 1]
        assert mask[round(prompt.y), round(prompt.x)] == bool(prompt.label)
    assert {p.label for p in case.prompts} == {0, 1}


def test_cells_are_where_the_recording_shows_them(moving_case):
    scene, _, case = moving_case
    cells = pd.read_csv(case.stack.parent / "cells.csv")
    assert set(cells.columns) == {"frame", "vessel_id", "cell", "y", "x"}
    counts = tifffile.imread(case.stack)[0].astype(float)
    first = cells[(cells.frame == 0) & cells.y.between(1, 62) & cells.x.between(1, 78)]
    at_cells = counts[first.y.round().astype(int), first.x.round().astype(int)]
    lumen = counts[scene.masks_at(0).any(0)]
    assert len(first) > 3
    assert at_cells.mean() < np.median(lumen)  # absorbing cells are dark


def test_the_same_seed_writes_the_same_files(tmp_path):
    done = []
    for name in ("a", "b"):
        write_cases(tmp_path / name, 1, seed=3, size=64, frames=3, progress=lambda n, of: done.append((n, of)))
    one, two = (read_cases(tmp_path / name)[0] for name in ("a", "b"))
    assert np.array_equal(tifffile.imread(one.stack), tifffile.imread(two.stack))
    assert np.array_equal(one.flow(1)[0], two.flow(1)[0])
    assert done == [(1, 1), (1, 1)]


def test_mistakes_are_told_in_one_line(tmp_path):
    with pytest.raises(DataError, match="no synthetic cases"):
        read_cases(tmp_path)
    with pytest.raises(DataError, match="at least"):
        write_cases(tmp_path, 1, seed=0, size=8)
    write_cases(tmp_path, 1, seed=0, size=48, frames=2)
    with pytest.raises(DataError, match="exists already"):
        write_cases(tmp_path, 1, seed=0, size=48, frames=2)
    (tmp_path / "case-0000" / "stack.tif").unlink()
    with pytest.raises(DataError, match=r"stack\.tif is missing"):
        read_cases(tmp_path)


def test_capflow_round_trip(tmp_path):
    scene = world(22, (64, 80), plan=("single",), motion_probability=1.0)
    frames = np.arange(4)
    write_capflow(tmp_path / "root", tmp_path / "raw", "train", "video1", scene, frames)
    (video,) = read_capflow(tmp_path / "root", tmp_path / "raw", "train")
    assert [path.name for path in video.frames] == ["0000.png", "0001.png", "0002.png", "0003.png"]
    expected = recorded_flow(scene, 1, 2)[0]
    assert video.flow(1).shape == (2, 64, 80)
    assert np.allclose(video.flow(1), expected, rtol=1e-3, atol=1e-3)
    assert np.array_equal(video.mask(), scene.masks_at(0)[0])
    light = np.concatenate(list(film_long(scene, frames)))
    assert np.abs(video.frame(2) / 255 - light[2]).max() < 0.003


def test_capflow_says_what_is_missing(tmp_path):
    with pytest.raises(DataError, match="no CapFlow videos"):
        list(read_capflow(tmp_path, tmp_path, "test"))
    write_capflow(tmp_path, tmp_path, "train", "v", world(22, (48, 48)), np.arange(2))
    (tmp_path / "train" / "mask" / "v.png").unlink()
    with pytest.raises(DataError, match="mask"):
        list(read_capflow(tmp_path, tmp_path, "train"))


@pytest.mark.parametrize("damage", ["zarr.json", "masks/zarr.json", "a chunk", "displacement"])
def test_a_case_whose_truth_is_damaged_is_told_as_such(moving_case, tmp_path, damage):
    shutil.copytree(moving_case[2].stack.parent, tmp_path / "one")
    truth = tmp_path / "one" / "truth.zarr"
    if damage == "displacement":
        shutil.rmtree(truth / damage)
    else:
        chunk = next(p for p in sorted((truth / "masks").rglob("*")) if p.is_file() and p.name != "zarr.json")
        (chunk if damage == "a chunk" else truth / damage).write_bytes(b"{no")
    with pytest.raises(DataError, match="make the case anew"):
        read_cases(tmp_path)


def test_flow_of_a_case_that_is_damaged_is_told_as_such(moving_case, tmp_path):
    shutil.copytree(moving_case[2].stack.parent, tmp_path / "one")
    (case,) = read_cases(tmp_path)
    shutil.rmtree(tmp_path / "one" / "truth.zarr" / "flow")
    with pytest.raises(DataError, match="make the case anew"):
        case.flow(0)
