from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_scenes import SIZE, Biased, rigid_case

from sam2flow_core.config.evaluation import EvaluationSettings
from sam2flow_core.evaluation.cases import out_of_frame
from sam2flow_core.evaluation.flow_comparison import Comparison, choose_pairs, compare, figures, pool


def table(comparison: Comparison):
    return figures("m", comparison, EvaluationSettings()).set_index("part")


def test_a_known_bias_is_the_error_in_every_part_that_has_pixels() -> None:
    rows = table(compare(rigid_case(), Biased((3.0, 4.0)), (2, 3)))
    seen = rows[rows.n > 0]
    assert {"all", "overlap", "leaves", "displacement 1-5", "width 10-20"} == set(seen.index)
    np.testing.assert_allclose(seen.epe, 5.0, rtol=1e-5)
    assert rows.loc["all", "seconds_pair"] == 0.25


def test_overlaps_and_leaving_pixels_are_counted_apart() -> None:
    rows = table(compare(rigid_case(velocity=2.0), Biased((0.0, 0.0)), (2,)))
    height, width = 12, SIZE[1]
    assert rows.loc["overlap", "n"] == 2 * 2 * width - 2 * 2  # two rows seen by both vessels, two of whose pixels leave
    assert rows.loc["leaves", "n"] == (height - 2) * 2
    assert rows.loc["all", "n"] == (height - 2) * (width - 2) + (height - 2) * width


def test_vessel_velocity_is_signed_along_each_vessel() -> None:
    compared = compare(rigid_case(velocity=4.0), Biased((1.0, 5.0)), (2, 3))
    # The lower vessel flows left at 2: measured along its own direction the bias to the right slows it down.
    np.testing.assert_allclose(compared.vessel_true, [4.0, 2.0])
    np.testing.assert_allclose(compared.vessel_predicted, [5.0, 1.0], rtol=1e-6)
    rows = table(compared)
    assert rows.loc["all", "velocity_median"] == pytest.approx((25 + 50) / 2)


class Declining(Biased):
    """Declines to answer pair 3, as where a frame was lost."""

    def answers(self, case, pairs):
        for answer in super().answers(case, pairs):
            yield replace(answer, flow=np.full_like(answer.flow, np.nan)) if answer.pair == 3 else answer


def test_a_pair_that_is_not_answered_counts_as_no_motion_and_not_for_the_mean_velocity() -> None:
    case = rigid_case(velocity=4.0)
    answered, compared = compare(case, Biased((0.0, 0.0)), (2,)), compare(case, Declining((0.0, 0.0)), (2, 3))
    assert table(answered).loc["all", "epe"] == pytest.approx(0, abs=1e-5)
    assert table(compared).loc["all", "epe"] > 1
    np.testing.assert_allclose(compared.vessel_predicted, answered.vessel_predicted)
    assert np.isfinite(compared.jitter).all()


def test_jitter_sees_what_alternates_between_consecutive_pairs_only() -> None:
    case = rigid_case()
    assert compare(case, Biased((3.0, 4.0)), (2, 3)).jitter.max() == 0
    np.testing.assert_allclose(compare(case, Biased((3.0, 4.0), alternate=True), (2, 3)).jitter, 10.0)
    assert compare(case, Biased((3.0, 4.0), alternate=True), (2, 5)).jitter.size == 0


def test_tissue_out_of_the_picture_counts_as_leaving() -> None:
    outside = out_of_frame(rigid_case(shift=(3.0, -5.0)), 1)
    assert outside[-3:].all() and outside[:, :5].all()
    assert not outside[:-3, 5:].any()


def test_fast_flow_is_marked_as_past_the_aliasing_limit() -> None:
    slow = compare(rigid_case(velocity=15.0), Biased((0.0, 0.0)), (2,))
    fast = compare(rigid_case(velocity=17.0), Biased((0.0, 0.0)), (2,))
    assert not slow.aliased.any()  # the limit is 8 um, 16 px here
    assert table(fast).loc["past aliasing", "n"] > 0


def test_a_stated_scale_is_judged_and_a_missing_one_is_blank() -> None:
    with_scale = table(compare(rigid_case(), Biased((1.0, 1.0), scale=1.0), (2,)))
    assert with_scale.loc["all", "coverage90"] == 100
    assert "coverage90" not in table(compare(rigid_case(), Biased((1.0, 1.0)), (2,))).columns


def test_pooling_weighs_every_pixel_alike_and_survives_the_disk(tmp_path: Path) -> None:
    case = rigid_case()
    near, far = compare(case, Biased((1.0, 0.0)), (2,)), compare(case, Biased((3.0, 0.0)), (2, 3, 4))
    assert table(pool([near, far])).loc["all", "epe"] == pytest.approx((1 + 3 * 3) / 4)
    far.save(tmp_path / "far.npz")
    back = Comparison.load(tmp_path / "far.npz")
    np.testing.assert_array_equal(back.predicted, far.predicted)
    assert [f.name for f in tmp_path.iterdir()] == ["far.npz"]


@pytest.mark.parametrize("frames", [2, 5, 8, 48, 10_000])
def test_pairs_lie_inside_the_case_and_come_in_bursts(frames: int) -> None:
    pairs = choose_pairs(frames, bursts=3, burst_pairs=2)
    assert min(pairs) >= 0 and max(pairs) <= frames - 2
    assert len(set(pairs)) == len(pairs) <= max(6, frames - 1)
    if frames >= 48:
        assert len(pairs) == 6
        assert [b - a for a, b in zip(pairs[::2], pairs[1::2], strict=True)] == [1, 1, 1]
        assert pairs[-1] > 0.9 * frames - 3
