"""A batch one recording after the other, as the window does it: files, failures, going on, requests of projects."""

import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from fake_predictor import PROMPTS, FakePredictor

from sam2flow_core.engine.batch import run_in_turn
from sam2flow_core.engine.requests import request_in_batch
from sam2flow_core.errors import PromptError, StackError
from sam2flow_core.project import CalibrationEdit, Project, RunChoices, SessionState, write_project
from sam2flow_core.stack import open_stack


@pytest.fixture
def recordings(moving_cells, tmp_path):
    paths = [tmp_path / f"{name}.tif" for name in ("before", "after")]
    for path in paths:
        shutil.copy(moving_cells, path)
    return paths


def marked(prompts=PROMPTS):
    return SessionState().with_clicks(prompts)


def request(path, out, video_id=None, choices=None, otherwise=None):
    folder = path.with_name(path.name + ".sam2flow")
    return request_in_batch(
        path, folder, out, choices or RunChoices(detail="every"), otherwise or marked(), video_id or path.stem
    )


def test_recordings_are_measured_gathered_and_compared_and_a_failure_stays_alone(recordings, tmp_path):
    out = tmp_path / "batch"
    requests = [request(path, out) for path in recordings]
    missing = requests[1].__class__(**{**vars(requests[1]), "stack": tmp_path / "no.tif", "out": out / "no"})
    steps = list(run_in_turn([requests[0], missing, requests[1]], out, {"before": "a", "after": "b"}, FakePredictor()))
    ended = [step.outcome for step in steps if step.outcome is not None]
    assert [bool(outcome.failure) for outcome in ended] == [False, True, False] and "no.tif" in ended[1].failure
    frames = [step.frames_done for step in steps if step.number == 0 and step.frames_total]
    assert frames == list(range(1, 41))
    summary = pd.read_csv(out / "summary.csv")
    assert summary["video_id"].tolist() == ["before", "before", "after", "after"]
    assert pd.read_csv(out / "batch.csv")["outcome"].tolist() == ["done", "failed", "done"]
    assert "Comparison of 2 recordings" in (out / "comparison.html").read_text()


def test_what_was_stopped_goes_on_and_what_is_done_is_left(recordings, tmp_path):
    out = tmp_path / "batch"
    requests = [request(path, out) for path in recordings]
    steps = run_in_turn(requests, out, predictor=FakePredictor())
    for step in steps:
        if step.number == 1 and step.frames_done == 20:
            break
    steps.close()
    assert not (out / "batch.csv").exists() and (out / "before" / "summary.csv").is_file()
    written = (out / "before" / "summary.csv").stat().st_mtime_ns
    again = FakePredictor()
    outcomes = [step.outcome for step in run_in_turn(requests, out, predictor=again) if step.outcome]
    assert not any(outcome.failure for outcome in outcomes)
    assert (out / "before" / "summary.csv").stat().st_mtime_ns == written
    assert 0 < len(again.answered) < 40
    assert pd.read_csv(out / "summary.csv")["video_id"].nunique() == 2


def test_a_recording_brings_its_own_marks_and_calibration_and_takes_the_settings_of_all(recordings, tmp_path):
    path, other = recordings
    own = SessionState().with_clicks(PROMPTS[:1]).renamed(1, "upper").grouped(1, "vein")
    with open_stack(path) as stack:
        edit = CalibrationEdit(pixel_size_um=0.7)
        project = Project(path, stack.fingerprint(), own, edit, RunChoices(model="mine"))
    write_project(path.with_name(path.name + ".sam2flow"), project)
    choices = RunChoices(device="cpu", stabilise=False)
    first, second = (request(each, tmp_path / "out", choices=choices) for each in (path, other))
    assert first.prompts == PROMPTS[:1] and first.names == ((1, "upper"),) and first.groups == ((1, "vein"),)
    assert first.pixel_size_um == 0.7 and second.pixel_size_um is None
    assert second.prompts == PROMPTS
    for each in (first, second):
        assert (each.model, each.device, each.stabilise, each.resume) == ("tiny", "cpu", False, True)
    assert [each.out.name for each in (first, second)] == ["before", "after"]


def test_a_recording_that_changed_or_is_not_marked_is_refused(recordings, tmp_path):
    path = recordings[0]
    with pytest.raises(PromptError, match="no vessel is marked"):
        request(path, tmp_path, otherwise=SessionState().with_vessel())
    with open_stack(path) as stack:
        write_project(path.with_name(path.name + ".sam2flow"), Project(path, stack.fingerprint(), marked()))
    tifffile.imwrite(path, np.random.default_rng(0).integers(20, 200, (40, 64, 80), np.uint8))
    with pytest.raises(StackError, match="not as it was"):
        request(path, tmp_path)
