"""Settings of the benchmark: what is compared, and in which bins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EvaluationSettings:
    """How methods are compared with the truth.

    Attributes
    ----------
    bursts : int
        Places in each case, spread evenly over it, at which pairs are taken.
    burst_pairs : int
        Consecutive pairs at each place; two or more let jitter be seen.
    displacement_edges : tuple of float
        Bin edges of the true displacement, px per frame.
    width_edges : tuple of float
        Bin edges of the vessel's diameter, px.
    boundary_tolerance_px : float
        How far apart two outlines may lie and still agree (boundary F).
    clicks : tuple of int
        Numbers of clicks per vessel after which masks are judged.
    flow_clicks : int
        Number of clicks per vessel from which the flow is judged.
    ablation_cases : tuple of str
        Cases of the benchmark on which parts are left out one at a time; all cases of data that have none of these.
    background_frames : int
        Frames averaged to find the static background that is taken away
        before a classical method sees the video.
    """

    bursts: int = 3
    burst_pairs: int = 2
    displacement_edges: tuple[float, ...] = (0.0, 1.0, 5.0, 15.0, float("inf"))
    width_edges: tuple[float, ...] = (5.0, 10.0, 20.0, float("inf"))
    boundary_tolerance_px: float = 2.0
    clicks: tuple[int, ...] = (1, 3, 5)
    flow_clicks: int = 3
    ablation_cases: tuple[str, ...] = ("medium", "fast", "past-aliasing", "defocus", "dropouts", "dark-cells")
    background_frames: int = 200


@dataclass(frozen=True)
class ClickingSettings:
    """How a user is simulated who mends masks of a video by clicks.

    Attributes
    ----------
    clicks : int
        In one frame, one after the other, each in the middle of the largest error.
    rounds : int
        After each, the object is followed through the video, and the next frame is the one with the lowest J. SAM 2's
        authors use 8 rounds of 3 clicks.
    good_j : float
        Mean J that counts as done.
    """

    clicks: int = 3
    rounds: int = 8
    good_j: float = 0.9


@dataclass(frozen=True)
class MemorySettings:
    """How designs of memory are compared.

    Attributes
    ----------
    cases : tuple of str
        The long recordings of the benchmark; all cases of data that have none of these.
    flow_frames : int
        Frames, spread over a case, at which the flow is measured in the masks that memory found.
    steps : int
        Training steps of every design.
    seed : int
        Of the training, the same for every design.
    lost_iou : float
        Below this a vessel counts as lost.
    """

    cases: tuple[str, ...] = ("long",)
    flow_frames: int = 8
    steps: int = 240
    seed: int = 5
    lost_iou: float = 0.3


@dataclass(frozen=True)
class BenchSettings:
    """What the speed benchmark measures.

    Attributes
    ----------
    size : int
        Side of the frames, px.
    frames : int
        Length of the recording that is streamed.
    rounds : int
        Times each method is asked for a pair; the median counts.
    covered : tuple of float
        Least and greatest share of the frame that vessels cover.
    roi_share : float
        Share of the frame that the vessels of the small region cover at most.
    slow_s : float
        A method whose warm-up takes longer than this is timed once only.
    sizes : tuple of int
        Sides of the frames in the scaling table, px.
    vessels : tuple of int
        Numbers of vessels in the scaling table.
    lengths : tuple of int
        Numbers of frames over which memory is compared.
    length_size : int
        Side of the frames there, px.
    measured_frames : int
        Length of the stored run whose measuring is timed.
    minute_frames, minute_rate_hz, minute_vessels
        A minute of video: frames, frames per second, and how many of the vessels are prompted.
    seed : int
        Of the scene.
    """

    minute_frames: int = 9600
    minute_rate_hz: float = 160.0
    minute_vessels: int = 10
    size: int = 512
    frames: int = 48
    rounds: int = 7
    covered: tuple[float, float] = (0.15, 0.3)
    roi_share: float = 0.1
    slow_s: float = 5.0
    sizes: tuple[int, ...] = (128, 256, 512)
    vessels: tuple[int, ...] = (1, 2, 4, 8)
    lengths: tuple[int, ...] = (100, 400)
    length_size: int = 128
    measured_frames: int = 1000
    seed: int = 20
