"""Going through parts that do not wait for each other: one by one, or as whoever runs the network has cores for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

_Part = TypeVar("_Part")


class Each(Protocol):
    """Has something done with each part, in any order; done when it returns."""

    def __call__(self, work: Callable[[_Part], None], parts: Iterable[_Part], /) -> None:
        """Do ``work`` with each of the ``parts``."""


def one_by_one(work: Callable[[_Part], None], parts: Iterable[_Part], /) -> None:
    """The plainest `Each`."""
    for part in parts:
        work(part)
