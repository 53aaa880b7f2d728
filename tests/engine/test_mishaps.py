"""What befalls recordings: a share that goes away while it is read, a copy that was cut short."""

import os
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from fake_predictor import PROMPTS, FakePredictor
from test_streaming import SETTINGS, assert_same

from sam2flow_core.engine import FrameDone, RunRequest, request_again, run
from sam2flow_core.engine.finishing import remeasure
from sam2flow_core.errors import StackError
from sam2flow_core.results import open_results


@pytest.fixture
def frames_in_a_folder(moving_cells, tmp_path):
    folder = tmp_path / "share" / "frames"
    folder.mkdir(parents=True)
    for t, frame in enumerate(tifffile.imread(moving_cells)):
        tifffile.imwrite(folder / f"{t:03}.tif", frame)
    return folder


def test_a_share_that_vanishes_while_it_is_read(frames_in_a_folder, tmp_path):
    request = RunRequest(frames_in_a_folder, PROMPTS, tmp_path / "out")
    elsewhere = tmp_path / "elsewhere"

    def until_it_vanishes():
        for event in run(request, FakePredictor(), SETTINGS):
            if isinstance(event, FrameDone) and event.frames_done == 18:
                frames_in_a_folder.rename(elsewhere)

    with pytest.raises(StackError, match=r"017\.tif.*share has vanished; connect it again"):
        until_it_vanishes()
    assert open_results(request.out).frames_done == 18
    assert np.isfinite(open_results(request.out).track(1).flow[:18]).all()
    elsewhere.rename(frames_in_a_folder)
    list(run(replace(request, resume=True), FakePredictor(), SETTINGS))
    undisturbed = replace(request, out=tmp_path / "undisturbed")
    list(run(undisturbed, FakePredictor(), SETTINGS))
    assert_same(undisturbed.out, request.out)


def test_a_recording_cut_short_is_measured_up_to_its_last_whole_frame(moving_cells, tmp_path):
    path = tmp_path / "cells.tif"
    whole = moving_cells.read_bytes()
    path.write_bytes(whole[: int(0.9 * len(whole))])
    *_, finished = run(RunRequest(path, PROMPTS, tmp_path / "out"), FakePredictor(), SETTINGS)
    (notice,) = [n for n in finished.notices if "truncated" in n]
    frames = pd.read_csv(finished.per_frame_csv)["frame"].nunique()
    assert 35 <= frames < 40 and str(frames) in notice
    assert "truncated" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not have such names")
def test_a_name_that_is_no_utf8_is_told_by_its_codes(moving_cells, tmp_path):
    folder = tmp_path / os.fsdecode(b"Gr\xf6\xdfe \xb5m")  # Latin 1, as old archives have it; in a C locale all
    folder.mkdir()
    path = folder / os.fsdecode(b"Gef\xe4\xdf.tif")
    path.write_bytes(moving_cells.read_bytes())
    *_, finished = run(RunRequest(path, PROMPTS, folder / "out"), FakePredictor(), SETTINGS)
    (name,) = set(pd.read_csv(finished.summary_csv)["video_id"])
    assert name == "Gef%E4%DF" and name in (folder / "out" / "report.html").read_text(encoding="utf-8")
    again = request_again(folder / "out" / "provenance.json", tmp_path / "again", path)
    *_, repeated = run(again, FakePredictor(), SETTINGS)
    assert repeated.summary_csv.read_bytes() == finished.summary_csv.read_bytes()
    with pytest.raises(StackError, match=r"has moved; give its path \(--stack\)"):
        remeasure(folder / "out")
    assert remeasure(folder / "out", path) == (40, 40)
    *_, resumed = run(RunRequest(path, PROMPTS, folder / "out", resume=True), FakePredictor(), SETTINGS)
    assert resumed.out == folder / "out"
