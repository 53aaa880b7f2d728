"""Ctrl-C between frames."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType


class Interrupt:
    """While this context is open, the first Ctrl-C only sets `asked`; a second one stops at once.

    So a run can be stopped where nothing is half done.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
