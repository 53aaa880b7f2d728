"""Figures of merit against closed forms."""

import numpy as np
import pytest

from sam2flow_core.evaluation.metrics import (
    auroc,
    binned_flow_metrics,
    boundary_f,
    direction_error,
    endpoint_error,
    flow_metrics,
    interval_coverage,
    jitter,
    mask_iou,
    mean_along,
    relative_errors,
    spearman,
)

rng = np.random.default_rng(0)


def constant(n: int, dx: float, dy: float) -> np.ndarray:
    return np.tile(np.array([dx, dy], np.float32), (n, 1))


def test_endpoint_error_of_a_constant_offset_is_its_length() -> None:
    true = rng.normal(size=(50, 2))
    np.testing.assert_allclose(endpoint_error(true + np.array([3, 4]), true), 5.0)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 180])
def test_direction_error_is_the_angle_of_rotation_either_way(degrees: float) -> None:
    angle = np.radians(degrees)
    turned = constant(4, np.cos(angle), np.sin(angle)) * 7
    np.testing.assert_allclose(direction_error(turned, constant(4, 2, 0)), degrees, atol=1e-4)
    np.testing.assert_allclose(direction_error(turned * [1, -1], constant(4, 2, 0)), degrees, atol=1e-4)


def test_direction_is_judged_only_where_the_truth_moves() -> None:
    true = np.array([[0.4, 0], [0.6, 0], [0, 0]])
    assert direction_error(np.ones((3, 2)), true).shape == (1,)


def test_no_flow_at_all_points_nowhere() -> None:
    np.testing.assert_array_equal(direction_error(np.zeros((3, 2)), constant(3, 2, 1)), 90)


def test_outliers_count_the_pixels_past_each_threshold() -> None:
    true = constant(10, 10, 0)
    predicted = true + np.array([[e, 0] for e in (0, 0, 0, 0, 0.5, 1.5, 2, 4, 4, 6)], np.float32)
    figures = flow_metrics(predicted, true)
    assert (figures["out1"], figures["out3"], figures["out5"]) == pytest.approx((50, 30, 10))
    assert figures["epe"] == pytest.approx(1.8)
    assert figures["epe_median"] == pytest.approx(1.0)


def test_fl_all_forgives_small_errors_of_fast_flow() -> None:
    error = np.array([4.0, 0.0])
    assert flow_metrics(constant(5, 100, 0) + error, constant(5, 100, 0))["fl_all"] == 0
    assert flow_metrics(constant(5, 50, 0) + error, constant(5, 50, 0))["fl_all"] == 100


def test_figures_of_nothing_are_nan_and_not_zero() -> None:
    figures = flow_metrics(np.zeros((0, 2)), np.zeros((0, 2)))
    assert figures.pop("n") == 0
    assert all(np.isnan(v) for v in figures.values())


def test_bins_hold_their_lower_edge_and_split_all_pixels() -> None:
    true = np.array([[0, 0], [1, 0], [4.9, 0], [5, 0], [40, 0]])
    bins = binned_flow_metrics(true + np.array([0, 2]), true, true[:, 0], (0, 1, 5, 15, float("inf")))
    assert {name: b["n"] for name, b in bins.items()} == {"0-1": 1, "1-5": 2, "5-15": 1, ">15": 1}
    assert all(b["epe"] == pytest.approx(2) for b in bins.values())


def test_a_calibrated_laplace_scale_covers_ninety_percent() -> None:
    scale = rng.uniform(0.1, 5, 40_000)
    error = rng.laplace(scale=scale[:, None], size=(40_000, 2))
    assert interval_coverage(error, scale) == pytest.approx(0.9, abs=0.005)
    assert interval_coverage(error, scale / 2) == pytest.approx(1 - 10**-0.5, abs=0.01)
    figures = flow_metrics(error, np.zeros_like(error), scale)
    assert figures["coverage90"] == pytest.approx(90, abs=0.5)
    assert 0.5 < figures["spearman"] < 0.9


def test_pixels_without_a_scale_do_not_count_in_its_figures() -> None:
    error = np.array([[0.1, 0], [0.2, 0], [0.3, 0], [50, 50]])
    figures = flow_metrics(error, np.zeros((4, 2)), np.array([0.1, 0.2, 0.3, np.nan]))
    assert figures["coverage90"] == 100
    assert figures["spearman"] == pytest.approx(1)


def test_spearman_sees_order_only() -> None:
    error = rng.uniform(size=100)
    assert spearman(error**3, error) == pytest.approx(1)
    assert spearman(-error, error) == pytest.approx(-1)
    assert np.isnan(spearman(np.ones(100), error))


def test_auroc_of_a_perfect_a_reversed_and_an_empty_flag() -> None:
    wrong = np.array([False, False, True, True])
    assert auroc(np.array([0.1, 0.2, 0.3, 0.4]), wrong) == 1
    assert auroc(np.array([0.4, 0.3, 0.2, 0.1]), wrong) == 0
    assert auroc(np.ones(4), wrong) == 0.5
    assert np.isnan(auroc(np.ones(4), np.zeros(4, bool)))


def box(y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    mask = np.zeros((64, 64), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_iou_of_overlapping_boxes() -> None:
    assert mask_iou(box(10, 20, 10, 30), box(10, 20, 20, 40)) == pytest.approx(1 / 3)
    assert mask_iou(box(0, 0, 0, 0), box(0, 0, 0, 0)) == 1


def test_boundary_f_forgives_the_tolerance_and_no_more() -> None:
    true = box(20, 40, 20, 40)
    assert boundary_f(box(19, 41, 19, 41), true, tolerance_px=1.5) == 1
    assert boundary_f(box(15, 45, 15, 45), true, tolerance_px=1.5) == 0
    half = boundary_f(box(20, 40, 20, 60), true, tolerance_px=1.0)
    # The long box follows three sides of four of the true one, and half of its own outline.
    assert half == pytest.approx(2 * (0.75 * 0.5) / 1.25, abs=0.06)
    assert boundary_f(box(0, 0, 0, 0), true, tolerance_px=2) == 0


def test_the_edge_of_the_picture_is_no_outline() -> None:
    across, shorter = box(20, 30, 0, 64), box(20, 30, 0, 60)
    assert boundary_f(shorter, across, tolerance_px=1.0) > 0.9


def test_mean_velocity_along_the_vessel_is_signed() -> None:
    direction = constant(8, 0.6, 0.8)
    assert mean_along(-5 * direction + 2 * direction[:, ::-1] * [1, -1], direction) == pytest.approx(-5)


def test_velocity_errors_are_percent_of_the_truth_and_a_miss_counts_in_full() -> None:
    errors = relative_errors(np.array([1.1, -2.0, np.nan, 5.0]), np.array([1.0, 2.0, 3.0, 0.0]))
    np.testing.assert_allclose(errors, [10, 200, 100])


def test_a_constant_error_does_not_jitter() -> None:
    bias = constant(6, 2, -1)
    np.testing.assert_array_equal(jitter(bias, bias), 0)
    np.testing.assert_allclose(jitter(bias, bias + np.array([3, 4])), 5)
