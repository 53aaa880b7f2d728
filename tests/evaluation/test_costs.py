import time
from collections.abc import Callable

import numpy as np
import pytest

from sam2flow_core.evaluation.costs import Looped, SpeedScene, cost_of_measuring, median_costs, speed_scene


def test_a_looped_recording_repeats_its_frames_without_holding_more() -> None:
    frames = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    looped = Looped(frames, 1000)
    assert looped.shape == (1000, 4, 5) and len(looped) == 1000
    np.testing.assert_array_equal(looped[999], frames[0])
    np.testing.assert_array_equal(looped[2:5], frames[[2, 0, 1]])
    np.testing.assert_array_equal(looped[4, 1:3], frames[1, 1:3])


def test_the_small_region_takes_the_largest_vessels_that_fit() -> None:
    masks = np.zeros((3, 10, 10), bool)
    masks[0, :5], masks[1, 5:7], masks[2, 8:9] = True, True, True
    scene = SpeedScene(np.zeros((1, 10, 10), np.uint8), masks)
    assert scene.within(1.0) == [0, 1, 2]
    assert scene.within(0.3) == [1, 2]
    assert scene.within(0.01) == [2]  # something has to be measured


def test_the_scene_keeps_its_promises() -> None:
    scene = speed_scene(96, 1, vessels=2, covered=(0.1, 0.4))
    areas = scene.masks.sum((1, 2))
    assert len(areas) >= 2 and (np.diff(areas) <= 0).all()
    assert 0.1 <= scene.masks.any(0).mean() <= 0.4
    assert scene.frames.dtype == np.uint8 and np.ptp(scene.frames) > 20


def test_slow_methods_are_timed_once_and_the_warm_up_does_not_count() -> None:
    calls = {"slow": 0, "fast": 0}

    def work(name: str, seconds: float) -> None:
        calls[name] += 1
        time.sleep(seconds if calls[name] > 1 else 3 * seconds)

    times = median_costs(
        {"slow": lambda: work("slow", 0.05), "fast": lambda: work("fast", 0.002)}, 5, 0.1, lambda line: None
    )
    assert times["slow"].processor < 0.04  # asleep
    assert calls == {"slow": 2, "fast": 6}
    assert times["slow"].clock == pytest.approx(0.05, abs=0.04)
    assert times["fast"].clock < 0.04


def test_measuring_is_timed_without_the_writing_of_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    from sam2flow_core.evaluation import costs

    seen = []
    real = costs.measure_vessels
    monkeypatch.setattr(costs, "measure_vessels", lambda *a, **k: seen.append(real(*a, **k)) or seen[-1])
    slow = costs.ResultsWriter.write
    monkeypatch.setattr(costs.ResultsWriter, "write", lambda *a: (time.sleep(0.3), slow(*a)))
    masks = np.zeros((2, 48, 64), bool)
    masks[0, 8:20], masks[1, 28:40] = True, True
    began = time.perf_counter()
    cost = cost_of_measuring(np.random.default_rng(0).integers(0, 255, (6, 48, 64), np.uint8), 40, masks)
    assert cost.clock < time.perf_counter() - began - 0.8
    (measured,) = seen
    assert [len(vessel.frames) for vessel in measured] == [40, 40]


def test_a_minute_of_video_is_extrapolated_from_as_many_frames_as_a_plan_repeats_itself_in() -> None:
    from sam2flow_core import SAM2FlowPredictor
    from sam2flow_core.config.evaluation import BenchSettings
    from sam2flow_core.evaluation.speed import minute_of_video

    frames = np.random.default_rng(0).integers(0, 255, (6, 64, 64)).astype(np.uint8)
    masks = np.zeros((2, 64, 64), bool)
    masks[0, 20:28], masks[1, :, 40:46] = True, True
    settings = BenchSettings(size=64, minute_frames=1600, minute_vessels=1, measured_frames=40)
    lines: list[str] = []
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    table = minute_of_video(predictor, SpeedScene(frames, masks), settings, lines.append).table.set_index("detail")
    assert table.loc["standard", "frames"] == 1600 and table.loc["standard", "pairs answered"] == 400
    assert table.loc["quick", "frames"] < 1600 / 2 and table.loc["quick", "pairs answered"] < 100
    seconds = 60 * table["to the table, min"] - table["to the first, s"] - (table["frames"] - 1) * table["s / frame"]
    assert (seconds > 0).all(), "and the measuring"


def test_a_pair_is_timed_with_what_is_made_ahead_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it would be made while another method is timed."""
    import torch

    from sam2flow_core.evaluation.speed import _next_pair
    from sam2flow_core.inference import SAM2FlowPredictor
    from sam2flow_core.inference.ahead import Ahead

    begin, ended = Ahead.begin, list[bool]()

    def told(self: Ahead, work: Callable[[], None]) -> None:
        ended.append(False)

        def noted() -> None:
            time.sleep(0.1)
            work()
            ended[-1] = True

        begin(self, noted)

    monkeypatch.setattr(Ahead, "begin", told)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    frames = np.random.default_rng(0).integers(0, 255, (8, 64, 64)).astype(np.uint8)
    masks = np.zeros((1, 64, 64), bool)
    masks[0, 28:36] = True
    predictor = SAM2FlowPredictor.from_pretrained("tiny", "cpu")
    pair = _next_pair(predictor, frames, masks, 60)
    for _ in range(3):
        pair()
        assert all(ended)
    assert ended
