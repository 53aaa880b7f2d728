"""The main job on the one real recording there is: directions and the order of magnitude of four known velocities.

The reference is a space-time correlation along hand-drawn centrelines, 240 frames pooled, lags 1 to 3.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sam2flow_core.engine import RunRequest, run
from sam2flow_core.prompts import Prompt
from sam2flow_core.results import open_results

RECORDING = Path(__file__).parents[3] / "shared" / "data" / "ncflowspeed" / "ncflowspeed_240f.tif"
pytestmark = pytest.mark.skipif(not RECORDING.is_file(), reason=f"the real recording is not here ({RECORDING})")

# vessel: clicks (y, x), direction (dx, dy) of the flow, um/s
VESSELS = {
    1: ([(57, 178), (66, 208), (60, 235)], (1, 0), 95),
    2: ([(57, 70), (66, 78), (74, 88)], (-1, -1), 235),
    3: ([(83, 117), (79, 128), (75, 140)], (1, -0.3), 215),
    4: ([(68, 346), (78, 350)], (-0.2, -1), 265),
}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("real") / "out"
    prompts = tuple(Prompt(vessel, 0, y, x) for vessel, (clicks, _, _) in VESSELS.items() for y, x in clicks)
    list(run(RunRequest(RECORDING, prompts, out, device="cpu", stop=64)))
    return out


def test_velocities_are_calibrated_and_of_the_right_order(out):
    summary = pd.read_csv(out / "summary.csv").set_index("vessel_id")
    for vessel, (_, _, speed) in VESSELS.items():
        assert speed / 2.5 < summary.loc[vessel, "v_mean_um_s"] < speed * 2.5, summary["v_mean_um_s"]
    assert not summary["flags"].astype(str).str.contains("UNCALIBRATED").any()


def test_neighbours_that_flow_in_opposite_directions_are_told_apart(out):
    results = open_results(out)
    for vessel, (_, direction, _) in VESSELS.items():
        track = results.track(vessel)
        flow = np.nanmean(np.where(track.mask[:-1, None], track.flow, np.nan), axis=(0, 2, 3))
        assert np.dot(flow, direction) / np.hypot(*flow) / np.hypot(*direction) > 0.5, (vessel, flow)
