"""Line scans and drawn lines that cannot be measured are refused with what is wrong."""

import numpy as np
import pytest
import tifffile

from sam2flow_core.engine.lines import open_linescan, run_drawn_line
from sam2flow_core.errors import PromptError, StackError


def test_a_scan_that_is_none(tmp_path):
    with pytest.raises(StackError, match="no such file"):
        open_linescan(tmp_path / "gone.png")
    tifffile.imwrite(tmp_path / "scan.tif", np.ones((64, 32), np.complex64))
    with pytest.raises(StackError, match="complex64 are no brightness"):
        open_linescan(tmp_path / "scan.tif")


def test_a_line_runs_one_way(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (6, 40, 60), np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", frames)
    with pytest.raises(PromptError, match="turns back"):
        run_drawn_line(tmp_path / "stack.tif", tmp_path / "out", [(20, 5), (20, 5), (20, 50), (20, 10)])
    assert not (tmp_path / "out" / "summary.csv").exists()
    run_drawn_line(tmp_path / "stack.tif", tmp_path / "bent", [(5, 5), (5, 5), (30, 20), (5, 40)])
