"""Tables while a run goes on, and after it was cut short; more detail in the same folder."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
from fake_predictor import PROMPTS, FakePredictor
from test_streaming import assert_same

from sam2flow_core.config.run import PartialSettings, StoreSettings
from sam2flow_core.engine import PartialDone, RunRequest, request_again, request_to_go_on, run
from sam2flow_core.engine.finishing import remeasure
from sam2flow_core.errors import OutputError, StackError
from sam2flow_core.results import open_results, read_marker

OFTEN = PartialSettings(after_s=0, share=1e9)
SETTINGS = StoreSettings(chunk_frames=8)
TABLES = ("summary.csv", "per_frame.csv")


@pytest.fixture
def request_for(moving_cells, tmp_path):
    def make(name="out", **changes):
        return RunRequest(moving_cells, PROMPTS, tmp_path / name, frame_rate_hz=120, **changes)

    return make


@pytest.fixture(scope="module")
def whole(moving_cells, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    list(run(RunRequest(moving_cells, PROMPTS, out, frame_rate_hz=120), FakePredictor(), SETTINGS))
    return out


def read(folder):
    return [pd.read_csv(folder / name) for name in TABLES]


def test_tables_of_the_frames_so_far_are_those_of_the_end_and_marked(request_for, whole):
    request, seen = request_for(), []
    for event in run(request, FakePredictor(), SETTINGS, OFTEN):
        if isinstance(event, PartialDone):
            summary, frames = read(request.out)
            seen.append(event.frames_done)
            assert (
                event.frames_done
                == len(open_results(request.out).frames)
                == (summary["n_frames"] == seen[-1]).all() * seen[-1]
            )
            assert summary["flags"].str.contains("PARTIAL").all()
            assert f"{seen[-1]} of 40 frames" in (request.out / "report.html").read_text()
            said = json.loads((request.out / "provenance.json").read_text())["partial"]
            assert said == {"frames_done": seen[-1], "frames_total": 40}
            assert read_marker(request.out) is not None
            inner = frames["frame"] < seen[-1] - 8  # smoothing looks ahead
            final = read(whole)[1].merge(frames.loc[inner, ["vessel_id", "frame"]])
            assert frames.loc[inner, "velocity_px_frame"].to_numpy() == pytest.approx(
                final["velocity_px_frame"], rel=0.02
            )
    assert seen == [8, 16, 24, 32]
    for ours, theirs in zip(read(request.out), read(whole), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)
    assert "partial" not in json.loads((request.out / "provenance.json").read_text())


@pytest.mark.parametrize("how", ["cancelled", "broken"])
def test_a_run_that_is_cut_short_leaves_tables_and_goes_on_to_the_same_end(request_for, whole, how):
    request = request_for()
    if how == "cancelled":
        events = run(request, FakePredictor(), SETTINGS)
        for event in events:
            if getattr(event, "frames_done", 0) == 21:
                break
        events.close()
    else:
        with pytest.raises(StackError):
            list(run(request, FakePredictor(21, StackError("frame 21 cannot be read")), SETTINGS))
    summary, frames = read(request.out)
    assert summary["flags"].str.contains("PARTIAL").all() and (summary["n_frames"] == 21).all()
    assert sorted(frames["frame"].unique()) == list(range(21))
    assert len(open_results(request.out).lines()[0].diagram) == 21
    assert remeasure(request.out) == (21, 40)
    pd.testing.assert_frame_equal(read(request.out)[0], summary)
    list(run(replace(request, resume=True), FakePredictor(), SETTINGS))
    for ours, theirs in zip(read(request.out), read(whole), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)
    assert remeasure(request.out) == (40, 40)
    pd.testing.assert_frame_equal(read(request.out)[1], read(whole)[1])


def test_more_detail_in_the_same_folder_ends_as_if_asked_for_at_once(request_for, whole):
    request = request_for(detail="4")
    list(run(request, FakePredictor(), SETTINGS))
    coarse = read(request.out)[1]
    finer = replace(request, detail="every", resume=True)
    events = run(finer, FakePredictor(), SETTINGS, OFTEN)
    for event in events:
        if isinstance(event, PartialDone):
            break
    events.close()
    between = read(request.out)[1].query("vessel_id == 1")
    assert len(between) == 40, "what was known of the rest stays"
    known = [rows["velocity_px_frame"].notna().sum() for rows in (between, coarse.query("vessel_id == 1"))]
    assert known[0] > known[1]
    list(run(finer, FakePredictor(), SETTINGS))
    for ours, theirs in zip(read(request.out), read(whole), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)
    assert_same(request.out, whole)


class Killed(Exception):
    """Ends a run as kill -9 does: nothing is tidied up, no tables are written."""


@pytest.mark.parametrize("finer", ["every", "2"])
def test_more_detail_that_was_killed_before_its_first_tables(request_for, whole, finer):
    """Beside the store of the finer run lie the provenance and the tables of the coarser one."""
    request = request_for(detail="4")
    list(run(request, FakePredictor(), SETTINGS))
    finer = replace(request, detail=finer, resume=True)
    with pytest.raises(Killed):
        list(run(finer, FakePredictor(21, Killed()), SETTINGS))
    undisturbed = replace(finer, out=request.out.with_name("undisturbed"))
    list(run(undisturbed, FakePredictor(), SETTINGS))
    wanted = json.loads((undisturbed.out / "provenance.json").read_text())
    assert remeasure(request.out) == (40, 40), "the coarser answers stay until better ones come"
    found = json.loads((request.out / "provenance.json").read_text())
    assert found["detail"]["every"] == wanted["detail"]["every"] and found["identity"] == wanted["identity"]
    list(run(request_to_go_on(request.out, request.stack), FakePredictor(), SETTINGS))
    assert_same(request.out, undisturbed.out)


@pytest.mark.parametrize("cut_short", [True, False])
def test_tables_are_not_made_anew_from_another_recording(request_for, moving_cells, tmp_path, cut_short):
    """Not one in its place either: its frames would be measured along the vessels and with the flow of the first."""
    stack = Path(shutil.copy(moving_cells, tmp_path / "cells.tif"))
    request = replace(request_for(), stack=stack)
    events = run(request, FakePredictor(), SETTINGS)
    for event in events:
        if cut_short and getattr(event, "frames_done", 0) == 21:
            break
    events.close()
    before = [(request.out / name).read_bytes() for name in TABLES]
    tifffile.imwrite(stack, tifffile.imread(stack)[::-1], imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(StackError, match="another recording"):
        remeasure(request.out)
    with pytest.raises(StackError, match="another recording"):
        remeasure(request.out, stack)
    assert [(request.out / name).read_bytes() for name in TABLES] == before
    remeasure(request.out, moving_cells)


def test_tables_that_are_made_anew_leave_the_threads_of_the_run(request_for):
    """A repetition computes with as many: their number decides the last digits."""
    request = request_for(threads=1)
    list(run(request, FakePredictor(), SETTINGS))
    torch.set_num_threads(2)
    remeasure(request.out)
    assert request_again(request.out / "provenance.json", request.out).threads == 1


def test_less_detail_replaces_nothing(request_for):
    request = request_for()
    list(run(request, FakePredictor(), SETTINGS))
    with pytest.raises(OutputError, match="differs in its detail"):
        list(run(replace(request, detail="4", resume=True), FakePredictor(), SETTINGS))


def test_writing_tables_takes_a_small_share_of_a_run(request_for, monkeypatch):
    from sam2flow_core.engine import finishing

    now = [0.0]
    monkeypatch.setattr(finishing.time, "monotonic", lambda: now[0])
    tables = finishing.PartialTables(None, lambda run: slow(run), PartialSettings(after_s=10, share=0.1))
    spent, answered = 0.0, 0

    def slow(_run):
        nonlocal spent
        cost = 0.01 * answered
        now[0] += cost
        spent += cost
        return answered

    for answered in range(16, 9600, 16):
        now[0] += 16 * 0.1
        if tables.due(answered):
            tables.write()
    assert 0 < spent < 0.1 * now[0]
    assert np.isfinite(spent)
