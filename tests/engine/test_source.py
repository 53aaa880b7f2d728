"""What is said of a recording before a run."""

from dataclasses import replace

import numpy as np
import tifffile

from sam2flow_core.engine import RunRequest
from sam2flow_core.engine.source import open_source
from sam2flow_core.prompts import Prompt


def test_what_the_user_gave_is_not_asked_for(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (6, 64, 64), np.uint8)
    tifffile.imwrite(tmp_path / "bare.tif", frames, metadata={"axes": "TYX"})
    request = RunRequest(tmp_path / "bare.tif", (Prompt(1, 0, 20.0, 20.0, 1),), tmp_path / "out")
    with open_source(request) as source:
        assert any("no pixel size" in n for n in source.notices) and any("no frame rate" in n for n in source.notices)
    with open_source(replace(request, pixel_size_um=0.5)) as source:
        assert not any("no pixel size" in n for n in source.notices)
        assert any("no frame rate" in n for n in source.notices)
    with open_source(replace(request, pixel_size_um=0.5, frame_rate_hz=100.0)) as source:
        assert source.notices == ()
