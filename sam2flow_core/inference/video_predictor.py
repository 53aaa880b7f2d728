"""What the predictors of videos have in common: loading and saving, and the manners of SAM 2 that need no network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import torch
from torch import Tensor

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.errors import PromptError
from sam2flow_core.inference.weights import choose_device, load_model, save_folder
from sam2flow_core.model.sam2flow import SAM2Flow

Masks = tuple[int, list[int], Tensor]
"""Frame, ids of the objects, and their logits (objects, 1, Y, X) in the recorded frame."""

State = TypeVar("State")


class VideoPredictor(ABC, Generic[State]):
    """Prompts in, masks of all frames out.

    Parameters
    ----------
    model : SAM2Flow
    device : torch.device
    description : dict
        What the weights are, for provenance.
    settings : InferenceSettings, optional

    Attributes
    ----------
    device : torch.device
        What frames are answered on from now on.
    notices : tuple of str
        What became of the recording that was answered last, beside its answer: for want of memory, say.
    """

    object_name = "object"
    """What a prompted thing is called in messages."""

    def __init__(
        self,
        model: SAM2Flow,
        device: torch.device,
        description: dict[str, Any],
        settings: InferenceSettings | None = None,
    ) -> None:
        self.model, self.device = model.to(device).eval(), device
        self.settings = settings or InferenceSettings()
        self.notices: tuple[str, ...] = ()
        self._weights = description

    @property
    def description(self) -> dict[str, Any]:
        """What the weights are, with the settings, the device and the notices; JSON values for the provenance."""
        told = {**self._weights, "inference": asdict(self.settings), "device": str(self.device)}
        return told | {"notices": self.notices} if self.notices else told

    @classmethod
    def from_pretrained(
        cls,
        model_id: str = "tiny",
        device: str = "auto",
        settings: InferenceSettings | None = None,
        overrides: dict[str, Any] | None = None,
    ) -> Self:
        """Load the weights in the box (``tiny``), a file, a folder, or a model of the Hugging Face hub.

        Parameters
        ----------
        model_id : str
            ``tiny``; the path of a ``.safetensors`` file, of an official ``.pt`` file of SAM 2 or 2.1, or of a folder
            written by `save_pretrained`; or ``owner/model`` on the hub, the only case in which the network is used.
        device : str
            auto, cpu, cuda or mps.
        settings : InferenceSettings, optional
        overrides : dict, optional
            Fields of the model's configuration to change, for ablations.

        Raises
        ------
        ModelError
            If the file is not one of ours, knows not what the predictor needs, or the device is not there.
        """
        network, description = load_model(model_id, overrides)
        return cls(network, choose_device(device), description, settings)

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write weights (safetensors) and configuration (JSON) to a folder that `from_pretrained` reads."""
        save_folder(Path(save_directory), self.model, self._weights.get("notes", {}))

    def eval(self) -> Self:
        """Return the predictor as it is: SAM 2's is a network, which scripts tell that it is not to learn."""
        return self

    @abstractmethod
    def propagate_in_video(
        self,
        inference_state: State,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Any]:
        """Answer frames one by one; each answer unpacks into frame, ids and mask logits."""

    @torch.inference_mode()
    def remove_object(
        self, inference_state: State, obj_id: int, strict: bool = False, need_output: bool = True
    ) -> tuple[list[int], list[tuple[int, Tensor]]]:
        """Forget an object; return the ids that are left, and the masks of the frames it was prompted in.

        Raises
        ------
        PromptError
            If there is none of that id and ``strict`` is set.
        """
        frames = self._forget(inference_state, obj_id)
        if frames is None and strict:
            raise PromptError("there is no {object_name} {obj_id}", object_name=self.object_name, obj_id=obj_id)
        left = self._ids(inference_state)
        if frames is None or not left or not need_output:
            return left, []
        return left, [(frame, self._masks(inference_state, frame)[2]) for frame in sorted(frames)]

    @abstractmethod
    def _ids(self, state: State) -> list[int]:
        """Ids of the prompted objects."""

    @abstractmethod
    def _forget(self, state: State, obj_id: int) -> set[int] | None:
        """Forget an object; return the frames it was prompted in, None where there is none of that id."""

    @abstractmethod
    def _masks(self, state: State, frame: int) -> Masks:
        """Return the masks of all objects in a frame."""
