"""A whole run: files, refusals, repetition."""

import json
import os
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from fake_predictor import PROMPTS, FakePredictor
from test_streaming import assert_same

from sam2flow_core.config.stack import StabiliserSettings
from sam2flow_core.config.velocity import CellCountSettings
from sam2flow_core.engine import Finished, FrameDone, RunRequest, Stage, Started, request_again, run
from sam2flow_core.errors import CalibrationError, OutputError, PromptError, StackError
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt, regions_to_json

FILES = ["per_frame.csv", "provenance.json", "report.html", "results.zarr", "summary.csv"]


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def finished(moving_cells, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "finished"
    request = RunRequest(moving_cells, PROMPTS, out, frame_rate_hz=80, start=2, stop=38, names=((1, "upper"),))
    return request, list(run(request, FakePredictor()))


def test_events_in_their_order(finished):
    _, events = finished
    kinds = [type(e) for e in events if not isinstance(e, FrameDone)]
    assert kinds == [Stage, Started, Stage, Stage, Finished]
    assert sum(isinstance(e, FrameDone) for e in events) == 36


def test_the_folder_holds_the_files_of_a_run_and_nothing_else(finished):
    request, events = finished
    assert sorted(p.name for p in request.out.iterdir()) == FILES
    end = events[-1]
    assert end.summary_csv.is_file() and end.per_frame_csv.is_file() and end.report_html.is_file()


def test_tables_speak_of_every_vessel_and_frame(finished):
    request, _ = finished
    summary, frames = pd.read_csv(request.out / "summary.csv"), pd.read_csv(request.out / "per_frame.csv")
    assert summary["vessel_id"].tolist() == [1, 2] and set(summary["video_id"]) == {"cells"}
    assert len(frames) == 2 * 36 and frames["frame"].tolist()[:36] == list(range(2, 38))
    # The fake's flow is 2 px and more per frame to the right; 0.5 um/px from the file, 80 Hz from the user.
    row = frames.iloc[5]
    assert row["velocity_um_s"] == pytest.approx(row["velocity_px_frame"] * 0.5 * 80)


def test_provenance_says_what_the_result_was_made_from(finished):
    request, _ = finished
    record = json.loads((request.out / "provenance.json").read_text())
    assert record["recording"]["name"] == "cells.tif" and len(record["recording"]["sha256"]) == 64
    assert record["recording"]["shape"] == [40, 64, 80] and record["recording"]["dtype"] == "uint8"
    assert record["calibration"]["pixel_size_um"] == {"value": 0.5, "source": "imagej", "plausible": True}
    assert record["calibration"]["frame_rate_hz"] == {"value": 80.0, "source": "user", "plausible": True}
    assert record["model"]["sha256"] == "f" * 64 and record["device"]["used"] == "cpu"
    assert len(record["stabilisation"]["shifts_dy_dx_px"]) == 36
    assert "research use" in record["purpose"]
    assert record["names"] == {"1": "upper", "2": "2"}
    assert {"seed", "prompts", "settings", "software", "created"} <= record.keys()


def test_a_run_is_repeated_from_its_provenance_alone(finished, tmp_path):
    request, _ = finished
    again = request_again(request.out / "provenance.json", tmp_path / "again")
    list(run(again, FakePredictor()))
    assert_same(request.out, again.out)
    for name in ("summary.csv", "per_frame.csv"):
        assert (request.out / name).read_bytes() == (again.out / name).read_bytes()


def test_the_provenance_holds_the_settings_that_decide_a_result(finished):
    settings = json.loads((finished[0].out / "provenance.json").read_text())["settings"]
    assert settings["stack"]["stabiliser"] == json.loads(json.dumps(asdict(StabiliserSettings())))
    assert settings["velocity"]["kymograph"]["cells"]["least_cells"] == CellCountSettings().least_cells


def test_boxes_and_masks_of_a_provenance_join_its_clicks(finished, tmp_path):
    """The file has them under a name of their own; a request has one tuple."""
    request, _ = finished
    box, mask = BoxPrompt(1, 3, 1.0, 2.0, 9.0, 8.0), MaskPrompt.of(2, 4, np.eye(6, dtype=bool))
    record = json.loads((request.out / "provenance.json").read_text())
    record["regions"] = regions_to_json((box, mask))
    (tmp_path / "provenance.json").write_text(json.dumps(record))
    again = request_again(tmp_path / "provenance.json", tmp_path / "again")
    assert again.prompts == (*request.prompts, box, mask)


def test_a_repetition_with_another_recording_is_refused(finished, tmp_path, other_recording):
    request, _ = finished
    again = request_again(request.out / "provenance.json", tmp_path / "again", stack=other_recording)
    with pytest.raises(StackError, match="another recording"):
        list(run(again, FakePredictor()))


@pytest.fixture
def other_recording(moving_cells, tmp_path):
    import tifffile

    frames = tifffile.imread(moving_cells)[::-1]
    tifffile.imwrite(tmp_path / "cells.tif", frames, imagej=True, metadata={"axes": "TYX"})
    return tmp_path / "cells.tif"


def test_a_finished_run_is_not_overwritten(finished):
    request, _ = finished
    before = contents(request.out)
    with pytest.raises(OutputError, match="finished run, which is not overwritten"):
        list(run(request, FakePredictor()))
    assert contents(request.out) == before


def test_resuming_a_finished_run_leaves_it_as_it_is(finished):
    request, _ = finished
    before = contents(request.out)
    predictor = FakePredictor()
    events = list(run(replace(request, resume=True), predictor))
    assert [type(e) for e in events] == [Stage, Started, Finished] and not predictor.answered
    assert contents(request.out) == before


def test_resuming_as_another_run_is_refused(finished):
    request, _ = finished
    with pytest.raises(OutputError, match="differs in its prompts"):
        list(run(replace(request, resume=True, prompts=request.prompts[:1]), FakePredictor()))


def test_an_unfinished_run_needs_resume(request_for):
    request = request_for()
    running = run(request, FakePredictor())
    for event in running:
        if isinstance(event, FrameDone):
            break
    running.close()
    with pytest.raises(OutputError, match="add --resume"):
        list(run(request, FakePredictor()))
    with pytest.raises(OutputError, match="differs in its stabilisation"):
        list(run(replace(request, resume=True, stabilise=False), FakePredictor()))


def test_a_resumed_run_computes_with_the_threads_it_began_with(request_for):
    import torch

    usual = torch.get_num_threads()
    try:
        running = run(request_for(threads=2), FakePredictor())
        for event in running:
            if isinstance(event, FrameDone):
                break
        running.close()
        torch.set_num_threads(1)
        list(run(request_for(resume=True), FakePredictor()))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(usual)


def test_a_folder_with_other_files_is_left_alone(request_for):
    request = request_for()
    request.out.mkdir()
    (request.out / "thesis.docx").write_text("do not touch")
    with pytest.raises(OutputError, match=r"is not empty \(holds 'thesis.docx'\)"):
        list(run(request, FakePredictor()))
    assert [p.name for p in request.out.iterdir()] == ["thesis.docx"]


def test_a_folder_under_a_file_cannot_be_made(request_for, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file stands where a folder"):
        list(run(request_for(out=tmp_path / "file" / "out"), FakePredictor()))


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="permissions do not bind root")
def test_a_folder_without_permission_to_write(request_for, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="no permission"):
            list(run(request_for(), FakePredictor()))
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_refuses_is_told_before_anything_is_computed(request_for, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    request, predictor = request_for(), FakePredictor()
    monkeypatch.setattr("sam2flow_core.engine.lock.os.open", refuse)
    with pytest.raises(OutputError, match="no permission to write"):
        list(run(request, predictor))
    assert not predictor.answered


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"start": 10, "stop": 10}, StackError, "before the last"),
        ({"start": -1}, StackError, "0 or more"),
        ({"stop": 41}, StackError, "has 40 frames"),
        ({"start": 4, "stop": 5}, StackError, "at least two frames"),
        ({"prompts": ()}, PromptError, "no prompts"),
        ({"prompts": (Prompt(1, 0, 70, 5),)}, PromptError, "outside the image"),
        ({"prompts": (Prompt(1, 0, 7, 5, 0),)}, PromptError, "negative clicks only"),
        ({"pixel_size_um": -1.0}, CalibrationError, "pixel size"),
    ],
)
def test_bad_input_leaves_no_trace(request_for, changes, error, words):
    request = request_for(**changes)
    with pytest.raises(error, match=words):
        list(run(request, FakePredictor()))
    assert not request.out.exists()


def test_a_failure_while_concluding_is_made_good_by_resume(request_for, monkeypatch):
    from sam2flow_core.engine import finishing

    request = request_for()
    with monkeypatch.context() as patch:
        full = OutputError("the disk is full")
        patch.setattr(finishing, "write_report", lambda *a: (_ for _ in ()).throw(full))
        with pytest.raises(OutputError, match="disk is full"):
            list(run(request, FakePredictor()))
    assert not (request.out / "provenance.json").exists() and not (request.out / "report.html").exists()
    predictor = FakePredictor()
    list(run(replace(request, resume=True), predictor))
    assert not predictor.answered and sorted(p.name for p in request.out.iterdir()) == FILES


def test_a_pixel_that_is_no_number_is_told_before_the_run_begins(tmp_path):
    video = np.random.default_rng(0).random((12, 64, 80)).astype(np.float32)
    video[9, 3, 3] = np.nan
    tifffile.imwrite(tmp_path / "holes.tif", video)
    request = RunRequest(tmp_path / "holes.tif", PROMPTS, tmp_path / "out")
    with pytest.raises(StackError, match="frame 9"):
        next(run(request, FakePredictor()))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("um", "wanted", "factor"), [(None, None, 1.0), (0.2, None, 3.0), (0.2, 1.0, 1.0), (None, 2.0, 2.0)]
)
def test_the_working_resolution_reaches_the_predictor_and_is_told_and_repeated(request_for, um, wanted, factor):
    class Watched(FakePredictor):
        def init_state(self, stack, **options):
            self.factor = options["working_resolution"]
            return super().init_state(stack, **options)

    predictor = Watched()
    request = request_for(pixel_size_um=um, working_resolution=wanted)
    list(run(request, predictor))
    assert predictor.factor == factor
    record = json.loads((request.out / "provenance.json").read_text())
    assert record["working_resolution"]["factor"] == factor and record["working_resolution"]["reason"]
    assert record["identity"]["working resolution"] == f"{factor:g}"
    assert "Worked on: frames" in (request.out / "report.html").read_text()
    list(run(request_again(request.out / "provenance.json", request.out.with_name("again")), predictor))
    assert predictor.factor == factor
    if factor != 1:
        with pytest.raises(OutputError, match="differs in its working resolution"):
            list(run(replace(request, working_resolution=1.0, resume=True), predictor))


def test_runs_from_before_working_resolutions_are_repeated_as_they_were(request_for):
    request = request_for(pixel_size_um=0.2, working_resolution=1.0)
    list(run(request, FakePredictor()))
    provenance = request.out / "provenance.json"
    record = json.loads(provenance.read_text())
    del record["working_resolution"], record["identity"]["working resolution"]
    provenance.write_text(json.dumps(record))
    assert request_again(provenance, request.out.with_name("again")).working_resolution == 1
    list(run(replace(request, resume=True), FakePredictor()))
    record["working_resolution"] = {"factor": 0.3, "basis": "user"}
    provenance.write_text(json.dumps(record))
    with pytest.raises(OutputError, match="working resolution"):
        request_again(provenance, request.out.with_name("other"))
