"""Runs, previews and results on a viewer without a window, with an engine that writes real files."""

from dataclasses import replace

import fake_engine
import numpy as np
import pytest
from clicks import click
from conftest import FRAMES, PATIENCE, write_recording
from fake_engine import CROP, SPEED, FakeEngine, answer
from napari.utils.notifications import notification_manager

from sam2flow_core.errors import ModelError, OutputError
from sam2flow_core.inference.steps import FrameFlow
from sam2flow_core.project import CalibrationEdit, next_run_folder
from sam2flow_core.prompts import Prompt
from sam2flow_napari.layers.frame_vectors import shown_vectors
from sam2flow_napari.layers.overlays import ARROWS, LINES, VESSELS
from sam2flow_napari.layers.overlays import SPEED as SPEED_LAYER

UM_S = 0.5 * 100  # the recording's pixel size times its frame rate


@pytest.fixture
def messages():
    notification_manager.records.clear()
    return lambda: [n.message for n in notification_manager.records]


def mark_two(bench):
    click(bench.session, 0, 15.0, 40.0)
    bench.session.activate_next()
    click(bench.session, 0, 45.0, 40.0)


def run_to_end(bench, qtbot):
    bench.runs.start()
    qtbot.waitUntil(lambda: not bench.runs.running and bench.runs.tables is not None, timeout=PATIENCE)


def layer(bench, start):
    return next(x for x in bench.viewer.layers if x.name.startswith(start))


def names(bench):
    return [x.name for x in bench.viewer.layers if x.visible]


def test_opening_places_recording_and_prompts_with_units(bench):
    assert names(bench) == ["cells", VESSELS, "vessel numbers", "prompts"]
    for x in bench.viewer.layers:
        assert tuple(str(u) for u in x.units) == ("second", "micrometer", "micrometer")[-x.ndim :]
        assert tuple(x.axis_labels) == ("t", "y", "x")[-x.ndim :]
        np.testing.assert_allclose(x.scale, (0.01, 0.5, 0.5)[-x.ndim :])


def test_what_is_said_at_one_time_is_one_notification(bench, qtbot, messages, tmp_path, monkeypatch):
    """Of several that come together, napari takes only the last away again: the others stay over the picture."""
    bench.open(write_recording(tmp_path / "without.tif", calibrated=False))
    problems = bench.session.recording.stack.problems
    assert len(problems) > 1 and messages() == ["\n".join(problems)]
    notification_manager.records.clear()
    write = fake_engine.write_tables
    monkeypatch.setattr(fake_engine, "write_tables", lambda *a: replace(write(*a), notices=("one thing", "another")))
    mark_two(bench)
    run_to_end(bench, qtbot)
    assert messages() == ["one thing\nanother"]


def test_the_clicks_mask_appears_on_all_frames(bench, qtbot):
    click(bench.session, 3, 15.0, 40.0)
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)
    for t in (0, 3, FRAMES - 1):
        assert np.unique(layer(bench, VESSELS).data[t]).tolist() == [0, 1]
    assert layer(bench, VESSELS).data[0][15, 40] == 1


def test_undo_takes_the_mask_away(bench, qtbot):
    click(bench.session, 3, 15.0, 40.0)
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=PATIENCE)
    bench.session.undo()
    assert layer(bench, VESSELS).data[0].max() == 0


def test_only_the_newest_of_many_clicks_is_answered(bench, engine, qtbot):
    engine.preview_gate.clear()
    for y in range(10, 30):
        click(bench.session, 0, float(y), 40.0)
    engine.preview_gate.set()
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert len(engine.asked) <= 2
    assert len(engine.asked[-1][1]) == 20


def test_masks_are_asked_for_anew_at_the_resolution_that_a_pixel_size_typed_by_hand_gives(bench, engine, qtbot):
    click(bench.session, 0, 15.0, 40.0)
    qtbot.waitUntil(lambda: len(engine.asked) == 1, timeout=PATIENCE)
    assert engine.opened[-1].working_resolution == 1
    bench.session.calibrate(CalibrationEdit(pixel_size_um=0.2))
    qtbot.waitUntil(lambda: len(engine.asked) == 2, timeout=PATIENCE)
    assert engine.opened[-1].working_resolution == 3
    bench.session.calibrate(CalibrationEdit(pixel_size_um=0.2, frame_rate_hz=50))  # which changes no mask
    bench.choose_run(replace(bench.session.run_choices, working_resolution=2))
    qtbot.waitUntil(lambda: len(engine.asked) == 3, timeout=PATIENCE)
    assert engine.opened[-1].working_resolution == 2
    assert bench.session.project.run.working_resolution == 2


def test_another_range_is_answered_with_other_masks(bench, engine, qtbot):
    click(bench.session, 0, 15.0, 40.0)
    qtbot.waitUntil(lambda: len(engine.asked) == 1, timeout=PATIENCE)
    chosen = replace(bench.session.run_choices, stop=10)
    bench.choose_run(chosen)
    qtbot.waitUntil(lambda: len(engine.asked) == 2, timeout=PATIENCE)
    assert engine.asked[0] == engine.asked[1]
    assert engine.opened[-1] == bench.session.preview_choices == replace(chosen, working_resolution=1)
    bench.choose_run(chosen)
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert len(engine.asked) == 2


def test_stale_masks_are_dropped(bench, engine, qtbot):
    engine.preview_gate.clear()
    click(bench.session, 0, 15.0, 40.0)
    qtbot.waitUntil(lambda: len(engine.asked) == 1, timeout=PATIENCE)
    bench.session.undo()
    engine.preview_gate.set()
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert not layer(bench, VESSELS).data[0].any()


def test_a_run_from_clicks_to_tables(bench, engine, qtbot):
    mark_two(bench)
    seen = []
    bench.runs.progressed.connect(lambda p: seen.append(type(p.event).__name__))
    run_to_end(bench, qtbot)
    assert seen == ["Started", *["FrameDone"] * FRAMES, "Stage", "Finished"]
    request = engine.requests[0]
    assert request.prompts == bench.session.state.prompts
    assert request.out == bench.session.folder / "run-001"
    assert list(bench.runs.tables.summary["vessel_id"]) == [1, 2]
    speed = layer(bench, SPEED_LAYER)
    assert speed.name == "speed (um/s)"
    assert speed.data[5].max() == pytest.approx(SPEED * UM_S, rel=1e-3)
    assert speed.data[5][0, 0] == 0
    assert speed.contrast_limits[1] >= SPEED * UM_S
    assert speed.data[FRAMES - 1].max() == 0
    assert names(bench)[-1] == "prompts"


def test_layers_of_a_run_all_have_units(bench, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    assert len(bench.viewer.layers) >= 7
    for x in bench.viewer.layers:
        assert tuple(str(u) for u in x.units) == ("second", "micrometer", "micrometer")[-x.ndim :], x.name
        assert tuple(x.axis_labels) == ("t", "y", "x")[-x.ndim :]
        np.testing.assert_allclose(x.scale, (0.01, 0.5, 0.5)[-x.ndim :])
    assert [str(u) for u in bench.viewer.layers.extent.units] == ["second", "micrometer", "micrometer"]


def test_speed_colours_reach_as_far_as_the_first_flow_and_the_legend_says_so(bench):
    scene, prompts = bench.scene, (Prompt(1, 0, 20.0, 30.0, 1),)
    scene.start_run(None)
    scene.show_frame(FrameFlow(0, (0.0, 0.0), (answer(1, prompts, last=True),)))  # a repeated frame has no flow
    scene.show_frame(FrameFlow(1, (0.0, 0.0), (answer(1, prompts),)))
    speed = layer(bench, SPEED_LAYER)
    assert speed.contrast_limits[1] == scene.overlays.speed_limit >= SPEED * UM_S
    scene.start_run(None)
    assert speed.contrast_limits[1] == scene.overlays.speed_limit < SPEED * UM_S


def test_arrows_are_those_of_the_current_frame_only(bench, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    arrows = layer(bench, ARROWS)
    for _ in range(2):
        bench.viewer.dims.set_current_step(0, FRAMES - 1)
        qtbot.waitUntil(lambda: len(shown_vectors(arrows)) == 0, timeout=PATIENCE)
        bench.viewer.dims.set_current_step(0, 11)
        qtbot.waitUntil(lambda: len(shown_vectors(arrows)) > 0, timeout=PATIENCE)
        dx = shown_vectors(arrows)[:, 1, 1]
        lower = shown_vectors(arrows)[:, 0, 0] > 30
        assert (dx[~lower] > 0).all()
        assert (dx[lower] < 0).all()


def test_centrelines_point_along_the_flow_and_move_with_the_slider(bench, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    lines = layer(bench, LINES)
    bench.viewer.dims.set_current_step(0, 9)
    qtbot.waitUntil(lambda: len(lines.data) > 0, timeout=PATIENCE)
    segments = shown_vectors(lines)
    upper = segments[:, 0, 0] < 30
    body = segments[:, 1, 0] == 0
    assert (segments[upper & body][:, 1, 1] > 0).all() and (segments[~upper & body][:, 1, 1] < 0).all()
    # The strokes of the arrow head lie behind its tip.
    assert (segments[upper & ~body][:, 1, 1] < 0).all() and (upper & ~body).sum() == 2
    bench.session.show_vessel(2, False)
    qtbot.waitUntil(lambda: (shown_vectors(lines)[:, 0, 0] < 30).all(), timeout=PATIENCE)
    bench.runs.start()
    assert not lines.visible
    qtbot.waitUntil(lambda: bench.runs.tables is not None and not bench.runs.running, timeout=PATIENCE)


def test_results_stream_in_while_the_run_goes_on(bench, engine, qtbot):
    mark_two(bench)
    engine.seconds_a_frame = 0.02
    bench.runs.start()
    qtbot.waitUntil(lambda: any(n.startswith(SPEED_LAYER) for n in names(bench)), timeout=PATIENCE)
    assert bench.runs.running
    assert bench.scene.frames.labels(0).max() == 2
    bench.runs.cancel()
    qtbot.waitUntil(lambda: not bench.runs.running, timeout=PATIENCE)


def test_frames_that_left_memory_are_read_from_disk(make_bench, engine, tmp_path, qtbot):
    bench = make_bench()
    bench.open(write_recording(tmp_path / "long.tif", frames=90))
    mark_two(bench)
    stop_at = 80

    def pause(progress):
        if getattr(progress.event, "frames_done", 0) == stop_at:
            engine.gate.clear()

    bench.runs.progressed.connect(pause)
    engine.seconds_a_frame = 0.01
    bench.runs.start()
    qtbot.waitUntil(lambda: not engine.gate.is_set(), timeout=PATIENCE)
    assert bench.runs.running
    assert 2 not in bench.scene.frames._live
    assert bench.scene.frames.flow(2).max() == pytest.approx(SPEED)
    engine.gate.set()
    qtbot.waitUntil(lambda: not bench.runs.running, timeout=PATIENCE)


def test_cancel_stops_at_the_next_frame_and_keeps_what_is_finished(bench, engine, qtbot, messages):
    mark_two(bench)
    engine.seconds_a_frame = 0.02
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.scene.frames.answered(3), timeout=PATIENCE)
    bench.runs.cancel()
    qtbot.waitUntil(lambda: not bench.runs.running, timeout=PATIENCE)
    assert engine.closed == 1
    assert bench.scene.frames.labels(2).max() == 2
    assert not bench.scene.frames.answered(FRAMES - 1)
    assert any("cancelled" in m for m in messages())
    engine.seconds_a_frame = 0
    run_to_end(bench, qtbot)
    assert engine.requests[-1].out.name == "run-002"


def test_clicks_are_answered_during_a_run(bench, engine, qtbot):
    mark_two(bench)
    engine.seconds_a_frame = 0.02
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.scene.frames.answered(2), timeout=PATIENCE)
    asked = len(engine.asked)
    click(bench.session, 1, 50.0, 50.0)
    qtbot.waitUntil(lambda: len(engine.asked) == asked + 1, timeout=PATIENCE)
    assert bench.runs.running
    bench.runs.cancel()
    qtbot.waitUntil(lambda: not bench.runs.running, timeout=PATIENCE)


@pytest.mark.parametrize("error", [OutputError("the disk is full; free some space"), RuntimeError("CUDA error")])
def test_a_run_that_fails_says_so_and_can_be_repeated(bench, engine, qtbot, messages, error):
    mark_two(bench)
    engine.error = error
    bench.runs.start()
    qtbot.waitUntil(lambda: not bench.runs.running, timeout=PATIENCE)
    assert any(str(error) in m for m in messages())
    engine.error = None
    run_to_end(bench, qtbot)


def test_a_preview_that_fails_says_so_and_keeps_the_click(bench, engine, qtbot, messages):
    engine.preview_error = ModelError("tiny: the weights are missing; reinstall sam2flow")
    click(bench.session, 0, 10.0, 10.0)
    qtbot.waitUntil(lambda: any("weights are missing" in m for m in messages()), timeout=PATIENCE)
    for y in (11.0, 12.0):
        click(bench.session, 0, y, 10.0)
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert len(bench.session.state.prompts) == 3
    assert sum("weights are missing" in m for m in messages()) == 1


def test_a_run_without_clicks_or_with_negative_ones_only_is_refused(bench, engine, messages):
    bench.runs.start()
    bench.session.set_sign(0)
    click(bench.session, 0, 10.0, 10.0)
    bench.runs.start()
    assert engine.requests == []
    assert any("no vessel is marked" in m for m in messages())
    assert any("negative clicks only" in m for m in messages())


def test_a_file_that_is_no_recording_is_refused_and_the_open_one_stays(bench, tmp_path, messages):
    (tmp_path / "no.tif").write_text("text")
    click(bench.session, 0, 1.0, 1.0)
    bench.open(tmp_path / "no.tif")
    assert any("no.tif" in m for m in messages())
    assert bench.session.recording.path.name == "cells.tif"
    assert len(bench.session.state.prompts) == 1


def test_opening_another_recording_closes_the_first_with_its_layers(bench, tmp_path, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    bench.open(write_recording(tmp_path / "other.tif", seed=3))
    qtbot.waitUntil(lambda: names(bench) == ["other", VESSELS, "vessel numbers", "prompts"], timeout=PATIENCE)
    assert bench.session.state.prompts == ()
    bench.open(tmp_path / "cells.tif")
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=PATIENCE)
    assert len(bench.session.state.prompts) == 2


def test_results_come_back_with_the_project(make_bench, bench, recording_path, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    bench.close()
    again = make_bench(engine=FakeEngine())
    again.open(recording_path)
    qtbot.waitUntil(lambda: again.runs.tables is not None, timeout=PATIENCE)
    assert layer(again, SPEED_LAYER).data[5].max() == pytest.approx(SPEED * UM_S, rel=1e-3)


def test_removing_the_recording_saves_and_clears_up(bench, qtbot, make_bench, recording_path):
    mark_two(bench)
    qtbot.waitUntil(lambda: VESSELS in names(bench), timeout=PATIENCE)
    bench.viewer.layers.remove("cells")
    assert bench.session.recording is None
    qtbot.waitUntil(lambda: len(bench.viewer.layers) == 0, timeout=PATIENCE)
    bench.open(recording_path)
    assert len(bench.session.state.prompts) == 2


def test_closing_during_a_run_stops_it_and_saves(bench, engine, qtbot, recording_path, make_bench):
    mark_two(bench)
    engine.seconds_a_frame = 0.02
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.scene.frames.answered(2), timeout=PATIENCE)
    state = bench.session.state
    bench.close()
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert engine.closed == 1
    again = make_bench(engine=FakeEngine())
    again.open(recording_path)
    assert again.session.state == state


def test_nothing_listens_to_the_viewer_after_closing(bench):
    viewer = bench.viewer
    bench.close()
    assert len(viewer.layers) == 1
    viewer.dims.set_current_step(0, 5)
    viewer.add_points(np.zeros((1, 3)), name="mine")
    viewer.layers.clear()
    assert bench.session.recording is None


def test_calibration_entered_by_hand_moves_all_layers(bench, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    bench.session.calibrate(CalibrationEdit(1.0, 50))
    for x in bench.viewer.layers:
        np.testing.assert_allclose(x.scale, (0.02, 1, 1)[-x.ndim :])
    assert layer(bench, SPEED_LAYER).data[5].max() == pytest.approx(SPEED * 50, rel=1e-3)
    assert layer(bench, SPEED_LAYER).contrast_limits[1] >= SPEED * 50


def test_hiding_a_vessel_hides_its_mask_speed_and_arrows(bench, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    bench.session.show_vessel(2, False)
    inside = np.s_[45 - CROP[0] // 2 + 2 : 45, 35:45]
    assert layer(bench, SPEED_LAYER).data[5][inside].max() == 0
    assert np.unique(layer(bench, VESSELS).data[5]).tolist() == [0, 1]
    arrows = layer(bench, ARROWS)
    bench.viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(
        lambda: len(shown_vectors(arrows)) and (shown_vectors(arrows)[:, 0, 0] < 30).all(), timeout=PATIENCE
    )


def test_two_viewers_do_not_know_of_each_other(bench, make_bench, tmp_path):
    other = make_bench(engine=FakeEngine())
    other.open(write_recording(tmp_path / "other.tif", seed=3))
    click(bench.session, 0, 10.0, 10.0)
    assert other.session.state.prompts == ()
    assert other.session.recording.path.name == "other.tif"


def test_labels_have_the_colours_of_the_vessel_list(bench):
    from napari.utils.colormaps.standardize_color import transform_color

    from sam2flow_napari.layers import vessel_colour

    colormap = layer(bench, VESSELS).colormap
    for vessel in (1, 2, 7, 8, 200):
        np.testing.assert_allclose(colormap.map(vessel), transform_color(vessel_colour(vessel))[0], atol=0.01)
    assert colormap.map(0)[3] == 0


def test_a_deleted_overlay_stays_away_until_the_next_run(bench, qtbot):
    mark_two(bench)
    run_to_end(bench, qtbot)
    bench.viewer.layers.remove(layer(bench, SPEED_LAYER))
    bench.viewer.dims.set_current_step(0, 3)
    qtbot.wait(100)
    assert not any(n.startswith(SPEED_LAYER) for n in names(bench))
    run_to_end(bench, qtbot)
    assert [n.split()[0] for n in names(bench)] == ["cells", VESSELS, SPEED_LAYER, "flow", LINES, "vessel", "prompts"]


def test_run_folders_are_never_used_twice(tmp_path):
    (tmp_path / "run-001").mkdir()
    (tmp_path / "run-003").mkdir()
    assert next_run_folder(tmp_path).name == "run-002"
    (tmp_path / "run-002").mkdir()
    assert next_run_folder(tmp_path).name == "run-004"


def test_a_recording_that_is_opened_again_keeps_its_name(bench, recording_path):
    for _ in range(3):
        bench.open(recording_path)
        assert bench.viewer.layers[0].name == "cells"
