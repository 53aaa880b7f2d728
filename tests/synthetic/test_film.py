from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from worlds import world

from sam2flow_core.synthetic import Scene, film, film_long, recorded_flow, render_clip, sample_scene, true_flow

MOVING = {"motion_probability": 1.0, "drift_um_s": (20.0, 20.0), "breathing_um": (6.0, 6.0)}
PLUG = {"profile_slip": (0.0, 0.0), "diameter_px": (20.0, 20.0)}


def warped_error(first: np.ndarray, second: np.ndarray, flow: np.ndarray, where: np.ndarray) -> float:
    rows, columns = np.nonzero(where)
    target = map_coordinates(
        second, [rows + flow[1, rows, columns], columns + flow[0, rows, columns]], order=3, mode="nearest"
    )
    return float(np.sqrt(np.mean((target - first[rows, columns]) ** 2)))


def certain(scene: Scene) -> np.ndarray:
    """Pixels well inside the first vessel whose matter stays: cells reach past their centre's streamline."""
    _, leaves = true_flow(scene, np.array([0]))
    inner = np.zeros(scene.size[0] * scene.size[1], bool)
    inner[scene.lumens[0].pixels[np.abs(scene.lumens[0].rho) < 0.7]] = True
    return inner.reshape(scene.size) & ~leaves[0, 0].numpy()


def test_the_truth_brings_the_next_frame_onto_this_one():
    scene = world(11, **PLUG)
    first, second = film(scene, np.array([0, 1]), np.zeros((2, 2)), "cpu").numpy()
    flow = true_flow(scene, np.array([0]))[0][0, 0].numpy()
    where = certain(scene)
    moved, still = (warped_error(first, second, f, where) for f in (flow, 0 * flow))
    assert moved < 0.12 * still


def test_what_remains_after_warping_is_the_camera_noise():
    scene = world(11, **PLUG, electrons=(3000.0, 3000.0), cell_contrast=(0.14, 0.14))
    first, second = film(scene, np.array([0, 1]), np.zeros((2, 2)), "cpu").numpy()
    flow = true_flow(scene, np.array([0]))[0][0, 0].numpy()
    where = certain(scene)
    level = float(first[where].mean())
    noise = np.sqrt(2 * level / 3000)  # shot noise of two frames; the cubic interpolation keeps most of it
    assert 0.75 * noise < warped_error(first, second, flow, where) < 1.1 * noise
    assert warped_error(first, second, 0 * flow, where) > 1.3 * noise


@pytest.mark.parametrize("speed", [0.6, 1.5, 3.0])
def test_the_slope_of_the_kymograph_is_the_true_speed(speed):
    scene = world(12, **PLUG, speed_bins_px=((speed, speed),), pulsatility=(0.0, 0.0))
    frames = np.arange(0, int(180 / speed))
    video = film(scene, frames, np.zeros((len(frames), 2)), "cpu").numpy()
    vessel, lumen = scene.vessels[0], scene.lumens[0]
    along = np.arange(lumen.transit.min() + 8, lumen.transit.max() - 8, 0.5)
    points = vessel.place(along, np.zeros(len(along)))
    rows = np.stack([map_coordinates(image, points.T, order=1) for image in video])
    rows = rows - rows.mean(0)
    lag = round(6 / speed)
    candidates = np.arange(0.8, 1.2, 0.005) * speed
    score = [_agreement(rows, along, lag, v * lag) for v in candidates]
    truth = float(vessel.travel_px(frames[:-1]).mean())
    assert candidates[int(np.argmax(score))] == pytest.approx(truth, rel=0.02)


def _agreement(rows: np.ndarray, along: np.ndarray, lag: int, shift: float) -> float:
    here = along < along[-1] - shift
    later = [np.interp(along[here] + shift, along, row) for row in rows[lag:]]
    return float(np.corrcoef(rows[:-lag][:, here].ravel(), np.ravel(later))[0, 1])


def test_the_same_seed_gives_the_same_clip_and_another_one_another():
    clips = [render_clip(sample_scene(np.random.default_rng(seed), (64, 64)), [0, 1, 5]) for seed in (7, 7, 8)]
    assert torch.equal(clips[0].video, clips[1].video)
    assert torch.equal(clips[0].flow, clips[1].flow)
    assert not torch.equal(clips[0].video, clips[2].video)


def test_a_frame_is_the_same_whichever_frames_are_asked_for():
    scene = sample_scene(np.random.default_rng(3), (64, 64))
    whole = np.concatenate(list(film_long(scene, np.arange(20))))
    few = film(scene, np.array([4, 17]), scene.shifts(np.array([4, 17])), "cpu").numpy()
    assert np.allclose(few, whole[[4, 17]], atol=1e-4)


def test_the_tissue_stays_the_same_however_far_it_moves():
    scene = world(13, (64, 64), motion_probability=1.0, drift_um_s=(20.0, 20.0), texture=(0.1, 0.1))
    frame = np.array([5])
    alone = film(scene, frame, np.array([[0.0, 3.0]]), "cpu")[0]
    with_far_one = film(scene, np.array([5, 9]), np.array([[0.0, 3.0], [70.0, 0.0]]), "cpu")[0]
    assert np.allclose(alone, with_far_one, atol=1e-3)


def test_the_picture_moves_by_the_reported_shift():
    scene = world(13, **MOVING, electrons=(1e7, 1e7), texture=(0.1, 0.1))
    frame = np.array([20])
    shift = scene.shifts(frame)[0]
    assert 1 < np.abs(shift).max() < 12
    scene = replace(scene, optics=replace(scene.optics, dirt=0.0, vignette=0.0, gradient=(0.0, 0.0)))
    still = film(scene, frame, np.zeros((1, 2)), "cpu").numpy()[0]
    moved = film(scene, frame, shift[None], "cpu").numpy()[0]
    rows, columns = np.mgrid[16:112, 16:112]
    back = map_coordinates(moved, [rows + shift[0], columns + shift[1]], order=3)
    difference = still[16:112, 16:112] - back
    assert difference.std() < 0.15 * (still[16:112, 16:112] - moved[16:112, 16:112]).std()


def test_recorded_flow_is_tissue_flow_plus_tissue_motion():
    scene = world(13, **MOVING)
    before, after = scene.shifts(np.array([20, 21]))
    relative = true_flow(scene, np.array([20]))[0][0, 0].numpy()
    recorded = recorded_flow(scene, 20, 21)[0]
    mask = scene.masks[0] & scene.masks_at(20)[0]
    whole = (after - before)[::-1]
    shift = np.round(before).astype(int)
    moved = np.roll(relative, shift, (1, 2))
    mask &= np.roll(mask, shift, (0, 1)) & (np.abs(moved).sum(0) > 0)
    gap = recorded[:, mask] - moved[:, mask] - whole[:, None]
    assert np.abs(gap).mean() < 0.1
    assert np.abs(whole).max() > 0.05


def test_vessels_that_overlap_keep_a_mask_and_a_flow_each():
    for seed in range(20):
        clip = render_clip(world(seed, plan=("single", "single")), [0])
        if clip.overlap.any():
            break
    where = clip.overlap
    assert clip.masks[:, where].all()
    assert (clip.flow[0, :, :, where].abs().sum(1) > 0).all()
    assert not torch.allclose(clip.flow[0, 0][:, where], clip.flow[0, 1][:, where])


def test_flow_is_zero_outside_each_vessel():
    clip = render_clip(world(2, plan=("pair",)), [0, 3])
    outside = ~clip.masks[None, :, None].expand_as(clip.flow)
    assert (clip.flow[outside] == 0).all()
    assert (clip.flow.abs().sum(2)[clip.masks[None].expand(2, -1, -1, -1)] > 0).all()
