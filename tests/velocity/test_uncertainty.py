import numpy as np
import pytest

from sam2flow_core.config.velocity import SeriesSettings
from sam2flow_core.velocity.uncertainty import frame_standard_error, mean_standard_error

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


def test_a_flow_that_does_not_find_back_is_doubted_more():
    def of_checks(*values: float) -> np.ndarray:
        back = np.full(9, np.nan, np.float32)
        back[[2, 6]] = values
        return frame_standard_error(np.full(9, 0.4), back, 24.0, SeriesSettings())

    home, lost, later = of_checks(0, 0), of_checks(3, 3), of_checks(0, 3)
    assert (lost > 5 * home).all()
    assert np.array_equal(later[:3], home[:3]) and np.array_equal(later[6:], lost[6:])
    assert (np.diff(later[2:7]) > 0).all()  # between the checks, by their distance


def test_without_a_check_a_usual_one_is_taken():
    settings = SeriesSettings()
    nothing = frame_standard_error(np.full(5, 0.4), np.full(5, np.nan, np.float32), 24.0, settings)
    usual = np.full(5, 0.4 * settings.usual_round_trip, np.float32)
    assert nothing == pytest.approx(frame_standard_error(np.full(5, 0.4), usual, 24.0, settings))


def test_a_longer_vessel_is_known_better():
    back = np.full(5, 0.1, np.float32)
    short, long = (frame_standard_error(np.full(5, 0.4), back, length, SeriesSettings()) for length in (24.0, 96.0))
    assert long == pytest.approx(short / 2)
