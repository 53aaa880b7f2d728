import numpy as np
import pytest

from .vessels import Scene, make_scene, parabola


def pulsating(
    mean: float, frames: int = 240, share: float = 0.3, hertz: float = 1.3, rate: float = 100.0
) -> np.ndarray:
    return mean * (1 + share * np.sin(2 * np.pi * hertz * np.arange(frames) / rate))


@pytest.fixture(scope="session")
def plug_scene() -> Scene:
    """A straight vessel, 5 px per frame with a pulse of 1.3 Hz, easy in every way."""
    return make_scene(pulsating(5.0))


@pytest.fixture(scope="session")
def parabola_scene() -> Scene:
    """A bent vessel with a parabolic profile, 6 px per frame in the middle."""
    return make_scene(pulsating(6.0), shape=(70, 170), bend=0.005, profile=parabola)
