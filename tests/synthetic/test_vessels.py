import numpy as np
import pytest
from worlds import world

from sam2flow_core.synthetic import true_displacement, true_flow
from sam2flow_core.synthetic.motion import time_course
from sam2flow_core.synthetic.vessels import Profile, Vessel, lumen


def straight(profile: Profile, taper: float = 0.0, speed: float = 300.0) -> Vessel:
    points = np.stack([np.full(201, 50.0), np.arange(201.0)], 1)
    line, diameter, step = lumen(points, 20 * (1 + taper * np.linspace(-0.5, 0.5, 201)))
    return Vessel(1, line, diameter, step, profile, speed, time_course(0.01, np.ones(500)), 0.5, 100.0)


def arc(radius: float) -> Vessel:
    angle = np.linspace(0, np.pi, 400)
    points = 100 + radius * np.stack([np.sin(angle), np.cos(angle)], 1)
    line, diameter, step = lumen(points, np.full(400, 12.0))
    return Vessel(1, line, diameter, step, Profile(0.0, 2), 300.0, time_course(0.01, np.ones(500)), 0.5, 100.0)


def test_place_undoes_locate_on_a_curved_tapered_vessel():
    vessel = world(1, taper=0.15).vessels[0]
    rng = np.random.default_rng(0)
    transit, rho = rng.uniform(0.05, 0.95, 500) * vessel.length, rng.uniform(-1, 1, 500)
    points = vessel.place(transit, rho)
    assert np.allclose(vessel.place(*vessel.locate(points)), points, atol=1e-4)


def test_the_displacement_follows_the_bend_instead_of_the_tangent():
    vessel = arc(30.0)
    start = np.array([[130.0, 100.0]])
    transit, rho = vessel.locate(start)
    end = vessel.place(transit + 20.0, rho)
    assert np.linalg.norm(end - 100.0) == pytest.approx(30.0, abs=0.02)
    chord = np.linalg.norm(end - start)
    assert chord == pytest.approx(2 * 30 * np.sin(20 / 60), rel=1e-3)


def test_the_profile_across_a_straight_vessel_is_the_one_asked_for():
    vessel = straight(Profile(slip=0.8, order=3.0))
    offsets = np.linspace(-9, 9, 13)
    points = np.stack([50 + offsets, np.full(13, 60.0)], 1)
    transit, rho = vessel.locate(points)
    end = vessel.place(transit + vessel.travel_px(np.array([0])) * vessel.profile(rho), rho)
    moved = (end - points)[:, 1]
    asked = 1 - 0.8 * np.abs(offsets / 10) ** 3
    assert np.allclose(moved / moved[6], asked, atol=2e-3)


def test_the_mean_of_the_profile_is_the_nominal_speed():
    vessel = straight(Profile(slip=1.0, order=2.0))
    assert vessel.profile(np.linspace(-1, 1, 20001)).mean() == pytest.approx(1.0, abs=1e-4)
    assert vessel.profile(np.zeros(1))[0] == pytest.approx(1.5)
    assert vessel.speed_px(0) == pytest.approx(300 / 0.5 / 100)


def test_volume_is_conserved_in_a_taper():
    vessel = straight(Profile(0.0, 2.0), taper=0.3)
    transit = np.array([0.1, 0.9]) * vessel.length
    points = vessel.place(transit, np.zeros(2))
    ahead = vessel.place(transit + 1.0, np.zeros(2))
    speed = np.linalg.norm(ahead - points, axis=1)
    knots = np.arange(len(vessel.diameter_px)) * vessel.step
    diameter = np.interp(transit + 0.5, knots, vessel.diameter_px)
    assert diameter[1] / diameter[0] > 1.2
    assert speed[0] * diameter[0] ** 2 == pytest.approx(speed[1] * diameter[1] ** 2, rel=2e-3)


def test_the_true_displacement_is_the_mean_of_the_true_flow_along_a_straight_vessel():
    scene = world(3)
    frames = np.array([0, 7])
    flow, _ = true_flow(scene, frames)
    inside = scene.masks[0]
    lengths = np.hypot(*flow[:, 0].numpy()[:, :, inside].transpose(1, 0, 2)).mean(1)
    assert np.abs(true_displacement(scene, frames)[:, 0]) == pytest.approx(lengths, rel=0.02)


def test_a_displacement_is_the_integral_of_a_changing_speed():
    speeds = np.array([1.0, 3.0, 5.0, 7.0])
    vessel = straight(Profile(0.0, 2.0))
    course = time_course(0.0025, speeds)
    changed = Vessel(**{**vessel.__dict__, "course": course})
    assert changed.travel_px(np.array([0])) == pytest.approx(300 / 0.5 * 0.0025 * speeds.sum())
    assert changed.speed_px(0) == pytest.approx(300 / 0.5 / 100 * 1.0)
