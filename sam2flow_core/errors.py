"""Errors a user can act on.

Every message is one line that says what is wrong and what to do. The command
line prints it and exits with status 2; the plugin shows it as a notification.
"""


class Sam2FlowError(Exception):
    """Base of the errors that a person must mend (exit status 2)."""


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
