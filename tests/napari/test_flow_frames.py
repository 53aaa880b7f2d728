"""Which answer is shown in a frame that has none of its own: during a run, and read back from its folder."""

import numpy as np
import pytest

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.results import ResultsWriter, StoreHeader, open_results
from sam2flow_napari.layers.flow_frames import FlowFrames, first_answered

SHAPE, CROP = (30, 16, 16), (8, 8)
ASKED = {2: True, 3: False, 4: False, 20: False, 21: True, 22: False}
"""Frames of two ranges, and whether flow from each to the next was asked for."""


def frame(t, asked):
    mask = np.ones(CROP, bool)
    flow = np.full((2, *CROP), t, np.float32) if asked else None
    return FrameFlow(t, (0.0, 0.0), (VesselFlow.of(1, (0, 0), mask, flow, flow[0] if asked else None),), asked=asked)


def during(frames, folder):
    frames.start_run(folder)
    for t, asked in ASKED.items():
        frames.add(frame(t, asked))


def afterwards(frames, folder):
    header = StoreHeader(SHAPE, 2, 23, {1: CROP}, {1: "1"}, {}, "v", ranges=((2, 5), (20, 23)))
    writer = ResultsWriter.create(folder / "results.zarr", header, StoreSettings())
    for t, asked in ASKED.items():
        writer.write([frame(t, asked)])
    results = open_results(folder)
    assert results.pairs.tolist() == [2, 21] and first_answered(results) == 2
    frames.show_results(folder, results)


@pytest.mark.parametrize("give", [during, afterwards])
def test_the_last_answer_is_held_within_a_range_and_not_from_one_range_to_another(give, tmp_path):
    frames = FlowFrames(SHAPE)
    give(frames, tmp_path)
    shown = {t: float(frames.flow(t)[0, 2, 2]) for t in ASKED}
    assert shown == {2: 2, 3: 2, 4: 2, 20: 0, 21: 21, 22: 21}  # at 0 the layer of speed is clear
    assert all(frames.labels(t).any() for t in ASKED)
