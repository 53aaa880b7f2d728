"""What a training run begins with: the network and the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from sam2flow_core.config.model import MaskConfig, MemoryConfig, preset, upgraded_to_video
from sam2flow_core.config.training import MEMORY_TRAINING, TRAINING, StageConfig, TrainingConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.weights import load_model
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.strip_decoder import MOTION_CHANNELS

_OWN = "context_memory.design."
"""Where the weights are that only one design of memory has."""
_NEWER = {"strip_decoder.": "strip_widths", "matched_memory.": "matching_widths"}
"""Where those of parts are that older weights do not have, and the setting of their size."""

_DECODING = {"masks", "memory"}
"""Parts of a stage that teach the decoder."""

_PATH_SAYS = 0.5
"""Weight of the whole vessel's log chance among the logits of speed that a network without it begins with."""


def choose_recipe(name: str, memory: MemoryConfig | None) -> TrainingConfig:
    """Return how a preset is trained, or a design of memory on top of it."""
    return TRAINING[preset(name).preset] if memory is None else MEMORY_TRAINING


def choose_stages(config: TrainingConfig, name: str | None) -> tuple[StageConfig, ...]:
    """Return the stages of a recipe, or the one of that name alone.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    if name is None:
        return config.stages
    found = tuple(stage for stage in config.stages if stage.name == name)
    if not found:
        raise ModelError(f"no stage '{name}'; there are {', '.join(stage.name for stage in config.stages)}")
    return found


def initial_model(
    name: str, start: str | None, memory: MemoryConfig | None, stages: Sequence[StageConfig] | None = None
) -> SAM2Flow:
    """Return the network of a preset, with random weights or those in ``start``.

    Weights that know masks only, such as SAM 2's, fill the masks' side: adapters begin without effect, flow at random.
    The decoder that ``start`` may do without begins at random, unless no stage teaches it.

    Parameters
    ----------
    name : str
        Of the preset.
    start : str or None
        Any name that `load_model` takes.
    memory : MemoryConfig or None
        Design that takes the place of the one in ``start``; what it has beside the shared weights begins at random.
    stages : sequence of StageConfig, optional
        That the network will be trained by; by default any.

    Raises
    ------
    ModelError
        If the weights are of another preset, or a design is to be trained on top of none, or of weights without the
        decoder that would answer.
    """
    if start is None:
        if memory is not None:
            raise ModelError(f"memory '{memory.design}' is trained on top of weights: say which (--start tiny)")
        return SAM2Flow(preset(name))
    model, _ = load_model(start)
    if model.config.preset != name:
        raise ModelError(f"{start}: weights of preset '{model.config.preset}', not '{name}'")
    if memory is not None and not model.config.mask.decodes:
        raise ModelError(
            f"{start}: its memory matches frames and has the same weights in every design, so there is nothing to "
            f"train; ask for '{memory.design}' where masks are followed (docs/memory.md), or train by --stage memory"
        )
    if memory is not None and memory != model.config.mask.memory:
        model = with_memory(model, memory)
    taught = stages is None or any(_DECODING & set(stage.parts) for stage in stages)
    if taught and not model.config.mask.decodes:
        model = _with_masks(model, replace(model.config.mask, decodes=True), _OWN)
    for part, size in _NEWER.items():
        widths = getattr(preset(name).mask, size)
        if widths != getattr(model.config.mask, size):
            model = _with_masks(model, replace(model.config.mask, **{size: widths}), part)
    if memory is None and preset(name).mask.strip_motion and not model.config.mask.strip_motion:
        model = with_strip_motion(model)
    if memory is None and _misses_whole_vessels(model, name):
        model = with_whole_vessels(model)
    if memory is None and preset(name).use_flow and not model.config.use_flow:
        model = _with_flow(model, name)
    return model.train()


def with_memory(model: SAM2Flow, memory: MemoryConfig) -> SAM2Flow:
    """Return a network with another design of memory; what only that one has begins at random.

    An image-only SAM is made into a network for videos as SAM-I2V does it: what it lacks begins at random.

    Raises
    ------
    ModelError
        If an image-only SAM is to have another memory than SAM-I2V's.
    """
    if model.config.mask.image_only:
        if memory.design != "associated":
            raise ModelError(f"'{model.config.preset}' knows single pictures: its way to videos is --memory associated")
        config = upgraded_to_video(model.config)
        changed = SAM2Flow(replace(config, mask=replace(config.mask, memory=memory)))
        changed.load_state_dict({**changed.state_dict(), **model.state_dict()})
        return changed
    return _with_masks(model, replace(model.config.mask, memory=memory), _OWN)


def _with_masks(model: SAM2Flow, mask: MaskConfig, anew: str) -> SAM2Flow:
    """Return a network with another configuration of masks, the part named ``anew`` with random weights."""
    changed = SAM2Flow(replace(model.config, mask=mask))
    shared = {name: value for name, value in model.state_dict().items() if not name.startswith(anew)}
    changed.load_state_dict({**changed.state_dict(), **shared})
    return changed


def with_strip_motion(model: SAM2Flow) -> SAM2Flow:
    """Return a network whose strip decoder is also shown what moves as at the click, which it does not heed yet."""
    changed = SAM2Flow(replace(model.config, mask=replace(model.config.mask, strip_motion=True)))
    tensors = model.state_dict()
    stem = tensors["strip_decoder.stem.weight"]
    tensors["strip_decoder.stem.weight"] = torch.nn.functional.pad(stem, (0, 0, 0, 0, 0, MOTION_CHANNELS))
    changed.load_state_dict(tensors)
    return changed


def _misses_whole_vessels(model: SAM2Flow, name: str) -> bool:
    return model.config.use_flow and preset(name).match.whole_vessel and not model.config.match.whole_vessel


def with_whole_vessels(model: SAM2Flow) -> SAM2Flow:
    """Return a network whose cells also see their whole vessel, which begins with a say in the first flow alone."""
    config = replace(model.config, match=replace(model.config.match, whole_vessel=True))
    changed = SAM2Flow(config)
    lags = len(config.match.lags)
    new = changed.flow.pooled_channels - model.flow.pooled_channels
    tensors = model.state_dict()
    for name in ("flow.cost_volume_net.prior", "flow.cost_volume_net.mix.weight"):
        seen, valid = tensors[name][..., :-lags], tensors[name][..., -lags:]
        tensors[name] = torch.cat([seen, seen.new_zeros(*seen.shape[:-1], new), valid], -1)
    for name in ("flow.start.weight", "flow.refinement.join.weight"):
        tensors[name] = torch.nn.functional.pad(tensors[name], (0, new))
    tensors["flow.cost_volume_net.prior"][-lags - 1] = _PATH_SAYS / tensors["flow.cost_volume_net.temperature"]
    changed.load_state_dict({**changed.state_dict(), **tensors})
    return changed


def _with_flow(model: SAM2Flow, name: str) -> SAM2Flow:
    whole = SAM2Flow(replace(preset(name), mask=model.config.mask))
    whole.load_state_dict({**whole.state_dict(), **model.state_dict()})
    return whole
