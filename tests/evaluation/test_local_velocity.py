"""The truth knows how fast blood is at each place: of a vessel that tapers, a part has another mean than the whole."""

from __future__ import annotations

import numpy as np
import pytest

from sam2flow_core.evaluation.case_sources import GENERATORS, development_case


@pytest.mark.parametrize("generator", GENERATORS)
def test_the_mean_over_all_places_is_that_of_the_vessel(generator: str) -> None:
    case = development_case(generator, 3, side=96, frames=4)
    assert case.vessels
    for vessel in case.vessels:
        local = vessel.local_velocity
        assert local is not None
        assert (np.isfinite(local) == vessel.mask).all()
        assert np.nanmean(local) == pytest.approx(float(vessel.mean_velocity.mean()), rel=1e-3)
