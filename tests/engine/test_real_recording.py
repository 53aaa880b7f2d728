"""The main job on a real recording that the network has never seen. Not part of the repository; skipped without it."""

from pathlib import Path

import pandas as pd
import pytest

from sam2flow_core.engine import RunRequest, run
from sam2flow_core.prompts import Prompt

RECORDING = Path(__file__).parents[2] / "../shared/data/ncflowspeed/ncflowspeed_240f.tif"

# Clicks on four vessels and what their space-time diagrams say, read by hand along the vessel: speed in um/s and the
# direction (dy, dx) it goes. Vessels 2 and 6 are neighbours that part from one feeder and run in opposite directions.
VESSELS = {1: (63.4, 75.0, 219), 2: (94.9, 66.6, 386), 6: (80.3, 128.6, 225), 11: (45.3, 379.1, 877)}
DIRECTIONS = {1: (-0.69, -0.73), 2: (-0.24, -0.97), 6: (-0.37, 0.93), 11: (-0.96, -0.29)}


@pytest.mark.skipif(not RECORDING.is_file(), reason="the real recording ../shared/data/ncflowspeed is not here")
def test_four_vessels_of_a_real_recording(tmp_path):
    prompts = tuple(Prompt(v, 0, y, x) for v, (y, x, _) in VESSELS.items())
    request = RunRequest(RECORDING, prompts, tmp_path / "out", device="cpu", stop=24)
    flows = {v: [] for v in VESSELS}
    for event in run(request):
        if hasattr(event, "result"):
            for vessel in event.result.vessels:
                if vessel.flow is not None:
                    flows[vessel.vessel_id].append(vessel.flow[:, vessel.mask].mean(1))
    for v, (dy, dx) in DIRECTIONS.items():
        mean = sum(flows[v]) / len(flows[v])
        assert mean[0] * dx + mean[1] * dy > 0, f"vessel {v} runs the wrong way"
    table = pd.read_csv(tmp_path / "out" / "summary.csv")
    for v, (_, _, expected) in VESSELS.items():
        mine = table[(table["vessel_id"] == v) | (table["parent_id"] == v)]["v_mean_um_s"].dropna()
        assert ((expected / 3 < mine) & (mine < expected * 2)).any(), f"vessel {v} is of the wrong order"
