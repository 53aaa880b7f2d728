import numpy as np
import pytest

from sam2flow_core.config.velocity import SeriesSettings
from sam2flow_core.velocity.uncertainty import mean_standard_error

STILL, FEARED = np.zeros(200), np.full(200, 2.0)


def error(difference: float, kymograph: float = 4.0, feared: np.ndarray = FEARED) -> float:
    return mean_standard_error(STILL, feared, difference, kymograph, SeriesSettings())


def test_without_a_diagram_the_model_is_believed():
    assert error(np.nan, np.nan) == pytest.approx(2.0)


def test_a_diagram_that_agrees_calms_the_model_and_one_that_does_not_adds_to_its_doubt():
    own = SeriesSettings().diagram_error * 4.0
    assert error(0.0) == pytest.approx(2.0 * own / np.hypot(2.0, own))
    assert error(0.0) < error(0.5) < error(2.0) < error(6.0)
    assert error(6.0) > error(np.nan, np.nan)


def test_a_model_that_is_sure_is_not_made_sure_of_more():
    sure = np.full(200, 0.05)
    assert error(0.0, feared=sure) == pytest.approx(0.05, rel=0.01)
    assert np.isnan(error(0.0, feared=np.full(200, np.nan)))
