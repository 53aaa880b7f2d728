"""Two things at a time, each on half of the threads: a pair's tensors are too small to keep several cores busy."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

_Part = TypeVar("_Part")


class Lanes:
    """Who answers a pair takes one lane; in the other, things are done that do not wait for each other.

    In which lane something is done does not change its values: each computes with as many threads.
    """

    def __init__(self) -> None:
        self.threads = max(torch.get_num_threads() // 2, 1)
        self._beside = ThreadPoolExecutor(
            1, thread_name_prefix="sam2flow-lane", initializer=torch.set_num_threads, initargs=(self.threads,)
        )

    @contextmanager
    def narrowed(self) -> Iterator[None]:
        """Have the present thread compute on its half."""
        whole = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(whole)

    def each(self, work: Callable[[_Part], None], parts: Iterable[_Part], /) -> None:
        """Do something with each part, in both lanes, or in one while the other is taken; see `Each`."""
        left, broken = deque(parts), threading.Event()

        def go_on() -> None:
            while left and not broken.is_set():
                try:
                    part = left.popleft()
                except IndexError:  # the other lane was quicker
                    return
                try:
                    work(part)
                except BaseException:
                    broken.set()
                    raise

        beside = self._beside.submit(torch.inference_mode()(go_on))
        try:
            go_on()
        finally:
            if not beside.cancel():
                beside.result()
