"""Whether a vessel is there is measured: these tests fail at chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import ndimage

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.synthetic import film_long, sample_scene, true_flow
from sam2flow_core.velocity import GRADES, measure_vessel

from .vessels import Calibrated, make_scene, scene_track

FRAMES, SIZE = 80, 144
SEED = 20261126
WIDTHS = ((7.5, 8.5), (11.5, 12.5), (8.0, 22.0))


@dataclass(frozen=True)
class Place:
    """Somewhere in a recording that a click may have named."""

    video: np.ndarray
    track: VesselTrack
    vessel: bool

    def measured(self, video: np.ndarray | None = None):
        frames = self.video if video is None else video
        return measure_vessel(self.track, lambda t: frames[t], Calibrated())


def scene_settings(width: tuple[float, float]) -> SceneSettings:
    return SceneSettings(
        duration_s=3.0, diameter_px=width, diameter_um=(2.0, 50.0), speed_bins_px=((0.6, 2.0), (2.0, 6.0), (6.0, 12.0)),
        cell_contrast=(0.1, 0.35), blur_um=(0.3, 1.0), electrons=(2500.0, 15000.0), networks=(1, 2),
        motion_probability=0.3, event_rate_hz=0.0,
    )  # fmt: skip


def places(number: int) -> Iterator[Place]:
    """Vessels of a development scene, and lines through its tissue that a mask might follow."""
    rng = np.random.default_rng([SEED, number])
    scene = sample_scene(rng, (SIZE, SIZE), scene_settings(WIDTHS[number % 3]))
    frames = np.arange(FRAMES)
    video, shifts = np.concatenate(list(film_long(scene, frames))), scene.shifts(frames)
    flow = true_flow(scene, frames[:-1], frames[1:])[0].numpy()
    for k, mask in enumerate(scene.masks):
        if mask.sum() > 400 and (mask & (scene.masks.sum(0) > 1)).sum() < 0.2 * mask.sum():
            yield Place(video, scene_track(mask, flow[:, k], shifts), True)
    free = ndimage.distance_transform_edt(~scene.masks.any(0))
    for _ in range(60):
        angle, width = rng.uniform(0, np.pi), rng.uniform(8, 14)
        way = np.array([np.sin(angle), np.cos(angle)])
        line = rng.uniform(20, SIZE - 20, 2) + np.arange(-30, 31)[:, None] * way
        cells = np.rint(line).astype(int)
        if (cells >= 2).all() and (cells < SIZE - 2).all() and free[tuple(cells.T)].min() > width / 2 + 4:
            apart = np.ones((SIZE, SIZE), bool)
            apart[tuple(cells.T)] = False
            mask = ndimage.distance_transform_edt(apart) <= width / 2
            invented = (2.0 * way[::-1])[None, :, None, None] * mask * np.ones((FRAMES - 1, 1, 1, 1))
            yield Place(video, scene_track(mask, invented.astype(np.float32), shifts), False)
            return


@pytest.fixture(scope="module")
def judged():
    return [(place, place.measured()) for number in range(12) for place in places(number)]


def auroc(present: list[float], absent: list[float]) -> float:
    wins = np.subtract.outer(present, absent)
    return float((wins > 0).mean() + 0.5 * (wins == 0).mean())


def noise_like(video: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).normal(video.mean(), video.std(axis=0).mean(), video.shape).astype(np.float32)


def test_vessels_are_told_from_tissue_and_from_noise(judged):
    present = [found.presence for place, found in judged if place.vessel]
    tissue = [found.presence for place, found in judged if not place.vessel]
    noise = [place.measured(noise_like(place.video)).presence for place, _ in judged[::3]]
    assert len(present) > 12 and len(tissue) > 6
    assert auroc(present, tissue) > 0.95
    assert auroc(present, noise) > 0.95


def test_tissue_and_noise_are_never_good_or_fair(judged):
    for place, found in judged:
        answers = [] if place.vessel else [found]
        answers.append(place.measured(noise_like(place.video)))
        for answer in answers:
            assert GRADES.index(answer.grade) >= 2, answer.reasons
            assert "MASK_LOST" in answer.flags


def test_no_right_vessel_is_blanked(judged):
    for place, found in judged:
        if place.vessel:
            assert found.statistics.valid_share > 0.9, found.flags
            assert not any("MASK_LOST" in flags for flags in found.per_frame.flags)


def test_a_vessel_out_of_sight_is_lost_until_it_comes_back(judged):
    seen = [(p, f) for p, f in judged if p.vessel and f.presence > 0.9 and abs(f.statistics.mean) > 1][:8]
    caught = []
    for place, _ in seen:
        video = place.video.copy()
        video[28:56] = video.mean(axis=0) + np.random.default_rng(2).normal(
            0, video.std(axis=0).mean(), video[28:56].shape
        )
        lost = np.array(["MASK_LOST" in flags for flags in place.measured(video).per_frame.flags])
        assert not lost[:20].any() and not lost[64:].any()
        caught.append(lost[36:48].mean())
    assert np.mean(caught) > 0.8


def test_defocus_half_way_is_told(judged):
    seen = [(p, f) for p, f in judged if p.vessel and f.presence > 0.9 and f.grade == "good"][:6]
    for place, _ in seen:
        video = place.video.copy()
        half = FRAMES // 2
        video[half:] = ndimage.gaussian_filter(video[half:], (0, 10, 10))
        found = place.measured(video)
        assert {"OUT_OF_FOCUS", "MASK_LOST"} & set(found.flags), found.reasons
        assert found.grade != "good"
        assert not any("MASK_LOST" in flags for flags in found.per_frame.flags[: half - 12])


@pytest.mark.parametrize("score", [0.0, 0.49, 1.0])
def test_the_score_of_the_network_decides_nothing(plug_scene, score):
    usual = measure_vessel(plug_scene.track, plug_scene.images, Calibrated())
    track = replace(plug_scene.track, object_score=np.full_like(plug_scene.track.object_score, score))
    found = measure_vessel(track, plug_scene.images, Calibrated())
    assert (found.flags, found.grade, found.statistics) == (usual.flags, usual.grade, usual.statistics)
    assert np.array_equal(found.per_frame.confidence, usual.per_frame.confidence, equal_nan=True)


def test_blood_that_stops_is_not_lost():
    velocity = np.r_[np.full(60, 4.0), np.zeros(40), np.full(60, 4.0)]
    scene = make_scene(velocity)
    found = measure_vessel(scene.track, scene.images, Calibrated())
    assert not any("MASK_LOST" in flags for flags in found.per_frame.flags)
    assert found.statistics.stasis_frames > 30
