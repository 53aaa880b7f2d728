"""Sentences that a face may say in another language: a template, and the values that stand in it."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any


class Message(str):
    """A sentence in English that knows how it was made; everywhere else it is the string that it says.

    Errors, notices and the reasons of grades are made of these. A face that speaks another language looks up the
    template, which is the message's code, and fills the values into what it finds.

    Parameters
    ----------
    template : str
        In the syntax of `str.format`.
    **values : int, float, str or Message
        What the template names; of anything else, what `str` says of it.

    Attributes
    ----------
    template : str
    values : dict

    Examples
    --------
    >>> said = Message("{name}: only {share:.0%} of the frames", name="cells.tif", share=0.25)
    >>> said
    'cells.tif: only 25% of the frames'
    >>> said.in_words({said.template: "{name}: nur {share:.0%} der Bilder"}.__getitem__)
    'cells.tif: nur 25% der Bilder'
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Message:
        """Make the sentence."""
        values = {name: _plain(value) for name, value in values.items()}
        return cls._of(template.format(**values), template, values)

    @classmethod
    def _of(cls, text: str, template: str, values: dict[str, Any]) -> Message:
        said = super().__new__(cls, text)
        said.template, said.values = template, values
        return said

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as it is."""
        return Message._of, (str(self), self.template, self.values)

    def in_words(self, translate: Callable[[str], str]) -> str:
        """Return the sentence in another language.

        Parameters
        ----------
        translate : callable
            Gives the template in that language, or as it is where that language lacks it.
        """
        template = translate(self.template)
        if template == self.template and not any(isinstance(value, Message) for value in self.values.values()):
            return str(self)
        values = {
            name: value.in_words(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        try:
            return template.format(**values)
        except (LookupError, ValueError, TypeError, AttributeError):
            return str(self)  # the values came from a file, and do not fit

    def to_json(self) -> dict[str, Any]:
        """Return what is stored of it."""
        values = {
            name: value.to_json()
            if isinstance(value, Message)
            else value
            if isinstance(value, int | float)
            else str(value)
            for name, value in self.values.items()
        }
        return {"said": str(self), "template": self.template, "values": values}

    @classmethod
    def from_json(cls, stored: object) -> str:
        """Return what was stored; a plain string where it is not understood.

        The template of a file is only looked up, and never filled in by itself: files come from anybody.
        """
        if not isinstance(stored, dict) or not isinstance(stored.get("said"), str):
            return str(stored)
        template, values = stored.get("template"), stored.get("values")
        said = str(stored["said"])
        if not isinstance(template, str) or not isinstance(values, dict):
            return said
        kept = {
            str(name): cls.from_json(value) if isinstance(value, dict) else value
            for name, value in values.items()
            if isinstance(value, int | float | str | dict)
        }
        return cls._of(said, template, kept)


def _plain(value: Any) -> int | float | str:
    """Return a value that any process can read, and a file hold."""
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else str(value)
