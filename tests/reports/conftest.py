from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from sam2flow_core.results.reader import VesselTrack


@dataclass(frozen=True)
class Calibration:
    usable_pixel_size_um: float | None
    usable_frame_rate_hz: float | None


@dataclass(frozen=True)
class Recording:
    video: np.ndarray
    track: VesselTrack

    def images(self, frame: int) -> np.ndarray:
        return self.video[frame]


@pytest.fixture(scope="session")
def calibrated() -> Calibration:
    return Calibration(0.5, 100.0)


@pytest.fixture(scope="session")
def uncalibrated() -> Calibration:
    return Calibration(None, None)


@pytest.fixture(scope="session")
def scene() -> Recording:
    """A straight vessel 12 px wide whose pattern moves 3 px to the right per frame for 121 frames."""
    frames, rng = 121, np.random.default_rng(0)
    texture = gaussian_filter1d(rng.normal(size=(12, 1000)), 3)
    video = 100 + rng.normal(size=(frames, 48, 160)).astype(np.float32)
    for t in range(frames):
        video[t, 18:30] += 40 * texture[:, 400 - 3 * t : 560 - 3 * t]
    mask = np.zeros((frames, 48, 160), bool)
    mask[:, 18:30] = True
    flow = np.zeros((frames - 1, 2, 48, 160), np.float32)
    flow[:, 0, 18:30] = 3
    track = VesselTrack(
        vessel_id=1,
        name="",
        frames=np.arange(frames),
        offsets=np.zeros((frames, 2), np.int64),
        mask=mask,
        flow=flow,
        scale=np.full((frames - 1, 48, 160), 0.1, np.float32),
        shifts=np.zeros((frames, 2)),
        mask_iou=np.ones(frames, np.float32),
        object_score=np.ones(frames, np.float32),
        round_trip=np.full(frames - 1, np.nan, np.float32),
    )
    return Recording(video, track)
