from dataclasses import replace

import numpy as np
import pytest
import zarr

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.errors import OutputError
from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.results import ResultsWriter, StoreHeader, open_results
from sam2flow_core.results.reader import take_pixels
from sam2flow_core.results.writer import compose_tile

SHAPE = (7, 40, 60)
SETTINGS = StoreSettings(chunk_frames=3, tile=16, index_frames=5)


def header(crops: dict[int, tuple[int, int]], start: int = 0, stop: int = 7) -> StoreHeader:
    return StoreHeader(SHAPE, start, stop, crops, {v: f"vessel {v}" for v in crops}, {}, "video")


def vessel(vessel_id: int, offset: tuple[int, int], size: tuple[int, int], value: float | None) -> VesselFlow:
    mask = np.zeros(size, bool)
    mask[1:-1, 1:-1] = True
    flow = None if value is None else np.where(mask, np.array([[[value]], [[-value]]]), 0).astype(np.float32)
    scale = None if value is None else np.where(mask, value / 8, 0).astype(np.float32)
    return VesselFlow.of(vessel_id, offset, mask, flow, scale, 0.75, 0.5, 0.25 if vessel_id == 7 else np.nan)


def frames(start: int = 0, stop: int = 7) -> list[FrameFlow]:
    def one(t: int) -> FrameFlow:
        value = None if t == stop - 1 else t + 1.0
        vessels = (vessel(3, (-2 + t, 5), (12, 20), value), vessel(7, (4, 40 + t), (10, 20), value))
        return FrameFlow(t, (0.5 * t, -0.25 * t), vessels)

    return [one(t) for t in range(start, stop)]


def test_tracks_read_back_what_was_written(tmp_path):
    given = frames()
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20), 7: (10, 20)}), SETTINGS)
    for chunk in (given[:3], given[3:6], given[6:]):
        writer.write(chunk)
    track = open_results(tmp_path).track(7)
    assert track.name == "vessel 7"
    np.testing.assert_array_equal(track.frames, np.arange(7))
    np.testing.assert_array_equal(track.offsets, [v.vessels[1].offset for v in given])
    np.testing.assert_array_equal(track.mask, [v.vessels[1].mask for v in given])
    np.testing.assert_array_equal(track.flow, [v.vessels[1].flow for v in given[:-1]])
    np.testing.assert_array_equal(track.scale, [v.vessels[1].scale for v in given[:-1]])
    np.testing.assert_array_equal(track.shifts, [v.shift for v in given])
    assert track.mask_iou.tolist() == [0.75] * 7 and track.object_score.tolist() == [0.5] * 7
    assert track.round_trip.tolist() == [0.25] * 6


def test_overlays_lie_on_the_recorded_frames(tmp_path):
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20), 7: (10, 20)}), SETTINGS)
    writer.write(frames()[:3])
    results = open_results(tmp_path)
    labels, flow = np.asarray(results.labels[2]), np.asarray(results.flow[2])
    assert labels.shape == (40, 60) and flow.shape == (2, 40, 60)
    expected = np.zeros((40, 60), int)
    expected[1:11, 6:24] = 3  # offset (0, 5), one px of rim
    expected[5:13, 43:60] = 7  # reaches past the right edge, which cuts it
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(flow[0], np.where(expected > 0, 3.0, 0))
    np.testing.assert_array_equal(flow[1], np.where(expected > 0, -3.0, 0))


def test_where_vessels_cross_the_lower_id_is_shown_and_each_keeps_its_flow(tmp_path):
    first = FrameFlow(0, (0, 0), (vessel(9, (0, 0), (10, 10), 5.0), vessel(2, (4, 4), (10, 10), 1.0)))
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({2: (10, 10), 9: (10, 10)}), SETTINGS)
    writer.write([first, FrameFlow(1, (0, 0), ())])
    results = open_results(tmp_path)
    assert results.labels[0, 6, 6] == 2 and results.flow[0, 0, 6, 6] == 1.0
    assert results.labels[0, 2, 2] == 9
    assert results.track(9).flow[0, 0, 6, 6] == 5.0


def test_no_answer_is_a_gap_and_not_zero(tmp_path):
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20), 7: (10, 20)}), SETTINGS)
    lost = FrameFlow(1, (0, 0), (vessel(3, (0, 0), (12, 20), None),))
    writer.write([frames()[0], lost, frames()[2]])
    results = open_results(tmp_path)
    assert np.isnan(results.track(7).flow[1][:, 1:-1, 1:-1]).all() and not results.track(7).mask[1].any()
    assert np.isnan(results.flow[1, 0, 5, 10]) and results.flow[1, 0, 30, 10] == 0


def test_a_run_over_part_of_the_recording_keeps_its_frame_numbers(tmp_path):
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20), 7: (10, 20)}, 2, 6), SETTINGS)
    writer.write(frames(2, 6)[:1])
    writer.write(frames(2, 6)[1:])
    results = open_results(tmp_path)
    track = results.track(3)
    np.testing.assert_array_equal(track.frames, [2, 3, 4, 5])
    assert track.flow.shape[0] == 3 and np.isfinite(track.flow).all()
    assert results.labels.shape == SHAPE and not np.asarray(results.labels[:2]).any()


def grown(value: float, rows: slice) -> VesselFlow:
    """A vessel whose mask has other rows than before."""
    one = vessel(7, (4, 40), (10, 20), value)
    mask = np.zeros((10, 20), bool)
    mask[rows, 3:17] = True
    flow = np.broadcast_to(one.flow[:, 5:6, 5:6], (2, 10, 20))
    return VesselFlow.of(7, one.offset, mask, flow, np.full((10, 20), value / 8), 0.75, 0.5, 0.25)


def test_pixels_that_a_vessel_gains_later_are_kept_too(tmp_path):
    """The crop holds what each mask covered; frames from before are 0 there, and writing again changes nothing."""
    given = [FrameFlow(t, (0, 0), (grown(t + 1.0, slice(2, 4 + t)),)) for t in range(6)]
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({7: (10, 20)}), SETTINGS)
    writer.write([FrameFlow(t, (0, 0), ()) for t in range(3)])  # not seen at first
    assert open_results(tmp_path).track(7).mask.shape == (3, 10, 20)
    for chunk in (given[:3], given[3:]):
        writer.write(chunk)
    ResultsWriter.reopen(tmp_path / "results.zarr").write(given[3:])
    track = open_results(tmp_path).track(7)
    np.testing.assert_array_equal(track.mask, [f.vessels[0].mask for f in given])
    np.testing.assert_array_equal(track.flow, [f.vessels[0].flow for f in given[:5]])
    index = np.flatnonzero(np.ones((10, 20)))
    np.testing.assert_array_equal(take_pixels(track.flow, slice(0, 5), index), np.reshape(track.flow, (5, 2, -1)))


def test_pixels_of_which_a_killed_run_wrote_only_the_number_are_none(tmp_path):
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({7: (10, 20)}), SETTINGS)
    frame = FrameFlow(0, (0, 0), (grown(1.0, slice(2, 4)),))
    writer.write([frame])
    group = zarr.open_group(tmp_path / "results.zarr")["vessels/7"]
    for name in ("mask", "flow", "scale", "pixels"):
        group[name].resize((*group[name].shape[:-1], group[name].shape[-1] + 5))
    np.testing.assert_array_equal(open_results(tmp_path).track(7).mask[0], frame.vessels[0].mask)
    later = FrameFlow(1, (0, 0), (grown(2.0, slice(5, 9)),))
    ResultsWriter.reopen(tmp_path / "results.zarr").write([later])
    np.testing.assert_array_equal(open_results(tmp_path).track(7).mask[1], later.vessels[0].mask)


def test_results_of_padded_crops_still_open_and_are_not_written_on(tmp_path):
    """Layout 1, as earlier versions wrote it."""
    given = frames()
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20), 7: (10, 20)}), SETTINGS)
    for chunk in (given[:3], given[3:6], given[6:]):
        writer.write(chunk)
    now = open_results(tmp_path)
    root = zarr.open_group(tmp_path / "results.zarr")
    for name in ("3", "7"):
        group, track = root[f"vessels/{name}"], now.track(int(name))
        whole = {field: np.asarray(getattr(track, field)) for field in ("mask", "flow", "scale")}
        for field, values in whole.items():
            stored = values if field == "mask" else values.astype(np.float16)
            group.create_array(field, data=stored, chunks=(3, *values.shape[1:]), overwrite=True)
        del group["pixels"]
    root.attrs["schema_version"] = 1
    before = open_results(tmp_path).track(7)
    np.testing.assert_array_equal(before.flow, whole["flow"])
    np.testing.assert_array_equal(before.mask[2], whole["mask"][2])
    with pytest.raises(OutputError, match="earlier SAM2Flow"):
        ResultsWriter.reopen(tmp_path / "results.zarr")


def test_padding_takes_no_space(tmp_path):
    """A thin vessel across the frame is stored by its own pixels: a crop that is all but empty costs nothing."""
    mask = np.eye(40, dtype=bool)
    flow = np.where(mask, np.random.default_rng(0).normal(size=(2, 40, 40)), 0).astype(np.float32)
    diagonal = VesselFlow.of(1, (0, 0), mask, flow, flow[0], 1.0, 1.0)
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({1: (40, 40)}), SETTINGS)
    writer.write([FrameFlow(0, (0, 0), (diagonal,)), FrameFlow(1, (0, 0), (diagonal,))])
    assert zarr.open_group(tmp_path / "results.zarr")["vessels/1/flow"].shape == (6, 2, 40)
    np.testing.assert_array_equal(open_results(tmp_path).track(1).mask[0], mask)


def test_frames_done_counts_what_is_there(tmp_path):
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20), 7: (10, 20)}), SETTINGS)
    assert open_results(tmp_path).frames_done == 0
    writer.write(frames()[:3])
    assert open_results(tmp_path).frames_done == 3
    assert open_results(tmp_path).track(3).flow.shape[0] == 2
    ResultsWriter.reopen(tmp_path / "results.zarr").write(frames()[3:])
    assert open_results(tmp_path).frames_done == 7


def test_small_arrays_that_end_and_go_on_within_a_chunk_are_those_written_at_once(tmp_path):
    """A writer keeps the last chunk of what is a few numbers a frame; another one goes on with what is there."""
    crops, given = {3: (12, 20), 7: (10, 20)}, frames()
    writer = ResultsWriter.create(tmp_path / "one" / "results.zarr", header(crops), SETTINGS)
    writer.write(given)
    writer = ResultsWriter.create(tmp_path / "many" / "results.zarr", header(crops), SETTINGS)
    for first, stop in ((0, 2), (2, 4), (1, 4), (4, 6), (6, 7)):  # 5 frames a chunk; some are written twice
        writer.write(given[first:stop])
        if stop == 4:
            writer = ResultsWriter.reopen(tmp_path / "many" / "results.zarr")
    stored = [
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path / "one", tmp_path / "many")
    ]
    assert stored[0] == stored[1]


def test_tiles_without_a_vessel_take_no_space(tmp_path):
    writer = ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20)}), SETTINGS)
    writer.write([FrameFlow(0, (0, 0), (vessel(3, (0, 0), (12, 20), 2.0),))])
    chunks = {
        p.relative_to(tmp_path).as_posix() for p in (tmp_path / "results.zarr/labels/c").rglob("*") if p.is_file()
    }
    assert chunks == {"results.zarr/labels/c/0/0/0", "results.zarr/labels/c/0/0/1"}


def test_a_folder_without_results_is_one_clear_line(tmp_path):
    with pytest.raises(OutputError, match=r"no results of a run there") as caught:
        open_results(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_layout_of_the_future_is_refused(tmp_path):
    ResultsWriter.create(tmp_path / "results.zarr", header({3: (12, 20)}), SETTINGS)
    zarr.open_group(tmp_path / "results.zarr", mode="r+").attrs["schema_version"] = 99
    with pytest.raises(OutputError, match="layout 99"):
        open_results(tmp_path)


def test_frames_composed_together_are_those_composed_one_by_one():
    """Frames whose masks lie as in the frame before take over its labels, answered or not."""
    still = [vessel(2, (4, 4), (10, 10), None), vessel(9, (0, 0), (10, 10), None)]
    one, two, five = (vessel(2, (0, 0), (10, 10), value).moves for value in (1.0, 2.0, 5.0))
    moves = [(None, None), (one, None), (None, None), (two, five)]
    given = [
        FrameFlow(t, (0, 0), tuple(replace(v, moves=m) for v, m in zip(still, both, strict=True)))
        for t, both in enumerate(moves)
    ]
    given.append(FrameFlow(4, (1, 0), (replace(still[0], offset=(5, 4)), still[1])))
    tile = slice(0, 16), slice(0, 16)
    flow, labels = compose_tile(given, *tile)
    for t, frame in enumerate(given):
        alone = compose_tile([frame], *tile)
        np.testing.assert_array_equal(flow[t], alone[0][0])
        np.testing.assert_array_equal(labels[t], alone[1][0])
    assert np.isnan(flow[0, 0, 6, 6]) and flow[1, 0, 6, 6] == 1.0 and np.isnan(flow[1, 0, 2, 2])
    assert labels[3, 5, 6] == 2 and labels[4, 5, 6] == 9
