"""Tracking by memory: one mask in the first frame, the others found by memory alone, against the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.evaluation.cases import Case, out_of_frame, without_motion
from sam2flow_core.evaluation.metrics import endpoint_error, mask_iou
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.inference.dense import to_recorded
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.object_track import ObjectTrack
from sam2flow_core.stack import open_stack

Masks = list[NDArray[np.bool_]]
"""Masks (V, Y, X) of each frame."""

_WHOLE = ("epe", "megabytes", "seconds")


@dataclass(frozen=True)
class TrackingScore:
    """How one memory did on one case.

    Attributes
    ----------
    ious : DataFrame
        ``case, vessel_id, frame, moving, iou``: every vessel in every frame but the first, where the tissue is in the
        picture; ``moving``: in the frames as recorded, not with the tissue's motion taken out.
    epe : float
        Of the flow in the masks found without tissue motion, px.
    megabytes : float
        Held for one vessel at the end.
    seconds : float
        Processor time of a frame, all vessels.
    """

    ious: pd.DataFrame
    epe: float
    megabytes: float
    seconds: float

    def as_table(self) -> pd.DataFrame:
        """One table, for a cache."""
        return self.ious.assign(**{name: getattr(self, name) for name in _WHOLE})

    @staticmethod
    def from_table(table: pd.DataFrame | None) -> TrackingScore | None:
        """Inverse of `as_table`."""
        if table is None:
            return None
        return TrackingScore(table.drop(columns=list(_WHOLE)), *(float(table[name].iloc[0]) for name in _WHOLE))


def score_tracking(predictor: SAM2FlowPredictor, case: Case, flow_frames: int) -> TrackingScore:
    """Track the vessels of a case, with and without the tissue's motion, and measure the flow in the masks found.

    Parameters
    ----------
    predictor : SAM2FlowPredictor
    case : Case
    flow_frames : int
        Frames, spread over the case, at which the flow is measured.
    """
    still = without_motion(case)
    masks, seconds, megabytes = _track_by_memory(predictor, still)
    moving, _, _ = _track_by_memory(predictor, case)
    ious = pd.concat([compare_masks(masks, still, False), compare_masks(moving, case, True)], ignore_index=True)
    return TrackingScore(ious, _flow_error(predictor, masks, still, flow_frames), megabytes, seconds)


def score_standing_still(predictor: SAM2FlowPredictor, case: Case, flow_frames: int) -> TrackingScore:
    """Judge what needs no memory: the mask given in the first frame, left where it is."""
    still = without_motion(case)
    masks = [np.stack([vessel.mask for vessel in case.vessels])] * len(case.video)
    ious = pd.concat([compare_masks(masks, still, False), compare_masks(masks, case, True)], ignore_index=True)
    return TrackingScore(ious, _flow_error(predictor, masks, still, flow_frames), 0.0, 0.0)


def _track_by_memory(predictor: SAM2FlowPredictor, case: Case) -> tuple[Masks, float, float]:
    """Give the true masks of the first frame, and find those of the others by memory.

    Returns
    -------
    masks : Masks
    seconds : float
        Processor time of a frame.
    megabytes : float
        Held for one vessel at the end, mean over vessels.
    """
    config, settings = predictor.model.config.mask, predictor.settings
    # SAM 2 keeps all frames; no more are kept here than its memory can look back on.
    bounded = replace(settings.sam2, remembered_frames=max(config.memory_frames, config.max_pointers))
    tracker = SAM2MaskPredictor(predictor.model, predictor.device, {}, replace(settings, sam2=bounded))
    state = tracker.init_state(open_stack(case.video))
    for vessel in case.vessels:
        tracker.add_new_mask(state, 0, vessel.vessel_id, vessel.mask)
    began = time.process_time()
    masks = [(logits[:, 0] > 0).cpu().numpy() for _, _, logits in tracker.propagate_in_video(state)]
    seconds = (time.process_time() - began) / len(masks)
    return masks, seconds, float(np.mean([_held_bytes(track) for track in state.tracks.values()])) / 1e6


def _held_bytes(track: ObjectTrack) -> int:
    """Bytes of the memories and pointers that are kept of an object."""
    if track.bank is not None:
        tensors = [tensor for entry in track.bank.entries for tensor in (entry.tokens, entry.pointer)]
    else:
        answers = (*track.prompted.values(), *track.followed.values())
        tensors = [tensor for answer in answers for tensor in (answer.tokens, answer.pointer) if tensor is not None]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def compare_masks(masks: Masks, case: Case, moving: bool) -> pd.DataFrame:
    """Compare masks with the true ones, moved as the tissue is; columns as of `TrackingScore.ious`."""
    rows = []
    for frame in range(1, len(masks)):
        dy, dx = (round(float(d)) for d in case.shifts[frame])
        for vessel, mask in zip(case.vessels, masks[frame], strict=True):
            true = to_recorded(vessel.mask, dy, dx)
            if true.any():
                rows.append((case.name, vessel.vessel_id, frame, moving, mask_iou(mask, true)))
    return pd.DataFrame(rows, columns=["case", "vessel_id", "frame", "moving", "iou"])


def _flow_error(predictor: SAM2FlowPredictor, masks: Masks, case: Case, count: int) -> float:
    """EPE, px, of the flow in the masks found at ``count`` frames spread over a case without tissue motion.

    Pixels are those of the true vessels without overlaps and without blood that leaves the picture; what a mask leaves
    out counts as no motion.
    """
    state = predictor.init_state(open_stack(case.video), stabilise=False, pixel_size_um=case.pixel_size_um)
    errors = []
    for frame in np.unique(np.linspace(1, len(masks) - 2, count).round().astype(int)).tolist():
        predictor.reset_state(state)
        for vessel, mask in zip(case.vessels, masks[frame], strict=True):
            predictor.add_new_mask(state, frame, vessel.vessel_id, mask)
        step = next(predictor.propagate_in_video(state, frame, 0))
        assert step.flow is not None
        true, leaves = case.flow(frame)
        outside = out_of_frame(case, frame)
        for index, vessel in enumerate(case.vessels):
            clear = vessel.mask & ~(case.overlap | leaves[index] | outside)
            predicted = np.where(masks[frame][index], step.flow[index].numpy(), 0.0)
            errors.append(endpoint_error(predicted[:, clear].T, true[index][:, clear].T))
    return float(np.concatenate(errors).mean())
