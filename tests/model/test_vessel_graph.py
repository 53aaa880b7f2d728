import numpy as np
import pytest

from sam2flow_core.model.vessel_graph import trace_graph


def vesselness(inside):
    return np.where(inside, 5.0, -5.0)


def grid(side=96):
    return np.meshgrid(np.arange(side), np.arange(side), indexing="ij")


def test_one_vessel_is_one_line_without_junctions():
    y, x = grid()
    graph = trace_graph(vesselness(abs(y - 48 - 12 * np.sin(x / 12)) < 5))
    assert len(graph.lines) == 1 and graph.junctions == [(-1, -1)] and not graph.arms
    assert np.median(graph.radii[0]) == pytest.approx(4.0, abs=1.0)


def test_a_hairpin_stays_one_vessel():
    y, x = grid()
    radius = np.hypot(y - 48, x - 40)
    bow = (abs(radius - 16) < 5) & (x < 40)
    arms = (abs(abs(y - 48) - 16) < 5) & (x >= 40)
    graph = trace_graph(vesselness(bow | arms))
    assert len(graph.lines) == 1


@pytest.mark.parametrize("degrees", [40, 60, 90])
def test_crossing_vessels_go_straight_on(degrees):
    y, x = grid()
    a = np.deg2rad(degrees)
    flat, steep = abs(y - 48) < 4, abs((y - 48) * np.cos(a) - (x - 48) * np.sin(a)) < 4
    graph = trace_graph(vesselness(flat | steep))
    line, _, outside = graph.nearest(48, 4)
    at_end = bool(graph.lines[line][-1][1] > graph.lines[line][0][1])
    arm = graph.onward(line, at_end)
    assert outside < 0 and arm is not None
    assert abs(graph.lines[arm.line][:, 0].mean() - 48) < 3  # still the flat one


def test_a_fork_ends_the_vessel_but_a_thin_side_branch_does_not():
    y, x = grid()
    stem = (abs(y - 48) < 5) & (x < 50)
    fork = stem | ((abs(abs(y - 48) - (x - 50)) < 6) & (x >= 45))
    graph = trace_graph(vesselness(fork))
    line = graph.nearest(48, 4)[0]
    assert graph.onward(line, bool(graph.lines[line][-1][1] > graph.lines[line][0][1])) is None

    thin = (abs(y - 48) < 8) | ((abs(x - 48) < 2) & (y > 48))
    graph = trace_graph(vesselness(thin))
    line = graph.nearest(48, 4)[0]
    assert graph.onward(line, bool(graph.lines[line][-1][1] > graph.lines[line][0][1])) is not None


def test_an_image_without_vessels_has_no_lines():
    graph = trace_graph(np.full((64, 64), -3.0))
    assert graph.lines == [] and graph.nearest(10, 10) is None
