import hashlib

import numpy as np
import pytest

from sam2flow_core.synthetic import SceneSettings, bench_obm, bench_v1, sample_scene, true_displacement, vitals_v1
from sam2flow_core.synthetic.bench import SAMPLE_FRAMES, sample_recording
from sam2flow_core.synthetic.random_draws import BENCHMARK, CASES, SAMPLE, stream
from sam2flow_core.training.clips import TRAINING_NAMESPACE

FINGERPRINTS = {
    "slow": "85f98c4b319f",
    "medium": "7373e65c9518",
    "fast": "dfe4e9b8c157",
    "near-aliasing": "b0eab1d4eaf1",
    "past-aliasing": "c78ae4df85a9",
    "thin": "1ceb0d047e3e",
    "venule": "491efbc0b149",
    "low-contrast": "0ca3095485ba",
    "defocus": "c244cef3276e",
    "motion": "856e0bc7c4d9",
    "dropouts": "a96856bf1555",
    "stops": "d9a092b1effe",
    "crossings": "cf656ef61fb3",
    "network": "5d40db96047e",
    "absorption": "85f020eaaed3",
    "dark-cells": "f97e112863a3",
    "bright-cells": "cc5a49d0484a",
    "long": "ef31f17a3eac",
    "heartbeat": "b7f28776af37",
    "single-file": "10cd12bd42f7",
}

OBM_FINGERPRINTS = {
    "obm-slow": "814f0ae82651",
    "obm-medium": "0bfad2f54e83",
    "obm-fast": "b25e4ccab75f",
    "obm-fastest": "47be4d89014d",
    "obm-wide": "af288b0b143e",
    "obm-thin": "5b1f70cffeba",
    "obm-low-contrast": "6c67532e0327",
    "obm-motion": "41dbe82bea5a",
    "obm-long": "68b18d55555a",
}


def fingerprint(scene) -> str:
    """Hash what decides a scene: geometry, speeds, cells, look; rounded, so that it holds on any machine."""
    parts = [np.array([scene.pixel_size_um, scene.frame_rate_hz, scene.noise_seed, scene.cell_px])]
    parts += [np.concatenate([v.centreline.ravel()[::50], v.diameter_px[::50]]) for v in scene.vessels]
    parts += [np.array([v.mean_speed_um_s, v.profile.slip, v.profile.order]) for v in scene.vessels]
    parts += [n.course.relative[::40] for n in scene.networks]
    parts += [np.concatenate([n.population.start, n.population.shapes.long[:20]]) for n in scene.networks]
    parts += [scene.motion.at(np.linspace(0, 1, 5)).ravel(), np.array([scene.optics.level, scene.optics.cell_contrast])]
    text = ",".join(f"{value:.4g}" for value in np.concatenate(parts) + 0.0)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_the_benchmark_is_what_it_was():
    assert {case.name: fingerprint(case.scene()) for case in (*bench_v1(), *vitals_v1())} == FINGERPRINTS
    assert {case.name: fingerprint(case.scene()) for case in bench_obm()} == OBM_FINGERPRINTS


def test_no_two_uses_share_a_seed_namespace():
    assert len({TRAINING_NAMESPACE, BENCHMARK, CASES, SAMPLE}) == 4
    first = [stream(space, 1).random() for space in (TRAINING_NAMESPACE, BENCHMARK, CASES, SAMPLE)]
    assert len(set(first)) == 4
    cases = (*bench_v1(), *vitals_v1(), *bench_obm())
    assert len({case.seed for case in cases}) == len({case.name for case in cases}) == len(cases)


@pytest.mark.parametrize(("name", "low", "high"), [("slow", 0.05, 1.5), ("medium", 0.4, 6), ("past-aliasing", 6, 45)])
def test_cases_have_the_speeds_they_promise(name, low, high):
    case = next(case for case in bench_v1() if case.name == name)
    frames = case.frames()
    speed = np.abs(true_displacement(case.scene(), frames[:-1], frames[1:])).mean(0)
    assert speed.min() > low and speed.max() < high


def test_bench_obm_has_the_magnification_and_the_speeds_of_its_microscopes():
    speeds = []
    for case in bench_obm():
        scene, frames = case.scene(), case.frames()
        assert 0.2 <= scene.pixel_size_um <= 0.3 and 100 <= scene.frame_rate_hz <= 240 and scene.cell_px > 22
        assert scene.optics.contrast == "relief"
        speeds += np.abs(true_displacement(scene, frames[:-1], frames[1:])).mean(0).tolist()
    assert min(speeds) < 2 and max(speeds) > 30
    assert max(len(case.frames()) for case in bench_obm()) >= 600


def test_stops_has_a_stop_and_a_reversal():
    case = next(case for case in bench_v1() if case.name == "stops")
    frames = case.frames()
    speed = true_displacement(case.scene(), frames[:-1], frames[1:])
    assert speed.min() < -1
    assert (np.abs(speed) < 0.1).any()


def test_dropouts_loses_and_repeats_frames():
    case = next(case for case in bench_v1() if case.name == "dropouts")
    advance = np.diff(case.frames())
    assert set(advance) == {0, 1, 2}
    assert 4 <= (advance != 1).sum() <= 14


def test_the_sample_has_opposite_neighbours_a_crossing_and_a_heartbeat():
    scene = sample_recording()
    one, two = (scene.vessels[i].centreline for i in (0, 1))
    assert np.dot(one[-1] - one[0], two[-1] - two[0]) < 0
    assert (scene.masks.sum(0) > 1).any()
    speed = np.abs(true_displacement(scene, np.arange(SAMPLE_FRAMES - 1)))
    assert (np.ptp(speed, axis=0) / speed.mean(0) > 0.5).all()
    assert speed.mean(0).min() > 0.5 and speed.mean(0).max() < 8


def test_settings_reach_all_speeds_looks_and_widths():
    """Training needs every bin of the benchmark's tables to be well filled."""
    speeds, widths, looks = [], [], set()
    for seed in range(60):
        scene = sample_scene(np.random.default_rng(seed), (96, 96), SceneSettings())
        looks.add(scene.optics.contrast)
        widths += [float(v.diameter_px.mean()) for v in scene.vessels]
        speeds += [abs(float(v.travel_px(np.array([0]))[0])) for v in scene.vessels]
    share, _ = np.histogram(speeds, [0, 1, 5, 15, 200])
    assert (share / len(speeds) > 0.12).all()
    assert min(widths) < 6 and max(widths) > 20
    assert looks == {"relief", "absorption", "bright_cells", "dark_cells"}
