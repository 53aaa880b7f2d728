"""Still pictures of a recording: in one frame vessels hide among cells and noise, over time they stand out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.stack.registration import translate
from sam2flow_core.stack.stabiliser import Stabiliser
from sam2flow_core.stack.stack import Stack

SAMPLES = 48
"""Pairs of frames that are looked at, all over the recording: more make no difference to the eye."""


@dataclass(frozen=True)
class Stills:
    """Pictures (Y, X) of float32.

    Attributes
    ----------
    mean : ndarray
        Mean of the frames as they were recorded.
    stabilised : ndarray
        Mean of the frames laid on the tissue of the first one: sharp where the tissue moves.
    activity : ndarray
        Mean change from one frame to the next, laid on the tissue likewise: bright where blood moves.
    """

    mean: NDArray[np.float32]
    stabilised: NDArray[np.float32]
    activity: NDArray[np.float32]


def still_pictures(stack: Stack, samples: int = SAMPLES) -> Stills:
    """Return the still pictures of a recording from some of its frames.

    Parameters
    ----------
    stack : Stack
    samples : int
        Pairs of frames to look at.

    Raises
    ------
    StackError
        If a frame cannot be read.
    """
    last = stack.shape[0] - 1
    chosen = np.unique(np.linspace(0, max(last - 1, 0), samples).astype(int))
    stabiliser = Stabiliser()
    stabiliser.prime(stack.frame(int(t)) for t in chosen)
    mean, stabilised, activity = (np.zeros(stack.shape[1:], np.float32) for _ in range(3))
    for t in chosen:
        now = stack.frame(int(t)).astype(np.float32)
        after = stack.frame(min(int(t) + 1, last)).astype(np.float32)
        shift = stabiliser.register(now)
        mean += now
        stabilised += translate(now, shift.dy, shift.dx)
        activity += translate(np.abs(after - now), shift.dy, shift.dx)
    return Stills(*((picture / len(chosen)).astype(np.float32) for picture in (mean, stabilised, activity)))
