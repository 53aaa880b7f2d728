from dataclasses import replace

import numpy as np
from evaluation_scenes import SIZE, rigid_case
from scipy.ndimage import gaussian_filter

from sam2flow_core.evaluation.kymograph import compare_kymograph


def test_the_kymograph_reads_a_moving_pattern_along_the_true_line() -> None:
    frames, velocity = 40, 3.0
    case = rigid_case(velocity, frames)
    rng = np.random.default_rng(1)
    pattern = gaussian_filter(rng.normal(size=(SIZE[0], SIZE[1] + 400)), 2.0)
    video = np.zeros((frames, *SIZE), np.float32)
    for t in range(frames):
        for vessel in case.vessels[::-1]:
            start = 200 - round(t * float(vessel.centre_velocity[0]))
            video[t][vessel.mask] = pattern[:, start : start + SIZE[1]][vessel.mask]
    compared = compare_kymograph(replace(case, video=1 + video, shifts=np.zeros((frames, 2))))
    np.testing.assert_allclose(compared.vessel_true, [3.0, -1.5])
    np.testing.assert_allclose(compared.vessel_predicted, [3.0, -1.5], rtol=0.05)
    assert compared.predicted.size == 0
