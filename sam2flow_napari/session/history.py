"""Undo and redo without a limit."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class History(Generic[Value]):
    """A line of immutable values with a current one.

    Values share what they have in common, so keeping all of them costs little.
    """

    def __init__(self, first: Value) -> None:
        self._past: list[Value] = []
        self._future: list[Value] = []
        self.current = first

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier value."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether an undone value can come back."""
        return bool(self._future)

    def push(self, value: Value) -> None:
        """Make `value` the current one; what was undone is forgotten."""
        self._past.append(self.current)
        self._future.clear()
        self.current = value

    def undo(self) -> Value:
        """Go back one value, if there is one, and return the current value."""
        if self._past:
            self._future.append(self.current)
            self.current = self._past.pop()
        return self.current

    def redo(self) -> Value:
        """Go forward one value, if there is one, and return the current value."""
        if self._future:
            self._past.append(self.current)
            self.current = self._future.pop()
        return self.current
