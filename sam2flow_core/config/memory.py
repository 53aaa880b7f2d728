"""Which memory carries masks through time, and how much it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MemoryConfig:
    """A memory design with its numbers; a design reads its own numbers only.

    Attributes
    ----------
    design : str
        ``recent`` (SAM 2), ``short-long`` (SLM-SAM 2), ``relevant`` (SAM-I2V) or ``gated`` (SAMURAI);
        see `sam2flow_core.model.memory_designs`.
    short_frames, long_frames : int
        Entries in the short and in the long bank of ``short-long``; prompted frames come on top of the long one.
    pool_frames : int
        Unprompted entries from which ``relevant`` chooses.
    relevant_frames : int
        Entries that ``relevant`` reads.
    integrated_frames : int
        Frames before the present one that the temporal feature integrator of ``relevant`` looks at.
    least_affinity, least_presence, least_motion : float
        Below any of these, 0 to 1, ``gated`` does not write: the mask's estimated IoU, the probability that the object
        is there, and the IoU of its box with the one that its motion so far predicts.
    gated_pool : int
        Unprompted entries that ``gated`` holds; it reads the best of them.
    """

    design: str = "recent"
    short_frames: int = 2
    long_frames: int = 4
    pool_frames: int = 8
    relevant_frames: int = 4
    integrated_frames: int = 2
    least_affinity: float = 0.5
    least_presence: float = 0.5
    least_motion: float = 0.3
    gated_pool: int = 8
