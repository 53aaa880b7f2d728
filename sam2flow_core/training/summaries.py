"""What a network is given of clips: frames beside their background, and the recording as a whole."""

from __future__ import annotations

import torch
from torch import Tensor

from sam2flow_core.model.inputs import InputMaker, smoothed
from sam2flow_core.model.motion_statistics import MotionStatistics


def summarise(frames: Tensor, firsts: Tensor, seconds: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs and statistics of B clips, with the code that a run uses, for all clips at once.

    As in use the clip's own frames weigh no more in the background than others, or slow cells would be part of it.

    Parameters
    ----------
    frames : Tensor (B, T, n, n)
        Of the clip.
    firsts, seconds : Tensor (B, P, n, n)
        Pairs of consecutive frames from all over its recording.

    Returns
    -------
    inputs : Tensor (B, T, 3, n, n)
    statistics : Tensor (B, 20, n / 2, n / 2)
    """
    if len(frames) == 1:
        inputs, statistics = _summarise_one(frames[0], firsts[0], seconds[0])
        return inputs[None], statistics[None]
    inputs, statistics = torch.vmap(_summarise_one)(frames, firsts, seconds)
    return inputs, statistics


def _summarise_one(frames: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    sampled, motion = torch.cat([first, second]), MotionStatistics()
    maker = InputMaker(sampled.mean(0), _spread(smoothed(sampled)))
    motion.add(first, second)
    return maker(frames), maker.field_input(motion.channels())[0]


def _spread(frames: Tensor) -> Tensor:
    """Standard deviation over time (H, W); `torch.std` takes many times as long over the first axis."""
    mean = frames.mean(0)
    return ((frames - mean).square().sum(0) / (len(frames) - 1)).sqrt()
