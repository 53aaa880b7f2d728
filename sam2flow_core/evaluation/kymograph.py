"""The peer for velocity per vessel: space-time correlation along the true centreline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import KymographSettings
from sam2flow_core.evaluation.comparison import Comparison
from sam2flow_core.evaluation.records import MIDDLE, Case, VesselTruth
from sam2flow_core.results.tracks import VesselTrack
from sam2flow_core.velocity.centreline import resample
from sam2flow_core.velocity.diagram import read_diagram
from sam2flow_core.velocity.sampling import LaneSampler, sample_lanes


def compare_kymograph(case: Case) -> Comparison:
    """Measure every vessel of a case by its space-time diagram over the whole recording.

    It is given the true centreline, width and tissue motion, and is compared with the true velocity in the
    middle of the vessel, which is what it sees. It has no flow field, so all figures of pixels stay empty.
    """
    settings = KymographSettings()
    samplers = [_sampler(case, vessel, settings) for vessel in case.vessels]
    sample_lanes(samplers, lambda frame: case.video[frame], 0, len(case.video))
    readings = [read_diagram(sampler.samples(), case.frame_rate_hz, settings) for sampler in samplers]
    measured = [float(np.nanmean(reading.space_time.velocity[:-1])) for reading in readings]
    return velocities_only(np.array(measured), np.array([vessel.centre_velocity.mean() for vessel in case.vessels]))


def velocities_only(measured: NDArray[np.floating], true: NDArray[np.floating]) -> Comparison:
    """Return a comparison of vessel velocities without any pixels."""
    none = np.zeros(0, np.float32)
    flow = np.zeros((0, 2), np.float32)
    no = np.zeros(0, bool)
    return Comparison(flow, flow, none, none, no, no, no, measured, true, none, np.zeros(0))


def _sampler(case: Case, vessel: VesselTruth, settings: KymographSettings) -> LaneSampler:
    frames = len(case.video)
    still = np.ones(frames, np.float32)
    track = VesselTrack(
        vessel_id=vessel.vessel_id,
        name="",
        frames=np.arange(frames),
        offsets=np.rint(case.shifts).astype(np.int64),
        mask=np.broadcast_to(vessel.mask, (frames, *vessel.mask.shape)),
        flow=np.broadcast_to(np.zeros(1, np.float32), (frames - 1, 2, *vessel.mask.shape)),
        scale=np.broadcast_to(np.zeros(1, np.float32), (frames - 1, *vessel.mask.shape)),
        shifts=np.asarray(case.shifts, float),
        mask_iou=still,
        object_score=still,
        round_trip=np.full(frames - 1, np.nan, np.float32),
    )
    reach = MIDDLE * vessel.width_px / 2
    line = resample(np.asarray(vessel.centreline, float))
    return LaneSampler(track, line, np.linspace(-reach, reach, settings.lanes), vessel.mask)
