import pandas as pd
import pytest
import tifffile

from sam2flow_core.engine.demo import sample_files
from sam2flow_core.prompts import Prompt, write_prompts


def write_recording(path, count):
    """Write the first frames of a vessel of the bundled recording."""
    frames = tifffile.imread(sample_files()[0])[:count, 38:102, 143:239]
    tags = {"axes": "TYX", "unit": "um", "finterval": 0.01}
    tifffile.imwrite(path, frames, imagej=True, resolution=(2.0, 2.0), metadata=tags)
    return path


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("recording") / "vessel.tif", 12)


@pytest.fixture(scope="session")
def long_recording(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("recording") / "long.tif", 160)


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.csv"
    write_prompts(path, (Prompt(1, 0, 32.0, 48.0, 1), Prompt(1, 0, 5.0, 48.0, 0)))
    return path


@pytest.fixture(scope="session")
def model():
    """Arguments that choose the shipped weights: without any, masks may be empty, and blank tables always agree."""
    return ["--model", "tiny", "--device", "cpu"]


@pytest.fixture(scope="session")
def agree():
    """Check that two runs left the same tables, with a velocity in them; but for columns that are named."""

    def check(one, other, but=()):
        assert pd.read_csv(one / "summary.csv")["v_mean_um_s"].notna().all()
        for name in ("summary.csv", "per_frame.csv"):
            first, second = (
                pd.read_csv(folder / name, dtype=str).drop(columns=list(but), errors="ignore")
                for folder in (one, other)
            )
            pd.testing.assert_frame_equal(first, second)

    return check
