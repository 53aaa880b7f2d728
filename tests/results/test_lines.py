"""Centrelines and space-time diagrams beside the flow."""

import numpy as np

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.messages import Message
from sam2flow_core.results import ResultsWriter, StoreHeader, open_results, write_line

UNKNOWN = {"value": None, "source": "none", "plausible": False}
CALIBRATION = {"pixel_size_um": UNKNOWN, "frame_rate_hz": UNKNOWN}


def store(folder):
    """A run of frames 2 to 5 in which the tissue moves down a px a frame; vessel 3 is measured, vessel 4 is not."""
    header = StoreHeader((9, 20, 30), 2, 6, {3: (4, 6), 4: (4, 6)}, {}, CALIBRATION, "v")
    writer = ResultsWriter.create(folder / "results.zarr", header, StoreSettings(chunk_frames=4))
    mask = np.ones((4, 6), bool)
    frames = [
        FrameFlow(t, (t, 0.0), tuple(VesselFlow.of(v, (5 + t, 7), mask, None, None, 1.0, 1.0) for v in (3, 4)))
        for t in range(2, 6)
    ]
    writer.write(frames)
    return folder


def test_a_line_comes_back_and_follows_the_tissue(tmp_path):
    store(tmp_path)
    points, diagram = np.array([[1.5, 0.0], [1.5, 1.0], [1.5, 2.0]]), np.arange(12.0).reshape(4, 3)
    reasons = (Message("only {share:.0%} of the frames", share=0.5), "a plain one")
    for brightness in (0, 1):  # a resumed run writes it again
        write_line(tmp_path / "results.zarr", 3, points, diagram + brightness, reasons)
    (line,) = open_results(tmp_path).lines()
    assert line.reasons == reasons and line.reasons[0].template == "only {share:.0%} of the frames"
    assert (line.vessel_id, line.frames.tolist()) == (3, [2, 3, 4, 5])
    np.testing.assert_array_equal(line.diagram, diagram + 1)
    np.testing.assert_array_equal(line.at(4), points + np.array([9, 7]))
    # Outside the run the nearest frame of it holds.
    np.testing.assert_array_equal(line.at(0), points + np.array([7, 7]))
    np.testing.assert_array_equal(line.at(8), points + np.array([10, 7]))
