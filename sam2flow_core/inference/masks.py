"""From prompts to masks: encode the frame once, decode each vessel from its clicks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.inference.clicked_masks import clicked_masks, cut_back
from sam2flow_core.inference.matched_masks import FoundMask, SeenFrames
from sam2flow_core.inference.precision import in_own_precision
from sam2flow_core.inference.state import CroppedLogits, EncodedVideo, InferenceState, VesselState
from sam2flow_core.inference.working_frames import WorkingFrames
from sam2flow_core.model.image_encoder import frames_before
from sam2flow_core.model.prompt_encoder import PADDING
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow, VesselMasks, context_entries
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.tracing.field_map import FieldMap, Floats

_SURE = 20.0
"""Logit inside a mask that was given."""


def encoded(model: SAM2Flow, state: EncodedVideo, frame: int, cached: int) -> list[Tensor]:
    """Pyramid of a frame; kept, so that a further click costs the decoder only."""
    if frame not in state.levels:
        window = model.config.image.window
        clips = [state.frames.inputs(t) for t in frames_before(frame, window)]
        now = clips[-1] if clips else state.frames.inputs(frame)
        state.levels[frame] = in_own_precision(model.encode(now, torch.stack(clips, 1) if clips else None), model)
        while len(state.levels) > cached:
            state.levels.popitem(last=False)
    state.levels.move_to_end(frame)
    return state.levels[frame]


def field_maps(model: SAM2Flow, state: EncodedVideo, settings: TracingSettings) -> list[FieldMap] | None:
    """The recording's vessel field, made when it is first asked for; None where the network has none."""
    if model.vessel_field is None:
        return None
    if not state.maps:
        statistics = state.frames.take_statistics()
        if statistics is None:
            return None
        field, pictures = model.map_vessels(statistics.field_input), statistics.field_input[0, -2:].clone()
        moving = statistics.moving
        del statistics
        there = VesselField(*(x[0] for x in field))
        state.maps.append(FieldMap(there, settings, pictures, state.frames.shown, moving))
    return state.maps


def answer_prompts(
    model: SAM2Flow, state: InferenceState, vessel: VesselState, frame: int, settings: InferenceSettings
) -> None:
    """Make the mask that a vessel's prompts in a frame name, and remember it there."""
    maps = field_maps(model, state, settings.tracing)  # before anything else takes memory: it needs much
    levels = encoded(model, state, frame, settings.cached_frames)
    if model.config.mask.follows:
        assert maps is not None
        _follow_prompts(model, maps, state, vessel, frame)
        return
    owner = torch.zeros(1, dtype=torch.long, device=levels[0].device)
    others = [e for e in vessel.context.read() if e.frame != frame]
    tokens = model.context_memory.tokens(levels[2], [others], frame)
    prompts = replace(_prompts(state, vessel, frame, owner.device), tokens=tokens)
    embedded = model.condition(levels, owner, [others], frame)
    traced = clicked_masks(model, maps, owner, prompts)
    masks = model.segment(levels, owner, embedded, prompts, traced=traced)
    if frame in vessel.given:
        masks = _as_given(masks, vessel.given[frame], state)
    write_memory(model, levels, owner, masks, [vessel], frame, prompted=True)
    vessel.object_score = float(torch.sigmoid(masks.object_score[0]))
    vessel.mask_iou, vessel.followed = float(masks.iou[0]), None
    vessel.logits[frame] = CroppedLogits.of(masks.logits[0])


def _follow_prompts(
    model: SAM2Flow, maps: list[FieldMap], state: InferenceState, vessel: VesselState, frame: int
) -> None:
    """Answer the prompts of a frame by following them through the vessel field.

    Where only negative clicks are, they say where the vessel of the other frames' prompts is not: the vessel keeps its
    place in the tissue, and so do clicks.
    """
    alone = [f for f, clicks in vessel.points.items() if not any(kind > 0 for _, _, kind in clicks)]
    named = [*(f for f in vessel.points if f not in alone), *vessel.given]
    vessel.followed, vessel.object_score = None, 1.0
    for f in alone:
        vessel.logits.pop(f, None)
    if not named:
        nothing = torch.full(state.frames.size, -_SURE, device=state.frames.device)
        vessel.logits[frame], vessel.mask_iou = CroppedLogits.of(nothing), 0.0
    stops = [click for f in alone for click in vessel.points[f]]
    for f in named if frame in alone else [frame]:
        logits, vessel.mask_iou = _followed(model, maps, state, vessel, f, stops)
        vessel.logits[f] = CroppedLogits.of(logits)
        if state.seen is not None:
            state.seen.look(f, partial(state.frames.inputs, f))
            vessel.context.write(state.seen.entry(f, FoundMask(logits, vessel.mask_iou, 1.0), prompted=True))


def _followed(
    model: SAM2Flow,
    maps: list[FieldMap],
    state: InferenceState,
    vessel: VesselState,
    frame: int,
    stops: list[tuple[float, float, int]],
) -> tuple[Tensor, float]:
    """Mask logits (H, W) of a frame's prompts and of negative clicks elsewhere, and the IoU that is expected."""
    device, size = state.frames.device, state.frames.size
    vessel.left.pop(frame, None)
    if frame in vessel.given and stops:
        recorded = [(state.frames.video.recorded(x), state.frames.video.recorded(y)) for x, y, _ in stops]
        vessel.left[frame] = cut_back(vessel.given[frame], recorded, maps[0].settings.clicks.cut)
    if (painted := vessel.painted(frame)) is not None:
        return _logits_of(painted, state, device), 1.0
    clicks = vessel.points[frame] + stops
    points = torch.tensor([[x, y] for x, y, _ in clicks], device=device)[None]
    labels = torch.tensor([kind for _, _, kind in clicks], device=device)[None]
    traced = clicked_masks(model, maps, torch.zeros(1, dtype=torch.long), Prompts(points, labels))
    assert traced is not None
    fine = F.interpolate(traced.logits[:, None], size, mode="bilinear", align_corners=False)
    return fine[0, 0], float(traced.sureness[0])


def follow_vessels(
    model: SAM2Flow, state: InferenceState, frame: int, settings: InferenceSettings, vessels: list[VesselState]
) -> bool:
    """Look for some vessels in a later frame by memory alone; say whether the mask of one is another from now on.

    Networks whose memory matches frames update the mask where they are sure of another one: tissue bends, and a change
    of focus shows more or less of a vessel. The others only say what their decoder makes of all vessels.
    """
    if state.seen is None:
        if model.config.mask.follows:
            return False
        masks_from_memory(model, state, frame, settings.cached_frames)
        return False
    state.seen.look(frame, lambda: state.frames.inputs(frame))
    answers = state.seen.find(frame, [v.context.read() for v in vessels], state.frames.size)
    changed = [_take(v, a, state.seen, frame) for v, a in zip(vessels, answers, strict=True) if a is not None]
    return any(changed)


def memory_logits(model: SAM2Flow, state: InferenceState, frame: int, settings: InferenceSettings) -> Tensor:
    """Mask logits (V, H, W) of all vessels in a frame by memory alone, whatever is used there."""
    nothing = torch.full(state.frames.size, -_SURE, device=state.frames.device)
    if state.seen is None:
        if model.config.mask.follows:
            return torch.stack([nothing for _ in state.vessels])
        return masks_from_memory(model, state, frame, settings.cached_frames).logits
    state.seen.look(frame, lambda: state.frames.inputs(frame))
    answers = state.seen.find(frame, [v.context.read() for v in state.vessels.values()], state.frames.size)
    return torch.stack([nothing if found is None else found.logits for found in answers])


def _take(vessel: VesselState, answer: FoundMask, seen: SeenFrames, frame: int) -> bool:
    """Note what memory says of a vessel, remember it, and let its mask take the place of the one in use if need be."""
    how = seen.settings
    if frame in vessel.points or frame in vessel.given:
        return False  # the user has said more
    vessel.object_score = answer.present
    if answer.present < how.least_present:
        return False
    vessel.context.write(seen.entry(frame, answer, prompted=False))
    if answer.present < how.sure_present or answer.iou < how.sure_iou:
        return False
    now, before = answer.logits > 0, vessel.mask_logits() > 0
    both = float((now & before).sum()) / max(float((now | before).sum()), 1.0)
    if both >= how.agreement:
        return False
    vessel.followed = CroppedLogits.of(answer.logits)
    return True


def masks_from_memory(model: SAM2Flow, state: InferenceState, frame: int, cached: int) -> VesselMasks:
    """Find all vessels in a later frame from memory alone, and note what the decoder makes of them."""
    vessels = list(state.vessels.values())
    levels = encoded(model, state, frame, cached)
    owner = torch.zeros(len(vessels), dtype=torch.long, device=levels[0].device)
    banks = [v.context.read() for v in vessels]
    embedded = model.condition(levels, owner, banks, frame)
    recalled = None
    if model.config.use_context_memory:
        recalled = model.context_memory.prompts(levels[2][owner], banks, frame)
    nothing = torch.full((len(vessels), 1), PADDING, dtype=torch.long, device=owner.device)
    empty = torch.zeros(len(vessels), 1, 2, device=owner.device)
    tokens = model.context_memory.tokens(levels[2][owner], banks, frame)
    masks = model.segment(levels, owner, embedded, Prompts(empty, nothing, recalled, tokens))
    write_memory(model, levels, owner, masks, vessels, frame, prompted=False)
    for i, vessel in enumerate(vessels):
        if frame not in vessel.points and frame not in vessel.given:
            # The mask stays that of the prompts, and so does its quality.
            vessel.object_score = float(torch.sigmoid(masks.object_score[i]))
    return masks


def write_memory(
    model: SAM2Flow,
    levels: list[Tensor],
    owner: Tensor,
    masks: VesselMasks,
    vessels: list[VesselState],
    frame: int,
    prompted: bool,
) -> None:
    """Write each vessel's mask to its own context memory, if it is good enough."""
    tokens, pointers = model.write_context(levels, owner, masks)
    for vessel, entry in zip(vessels, context_entries(masks, tokens, pointers, frame, prompted), strict=True):
        vessel.context.write(entry)


def vessel_mask(vessel: VesselState) -> NDArray[np.bool_]:
    """Mask (H, W) of a vessel in working px, in tissue coordinates: what its prompted frames say together.

    The vessel keeps its place, so one mask serves all frames once the tissue's motion is out, until memory has found
    that it is another one.
    """
    return (vessel.mask_logits() > 0).cpu().numpy()


def vessel_masks(vessels: Iterable[VesselState], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Masks (V, H, W) of some vessels, each as `vessel_mask` has it; ``size`` is that of the input."""
    some = list(vessels)
    # Into one array: kept one by one among their logits, which go, they would keep the memory of these from being used.
    masks = np.empty((len(some), *size), bool)
    for vessel, mask in zip(some, masks, strict=True):
        mask[:] = vessel_mask(vessel)
    return masks


def recorded_logits(vessel: VesselState, video: WorkingFrames) -> NDArray[np.float32]:
    """Mask logits (h, w) of a vessel in px of the recorded picture: enlarged, but for a mask that was given, as it is.

    In tissue coordinates.
    """
    if vessel.followed is not None:
        return video.enlarged(vessel.followed.whole()).float().cpu().numpy()
    total = np.zeros(video.stack.picture.shape, np.float32)
    for frame, logits in vessel.logits.items():
        if (painted := vessel.painted(frame)) is not None:
            total += painted * np.float32(2 * _SURE) - np.float32(_SURE)
        else:
            total += video.enlarged(logits.whole()).float().cpu().numpy()
    return total / np.float32(len(vessel.logits))


def recorded_places(state: InferenceState, frame: int, places: Floats, stride: int) -> Floats:
    """Places ``(y, x)`` px (..., 2) in a recorded frame, of places ``(row, column)`` in cells of the vessel field."""
    stack, shift = state.frames.stack, state.frames.shift(frame)
    # The middle of the first px is (0, 0) at every resolution.
    px = (places + 0.5) * stride * state.frames.video.factor - 0.5
    moved = np.clip(px, 0, np.array(stack.picture.shape) - 1) + stack.picture.origin + (shift.dy, shift.dx)
    return np.asarray(np.clip(moved, 0, np.array(stack.shape[1:]) - 1), float)


def _prompts(state: InferenceState, vessel: VesselState, frame: int, device: torch.device) -> Prompts:
    clicks = vessel.points.get(frame, [])
    points = torch.tensor([[x, y] for x, y, _ in clicks] or [[0.0, 0.0]], device=device)[None]
    labels = torch.tensor([k for _, _, k in clicks] or [PADDING], device=device)[None]
    kept = vessel.logits.get(frame)
    before = None if kept is None else kept.whole()
    if frame in vessel.given:
        before = _logits_of(vessel.given[frame], state, device)
    # A later click refines the mask so far, as it does in training.
    logits = None if before is None else F.avg_pool2d(before[None, None], 4)
    return Prompts(points, labels, logits)


def _logits_of(mask: NDArray[np.bool_], state: InferenceState, device: torch.device) -> Tensor:
    height, width = state.frames.size
    padded = np.zeros((height, width), np.float32)
    shrunk = state.frames.video.shrunk_mask(mask)
    padded[: shrunk.shape[0], : shrunk.shape[1]] = shrunk
    return torch.from_numpy(padded * 2 * _SURE - _SURE).to(device)


def _as_given(masks: VesselMasks, given: NDArray[np.bool_], state: InferenceState) -> VesselMasks:
    """A mask that the user gave is the mask; the decoder only says what it makes of it."""
    logits = _logits_of(given, state, masks.logits.device)[None]
    sure = torch.ones_like(masks.iou)
    return VesselMasks(logits, sure, sure * _SURE, masks.token, masks.decoded)
