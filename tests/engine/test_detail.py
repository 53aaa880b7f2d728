"""Which pairs of frames are answered, and what a run over several ranges or with fewer pairs leaves."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from fake_predictor import PROMPTS, FakePredictor

from sam2flow_core.config.run import DetailSettings
from sam2flow_core.engine import RunRequest, request_again, run
from sam2flow_core.engine.source import plan_frames
from sam2flow_core.errors import CalibrationError, StackError
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.prompts import MaskPrompt
from sam2flow_core.results import open_results
from sam2flow_core.stack import open_stack


@pytest.mark.parametrize("rate", [25.0, 60.0, 79.9, 80.0, 100.0, 160.0, 240.0, 1000.0])
@pytest.mark.parametrize("pulse", [None, 1.2, 4.0])
def test_standard_answers_often_enough_and_evenly(rate, pulse):
    plan = plan_frames([(7, 2007)], "standard", rate, pulse)
    apart = np.diff(plan.answered)
    assert (apart == plan.every).all() and plan.answered[0] == 7
    needed = max(40, 24 * (pulse or 0))
    assert rate / plan.every >= min(needed, rate) - 1e-9
    assert plan.every == 1 or rate / (plan.every + 1) < needed, "more would be needless work"


@pytest.mark.parametrize("pulse", [-1.0, 0.0, 1e-300, 72.0, 600.0, 1e300, float("nan"), float("inf")])
@pytest.mark.parametrize("detail", ["quick", "standard", "every", "4"])
def test_a_heart_rate_that_no_heart_has_is_refused(pulse, detail):
    with pytest.raises(CalibrationError, match=r"no heart beats so.*not per minute"):
        plan_frames([(0, 9600)], detail, 160.0, pulse)


def test_without_a_frame_rate_every_pair_is_answered():
    assert len(plan_frames([(0, 50)], "standard", None).answered) == 49


def test_a_quick_look_reads_little_of_a_long_recording_all_over_it():
    settings = DetailSettings()
    plan = plan_frames([(0, 9600)], "quick", 160.0)
    assert len(plan.answered) == settings.places * settings.pairs_per_place
    assert len(plan.frames) < 0.1 * 9600 and plan.sampled == ((0, 9600),)
    middle = [np.mean(part) for part in plan.ranges]
    assert np.allclose(np.diff(middle), 9600 / settings.places, atol=1) and middle[0] == pytest.approx(400, abs=1)
    for t in plan.answered:  # with evidence on both sides
        a, b = plan.range_of(t)
        assert t - a >= settings.margin and b - (t + 2) >= settings.margin
    assert plan_frames([(0, 60)], "quick", 160.0) == plan_frames([(0, 60)], "standard", 160.0)


@pytest.mark.parametrize("detail", ["", "0", "-1", "2.5", "fine", "\u0663"])
def test_a_detail_that_is_none_is_refused(detail):
    with pytest.raises(StackError, match="detail"):
        plan_frames([(0, 50)], detail, 100.0)


def test_an_answered_pair_has_the_evidence_of_all_frames_around_it(moving_cells):
    """Nothing that is remembered of pairs answered before tells a thinned run from a full one."""
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")

    def answers(detail):
        with open_stack(moving_cells) as stack:
            state = predictor.init_state(stack, plan=plan_frames([(2, 34)], detail, None))
            predictor.add_new_points_or_box(state, 3, 1, points=[[40.0, 20.0]], labels=[1])
            return {step.frame: step for step in predictor.stream(state)}

    full, some = answers("every"), answers("5")
    assert list(some) == list(full), "masks and tissue motion are known of every frame"
    for t, step in some.items():
        flow = step.vessels[0].flow
        assert (flow is not None) == ((t - 2) % 5 == 0 and t < 33) and step.asked == (flow is not None or t == 33)
        if flow is not None:
            assert np.array_equal(flow, full[t].vessels[0].flow), t


@pytest.fixture(scope="module")
def thinned(moving_cells, tmp_path_factory):
    out = tmp_path_factory.mktemp("detail") / "thinned"
    request = RunRequest(moving_cells, PROMPTS, out, frame_rate_hz=120, detail="standard")
    return request, list(run(request, FakePredictor()))


def test_rows_between_answered_pairs_are_blank_and_provenance_says_so(thinned):
    request, events = thinned
    rows = pd.read_csv(request.out / "per_frame.csv").query("vessel_id == 1").set_index("frame")
    assert rows.index.tolist() == list(range(40))
    asked = rows.index % 3 == 0
    columns = [c for c in rows.columns if c.startswith(("velocity", "speed", "flow", "n_px", "confidence"))]
    assert rows.loc[asked & (rows.index < 39), columns].notna().all(axis=None)
    assert rows.loc[~asked, columns].isna().all(axis=None)
    said = json.loads((request.out / "provenance.json").read_text())["detail"]
    assert (said["asked"], said["every"], said["pairs_answered"], said["pairs_per_second"]) == ("standard", 3, 13, 40)
    assert any("one pair of frames in 3" in notice for notice in events[-1].notices)
    summary = pd.read_csv(request.out / "summary.csv")
    assert (
        (summary["valid_pct"] == 100).all() and (summary["lost_pct"] == 0).all() and (summary["n_frames"] == 40).all()
    )
    assert request_again(request.out / "provenance.json", request.out).detail == "3"


def test_each_range_has_its_rows_as_if_it_were_a_recording_of_its_own(moving_cells, tmp_path):
    """Answers of the fake depend on all frames before, so only the real predictor can be held to this."""
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    whole = RunRequest(moving_cells, PROMPTS[:1], tmp_path / "both", ranges=((0, 14), (20, 38)), stabilise=False)
    list(run(whole, predictor))
    summary, frames = (pd.read_csv(whole.out / name) for name in ("summary.csv", "per_frame.csv"))
    assert summary[["first_frame", "last_frame"]].to_numpy().tolist() == [[0, 13], [20, 37]]
    assert frames["frame"].tolist() == [*range(14), *range(20, 38)]
    results = open_results(whole.out)
    assert results.frames.tolist() == frames["frame"].tolist()
    assert np.isnan(results.track(1).flow[13]).all(), "nothing flows from one range to the next"
    for first, last in ((0, 14), (20, 38)):
        alone = replace(whole, out=tmp_path / str(first), ranges=((first, last),))
        list(run(alone, predictor))
        mine = frames[frames["frame"].between(first, last - 1)]
        theirs = pd.read_csv(alone.out / "per_frame.csv")
        assert mine["velocity_px_frame"].to_numpy() == pytest.approx(theirs["velocity_px_frame"], rel=0.05, nan_ok=True)
        assert mine["time_s"].to_numpy() == pytest.approx(theirs["time_s"])


def test_a_window_equals_the_recording_that_is_cut_to_it(moving_cells, tmp_path):
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    with open_stack(moving_cells) as stack:
        frames = np.stack([stack.frame(t) for t in range(6, 30)]).astype(np.uint8)
    tifffile.imwrite(tmp_path / "cut.tif", frames, imagej=True, resolution=(2.0, 2.0), metadata={"unit": "um"})
    inside = tuple(replace(p, frame=p.frame + 6) for p in PROMPTS)
    window = RunRequest(
        moving_cells, inside, tmp_path / "window", ranges=((6, 30),), frame_rate_hz=80, pixel_size_um=0.5
    )
    cut = replace(window, stack=tmp_path / "cut.tif", prompts=PROMPTS, out=tmp_path / "cut", ranges=())
    for request in (window, cut):
        list(run(request, predictor))
    ours, theirs = (pd.read_csv(r.out / "per_frame.csv").drop(columns="video_id") for r in (window, cut))
    ours["frame"] -= 6
    ours["time_s"] -= 6 / 80
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-6, atol=1e-9)


def test_what_is_marked_in_any_frame_is_measured_in_any_range(moving_cells, tmp_path):
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    mask = np.zeros((64, 80), bool)
    mask[16:24] = True
    found = []
    for name, frame in (("inside", 22), ("before", 3), ("after", 39)):
        marked = (MaskPrompt.of(1, frame, mask),)
        request = RunRequest(moving_cells, marked, tmp_path / name, start=20, stop=36, stabilise=False)
        list(run(request, predictor))
        found.append(pd.read_csv(request.out / "per_frame.csv"))
    assert found[0]["velocity_px_frame"].notna().sum() > 10
    for other in found[1:]:
        pd.testing.assert_frame_equal(other, found[0], rtol=1e-3)


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        (((0, 10), (5, 20)), "overlap"),
        (((0, 10), (30, 41)), "has 40 frames"),
        (((0, 10), (20, 21)), "at least two"),
        (((10, 5),), "before the last"),
    ],
)
def test_ranges_that_cannot_be_are_refused(moving_cells, tmp_path, ranges, words):
    with pytest.raises(StackError, match=words):
        list(run(RunRequest(moving_cells, PROMPTS, tmp_path / "out", ranges=ranges), FakePredictor()))
