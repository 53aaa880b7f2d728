"""What waits for the worker; filled by the GUI thread, emptied by the worker."""

from __future__ import annotations

import threading
from collections import deque

from sam2flow_napari.worker.jobs import Job, LongJob, PreviewJob


class JobQueue:
    """Jobs in their order; of the previews of one vessel only the newest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._previews: dict[int, PreviewJob] = {}
        self._cancel = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the worker should stop at once."""
        return self._closed

    @property
    def has_work(self) -> bool:
        """Whether anything waits."""
        with self._lock:
            return not self._closed and bool(self._jobs or self._previews)

    def put(self, job: Job) -> None:
        """Add a job."""
        with self._lock:
            if isinstance(job, PreviewJob):
                self._previews.pop(job.vessel_id, None)
                self._previews[job.vessel_id] = job
            else:
                self._jobs.append(job)

    def drop_previews(self) -> None:
        """Forget the previews that wait (another recording was opened)."""
        with self._lock:
            self._previews.clear()

    def take_preview(self) -> PreviewJob | None:
        """Return the preview that waits longest; previews come before everything else."""
        with self._lock:
            return self._previews.pop(next(iter(self._previews))) if self._previews else None

    def take(self) -> Job | None:
        """Return the next job."""
        with self._lock:
            return self._jobs.popleft() if self._jobs else None

    def cancel_long(self) -> tuple[LongJob, ...]:
        """Ask for the end of the long job in progress; return those that were still waiting and are dropped."""
        with self._lock:
            self._cancel = True
            waiting = tuple(j for j in self._jobs if isinstance(j, LongJob))
            self._jobs = deque(j for j in self._jobs if not isinstance(j, LongJob))
            return waiting

    def cancelled(self) -> bool:
        """Return whether the long job in progress should end, and forget it."""
        with self._lock:
            cancel, self._cancel = self._cancel, False
            return cancel

    def close(self) -> None:
        """Ask the worker to stop."""
        with self._lock:
            self._closed = True
            self._jobs.clear()
            self._previews.clear()
