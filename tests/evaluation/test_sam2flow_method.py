import numpy as np
import pytest

from sam2flow_core.evaluation.sam2flow_method import NOTHING_PROMPTED, SAM2FlowMethod, answer_on_grid
from sam2flow_core.inference.steps import FrameFlow, VesselFlow


def crop(offset: tuple[int, int]) -> VesselFlow:
    """A crop of 20 x 30 whose flow tells its own column and row."""
    mask = np.zeros((20, 30), bool)
    mask[5:15, 5:25] = True
    y, x = np.mgrid[:20, :30].astype(np.float32)
    return VesselFlow.of(7, offset, mask, np.stack([x, y]) * mask, (x + y) * mask)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.0, -2.0), (1.25, 0.5)])
def test_a_crop_lands_where_the_tissue_was(shift: tuple[float, float]) -> None:
    offset = (10 + round(shift[0]), 8 + round(shift[1]))
    step = FrameFlow(0, shift, (crop(offset),))
    flow, scale, mask = answer_on_grid(step, (7,), np.array(shift), (64, 64))
    y, x = np.nonzero(mask[0])
    assert mask.sum() == pytest.approx(10 * 20, abs=30)
    inner = (y > y.min()) & (y < y.max()) & (x > x.min()) & (x < x.max())
    y, x = y[inner], x[inner]
    np.testing.assert_allclose(flow[0, 0, y, x], x + shift[1] - offset[1], atol=1e-4)
    np.testing.assert_allclose(flow[0, 1, y, x], y + shift[0] - offset[0], atol=1e-4)
    np.testing.assert_allclose(scale[0, y, x], flow[0, :, y, x].sum(1), rtol=1e-5)


def test_the_border_of_a_mask_is_not_mixed_with_the_zeros_beside_it() -> None:
    vessel = crop((0, 0))
    steady = VesselFlow.of(7, (0, 0), vessel.mask, np.full((2, 20, 30), 4.0, np.float32), np.ones((20, 30), np.float32))
    flow, _, mask = answer_on_grid(FrameFlow(0, (0, 0), (steady,)), (7,), np.array([0.4, 0.4]), (32, 32))
    np.testing.assert_allclose(flow[0][:, mask[0]], 4.0, rtol=1e-5)
    assert not flow[0][:, ~mask[0]].any()


def test_a_crop_out_of_the_grid_and_a_vessel_without_answer_leave_nothing() -> None:
    flow, scale, mask = answer_on_grid(FrameFlow(0, (0, 0), (crop((-90, 5)),)), (7, 8), np.zeros(2), (64, 64))
    assert not mask.any() and not flow.any() and np.isnan(scale).all()


class Described:
    """What names a predictor's answers."""

    def __init__(self) -> None:
        self.description, self.settings = {"sha256": "abc"}, "settings"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"clicks": 3}, "abc settings 3 []"),
        ({}, "abc settings None []"),
        ({"changed": ({"a": 1}, {})}, "abc settings None [{'a': 1}]"),
        ({"regions": NOTHING_PROMPTED}, "abc settings None [] nothing_prompted"),
        ({"regions": NOTHING_PROMPTED, "changed": ({}, {"b": 2})}, "abc settings None [{'b': 2}] nothing_prompted"),
    ],
)
def test_answers_are_kept_under_the_keys_of_every_version_before(given: dict, key: str) -> None:
    assert SAM2FlowMethod.enter(Described(), "row", **given).fingerprint == key
