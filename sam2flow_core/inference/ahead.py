"""What the next answer needs, made in the background while the present one is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import torch


class Ahead:
    """Does one thing at a time beside what its owner does.

    It computes with as many threads as who begins it: with other ones values differ in their last bits.
    """

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="sam2flow-ahead")
        self._under_way: Future[None] | None = None

    def begin(self, work: Callable[[], None]) -> None:
        """Do something in the background; what was begun before is waited for."""
        self.finish()
        threads = torch.get_num_threads()

        @torch.inference_mode()
        def on_as_many_threads() -> None:
            torch.set_num_threads(threads)
            work()

        self._under_way = self._worker.submit(on_as_many_threads)

    def finish(self) -> None:
        """Wait for what was begun, and raise what it raised."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def settle(self) -> None:
        """Wait for what was begun; whatever it raised is raised by `finish`, where it is needed."""
        if self._under_way is not None:
            wait([self._under_way])
