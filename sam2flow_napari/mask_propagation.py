"""Carries the masks of one frame to all others; the result is a file in the project, and a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from qtpy.QtCore import Signal

from sam2flow_core.errors import PromptError, Sam2FlowError, StackError
from sam2flow_core.project import next_masks_file
from sam2flow_napari.one_job import OneJob
from sam2flow_napari.worker.jobs import Cancelled, Propagated, PropagationJob, PropagationProgress

_LARGEST = np.iinfo(np.uint16).max


class Propagation(OneJob):
    """At most one propagation at a time.

    Signals
    -------
    progressed(int)
        Number of frames done.
    finished(object)
        Path of the TIFF with the masks.
    """

    progressed = Signal(int)
    finished = Signal(object)

    def start(self, labels: NDArray[Any], frame: int) -> None:
        """Carry the labels (Y, X) of a frame to all others; refused with a notification where it cannot be."""
        if self.running:
            return
        try:
            self._start(labels, frame)
        except Sam2FlowError as error:
            self._report(error)

    def forget(self) -> None:
        """Stop (another recording is opened)."""
        if self.running:
            self._worker.cancel_long()
            self._end()

    def take(self, answer: object) -> None:
        """Take an answer of the worker; others than the present job's are dropped."""
        if isinstance(answer, PropagationProgress) and answer.job_id == self._job_id:
            self.progressed.emit(answer.frames_done)
        elif isinstance(answer, Propagated) and answer.job_id == self._job_id:
            self._end()
            self.finished.emit(answer.masks)
        elif isinstance(answer, Cancelled) and answer.job_id == self._job_id:
            show_info("Cancelled: no masks were written.")
            self._end()

    def _start(self, labels: NDArray[Any], frame: int) -> None:
        from sam2flow_core.engine.propagation import PropagationRequest

        recording, folder, choices = self._session.recording, self._session.folder, self._session.run_choices
        if recording is None or folder is None:
            raise StackError("no recording is open: open one first")
        if not labels.any():
            raise PromptError(f"no mask in frame {frame}: click on a vessel or paint one there first")
        if labels.min() < 0 or labels.max() > _LARGEST:
            raise PromptError(f"labels must lie between 0 and {_LARGEST}")
        folder.mkdir(parents=True, exist_ok=True)
        request = PropagationRequest(
            recording.path, labels.astype(np.uint16), frame, next_masks_file(folder), choices.model, choices.device
        )
        self._begin(lambda n: PropagationJob(n, request))
