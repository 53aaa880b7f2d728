import numpy as np
import pytest
from worlds import world

from sam2flow_core.synthetic.blood import TABLE, CellShapes, Population, populate
from sam2flow_core.synthetic.case_files import moving_cells
from sam2flow_core.synthetic.motion import time_course
from sam2flow_core.synthetic.networks import Stage
from sam2flow_core.synthetic.vessels import Profile, Vessel, lumen

DENSITY = 4.0
SPEED = 100.0


def filled(profile: Profile) -> tuple[Vessel, Population]:
    points = np.stack([np.full(301, 50.0), np.arange(301.0)], 1)
    line, diameter, step = lumen(points, np.full(301, 30.0))
    vessel = Vessel(1, line, diameter, step, profile, SPEED, time_course(0.01, np.ones(5000)), 1.0, 100.0)
    shapes = CellShapes(*(np.ones(TABLE) for _ in range(6)))
    supply = (np.full(TABLE, 2.0), 0.01)
    rng = np.random.default_rng(4)
    return vessel, populate(rng, [vessel], ((Stage(0),),), DENSITY, 0.0, supply, shapes)


def crossings(population: Population, line: float, seconds: float, step: float) -> int:
    times = np.arange(0, seconds, step)
    placed = population.at(times)
    passed = 0
    for cell in np.unique(placed.cell):
        own = placed.cell == cell
        at = np.full(len(times), np.nan)
        at[placed.moment[own]] = placed.transit[own]
        passed += int(((at[:-1] < line) & (at[1:] >= line)).sum())
    return passed


@pytest.mark.parametrize("profile", [Profile(0.0, 2.0), Profile(0.9, 2.0)])
def test_cells_past_a_line_are_density_times_mean_speed(profile):
    vessel, population = filled(profile)
    moments = np.arange(0, 6, 0.25)
    placed = population.at(moments)
    seen = len(placed.cell) / len(moments) / vessel.length
    speeds = SPEED * vessel.profile(placed.rho)
    expected = seen * float(speeds.mean()) * 6.0
    assert seen == pytest.approx(DENSITY, rel=0.08)  # the number of cells is drawn, too
    assert speeds.mean() == pytest.approx(SPEED, rel=0.02)
    assert crossings(population, 150.0, 6.0, 0.04) == pytest.approx(expected, rel=0.02)
    assert crossings(population, 40.0, 6.0, 0.04) == pytest.approx(expected, rel=0.02)


def test_cells_are_spread_evenly_over_the_lumen():
    vessel, population = filled(Profile(0.9, 2.0))
    placed = population.at(np.array([0.0, 3.7, 9.1]))
    across, _ = np.histogram(placed.rho, np.linspace(-0.9, 0.9, 7))
    along, _ = np.histogram(placed.transit, np.linspace(0, vessel.length, 7))
    assert across == pytest.approx(np.full(6, across.mean()), rel=0.12)
    assert along == pytest.approx(np.full(6, along.mean()), rel=0.12)


def test_no_pattern_of_cells_comes_twice():
    _, population = filled(Profile(0.0, 2.0))
    turn = float(population.cycle[0])
    assert np.allclose(population.cycle, turn)
    early, late = (np.sort(population.at(np.array([t])).transit) for t in (0.3, 0.3 + turn))
    nearest = np.abs(late[:, None] - early[None]).min(1)
    assert np.mean(nearest < 1e-6) < 0.05


@pytest.mark.parametrize("kind", ["branch", "tree", "loop"])
def test_no_cell_is_lost_or_made_at_a_junction(kind):
    changes = {"plan": (kind,), "pulsatility": (0.0, 0.0), "haematocrit": (0.4, 0.4), "diameter_px": (14.0, 14.0)}
    scene = world(5, (256, 256), **changes)
    assert len(scene.networks) == 1 and len(scene.vessels) > 2
    network = scene.networks[0]
    times = np.arange(0, 4, 0.01)
    placed = network.population.at(network.course.travel(times))
    vanished, entered = 0, 0
    for cell in np.unique(placed.cell):
        own = placed.cell == cell
        vessel = np.full(len(times), -1)
        vessel[placed.moment[own]] = placed.vessel[own]
        direction = 1 if _downstream(network.population, 0) else -1
        now, then = (vessel[:-1], vessel[1:]) if direction > 0 else (vessel[1:], vessel[:-1])
        left = (now == 0) & (then != 0)
        vanished += int((left & (then == -1)).sum())
        entered += int((left & (then > 0)).sum())
    assert entered > 5
    assert vanished == 0


def _downstream(population: Population, trunk: int) -> bool:
    """Say whether the trunk comes first on the routes."""
    return bool((population.stage_vessel[:, 0] == trunk).all())


def test_cells_do_not_jump_at_a_junction():
    scene = world(5, plan=("branch",), pulsatility=(0.0, 0.0), haematocrit=(0.4, 0.4))
    table = moving_cells(scene, np.arange(0, 200))
    step = table.groupby("cell")[["frame", "y", "x", "vessel_id"]].diff()
    changed = (step.frame == 1) & (step.vessel_id != 0)
    jump = np.hypot(step.y, step.x)[changed]
    fastest = max(v.mean_speed_px_s * v.profile(np.zeros(1))[0] / 100 for v in scene.vessels) * 1.5
    assert changed.sum() > 5
    assert jump.max() < fastest + 0.3 * scene.cell_px


def test_volume_is_conserved_at_a_branch():
    scene = world(5, plan=("branch",))
    flows = []
    for vessel in scene.vessels:
        middle = vessel.length * 0.5
        pace = vessel.pace(np.array([middle]))[0]
        knots = np.arange(len(vessel.diameter_px)) * vessel.step
        flows.append(vessel.mean_speed_px_s * pace * np.interp(middle, knots, vessel.diameter_px) ** 2)
    assert flows[0] == pytest.approx(flows[1] + flows[2], rel=0.01)
