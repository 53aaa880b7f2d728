"""The methods users have today, each as a row of the benchmark."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad
from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

from sam2flow_core.config.velocity import KymographSettings, VelocitySettings
from sam2flow_core.errors import require_extra
from sam2flow_core.evaluation.cases import MIDDLE, Answer, Case, FlowMethod, VesselTruth, stabilised
from sam2flow_core.evaluation.flow_comparison import Comparison, compare
from sam2flow_core.inference.pickled import fits, load_pickled
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.velocity.centreline import resample
from sam2flow_core.velocity.diagram import read_diagram
from sam2flow_core.velocity.sampling import LaneSampler, Surroundings, sample_lanes


@dataclass(frozen=True)
class Method:
    """One row of the tables.

    Attributes
    ----------
    name : str
    fingerprint : str
        Changes whenever the answers may change: the key under which they are kept.
    compare : callable
        From a case and its chosen pairs to the comparison with the truth.
    """

    name: str
    fingerprint: str
    compare: Callable[[Case, Sequence[int]], Comparison]


def flow_method(method: FlowMethod) -> Method:
    """Return the row of a method that gives a flow field."""
    return Method(method.name, method.fingerprint, lambda case, pairs: compare(case, method, pairs))


def peer_methods(background_frames: int) -> tuple[Method, ...]:
    """Return every two-frame peer this machine can run, and the kymograph."""
    dense = [flow_method(TwoFrameMethod(method, background_frames)) for method in pair_methods()]
    kymograph = Method("kymograph, true centreline", "kymograph 1", lambda case, _: compare_kymograph(case))
    return (*dense, kymograph)


class PairMethod(Protocol):
    """Optical flow from two frames and nothing else."""

    @property
    def name(self) -> str:
        """The method's name in the tables."""
        ...

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Flow from one frame to the next.

        Parameters
        ----------
        first, second : ndarray of uint8, shape (Y, X)
            Frames as `remove_background` gives them.

        Returns
        -------
        ndarray of float32, shape (2, Y, X)
            ``(dx, dy)`` in px per frame at the pixels of the first frame.
        """
        ...


def pair_methods() -> tuple[PairMethod, ...]:
    """All two-frame peers this machine can run; RAFT-small only where its weights are at hand.

    Raises
    ------
    ExtraError
        If the packages of the ``peers`` extra are missing.
    """
    require_extra("peers", "comparing with classical methods")
    from sam2flow_core.evaluation.classical_flow import Dis, Farneback, Ilk, OpenPiv, TvL1

    classical = (ZeroFlow(), Dis(), Farneback(), TvL1(), Ilk(), OpenPiv())
    weights = _published_raft_weights()
    return classical if weights is None else (*classical, RaftSmall(weights))


@dataclass(frozen=True)
class ZeroFlow:
    """No motion anywhere: the floor that every other method has to beat."""

    name: str = "zero flow"

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        return np.zeros((2, *first.shape), np.float32)


class RaftSmall:
    """torchvision's RAFT-small (Teed and Deng, ECCV 2020).

    Parameters
    ----------
    weights : Path, optional
        A state dictionary of torchvision's ``raft_small``; random weights without one, where only speed is asked.
    name : str
        The method's name in the tables.
    device : torch.device or str
    """

    def __init__(self, weights: Path | None, name: str = "RAFT-small", device: torch.device | str = "cpu") -> None:
        self.name = name
        self._weights = weights
        self._device = torch.device(device)
        self._net = raft_small(weights=None).eval()
        if weights is not None:
            with fits(weights):
                self._net.load_state_dict(load_pickled(weights))
        self._net.to(self._device)

    def __repr__(self) -> str:
        # Part of the key under which answers are kept, so it says what decides them and nothing else.
        return f"RaftSmall({self._weights and self._weights.name})"

    @torch.inference_mode()
    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        height, width = first.shape
        flow = self._net(self._tensor(first), self._tensor(second))[-1]
        result: NDArray[np.float32] = flow[0, :, :height, :width].float().cpu().numpy()
        return result

    def _tensor(self, frame: NDArray[np.uint8]) -> torch.Tensor:
        image = torch.from_numpy(frame).to(self._device).float()[None, None] / 127.5 - 1
        height, width = frame.shape
        # The network needs a multiple of 8 and at least 128 px; more is repeated edge.
        grown = [max(128, -(-side // 8) * 8) - side for side in (height, width)]
        return pad(image, (0, grown[1], 0, grown[0]), mode="replicate").expand(-1, 3, -1, -1)


def _published_raft_weights() -> Path | None:
    """The weights torchvision publishes, where the user has fetched them before; they are not fetched here."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(Raft_Small_Weights.C_T_V2.url).name
    return file if file.is_file() else None


@dataclass(frozen=True)
class TwoFrameMethod:
    """A `PairMethod` with the best preprocessing there is for it: asked pair by pair, in the grid of the first frame.

    Tissue motion is taken out by its true shift (no peer can do better), then the static background.

    Attributes
    ----------
    method : PairMethod
    background_frames : int
        Frames, spread over the case, whose mean is the background.
    """

    method: PairMethod
    background_frames: int

    @property
    def name(self) -> str:
        """The method's name in the tables."""
        return self.method.name

    @property
    def fingerprint(self) -> str:
        """The method with its settings."""
        return f"{self.method!r} background {self.background_frames}"

    def answers(self, case: Case, pairs: Sequence[int]) -> Iterator[Answer]:
        """Answer the given pairs; the seconds are those of the processor in the method alone."""
        background = _temporal_mean(case, self.background_frames)
        for pair in pairs:
            frames = np.stack([stabilised(case, t) for t in (pair, pair + 1)])
            first, second = remove_background(frames, background)
            start = time.process_time()
            flow = self.method.flow(first, second)
            seconds = time.process_time() - start
            yield Answer(pair, np.broadcast_to(flow, (len(case.vessels), *flow.shape)), None, seconds)


def _temporal_mean(case: Case, at_most: int) -> NDArray[np.float32]:
    """Return the mean of at most ``at_most`` stabilised frames spread over the case, shape (Y, X)."""
    total = len(case.video)
    chosen = np.unique(np.linspace(0, total - 1, min(at_most, total)).round().astype(int))
    mean = np.zeros(case.video.shape[1:], np.float64)
    for frame in chosen:
        mean += stabilised(case, int(frame))
    return (mean / len(chosen)).astype(np.float32)


def remove_background(frames: NDArray[np.generic], background: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take the static background away and stretch what is left over 8 bits.

    Tissue is static and cells move, so the temporal mean is all tissue. Every two-frame method gains by it.

    Parameters
    ----------
    frames : ndarray, shape (T, Y, X)
        Frames that lie on each other (tissue motion taken out).
    background : ndarray, shape (Y, X)
        Their temporal mean.

    Returns
    -------
    ndarray of uint8, shape (T, Y, X)
        128 = the background; the strongest 1 % of the differences are clipped.
    """
    difference = frames.astype(np.float32) - background.astype(np.float32)
    reach = float(np.percentile(np.abs(difference), 99)) or 1.0
    result: NDArray[np.uint8] = np.clip(np.rint(128 + 127 * difference / reach), 0, 255).astype(np.uint8)
    return result


def compare_kymograph(case: Case) -> Comparison:
    """Measure every vessel of a case by its space-time diagram over the whole recording.

    It is given the true centreline, width and tissue motion, and is compared with the true velocity in the
    middle of the vessel, which is what it sees. It has no flow field, so all figures of pixels stay empty.
    """
    settings = VelocitySettings()
    samplers = [_sampler(case, vessel, settings.kymograph) for vessel in case.vessels]
    sample_lanes(samplers, lambda frame: case.video[frame], 0, len(case.video))
    readings = [read_diagram(sampler.samples(), case.frame_rate_hz, settings) for sampler in samplers]
    measured = [float(np.nanmean(reading.space_time.velocity[:-1])) for reading in readings]
    return _velocities_only(np.array(measured), np.array([vessel.centre_velocity.mean() for vessel in case.vessels]))


def _velocities_only(measured: NDArray[np.floating], true: NDArray[np.floating]) -> Comparison:
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
    return LaneSampler(track, line, np.linspace(-reach, reach, settings.lanes), Surroundings(track, vessel.mask))
