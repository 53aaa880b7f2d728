"""The running mean of weights while they are trained: less noisy than where they are at the end of a step."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def follow_mean(averaged: Iterable[Tensor], current: Iterable[Tensor], steps: int, most: float) -> None:
    """Move means, in place, towards weights after so many steps; nothing here waits for the device.

    Parameters
    ----------
    averaged, current : iterable of Tensor
        The means, and the weights in the same order.
    steps : int
        That were made so far: the first ones are forgotten sooner.
    most : float
        What a later mean keeps of itself.
    """
    keep = min(most, (1 + steps) / (10 + steps))
    with torch.no_grad():
        torch._foreach_lerp_(list(averaged), list(current), 1 - keep)
