"""Errors a user can act on, and what to say where a package is missing that only some commands need.

Every message is one line that says what is wrong and what to do. The command
line prints it and exits with status 2; the plugin shows it as a notification.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sam2flow_core.messages import Message


class Sam2FlowError(Exception):
    """Base of the errors that a person must mend (exit status 2).

    Parameters
    ----------
    message : str
        One line; with `values` the template of a `Message`, so that a face can say it in another language.
    **values : int, float or str
        What the template names.

    Examples
    --------
    >>> str(Sam2FlowError("{name}: the file is empty", name="cells.tif"))
    'cells.tif: the file is empty'
    """

    def __init__(self, message: object = "", /, **values: Any) -> None:
        super().__init__(Message(str(message), **values) if values else message)

    @property
    def message(self) -> str:
        """What it says; a `Message` where it was made with values."""
        return self.args[0] if isinstance(self.args[0], Message) else str(self)


class StackError(Sam2FlowError):
    """The recording cannot be read or is not a (T, Y, X) stack."""


class CalibrationError(Sam2FlowError):
    """A pixel size or frame rate that cannot be used."""


class PromptError(Sam2FlowError):
    """Prompts that are malformed or lie outside the recording."""


class OutputError(Sam2FlowError):
    """Results that cannot be written or read."""


class ModelError(Sam2FlowError):
    """A checkpoint that cannot be loaded or does not fit its preset."""


class DataError(Sam2FlowError):
    """Training or evaluation data that cannot be used."""


class ExtraError(Sam2FlowError):
    """A package that only some commands need is not installed."""


_PACKAGES = {
    "peers": ("cv2", "openpiv"),
    "train": ("lightning_fabric", "tensorboard"),
    "hub": ("huggingface_hub",),
    "coco": ("pycocotools",),
    "nifti": ("nibabel",),
}


def require_extra(extra: str, what: str) -> None:
    """Raise `ExtraError` unless the packages of an extra can be imported, before anything else is done.

    Parameters
    ----------
    extra : str
        ``peers``, ``train``, ``hub``, ``coco`` or ``nifti``, as in ``pyproject.toml``.
    what : str
        What needs them, as the message begins.
    """
    for package in _PACKAGES[extra]:
        try:
            import_module(package)
        except ImportError as error:
            missing = isinstance(error, ModuleNotFoundError)
            why = "is not installed" if missing else f"cannot be loaded ({error})"
            raise ExtraError(f"{what} needs {package}, which {why}: pip install 'sam2flow[{extra}]'") from None
