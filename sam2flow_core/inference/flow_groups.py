"""Flow of all vessels on a device whose memory may be too small for all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.flow_stream import FlowStream, FrameFeatures
from sam2flow_core.inference.heap import give_back
from sam2flow_core.inference.lanes import Lanes
from sam2flow_core.inference.state import InferenceState
from sam2flow_core.inference.steps import VesselFlow
from sam2flow_core.messages import Message
from sam2flow_core.model.sam2flow import SAM2Flow


class FlowGroups:
    """Answers pairs of frames; vessels share a `FlowStream` for as long as the device has memory for that.

    Parameters
    ----------
    model : SAM2Flow
    state : InferenceState
        With at least one vessel that has a mask.
    settings : InferenceSettings
    ordered : bool
        Whether pairs are asked for as the plan has them, so that the next one is known.

    Attributes
    ----------
    notices : list of str
        What was done for want of memory.
    """

    def __init__(
        self, model: SAM2Flow, state: InferenceState, settings: InferenceSettings, ordered: bool = False
    ) -> None:
        self.model, self.state, self.settings, self.ordered = model, state, settings, ordered
        self.notices: list[str] = []
        self._groups = [list(state.vessels)]
        self._streams: list[FlowStream] = []
        self._lanes: Lanes | None = None

    def answer(self, t: int, context: Tensor) -> list[VesselFlow]:
        """Flow of every vessel from frame ``t`` to the next, as `FlowStream.answer`.

        Raises
        ------
        torch.OutOfMemoryError
            If there is not enough memory even for one vessel at a time on the processor.
        """
        while True:
            remembered = {v: vessel.motion.entries for v, vessel in self.state.vessels.items()}
            try:
                streams = self._ready()
                with nullcontext() if self._lanes is None else self._lanes.narrowed():
                    return [vessel for stream in streams for vessel in stream.answer(t, context)]
            except torch.OutOfMemoryError:
                for v, entries in remembered.items():  # some groups may have answered
                    self.state.vessels[v].motion.entries = entries
                self.make_room(t)
                context = context.to(self.state.frames.device)

    def still(self, t: int) -> list[VesselFlow]:
        """Masks of a frame without flow: the last one, which has no next, or one of a pair that is not asked for."""
        return [vessel for stream in self._ready() for vessel in stream.still(t)]

    def lay_anew(self) -> None:
        """Go on with the masks that the vessels have now, whose cells are laid out anew."""
        self._streams = []

    def make_room(self, t: int) -> None:
        """Answer fewer vessels at a time from frame ``t`` on; where there is but one, go on on the processor.

        To be called while an `OutOfMemoryError` is handled: it is raised again where nothing is left to do.
        """
        device = self.state.frames.device
        self._streams = []
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if any(len(group) > 1 for group in self._groups):
            self._groups = [half for group in self._groups for half in _halves(group)]
            self.notices.append(
                Message(
                    "the memory of {device} is full: from frame {t} on vessels are answered in {count} groups",
                    device=device,
                    t=t,
                    count=len(self._groups),
                )
            )
        elif device.type != "cpu":
            self.model.to("cpu")
            self.state.move_to(torch.device("cpu"))
            self._groups = [list(self.state.vessels)]
            self.notices.append(
                Message(
                    "the memory of {device} is full: from frame {t} on the processor goes on, slower",
                    device=device,
                    t=t,
                )
            )
        else:
            raise

    def _ready(self) -> list[FlowStream]:
        if not self._streams:
            features = FrameFeatures(self.model.flow, self.state)
            self._lanes = Lanes() if self._has_room(features) else None
            given = (self.settings, features, self._lanes, self.ordered and self._lanes is not None)
            self._streams = [FlowStream(self.model, self.state, group, *given) for group in self._groups]
            give_back()  # laying out vessels takes several times what it leaves
        return self._streams

    def _has_room(self, features: FrameFeatures) -> bool:
        """Whether there is room, and a second core, for two things at a time."""
        several = torch.get_num_threads() > 1 and self.state.frames.device.type == "cpu"
        return several and features.cover is None and len(self._groups) == 1


@contextmanager
def told_of_memory(device: torch.device) -> Iterator[None]:
    """Say what to do where the memory of a device does not hold a recording at all (`ModelError`)."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            "the memory of {device} is too small for this recording: choose the device cpu, or crop the frames",
            device=device,
        ) from error


def _halves(group: list[int]) -> list[list[int]]:
    middle = (len(group) + 1) // 2
    return [half for half in (group[:middle], group[middle:]) if half]
