import numpy as np
import pytest
from evaluation_scenes import SIZE, rigid_case

from sam2flow_core.evaluation.drift import judge_drift
from sam2flow_core.evaluation.ours import PredictedCase
from sam2flow_core.evaluation.records import Answer
from sam2flow_core.inference import FrameFlow, VesselFlow


class Worsening:
    """Off by 1 px in the first half of the recording and by 3 px in the second; its masks lose their right half."""

    def predict(self, case):
        return PredictedCase([self.step(case, t) for t in range(len(case.video))], [])

    def step(self, case, t):
        vessels = []
        for vessel in case.vessels:
            mask = vessel.mask.copy()
            if t > len(case.video) / 2:
                mask[:, 32:] = False
            vessels.append(VesselFlow(vessel.vessel_id, (0, 0), mask, None, None))
        return FrameFlow(t, (0.0, 0.0), tuple(vessels))

    def answers(self, case, pairs):
        for pair in pairs:
            error = np.array([1.0 if pair < len(case.video) / 2 else 3.0, 0], np.float32)
            flow = case.flow(pair)[0] + error[:, None, None]
            scale = np.ones((2, *SIZE), np.float32)
            scale[:, :, 32:] = np.nan  # the masks leave this out, and it is wrong
            flow[..., 32:] = 50
            yield Answer(pair, flow, scale, 0.0)


def test_drift_is_the_error_at_the_end_beside_that_at_the_beginning() -> None:
    row = judge_drift(Worsening(), rigid_case(frames=400)).iloc[0]
    assert (row.epe_first, row.epe_last) == pytest.approx((1, 3))
    assert (row.iou_first, row.iou_last) == pytest.approx((1, 0.5))
    assert row.frames == 400


def test_a_short_case_has_no_time_to_drift() -> None:
    assert judge_drift(Worsening(), rigid_case(frames=48)).empty
