"""Readers, writers, sample and manifest, through napari's own doors."""

import av
import numpy as np
import pytest
from clicks import click
from conftest import PATIENCE, write_recording
from npe2 import PluginManifest

import sam2flow_napari
from sam2flow_core.prompts import Prompt, read_prompts
from sam2flow_core.stack.video import VIDEO_SUFFIXES
from sam2flow_napari import file_menu
from sam2flow_napari.file_menu import write_prompt_points
from sam2flow_napari.layers.factory import STACK_KEY
from sam2flow_napari.widgets.building_blocks import recordings_filter


@pytest.fixture(scope="module")
def manifest():
    from importlib.resources import files

    return PluginManifest.from_file(files(sam2flow_napari) / "napari.yaml")


def test_every_command_of_the_manifest_exists(manifest):
    manifest.validate_imports()
    assert manifest.name == "sam2flow"
    assert {c.id.split(".")[0] for c in manifest.contributions.commands} == {"sam2flow"}


def test_manifest_names_no_command_that_it_lacks(manifest):
    known = {c.id for c in manifest.contributions.commands}
    contributions = manifest.contributions
    used = {
        c.command for kind in ("readers", "writers", "widgets", "sample_data") for c in getattr(contributions, kind)
    }
    used |= {item.command for items in contributions.menus.values() for item in items}
    assert used <= known


def test_recordings_open_lazily_with_units(recording_path):
    reader = file_menu.get_stack_reader(str(recording_path))
    ((data, arguments, kind),) = reader(str(recording_path))
    assert kind == "image"
    assert not isinstance(data, np.ndarray)
    assert data.shape == (40, 64, 96)
    assert arguments["units"] == ("s", "um", "um")
    assert arguments["contrast_limits"][0] < arguments["contrast_limits"][1]
    arguments["metadata"][STACK_KEY].close()


def test_videos_open_as_recordings_do(tmp_path):
    path = tmp_path / "bedside.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for t in range(6):
            frame = np.random.default_rng(t).integers(0, 255, (48, 64), dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    ((data, arguments, _kind),) = file_menu.get_stack_reader(str(path))(str(path))
    assert data.shape == (6, 48, 64) and arguments["name"] == "bedside"
    arguments["metadata"][STACK_KEY].close()


def test_napari_and_the_file_dialog_know_every_kind_of_video(manifest):
    (stacks,) = [r for r in manifest.contributions.readers if r.command == "sam2flow.get_stack_reader"]
    for ending in VIDEO_SUFFIXES:
        assert f"*{ending}" in stacks.filename_patterns
        assert f"*{ending}" in recordings_filter()


def test_other_files_are_left_to_other_readers(tmp_path):
    (tmp_path / "a.tif").write_text("no")
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a.zarr").mkdir()
    assert file_menu.get_stack_reader(str(tmp_path / "a.tif")) is None
    assert file_menu.get_stack_reader([str(tmp_path / "a.tif")]) is None
    assert file_menu.get_prompts_reader(str(tmp_path / "a.csv")) is None
    assert file_menu.get_project_reader(str(tmp_path / "a.zarr")) is None


def test_a_project_opens_its_recording_and_the_dock_its_prompts(bench, make_bench, qtbot):
    click(bench.session, 2, 10.0, 11.0)
    folder = str(bench.session.folder)
    bench.close()
    again = make_bench()
    for data, arguments, _kind in file_menu.get_project_reader(folder)(folder):
        again.viewer.add_image(data, **arguments)
    assert again.session.state.prompts == (Prompt(1, 2, 10.0, 11.0, 1),)


def test_a_project_whose_recording_is_gone_says_so(bench, recording_path):
    from sam2flow_core.errors import StackError

    click(bench.session, 2, 10.0, 11.0)
    folder = str(bench.session.folder)
    bench.close()
    recording_path.unlink()
    with pytest.raises(StackError, match="has moved"):
        file_menu.get_project_reader(folder)(folder)


def test_results_open_without_the_dock(bench, qtbot):
    click(bench.session, 0, 15.0, 40.0)
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=PATIENCE)
    folder = str(bench.session.results)
    for path in (folder, f"{folder}/results.zarr"):
        layers = file_menu.get_project_reader(path)(path)
        assert [kind for _, _, kind in layers] == ["labels", "image"]
        assert all(arguments["units"] == ("s", "um", "um") for _, arguments, _ in layers)
        assert layers[1][0][3].max() == pytest.approx(150, rel=1e-3)


def test_prompts_survive_writing_and_reading(bench, tmp_path):
    click(bench.session, 2, 10.25, 11.5)
    click(bench.session, 3, 12.0, 13.0, label=0)
    points = bench.scene.prompts.layer
    path = str(tmp_path / "p.csv")
    assert write_prompt_points(path, points.data, {"features": points.features}) == [path]
    assert read_prompts(path) == bench.session.state.prompts
    ((data, arguments, kind),) = file_menu.get_prompts_reader(path)(path)
    assert kind == "points"
    np.testing.assert_array_equal(data, points.data)
    assert arguments["features"]["label"] == [1, 0]


def test_points_without_features_are_written_as_one_vessel(tmp_path):
    path = str(tmp_path / "p.csv")
    write_prompt_points(path, np.array([[1.2, 3, 4]]), {})
    assert read_prompts(path) == (Prompt(1, 1, 3.0, 4.0, 1),)


def test_sample_opens_with_its_prompts(make_bench):
    bench = make_bench()
    bench.open_sample()
    assert bench.session.recording.shape[0] >= 100
    assert bench.session.recording.spacing.speed_unit == "um/s"
    assert not bench.session.folder.is_relative_to(bench.session.recording.path.parent)


def test_uncalibrated_layers_are_in_pixels(tmp_path):
    path = str(write_recording(tmp_path / "raw.tif", calibrated=False))
    ((_, arguments, _),) = file_menu.read_stack(path)
    assert arguments["units"] == ("pixel", "pixel", "pixel")
    arguments["metadata"][STACK_KEY].close()
