"""The project folder: nothing is lost."""

import json
import stat

import numpy as np
import pytest
from clicks import click
from conftest import PATIENCE, write_recording

from sam2flow_core.errors import CalibrationError, OutputError
from sam2flow_core.project import (
    CalibrationEdit,
    Project,
    RunChoices,
    SessionState,
    Vessel,
    read_project,
    write_project,
)
from sam2flow_core.prompts import Prompt, read_prompts
from sam2flow_napari.session import Session, open_recording, project_folder
from sam2flow_napari.session.recording import Autosaver

STATE = SessionState(
    (Vessel(1, "left"), Vessel(4, "Ärmchen", visible=False)), (Prompt(1, 0, 3.25, 4.5, 1), Prompt(4, 7, 1.0, 2.0, 0))
)


def open_session(path):
    session = Session()
    notice = session.open(open_recording(path))
    return session, notice


def test_a_project_reads_back_as_it_was_written(tmp_path, recording_path):
    project = Project(
        recording_path, "abc", STATE, CalibrationEdit(0.5, None), RunChoices(2, 9, "big", "cpu", False, 2.0), "r"
    )
    write_project(tmp_path / "p.sam2flow", project)
    assert read_project(tmp_path / "p.sam2flow") == project
    assert read_prompts(tmp_path / "p.sam2flow" / "prompts.csv") == STATE.prompts


def test_every_click_is_on_disk_soon(recording_path, qtbot):
    session, _ = open_session(recording_path)
    click(session, 2, 3.0, 4.0)
    qtbot.waitUntil(lambda: (session.folder / "project.json").is_file(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: read_project(session.folder).state == session.state, timeout=PATIENCE)
    session.close()


def test_reopening_brings_everything_back(recording_path):
    session, _ = open_session(recording_path)
    click(session, 2, 3.0, 4.0)
    session.rename_vessel(1, "arteriole")
    session.calibrate(CalibrationEdit(0.7, 90))
    session.choose_run(RunChoices(1, 20, device="cpu"))
    session.undo()
    state, choices = session.state, session.run_choices
    session.close()
    again, notice = open_session(recording_path)
    assert (again.state, again.run_choices, notice) == (state, choices, "")
    assert again.recording.spacing.scale == pytest.approx((1 / 90, 0.7, 0.7))
    again.close()


def test_a_recording_that_changed_is_noticed_and_clicks_are_kept(recording_path):
    session, _ = open_session(recording_path)
    click(session, 2, 3.0, 4.0)
    state = session.state
    session.close()
    write_recording(recording_path, seed=5)
    again, notice = open_session(recording_path)
    assert "has changed" in notice
    assert again.state == state
    again.close()


def test_a_project_moved_with_its_recording_finds_it(tmp_path, recording_path):
    session, _ = open_session(recording_path)
    click(session, 2, 3.0, 4.0)
    session.close()
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in (recording_path, project_folder(recording_path)):
        path.rename(moved / path.name)
    assert read_project(moved / "cells.tif.sam2flow").recording == (moved / "cells.tif").resolve()


def test_a_damaged_project_is_put_aside_not_overwritten(recording_path):
    folder = project_folder(recording_path)
    folder.mkdir()
    (folder / "project.json").write_text("{ half a fi")
    session, notice = open_session(recording_path)
    assert "cannot be read" in notice
    click(session, 0, 1.0, 1.0)
    session.close()
    assert (folder / "project.json.damaged").read_text() == "{ half a fi"
    assert len(read_project(folder).state.prompts) == 1


def test_a_project_of_a_newer_version_is_refused(tmp_path, recording_path):
    folder = tmp_path / "p.sam2flow"
    write_project(folder, Project(recording_path, "abc", STATE))
    content = json.loads((folder / "project.json").read_text())
    (folder / "project.json").write_text(json.dumps(content | {"schema_version": 99}))
    with pytest.raises(OutputError, match="newer"):
        read_project(folder)


@pytest.mark.parametrize("field", ["prompts", "vessels", "fingerprint", "recording"])
def test_a_project_that_lacks_a_part_is_refused_in_one_line(tmp_path, recording_path, field):
    folder = tmp_path / "p.sam2flow"
    write_project(folder, Project(recording_path, "abc", STATE))
    content = json.loads((folder / "project.json").read_text())
    del content[field]
    (folder / "project.json").write_text(json.dumps(content))
    with pytest.raises(OutputError, match="damaged") as caught:
        read_project(folder)
    assert "\n" not in str(caught.value)


def test_a_recording_in_a_read_only_folder_has_its_project_at_home(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    path = write_recording(folder / "cells.tif")
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert project_folder(path).is_relative_to(tmp_path / "home")
        session, _ = open_session(path)
        click(session, 0, 1.0, 1.0)
        session.close()
        assert len(read_project(project_folder(path)).state.prompts) == 1
        assert list(folder.iterdir()) == [path]
    finally:
        folder.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("edit", [CalibrationEdit(1e6, None), CalibrationEdit(None, 1e12)])
def test_absurd_calibration_is_refused_and_nothing_changes(recording_path, edit):
    session, _ = open_session(recording_path)
    with pytest.raises(CalibrationError):
        session.calibrate(edit)
    assert session.recording.edit == CalibrationEdit()
    session.close()


def test_autosave_writes_the_newest_and_tells_of_failure(tmp_path, recording_path):
    errors = []
    saver = Autosaver(tmp_path / "p.sam2flow", errors.append)
    states = [SessionState((Vessel(1, "left"),), tuple(Prompt(1, 0, y, 1.0, 1) for y in range(n))) for n in range(50)]
    for state in states:
        saver.save(Project(recording_path, "abc", state))
    saver.close()
    assert read_project(saver.folder).state == states[-1]
    (tmp_path / "file").write_text("")
    saver = Autosaver(tmp_path / "file" / "p.sam2flow", errors.append)
    saver.save(Project(recording_path, "abc", STATE))
    saver.close()
    assert len(errors) == 1
    assert isinstance(errors[0], OutputError)


def test_spacing_of_an_uncalibrated_recording_is_in_pixels(tmp_path):
    recording = open_recording(write_recording(tmp_path / "raw.tif", calibrated=False))
    assert recording.spacing.units == ("pixel", "pixel", "pixel")
    assert recording.spacing.speed_unit == "px/frame"
    assert np.allclose(recording.spacing.scale, 1)
    recording.stack.close()


def test_marks_outside_the_recording_are_left_out_and_the_rest_opens(recording_path):
    session, _ = open_session(recording_path)
    click(session, 2, 3.0, 4.0)
    session.close()
    file = project_folder(recording_path) / "project.json"
    content = json.loads(file.read_text())
    content["prompts"].append({"vessel_id": 1, "frame": 10**9, "y": 3.0, "x": 4.0, "label": 1})
    file.write_text(json.dumps(content))
    again, notice = open_session(recording_path)
    assert "left out" in notice and "project.json.damaged" in notice
    assert again.state.prompts == (Prompt(1, 2, 3.0, 4.0, 1),)
    again.close()


@pytest.mark.parametrize("results", ["..", "../elsewhere", "/etc", "a\\b", "C:evil"])
def test_results_of_a_project_lie_inside_it(tmp_path, recording_path, results):
    folder = tmp_path / "p.sam2flow"
    write_project(folder, Project(recording_path, "abc", STATE, results=results))
    with pytest.raises(OutputError, match="outside the project"):
        read_project(folder)


@pytest.mark.parametrize("field", ["recording", "recording_beside"])
@pytest.mark.parametrize("path", ["\\\\evil\\share\\cells.tif", "//evil/share/cells.tif", "http://evil/cells.tif"])
def test_a_project_reaches_for_no_other_computer(tmp_path, recording_path, field, path):
    folder = tmp_path / "p.sam2flow"
    write_project(folder, Project(recording_path, "abc", STATE))
    content = json.loads((folder / "project.json").read_text())
    (folder / "project.json").write_text(json.dumps(content | {field: path}))
    with pytest.raises(OutputError, match="another computer"):
        read_project(folder)
