"""One recording given in many ways: what is no business of the blood may not change its velocity in silence."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

from sam2flow_core.engine import Finished, RunRequest, run
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.prompts import Prompt

SAMPLE = Path(__file__).parents[2] / "resources" / "sample.tif"
SIDE = 160  # columns that are kept: two vessels lie there
RATE_HZ = 160.0
CLICKS = {1: [(201, 94), (248, 114), (170, 85)], 2: [(43, 33), (20, 41), (219, 71)]}
BELIEVED = ("good", "fair")


@dataclass(frozen=True)
class Measured:
    """Velocity in um/s, grade and flags of each vessel, and what the run said."""

    velocity: dict[int, float]
    diagram: dict[int, float]
    grade: dict[int, str]
    flags: dict[int, str]
    lost: dict[int, float]
    notices: tuple[str, ...]


Measure = Callable[..., Measured]


@pytest.fixture(scope="module")
def measure(tmp_path_factory: pytest.TempPathFactory) -> Measure:
    predictor = SAM2FlowPredictor.from_pretrained("tiny", device="cpu")

    def measure(video: np.ndarray, place: Callable[[float, float], tuple[float, float]] = lambda y, x: (y, x), **asked):
        folder = tmp_path_factory.mktemp("run")
        tifffile.imwrite(folder / "a.tif", video, photometric="minisblack", metadata={"axes": "TYX"})
        clicks = tuple(Prompt(v, 0, *place(float(y), float(x)), 1) for v, rows in CLICKS.items() for y, x in rows)
        settings = {"pixel_size_um": 0.6, "frame_rate_hz": RATE_HZ} | asked
        *_, finished = run(RunRequest(folder / "a.tif", clicks, folder / "out", **settings), predictor)
        assert isinstance(finished, Finished)
        with finished.summary_csv.open() as file:
            rows = {int(row["vessel_id"]): row for row in csv.DictReader(file)}
        columns = ("v_mean_um_s", "kymo_v_um_s", "lost_pct")
        velocity, diagram, lost = ({v: float(row[k] or "nan") for v, row in rows.items()} for k in columns)
        grade, flags = ({v: row[k] for v, row in rows.items()} for k in ("grade", "flags"))
        return Measured(velocity, diagram, grade, flags, lost, finished.notices)

    return measure


@pytest.fixture(scope="module")
def video() -> np.ndarray:
    return tifffile.imread(SAMPLE)[:48, :, :SIDE]


@pytest.fixture(scope="module")
def plain(measure: Measure, video: np.ndarray) -> Measured:
    """The first 24 frames as they were recorded."""
    return measure(video[:24])


def test_the_recording_itself_is_good_and_loses_nothing(plain: Measured) -> None:
    assert set(plain.grade.values()) == {"good"}
    assert set(plain.lost.values()) == {0.0}
    assert plain.notices == ()


def test_every_frame_twice_gives_the_true_velocity_and_says_so(
    measure: Measure, video: np.ndarray, plain: Measured
) -> None:
    twice = measure(np.repeat(video[:24], 2, axis=0))
    assert twice.velocity == pytest.approx(plain.velocity, rel=0.03)
    assert twice.diagram == pytest.approx(plain.diagram, rel=0.05)
    for vessel in plain.velocity:
        assert twice.grade[vessel] not in BELIEVED
        assert "DROPPED_FRAME" in twice.flags[vessel]
        assert twice.lost[vessel] == pytest.approx(50)
    assert any("24 of 48 frames repeat" in notice for notice in twice.notices)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_frames_lost_at_random_do_not_speed_blood_up(measure: Measure, video: np.ndarray, share: float) -> None:
    kept = np.flatnonzero(np.random.default_rng(4).random(48) >= share)
    whole, lossy = measure(video), measure(video[kept])
    assert lossy.velocity == pytest.approx(whole.velocity, rel=0.1)
    for vessel in whole.velocity:
        assert lossy.grade[vessel] != "good"
        assert "DROPPED_FRAME" in lossy.flags[vessel]
        assert lossy.lost[vessel] > 5


def test_a_gap_of_five_frames_is_left_out(measure: Measure, video: np.ndarray, plain: Measured) -> None:
    gap = measure(video[np.r_[0:10, 15:24]])
    assert gap.velocity == pytest.approx(plain.velocity, rel=0.1)
    for vessel in plain.velocity:
        assert gap.grade[vessel] != "good"
        assert "DROPPED_FRAME" in gap.flags[vessel]
    assert any("missing in 1 place" in notice for notice in gap.notices)
