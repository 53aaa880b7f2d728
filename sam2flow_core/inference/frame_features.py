"""Matching features of the frames around the current one: of large pictures, what vessels can reach."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.inference.masks import vessel_mask
from sam2flow_core.inference.state import InferenceState
from sam2flow_core.model.flow_net import FlowNet


class FrameFeatures:
    """Makes features of frames by their time, and keeps those that are asked for again.

    Parameters
    ----------
    net : FlowNet
    state : InferenceState
        With all vessels that are to be followed; each has a mask.

    Attributes
    ----------
    cover : Cover or None
        The tiles that features are made of; None for the whole picture.
    kept : dict
        Time to features (1, D, rows, columns).
    """

    def __init__(self, net: FlowNet, state: InferenceState) -> None:
        self.net, self.frames = net, state.frames
        masks = np.stack([vessel_mask(vessel) for vessel in state.vessels.values()])
        self.cover = net.cover(torch.from_numpy(masks).to(state.frames.device))
        self.kept: dict[int, Tensor] = {}

    def of(self, time: int) -> Tensor:
        """Features of the frame at a time; made and not kept where they are not at hand."""
        if time in self.kept:
            return self.kept[time]
        return self.net.describe(self.frames.inputs(self.frames.grid.frame(time)), self.cover)

    def keep(self, time: int) -> None:
        """Have the features of a time at hand in ``kept``."""
        self.kept[time] = self.of(time)

    def forget(self, before: int) -> None:
        """Drop what belongs to earlier times."""
        for time in [time for time in self.kept if time < before]:
            del self.kept[time]
